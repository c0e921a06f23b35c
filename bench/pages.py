"""Page times in a large installation, signed in and with the record, beside a straight-line program over the same rows.

    python -m bench.pages [INCIDENTS] [PEOPLE] [--kept FOLDER] [--rounds N] [--only WORD]

1,000 incidents and 20,000 people if nothing is said; what they are is in `bench/stock.py`. With `--kept` they are made once and
used again from that folder. Prints, for each page and each kind of search, its median and 95th percentile in milliseconds, its
number of queries and the time of the processor; the last line is one ratio: the list's median over the median of the bare
program (sqlite3, one query, string formatting), taken in turns in one run.
"""

import argparse
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from itertools import count as counting
from pathlib import Path
from threading import Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog
from sqlalchemy import event
from werkzeug.test import TestResponse

from bench import ground, stock
from incident import clock
from incident.actions import throttled
from incident.store import write_ahead
from incident.store.db import db

ROUNDS = 60


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    given = _arguments()
    folder = given.kept or Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    with stock.opened(folder, given.incidents, given.people) as (app, house):
        secret = stock.signed_in(house.user)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(sid=secret, seen=int(clock.now().timestamp()))
    queries = _counted(app)
    bare = sqlite3.connect(folder / "tocsin.db")
    throttled.take = lambda *_, **__: None  # type: ignore[assignment]  # nobody looks sixty people up in a minute
    acts = {name: act for name, act in _acts(browser, house).items() if given.only in name}
    times: dict[str, list[float]] = {}
    Thread(target=_clock, args=(app,), daemon=True).start()
    for _ in range(given.rounds):
        for name, act in acts.items():
            before, reply = queries[0], []
            taken = ground.measured(lambda act=act, reply=reply: reply.append(act()))
            if reply[0].status_code not in {200, 302}:
                raise SystemExit(f"{name}: {reply[0].status_code}")
            times.setdefault(name, []).append(taken.wall * 1000)
            times.setdefault(f"{name} processor", []).append(taken.cpu * 1000)
            times.setdefault(f"{name} queries", []).append(queries[0] - before)
        times.setdefault("bare list", []).append(_bare(bare))
    _tell(times, given.incidents, given.people)


def _clock(app: Any) -> None:
    """Carry the journal over once a second, as the clock of `tocsin run` does."""
    with app.app_context():
        while True:
            time.sleep(write_ahead.EVERY_SECONDS)
            write_ahead.carry_over()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("incidents", nargs="?", type=int, default=1_000)
    parser.add_argument("people", nargs="?", type=int, default=20_000)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="")
    return parser.parse_args()


def _acts(browser: Any, house: stock.Stock) -> dict[str, Callable[[], TestResponse]]:
    one, crowd = f"/incidents/{house.refs[len(house.refs) // 2]}", f"/incidents/{house.crowd}"
    pages = {
        "desk": "/",
        "list": "/incidents/",
        "incident": one,
        "facts": f"{one}/facts",
        "duties of one": f"{one}/duties/",
        "plan": f"{one}/plans/",
        "time line": f"{one}/timeline",
        "record of one": f"{one}/record/",
        "people": f"{crowd}/people/",
        "people, far on": f"{crowd}/people/?after=500000",
        "progress": f"{crowd}/lists/{house.listed}/progress",
        "duties": "/duties/",
        "notices": "/desk/notices/",
        "reported": "/reported/",
        "record": "/record/",
        "measures": "/measures/",
        "readiness": "/readiness/",
        "form to log": "/incidents/log",
        "search, words of titles": "/search/?q=number 7",
        "search, a duty": "/search/?q=supervisory",
        "search, nothing like it": "/search/?q=zebra",
    }
    acts: dict[str, Callable[[], TestResponse]] = {
        name: (lambda path=path: browser.get(path)) for name, path in pages.items()
    }
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    sent = {"csrf_token": token[1] if token else ""}
    for name, text in (("a person", "person777@example.org"), ("nobody", "nobody@example.org")):
        acts[f"search, {name}"] = lambda text=text: browser.post("/search/", data=sent | {"q": text})
    numbers = counting()  # for the same form sent twice is done once
    logged = sent | {"kind": "near_miss", "what_happened": "As its title says"}
    acts["create"] = lambda: browser.post("/incidents/log", data=logged | {"title": f"Logged {next(numbers)}"})
    return acts


def _tell(times: dict[str, list[float]], incidents: int, crowd: int) -> None:
    print(f"{incidents:,} incidents, {crowd:,} people")
    for name, taken in times.items():
        if not name.endswith(("queries", "processor")):
            many, busy = times.get(f"{name} queries"), times.get(f"{name} processor")
            count = f", {int(statistics.median(many))} queries" if many else ""
            count += f", {statistics.median(busy):.1f} ms of the processor" if busy else ""
            p95 = statistics.quantiles(taken, n=20)[-1]
            print(f"{name}: median {statistics.median(taken):.1f} ms, p95 {p95:.1f} ms{count}")
    if "list" in times:
        ratio = statistics.median(times["list"]) / statistics.median(times["bare list"])
        print(f"ratio list / bare program: {ratio:.1f}")


def _counted(app: Any) -> list[int]:
    count = [0]
    with app.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def note(*given: Any) -> None:
            count[0] += given[2] not in {"BEGIN", "BEGIN IMMEDIATE"}

    return count


def _bare(database: sqlite3.Connection) -> float:
    began = time.perf_counter()
    rows = database.execute(
        "SELECT ref, title, state, opened_at, opened_by FROM incident ORDER BY id DESC LIMIT 50"
    ).fetchall()
    "".join(
        f"<tr><td>{escape(ref)}<td>{escape(title)}<td>{state}<td>{at}<td>{by}" for ref, title, state, at, by in rows
    )
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
