"""Seconds from a new start to the first new request, after `tocsin run` was killed (-9) at half of a sending.

    python -m bench.resume [PEOPLE] [ANSWER_SECONDS] [--times N]

The fake SendGrid is a process of its own that says when requests come. The program's start is part of it: the interpreter, its
imports (compiled by an earlier start, as `make setup` does it), keys and database, the scheduler's first look. Each time the rest is sent on, killed at half of what
is left, and started anew. At the end everybody was told once, but for those whose call was under way at a kill: they are in doubt.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from bench import ground
from incident.store import dispatches
from incident.store.db import db
from tests.fakes.sendgrid import FakeSendGrid
from tests.journeys.installation import free_port

PEOPLE = 20_000
BOUND = 2.0  # seconds; what an installation must keep
LONGEST, LONGEST_START = 1_800, 90


class Fake:
    """The fake in a process of its own: asked by a line, it says how many people it has and when the next request came."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.url = self._said()

    def taken(self) -> int:
        """How many people it was handed so far."""
        return int(self._asked("taken"))

    def next_request(self) -> float:
        """When (`time.monotonic`) the first request came after this was asked for; waits for it."""
        return float(self._asked("next"))

    def _asked(self, word: str) -> str:
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(word + "\n")
        pipe.flush()
        return self._said()

    def _said(self) -> str:
        pipe = self._process.stdout
        assert pipe is not None
        return pipe.readline().strip()


def serve(seconds: float, asked: IO[str]) -> None:
    """The fake, until nobody asks any more."""
    with FakeSendGrid() as server:
        server.keep_payloads, server.answer_seconds = False, seconds
        print(server.url, flush=True)
        for word in asked:
            if word.strip() == "taken":
                print(server.taken, flush=True)
                continue
            before = server.asked
            until = time.monotonic() + LONGEST_START
            while server.asked == before and time.monotonic() < until:
                time.sleep(0.001)
            print(time.monotonic(), flush=True)


@contextmanager
def faked(seconds: float) -> Iterator[Fake]:
    """The fake while the block lasts."""
    words = [sys.executable, "-m", "bench.resume", "--serve", "0", str(seconds)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ground.ROOT)
    try:
        yield Fake(process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(folder: Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`tocsin run` of this installation; killed without a word at the end of the block."""
    port = free_port()
    given = {name: value.format(port=port) for name, value in ground.environment(folder).items()}
    environment = ground.clean() | given | {"TOCSIN_SENDGRID_URL": url, "TOCSIN_SENDING_LEASE": "5"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder.parent / "compiled")
    words = [sys.executable, "-m", "incident.cli", "run"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, cwd=ground.ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def sent_until(fake: Fake, people: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until so many were handed over."""
    until = time.monotonic() + LONGEST
    while fake.taken() < people:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"The sending did not go on: exit {process.returncode}.")
        time.sleep(0.02)


class Start(NamedTuple):
    """One new start: seconds to its first request, by the clock and of the processor."""

    wall: float
    cpu: float


def resumed(folder: Path, fake: Fake, people: int, times: int) -> list[Start]:
    """Kill at half, then at half of what is left; what each new start took to its first request."""
    taken: list[Start] = []
    goal = people // 2
    with running(folder, fake.url) as process:
        sent_until(fake, goal, process)
    for _ in range(times):
        goal += (people - goal) // 2
        time.sleep(0.5)  # what the dead one had sent arrives
        began = time.monotonic()
        with running(folder, fake.url) as process:
            taken.append(Start(fake.next_request() - began, ground.cpu_seconds(process.pid)))
            if taken[-1].wall >= LONGEST_START:
                raise SystemExit("No request came: all were sent before it was killed, or it does not go on.")
            sent_until(fake, goal, process)
    return taken


def finished(folder: Path, fake: Fake, one: str, people: int) -> str:
    """Send the rest; how everybody stands. SystemExit where somebody was lost, or told twice without anybody's doing."""
    app = ground.prepared(folder, url=fake.url)
    with running(folder, fake.url) as process, app.app_context():
        until = time.monotonic() + LONGEST
        while (row := dispatches.anywhere(one)) and (row.waiting or row.sending):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("The rest was not sent.")
            db.session.rollback()
            time.sleep(0.2)
        assert row is not None
        if row.accepted + row.in_doubt != people or not row.accepted <= fake.taken() <= people:
            raise SystemExit(f"The counts do not add up: {row.counts}, the provider has {fake.taken():,}.")
        return f"{row.accepted:,} accepted, {row.in_doubt:,} in doubt; the provider has {fake.taken():,}"


def main() -> None:
    """Print each start's seconds, and whether the slowest is within its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=int, nargs="?", default=PEOPLE)
    parser.add_argument("seconds", type=float, nargs="?", default=0.5, help="how long an answer takes")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.seconds, sys.stdin)
        return
    with faked(asked.seconds) as fake, tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "instance"
        with (app := ground.prepared(folder, url=fake.url)).app_context():
            one = ground.listed(ground.imported(asked.people, folder), app)
        taken = resumed(folder, fake, asked.people, asked.times)
        stand = finished(folder, fake, one, asked.people)
    shown = ", ".join(f"{start.wall:.2f} ({start.cpu:.2f})" for start in taken)
    median, cpu = (statistics.median(values) for values in zip(*taken, strict=True))
    print(
        f"{asked.people:,} people, killed at half: {shown} s (of the processor) to the first new request, load {os.getloadavg()[0]:.1f}"
    )
    print(f"median {median:.2f} s, {cpu:.2f} s of the processor (must {BOUND:g}, aim 0.5); {stand}")
    print(f"ratio {median / BOUND:.2f} of the {BOUND:g} s that it may take")


if __name__ == "__main__":
    main()
