"""Page times with 1,000 incidents, signed in and with the record, beside a straight-line program over the same rows.

Prints, for each page, its median and 95th percentile in milliseconds and its number of queries; the last line is one ratio:
the list's median over the median of the bare program (sqlite3, one query, string formatting), taken in turns in one run.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from html import escape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog
from sqlalchemy import event

from incident import clock, start
from incident.actions import intake
from incident.settings import Settings
from incident.store.db import db
from tests.builders import a_session, a_user

INCIDENTS = 1_000
ROUNDS = 60


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    with app.app_context():
        user = a_user("lead", "privacy", "responder")
        secret, refs = a_session(user), _fill(user.ref)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(sid=secret, seen=int(clock.now().timestamp()))
    queries = _counted(app)
    bare = sqlite3.connect(folder / "tocsin.db")
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, path in (
            ("desk", "/"),
            ("list", "/incidents/"),
            ("incident", f"/incidents/{refs[500]}"),
            ("duties", "/duties/"),
        ):
            began, before = time.perf_counter(), queries[0]
            reply = browser.get(path)
            if reply.status_code != 200:
                raise SystemExit(f"{path}: {reply.status_code}")
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            times.setdefault(f"{name} queries", []).append(queries[0] - before)
        times.setdefault("bare list", []).append(_bare(bare))
    for name, taken in times.items():
        if not name.endswith("queries"):
            count = (
                f", {int(statistics.median(times[f'{name} queries']))} queries" if f"{name} queries" in times else ""
            )
            print(
                f"{name}: median {statistics.median(taken):.1f} ms, p95 {statistics.quantiles(taken, n=20)[-1]:.1f} ms{count}"
            )
    print(f"ratio list / bare program: {statistics.median(times['list']) / statistics.median(times['bare list']):.1f}")


def _fill(actor: str) -> list[str]:
    facts = {
        "category": "data_leak",
        "personal_data": True,
        "people_count": 1200,
        "residents": {"DE": 1000, "US-TX": 200},
        "aware_at": "2026-11-20T08:00:00Z",
    }
    return [
        intake.log(
            kind="incident",
            title=f"Incident number {number}",
            facts=facts,
            source="bench",
            confidence="high",
            actor=actor,
            now=clock.now(),
        )
        for number in range(INCIDENTS)
    ]


def _counted(app: Any) -> list[int]:
    count = [0]
    with app.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def note(*_: Any) -> None:
            count[0] += 1

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
