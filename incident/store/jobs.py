"""The jobs by which references of due work reach workers on other machines: Procrastinate's tables in our PostgreSQL.

A job holds a kind of work and a reference, and nothing else. Losing, repeating or freezing one can neither lose nor double
anything: the rows say what is to do, and whoever does it claims them first.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from incident.store.db import db

try:
    from procrastinate import App, PsycopgConnector
    from procrastinate.exceptions import AlreadyEnqueued
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager
    from procrastinate.schema import SchemaManager
except ImportError:  # without the extra `scale` one process does all work, whatever the database
    INSTALLED = False
else:
    INSTALLED = True

TASK: Final = "tocsin.work"
MAKING: Final = 0x70C51
"""Who makes tables holds this advisory lock of PostgreSQL."""

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_WAITING = text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:locks)")
_ALIVE = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
)
_ORPHANED = text(
    """DELETE FROM procrastinate_jobs AS job WHERE job.status = 'doing' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_workers AS worker
    WHERE worker.id = job.worker_id AND worker.last_heartbeat > now() - make_interval(secs => :seconds))"""
)
_ENDED = text("DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')")
_DEAD = text("DELETE FROM procrastinate_workers WHERE last_heartbeat <= now() - make_interval(secs => :seconds)")
_STANDING = text(
    """SELECT job.queue_name, job.status::text, count(*), extract(epoch FROM now() - min(event.at))
    FROM procrastinate_jobs AS job LEFT JOIN procrastinate_events AS event
    ON event.job_id = job.id AND event.type = 'deferred' GROUP BY 1, 2 ORDER BY 1, 2"""
)


class Wanted(NamedTuple):
    """Work that somebody should do: its kind, its reference, the lane it goes by, and whether one alone may do it at a time."""

    kind: str
    reference: str
    lane: str
    alone: bool

    @property
    def key(self) -> str:
        """What no two waiting jobs share."""
        return f"{self.kind}:{self.reference}"


class Queue(NamedTuple):
    """How many jobs of a lane stand how (`todo`, `doing`), and for how many seconds the oldest of them has been there."""

    lane: str
    state: str
    jobs: int
    oldest: float


def possible() -> bool:
    """Whether this installation can have workers on other machines: a PostgreSQL, and the extra installed."""
    return INSTALLED and db.engine.dialect.name == "postgresql"


def ready() -> bool:
    """Whether the tables of the jobs are there too."""
    return possible() and db.session.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None


def engine(database_url: str) -> "App":
    """Procrastinate over this database, for a worker."""
    address = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    return App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=4))


def defer(wanted: Iterable[Wanted]) -> int:
    """Have this done by a worker, in the caller's transaction; how many were new. What waits already waits once."""
    given = {one.key: one for one in wanted}
    if not given:
        return 0
    waiting = set(db.session.scalars(_WAITING, {"locks": list(given)}))
    fresh = [one for key, one in given.items() if key not in waiting]
    if not fresh or _inserted(fresh):
        return len(fresh)
    return sum(_inserted([one]) for one in fresh)


def _inserted(wanted: Sequence[Wanted]) -> bool:
    """Whether all these are new jobs now; none is when somebody else was quicker with one of them."""
    jobs = [
        Job(
            task_name=TASK,
            queue=one.lane,
            queueing_lock=one.key,
            lock=one.key if one.alone else None,
            task_kwargs={"kind": one.kind, "reference": one.reference},
        )
        for one in wanted
    ]
    try:
        with db.session.begin_nested():
            connection = db.session.connection().connection.driver_connection
            JobManager(PsycopgConnector()).batch_defer_jobs(jobs, connection=connection)
    except AlreadyEnqueued:
        return False
    return True


def workers(seconds: float) -> int:
    """How many lanes of workers gave a sign of life in the last seconds."""
    return db.session.scalar(_ALIVE, {"seconds": seconds}) or 0


def sweep(seconds: float) -> int:
    """Take out the jobs of workers that gave no sign of life for so long, and those workers; how many jobs.

    What was not done is still due, and is handed over again. A worker that was only frozen finds its job gone, and joins anew.
    """
    taken = db.session.execute(_ORPHANED, {"seconds": seconds})
    db.session.execute(_ENDED)
    db.session.execute(_DEAD, {"seconds": seconds})
    count: int = getattr(taken, "rowcount", 0)
    return count


def standing() -> list[Queue]:
    """What waits and what is under way, lane by lane."""
    rows = db.session.execute(_STANDING)
    return [Queue(lane, state, count, float(oldest or 0)) for lane, state, count, oldest in rows]


def time_there() -> datetime:
    """What the database's clock says."""
    return cast(datetime, db.session.scalar(text("SELECT clock_timestamp()")))


# Tables of the engine -------------------------------------------------------------------------------------------------


def make_tables() -> None:
    """Make the engine's tables, or bring them to what the installed engine needs; safe to repeat, and to run twice at once."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})
        installed = _numbers(version("procrastinate"))
        made = _made(connection, installed)
        if made is None:
            _run(connection, SchemaManager.get_schema())
        elif made < installed:
            for path in newer(made, Path(SchemaManager.get_migrations_path()).glob("*.sql")):
                _run(connection, path.read_text(encoding="utf-8"))
        if made is None or made < installed:
            _run(connection, f"COMMENT ON TABLE procrastinate_jobs IS 'procrastinate {version('procrastinate')}'")
        connection.commit()


def newer(made: tuple[int, ...], files: Iterable[Path]) -> list[Path]:
    """The engine's own migrations that came after a version, in their order."""
    return sorted((path for path in files if _numbers(path.name) > made), key=lambda path: path.name)


def _made(connection: Connection, installed: tuple[int, ...]) -> tuple[int, ...] | None:
    """The version whose tables are there; None when there are none. Tables that somebody made by hand count as the installed ones."""
    said = connection.execute(
        text("SELECT to_regclass('procrastinate_jobs'), obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")
    ).one()
    if said[0] is None:
        return None
    return _numbers(said[1]) if said[1] else installed


def _numbers(words: str) -> tuple[int, ...]:
    """The first version in a text, `03.04.00_post.sql` included; zeros where there is none."""
    found = _VERSION.search(words)
    return tuple(int(part) for part in found[0].split(".")) if found else (0, 0, 0)


def _run(connection: Connection, statements: str) -> None:
    """Run several statements as they are: the driver takes them together only without parameters."""
    driver: Any = connection.connection.driver_connection
    driver.execute(statements)
