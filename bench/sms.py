"""Texts sent per second to a fake Twilio, beside the official client, in the same run.

    python -m bench.sms [PEOPLE] [ANSWER_SECONDS] [--connections N]

The client sends a tenth as many, one after the other, and keeps nothing. Ours does all that a sending does.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bench import ground
from bench.ground import Taken, measured
from incident import start
from incident.actions import dispatch, imports, intake, preparing, sending
from incident.domain.deliveries import Pace
from incident.domain.imports import Reading
from incident.settings import Settings
from incident.store import dispatches, incidents
from incident.store.tables import Form
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

PEOPLE = 2_000
SENDER = "+15005550006"
COLUMNS = ("name", "phone", "country", "language")


class Redirected(TwilioHttpClient):
    """The official client's own way out, to another address."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=30)
        self.url = url

    def request(self, method, url, *given, **named):  # type: ignore[no-untyped-def]
        """The same request to the fake."""
        return super().request(method, url.replace("https://api.twilio.com", self.url), *given, **named)


def by_client(url: str, people: int) -> Taken:
    """One text after the other."""
    client = Client(ACCOUNT, TOKEN, http_client=Redirected(url))

    def send() -> None:
        for number in range(people):
            client.messages.create(to=f"+49151{number:08}", from_=SENDER, body="Example Ltd: see http://localhost")

    return measured(send)


def ours(folder: Path, url: str, people: int, connections: int) -> Taken:
    """What Tocsin takes to text everybody who is on the list already."""
    given = Settings(
        instance=folder,
        test_mode=True,
        base_url="http://localhost",
        twilio_url=url,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        twilio_from=SENDER,
    )
    app = start.prepare(given)
    with app.app_context():
        notice_of = incidents.by_ref(_imported(people, folder))
        if notice_of is None:
            raise SystemExit("Nobody was taken in.")
        notice = ground.approved(notice_of, channels=("sms", "email"))
        opened = app.extensions["channels"].real
        one = dispatch.start(
            notice_of.ref, notice, only_sandbox=False, pace=Pace(at_any_hour=True), actor="U-0BENCH00", now=ground.NOW
        )
        while preparing.prepare(one, opened, now=ground.NOW):
            pass
        opened["sms"].calls = connections
        wave = sending.Wave(one, opened, lambda: ground.NOW)
        taken = measured(lambda: wave.run(time.monotonic() + 3600))
        row = dispatches.anywhere(one)
        if row is None or (row.course, row.accepted) != ("done", people):
            raise SystemExit(f"Not everybody was sent to: {row and row.counts}.")
    return taken


def _imported(people: int, folder: Path) -> str:
    ref = intake.log(kind="incident", title="Bench", facts={}, source="", confidence="", actor="system", now=ground.NOW)
    source, files = folder / "list.csv", folder / "files"
    rows = "".join(f"Person {n},+49151{n:08},DE,en\n" for n in range(people))
    source.write_text(",".join(COLUMNS) + "\n" + rows)
    with source.open("rb") as content:
        list_ref = imports.upload(ref, content, name="list.csv", folder=files, actor="system", now=ground.NOW)
    form, reading = Form("csv", "utf-8-sig", ","), Reading(COLUMNS, exposed=("phone",))
    imports.start(
        ref, list_ref, reading, form=form, has_header=True, wave=0, folder=files, actor="system", now=ground.NOW
    )
    imports.run(list_ref, folder=files, clock=lambda: ground.NOW)
    return ref


@contextmanager
def faked(seconds: float) -> Iterator[str]:
    """A fake Twilio in a process of its own; its address."""
    words = [sys.executable, "-m", "bench.sms", "--serve", "0", str(seconds)]
    fake = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ground.ROOT)
    try:
        yield fake.stdout.readline().strip() if fake.stdout else ""
    finally:
        fake.kill()


def serve(seconds: float) -> None:
    """The fake, until killed."""
    with FakeTwilio() as server:
        server.answer_seconds = seconds
        print(server.url, flush=True)
        while True:
            time.sleep(3600)


def main() -> None:
    """Print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=int, nargs="?", default=PEOPLE)
    parser.add_argument("seconds", type=float, nargs="?", default=0.05, help="how long an answer takes")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.seconds)
    few = max(100, asked.people // 10) if not asked.seconds else 100
    with faked(asked.seconds) as url, tempfile.TemporaryDirectory() as folder:
        client = by_client(url, few)
        own = ours(Path(folder) / "instance", url, asked.people, asked.connections)
    print(f"client {few / client.wall:8,.0f} a second, {client.cpu * 1e6 / few:6.0f} µs CPU each, one after the other")
    print(f"ours   {asked.people / own.wall:8,.0f} a second, {own.cpu * 1e6 / asked.people:6.0f} µs CPU each")
    if asked.seconds:
        most = asked.connections / asked.seconds
        print(
            f"{asked.connections} connections could do {most:,.0f} a second: {asked.people / own.wall / most:.0%} of that"
        )
    speed, cpu = own.wall / asked.people / (client.wall / few), own.cpu / asked.people / (client.cpu / few)
    print(f"ratio  {speed:.2f} times the client's time for each, {cpu:.2f} times its CPU")


if __name__ == "__main__":
    main()
