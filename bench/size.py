"""What one more person costs: bytes in every table, processor time of every step; and what 10 and 100 million would come to.

    python -m bench.size [PEOPLE] [sqlite|postgresql]

Two installations, one with so many people and one with three times as many: imported, listed, sent to by a fake SendGrid, and
reported on twice each ("processed", "delivered"). What is printed is the slope between the two, so that nothing fixed is in it.
docs/sizing.md works with these figures.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.ground import imported, listed
from incident import journal, start, work
from incident.settings import Settings
from incident.store.db import db
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.postgres import Postgres

PEOPLE = 5_000
MANY = (1_000_000, 10_000_000, 100_000_000)
A_POST = 500
WARM = 100  # people of a first installation, which pays for whatever is loaded late
SIZES_OF_TABLES = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
PAGES_OF_TABLES = """SELECT coalesce(s.tbl_name, d.name), sum(d.pgsize) FROM dbstat AS d
LEFT JOIN sqlite_schema AS s ON s.name = d.name GROUP BY 1"""


@dataclass
class Cost:
    """What one installation came to: bytes by table, processor seconds by step, and how many lines and claims."""

    people: int
    tables: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)


def measured(people: int, settings: Settings, provider: FakeSendGrid, server: Postgres | None) -> Cost:
    """One installation with so many people, from list to report."""
    cost = Cost(people)
    app = start.prepare(settings)
    with app.app_context():
        log, busy = _log_bytes(), _busy(server)
        ref = _timed(cost, "import", lambda: imported(people, settings.instance))
        sending = _timed(cost, "check, approve, list", lambda: listed(ref, app))
        _timed(cost, "send", work.once)
        refs = [one for (one,) in db.session.execute(text("SELECT ref FROM delivery ORDER BY id"))]
        db.session.remove()
        _timed(cost, "two reports each", lambda: _reported(app, provider, refs))
        assert db.session.scalar(text("SELECT delivered FROM dispatch WHERE ref = :ref"), {"ref": sending}) == people
        cost.tables = _sizes()
        if server:
            cost.tables["(log written, for the standby and the disk)"] = _log_bytes() - log
            cost.steps["all of it, inside PostgreSQL"] = _busy(server) - busy
        cost.rows = {
            "lines of the record": float(db.session.scalar(text("SELECT count(*) FROM audit_line")) or 0),
            "claims": float(db.session.scalar(text("SELECT count(*) FROM delivery_claim")) or 0),
        }
        db.session.remove()
        db.engine.dispose()
    return cost


def _log_bytes() -> float:
    """How far PostgreSQL's write-ahead log has come; 0 elsewhere."""
    if db.engine.dialect.name != "postgresql":
        return 0.0
    return float(db.session.scalar(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")) or 0)


def _busy(server: Postgres | None) -> float:
    return server.cpu_seconds() if server else 0.0


def _timed(cost: Cost, step: str, act: Callable[[], Any]) -> Any:
    began = time.process_time()
    done = act()
    cost.steps[step] = time.process_time() - began
    return done


def _reported(app: APIFlask, provider: FakeSendGrid, refs: list[str]) -> None:
    client = app.test_client()
    for word in ("processed", "delivered"):
        for at in range(0, len(refs), A_POST):
            events = [_event(word, ref) for ref in refs[at : at + A_POST]]
            body = json.dumps(events).encode()
            answer = client.post("/hooks/sendgrid", data=body, headers=provider.signed(body))
            assert answer.status_code == 204, answer.status_code


def _event(word: str, ref: str) -> dict[str, Any]:
    return {
        "email": "somebody@example.org",
        "timestamp": int(datetime.now(UTC).timestamp()),
        "event": word,
        "sg_event_id": f"{word[:4]}{ref}",
        "sg_message_id": "abc.recvd-5f54b5d587-7rlpt-1-64B0-3.0",
        "tocsin_ref": ref,
    }


def _sizes() -> dict[str, float]:
    """Bytes of every table, its indexes included."""
    query = SIZES_OF_TABLES if db.engine.dialect.name == "postgresql" else PAGES_OF_TABLES
    return {name: float(size) for name, size in db.session.execute(text(query))}


def slope(small: Cost, large: Cost, of: str) -> dict[str, float]:
    """How much of each one more person costs."""
    a, b = getattr(small, of), getattr(large, of)
    return {name: (b[name] - a.get(name, 0.0)) / (large.people - small.people) for name in b}


def told(kind: str, small: Cost, large: Cost) -> None:
    """Print the slopes, and what they come to."""
    bytes_each = {name: size for name, size in slope(small, large, "tables").items() if size >= 1}
    micros = {name: 1e6 * seconds for name, seconds in slope(small, large, "steps").items()}
    print(f"{kind}: slope between {small.people:,} and {large.people:,} people")
    for name, size in sorted(bytes_each.items(), key=lambda one: -one[1]):
        print(f"  {name:<46}{size:>9,.0f} bytes a person")
    total = sum(size for name, size in bytes_each.items() if not name.startswith("("))
    print(f"  {'all tables':<46}{total:>9,.0f} bytes a person")
    for name, count in slope(small, large, "rows").items():
        print(f"  {name:<46}{count * 1000:>9.2f} a thousand people")
    for name, cost in micros.items():
        print(f"  {name:<46}{cost:>9.1f} µs of processor time a person")
    every = sum(micros.values())
    grown = [sum(cost.steps.values()) / cost.people for cost in (small, large)]
    print(
        f"  ratio {grown[1] / grown[0]:.2f}: processor time a person at {large.people:,} over that at {small.people:,}"
    )
    for people in MANY:
        print(
            f"  {people:>11,} people: {people * total / 1e9:8.1f} GB, {people * every / 3.6e9:7.2f} hours of one core"
        )


def run(kind: str, people: int) -> None:
    """Both sizes on one kind of database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Postgres()) if kind == "postgresql" else None
        provider = (
            FakeSendGrid()
        )  # keeps what the first installation sends; the others send to one in a process of its own
        child = subprocess.Popen([sys.executable, "-m", "tests.fakes.sendgrid"], stdout=subprocess.PIPE, text=True)
        stack.callback(child.kill)
        assert child.stdout is not None
        urls = [provider.url, *[child.stdout.readline().strip()] * 2]
        stack.enter_context(provider)
        costs = []
        for url, count in zip(urls, (WARM, people, 3 * people), strict=True):
            values: dict[str, Any] = {"database_url": _database(server, f"size{count}")} if server else {}
            settings = Settings(
                instance=folder / str(count),
                test_mode=True,
                base_url="http://localhost",
                sendgrid_url=url,
                sendgrid_api_key=KEY,
                sendgrid_from="notice@company.example",
                sendgrid_webhook_public_key=provider.public_key,
                **values,
            )
            costs.append(measured(count, settings, provider, server))
        told(kind, *costs[1:])
        each = [json.dumps(mail["personalizations"]) for mail in provider.payloads]
        print(
            f"  {'body of a request to SendGrid':<46}{sum(map(len, each)) / WARM:>9,.0f} bytes a person and the text once"
        )


def _database(server: Postgres, name: str) -> str:
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.url(name)


if __name__ == "__main__":
    journal.begin("warning")
    kinds = [word for word in sys.argv[1:] if not word.isdigit()] or ["sqlite", "postgresql"]
    for one in kinds:
        run(one, next((int(word) for word in sys.argv[1:] if word.isdigit()), PEOPLE))
