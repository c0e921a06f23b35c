"""Visitors of the public pages while a sending runs, over real sockets: how long they wait, and whether anything they ask is lost.

    python -m bench.visitors [PEOPLE] [--a-minute 1000]

One installation on SQLite: `tocsin run` sends to so many people through a fake SendGrid in another process while visitors come at
a steady rate, whether the ones before were answered or not: codes that are right and wrong, their own page, its form, the page of
reports, and one in twenty who asks a question. Times count only while the sending goes on; a visitor who has to wait for a free
line waits on the clock too. The yardstick is the p95 of the same visits while nothing runs.
"""

import argparse
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from bench import ground
from bench.pages_under_load import environment, fake
from incident import clock
from incident.actions import checks
from incident.domain import tickets
from incident.store import dispatches
from incident.store.db import db, new_secret_ref

PEOPLE = 20_000
A_MINUTE = 1_000
LINES = 16
CODES = 400
ASKS = 20
IDLE = 20  # seconds
LIMIT = 0.150


class Visits:
    """What visitors ask for, one request after the other, and what became of it."""

    def __init__(self, notice: str, codes: list[str], key: bytes) -> None:
        self.notice, self.codes, self.key = notice, codes, key
        self.asked = 0
        self.turn = 0
        self.guard = threading.Lock()

    def next(self) -> tuple[bytes, set[int]]:
        """The next request, and the statuses that are right for it."""
        with self.guard:
            turn, self.turn = self.turn, self.turn + 1
        code = self.codes[turn % len(self.codes)]
        if turn % ASKS == ASKS - 1:
            return self._question(code), {200}
        path, right = (
            (f"/check/{code}", 200),
            (f"/check/{self.notice}?language=zh-Hans", 200),
            (f"/check/{code[:-1]}U", 404),
            (f"/check/{code}/question", 200),
            ("/report", 200),
        )[turn % 5]
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), {right}

    def _question(self, code: str) -> bytes:
        """A question, paid for by the wait: its ticket is as old as that."""
        issued = clock.now() - tickets.WAIT
        ticket = tickets.issued(self.key, "check", nonce=new_secret_ref(), now=issued)
        body = urlencode({"csrf_token": ticket, "proof": "", "text": "Which data of mine?"}).encode()
        self.asked += 1
        head = f"POST /check/{code}/question HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        # each comes from a network of its own, as visitors do: the proxy in front says which
        where = f"198.51.{self.asked // 250 % 250}.{self.asked % 250}"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        return f"{head}X-Forwarded-For: {where}\r\n{kind}\r\n".encode() + body


def prepared(folder: Path, url: str, people: int) -> Visits:
    """An installation with a sending that is ready to go, and what its visitors know."""
    app = ground.prepared(folder, url=url)
    with app.app_context():
        one = ground.started(ground.imported(people, folder))
        row = dispatches.anywhere(one)
        assert row is not None
        codes = [checks.code_of(row.incident_id, row.notice_ref, number) for number in range(1, min(people, CODES) + 1)]
        visits = Visits(
            row.notice_ref,
            codes,
            str(app.secret_key).encode() if isinstance(app.secret_key, str) else bytes(app.secret_key or b""),
        )
        db.engine.dispose()
    return visits


def visited(port: int, visits: Visits, a_minute: int, go_on: Callable[[], bool]) -> tuple[list[float], list[str]]:
    """Seconds that each visitor waited from the moment they came, and what was not answered rightly."""
    gap, began = 60 / a_minute, time.perf_counter()
    due, times, wrong, guard = iter(range(10**9)), list[float](), list[str](), threading.Lock()

    def line() -> None:
        connection = ground.Line(port)
        while go_on():
            with guard:
                comes = began + next(due) * gap
            time.sleep(max(0.0, comes - time.perf_counter()))
            request, right = visits.next()
            status = connection.ask(request)
            with guard:
                times.append(time.perf_counter() - comes)
                if status not in right:
                    wrong.append(f"{status} {request.split(b' HTTP')[0].decode()[:20]}")

    lines = [threading.Thread(target=line) for _ in range(LINES)]
    for one in lines:
        one.start()
    for one in lines:
        one.join()
    return times, wrong


def main() -> None:
    """Print the p95 of both, what was lost, and the ratio."""
    asked = argparse.ArgumentParser()
    asked.add_argument("people", nargs="?", type=int, default=PEOPLE)
    asked.add_argument("--a-minute", type=int, default=A_MINUTE)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as root, fake() as url:
        folder = Path(root) / "instance"
        visits = prepared(folder, url, given.people)
        settings = environment(folder, url) | {"TOCSIN_BEHIND_PROXY": "1"}
        with ground.served("-m", "incident.cli", "web", settings=settings) as (port, _):
            until = time.monotonic() + IDLE
            calm, wrong = visited(port, visits, given.a_minute, lambda: time.monotonic() < until)
        database = sqlite3.connect(folder / "tocsin.db", timeout=30, check_same_thread=False)
        with ground.served("-m", "incident.cli", "run", settings=settings) as (port, _):
            going = threading.Event()
            threading.Thread(target=_watch, args=(database, going), daemon=True).start()
            busy, more = visited(port, visits, given.a_minute, lambda: not going.is_set())
        [[kept]] = database.execute("SELECT count(*) FROM enquiry")
        [[told]] = database.execute("SELECT accepted FROM dispatch")
    for mistake in sorted({*wrong, *more}):
        print("not as it should be:", mistake, [*wrong, *more].count(mistake), "times")
    print(f"told {told} of {given.people}; asked {visits.asked}, kept {kept}, lost {visits.asked - kept}")
    p95 = ground.p95(busy)
    print(f"p95 idle {ground.p95(calm) * 1000:.0f} ms of {len(calm)}, while sending {p95 * 1000:.0f} ms of {len(busy)}")
    print(f"ratio    {p95 / LIMIT:.2f} of the {LIMIT * 1000:.0f} ms that the p95 may take")


def _watch(database: sqlite3.Connection, done: threading.Event) -> None:
    """Say when everybody was told."""
    until = time.monotonic() + 900
    while time.monotonic() < until:
        [[left]] = database.execute("SELECT audience - accepted FROM dispatch")
        if left <= 0:
            break
        time.sleep(0.5)
    done.set()


if __name__ == "__main__":
    main()
