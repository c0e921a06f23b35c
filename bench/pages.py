"""Page times in a large installation, signed in and with the record, beside a straight-line program over the same rows.

    python -m bench.pages [INCIDENTS] [PEOPLE]

1,000 incidents and 20,000 people if nothing is said. A few incidents are logged as anybody would; the others are copies of their
rows. One has a list of all the people, fifty have one person each. Prints, for each page and each kind of search, its median and
95th percentile in milliseconds, its number of queries and the time of the processor; the last line is one ratio: the list's median over the median of the
bare program (sqlite3, one query, string formatting), taken in turns in one run.
"""

import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog
from sqlalchemy import Table, event, literal, select
from werkzeug.test import TestResponse

from bench import ground
from incident import clock, start
from incident.actions import intake, people, throttled
from incident.settings import Settings
from incident.store.db import db
from tests.builders import a_session, a_user

INCIDENTS, PEOPLE = 1_000, 20_000
LOGGED, WITH_ONE = 60, 50
ROUNDS = 60
COPIED = ("incident", "fact", "finding", "grade", "assessment")
FACTS = {
    "category": "data_leak",
    "personal_data": True,
    "people_count": 1200,
    "residents": {"DE": 1000, "US-TX": 200},
    "aware_at": "2026-11-20T08:00:00Z",
}


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    incidents, crowd = (
        (int(sys.argv[1]) if len(sys.argv) > 1 else INCIDENTS),
        (int(sys.argv[2]) if len(sys.argv) > 2 else PEOPLE),
    )
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    app = start.prepare(Settings(instance=folder, test_mode=True))
    with app.app_context():
        user = a_user("lead", "privacy", "responder")
        secret, refs = a_session(user), _fill(user.ref, incidents, crowd, folder)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(sid=secret, seen=int(clock.now().timestamp()))
    queries = _counted(app)
    bare = sqlite3.connect(folder / "tocsin.db")
    throttled.take = lambda *_, **__: None  # type: ignore[assignment]  # nobody looks sixty people up in a minute
    acts = _acts(browser, refs)
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, act in acts.items():
            before, reply = queries[0], []
            taken = ground.measured(lambda act=act, reply=reply: reply.append(act()))
            if reply[0].status_code != 200:
                raise SystemExit(f"{name}: {reply[0].status_code}")
            times.setdefault(name, []).append(taken.wall * 1000)
            times.setdefault(f"{name} processor", []).append(taken.cpu * 1000)
            times.setdefault(f"{name} queries", []).append(queries[0] - before)
        times.setdefault("bare list", []).append(_bare(bare))
    _tell(times, incidents, crowd)


def _acts(browser: Any, refs: list[str]) -> dict[str, Callable[[], TestResponse]]:
    pages = {
        "desk": "/",
        "list": "/incidents/",
        "incident": f"/incidents/{refs[LOGGED // 2]}",
        "people": f"/incidents/{refs[-1]}/people/",
        "duties": "/duties/",
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
    print(f"ratio list / bare program: {statistics.median(times['list']) / statistics.median(times['bare list']):.1f}")


def _fill(actor: str, incidents: int, crowd: int, folder: Path) -> list[str]:
    """The references of those that were logged; the last has the list of people."""
    refs = [_log(actor, number) for number in range(LOGGED)]
    for ref in refs[:WITH_ONE]:
        given = {"name": "Somebody", "email": f"{ref}@example.org", "place": "DE", "exposed": "email"}
        people.add(ref, given, actor=actor, now=clock.now())
    copies = max(0, incidents - LOGGED - 1) // LOGGED
    with db.engine.execution_options(tocsin_write=True).begin() as connection:
        for number in range(1, copies + 1):
            for name in COPIED:
                connection.execute(_copied(db.metadata.tables[name], number))
    return [*refs, ground.imported(crowd, folder)]


def _log(actor: str, number: int) -> str:
    said = {"source": "bench", "confidence": "high", "actor": actor, "now": clock.now()}
    return intake.log(kind="incident", title=f"Incident number {number}", facts=FACTS, **said)  # type: ignore[arg-type]


def _copied(table: Table, number: int) -> Any:
    """The rows of what was logged once more, under numbers and references of their own."""
    apart = number * 1_000_000
    shifted = {"id": apart, "incident_id": apart} if table.name != "incident" else {"id": apart}
    columns = [column for column in table.columns if column.name != "sealed"]
    values = [
        column + shifted[column.name]
        if column.name in shifted
        else column.concat(f"-{number}")
        if column.name == "ref"
        else column
        for column in columns
    ]
    key = table.c.id if table.name == "incident" else table.c.incident_id
    rows = select(*values).where(key < literal(1_000_000))
    return table.insert().from_select([column.name for column in columns], rows)


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
