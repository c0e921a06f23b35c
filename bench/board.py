"""The board of one incident that touches every law: reading it and answering a question, beside a bare program.

    python -m bench.board

CPU time of the server for each page and its number of queries. The last line is one ratio of the same run: the board over a
program that reads the same findings by one query and formats a line for each.
"""

import sqlite3
import statistics
import tempfile
import time
from html import escape
from pathlib import Path
from typing import Any

import structlog

from bench.pages import _counted
from incident import clock, start
from incident.domain import places
from incident.settings import Settings
from incident.store import obligations
from tests.builders import a_session, a_user, an_incident

ROUNDS = 40


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        secret, path = a_session(a_user("lead", "privacy", "responder")), _everywhere()
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(sid=secret, seen=int(clock.now().timestamp()))
    queries, bare = _counted(app), sqlite3.connect(folder / "tocsin.db")
    times: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    for turn in range(ROUNDS):
        for name, address in (("board", ""), ("all duties", "?only=all"), ("questions", "questions")):
            began, before = time.process_time(), queries[0]
            _must(browser.get(f"{path}{address}"), 200)
            times.setdefault(name, []).append((time.process_time() - began) * 1000)
            counts[name] = queries[0] - before
        began = time.process_time()
        _must(browser.post(f"{path}questions/minors", data={"minors": "yes" if turn % 2 else "no"}), 302)
        times.setdefault("answer", []).append((time.process_time() - began) * 1000)
        times.setdefault("bare", []).append(_bare(bare))
    for name, taken in times.items():
        said = f", {counts[name]} queries" if name in counts else ""
        print(
            f"{name}: median {statistics.median(taken):.1f} ms of CPU, p95 {statistics.quantiles(taken, n=20)[-1]:.1f} ms{said}"
        )
    print(f"ratio board / bare program: {statistics.median(times['board']) / statistics.median(times['bare']):.1f}")


def _everywhere() -> str:
    """An incident with people in every place; the address of its duties."""
    incident = an_incident(
        facts={
            "personal_data": True,
            "residents": {code: 1_200 for code in places.codes()},
            "role": "controller",
            "data_kinds": ["name", "email", "address", "ssn"],
            "properties": ["confidentiality"],
            "encryption": "none",
            "risk_to_people": "high",
            "aware_at": clock.now().isoformat(),
        }
    )
    found = obligations.counted(incident.id)
    print(", ".join(f"{number} {word.replace('_', ' ')}" for word, number in found.items() if number))
    return f"/incidents/{incident.ref}/duties/"


def _must(reply: Any, status: int) -> None:
    if reply.status_code != status:
        raise SystemExit(f"{reply.request.path}: {reply.status_code}")


def _bare(database: sqlite3.Connection) -> float:
    began = time.process_time()
    rows = database.execute(
        "SELECT ref, title, standing, because, due_at, clock_words FROM finding WHERE superseded_at IS NULL"
    )
    "".join(
        f"<li id={ref}>{due}<b>{escape(title)}</b>{standing}{escape(why)}{escape(words)}"
        for ref, title, standing, why, due, words in rows.fetchall()
    )
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
