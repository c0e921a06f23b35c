"""The jobs by which references of due work reach workers on other machines: Procrastinate's tables in our PostgreSQL.

A job holds a kind of work and a reference, and nothing else. Losing, repeating or freezing one can neither lose nor double
anything: the rows say what is to do, and whoever does it claims them first.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from incident import parts
from incident.domain.lanes import SHARED, Lane, lane_of
from incident.store.db import db

if TYPE_CHECKING:
    import procrastinate
    from procrastinate import exceptions as engine_errors
    from procrastinate import jobs as engine_jobs
    from procrastinate import manager as engine_manager
    from procrastinate import schema as engine_schema
    from procrastinate import worker as engine_worker
else:
    procrastinate = parts.later("procrastinate")
    engine_errors = parts.later("procrastinate.exceptions")
    engine_jobs = parts.later("procrastinate.jobs")
    engine_manager = parts.later("procrastinate.manager")
    engine_schema = parts.later("procrastinate.schema")
    engine_worker = parts.later("procrastinate.worker")

INSTALLED: Final = find_spec("procrastinate") is not None
"""Without the extra `scale` one process does all work, whatever the database."""
TASK: Final = "tocsin.work"
MAKING: Final = 0x70C51
"""Who makes tables holds this advisory lock of PostgreSQL."""

PERHAPS_ALIVE_SECONDS: Final = 180.0
FORGOTTEN_SECONDS: Final = 24 * 3600
_MARK = text("SELECT to_regclass('procrastinate_jobs'), obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")
_WAITING = text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:locks)")
_ALIVE = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
)
_AT_WORK = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = :lane")
_ORPHANED = text(
    """DELETE FROM procrastinate_jobs AS job WHERE job.status = 'doing' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_workers AS worker
    WHERE worker.id = job.worker_id AND worker.last_heartbeat > now() - make_interval(secs => :seconds))"""
)
_ENDED = text("DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')")
_FORGOTTEN = text("DELETE FROM procrastinate_workers WHERE last_heartbeat <= now() - make_interval(secs => :seconds)")
_STANDING = text(
    """SELECT job.queue_name, job.status::text, count(*), extract(epoch FROM now() - min(event.at))
    FROM procrastinate_jobs AS job LEFT JOIN procrastinate_events AS event
    ON event.job_id = job.id AND event.type = 'deferred' GROUP BY 1, 2 ORDER BY 1, 2"""
)


class Wanted(NamedTuple):
    """Work that somebody should do: its kind and its reference."""

    kind: str
    reference: str

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


def engine(database_url: str, do: Callable[[str, str], None]) -> "procrastinate.App":
    """Procrastinate over this database, for a worker that does what it is given by `do(kind, reference)`."""
    address = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    made = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=2))
    made.task(name=TASK)(do)
    return made


def worker(
    made: "procrastinate.App", lane: Lane, *, at_once: int, poll: float, heartbeat: float
) -> "engine_worker.Worker":
    """A worker of one lane, which deletes what it has done; `run()` lasts until `stop()`."""
    return engine_worker.Worker(
        made,
        queues=[lane.value],
        name=lane.value,
        concurrency=at_once,
        fetch_job_polling_interval=poll,
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=heartbeat,
        stalled_worker_timeout=FORGOTTEN_SECONDS,
    )


async def is_known(made: "procrastinate.App", one: "engine_worker.Worker") -> bool:
    """Whether the database knows this worker, so that its signs of life count; also while it is only just joining."""
    if one.worker_id is None:
        return True
    query = "SELECT id FROM procrastinate_workers WHERE id = %(number)s"
    return bool(await made.connector.execute_query_all_async(query, number=one.worker_id))


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
        engine_jobs.Job(
            task_name=TASK,
            queue=lane_of(one.kind).value,
            queueing_lock=one.key,
            lock=None if one.kind in SHARED else one.key,
            task_kwargs={"kind": one.kind, "reference": one.reference},
        )
        for one in wanted
    ]
    try:
        with db.session.begin_nested():
            connection = db.session.connection().connection.driver_connection
            engine_manager.JobManager(procrastinate.PsycopgConnector()).batch_defer_jobs(jobs, connection=connection)
    except engine_errors.AlreadyEnqueued:
        return False
    return True


def defer_if_anybody_works(wanted: Iterable[Wanted]) -> None:
    """Have this done at once, in the caller's transaction, where there are workers; elsewhere the clock finds it due."""
    given = list(wanted)
    if given and ready() and workers(PERHAPS_ALIVE_SECONDS):
        defer(given)


def workers(seconds: float) -> int:
    """How many lanes of workers gave a sign of life in the last seconds."""
    return db.session.scalar(_ALIVE, {"seconds": seconds}) or 0


def at_work(lane: Lane) -> int:
    """How many workers have something of this lane in hand; 1 where this process is the only one there can be."""
    return max(1, db.session.scalar(_AT_WORK, {"lane": lane.value}) or 0) if ready() else 1


def sweep(seconds: float) -> int:
    """Take out the jobs of workers that gave no sign of life for so long; how many. What was not done is still due.

    A worker that was only frozen finds its job gone, and goes on with others. One that is silent for a day is forgotten.
    """
    taken = db.session.execute(_ORPHANED, {"seconds": seconds})
    db.session.execute(_ENDED)
    db.session.execute(_FORGOTTEN, {"seconds": FORGOTTEN_SECONDS})
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


def make_tables(migrations: Path | None = None) -> None:
    """Make the engine's tables, or bring them to what the installed engine needs; safe to repeat, and to run twice at once.

    The comment on its table of jobs names the last of its migrations that is in; they lie in `migrations`.
    """
    files = sorted((migrations or Path(engine_schema.SchemaManager.get_migrations_path())).glob("*.sql"))
    with db.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")  # as some of the migrations demand
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MAKING})
        try:
            there, mark = connection.execute(_MARK).one()
            if there is None:
                _run(connection, engine_schema.SchemaManager.get_schema())
            if mark is None:
                _mark(connection, files[-1].name)
                return
            for path in files:
                if path.name > mark:
                    _run(connection, path.read_text(encoding="utf-8"))
                    _mark(connection, path.name)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MAKING})


def _mark(connection: Connection, name: str) -> None:
    literal = connection.scalar(text("SELECT quote_literal(:name)"), {"name": name})
    _run(connection, f"COMMENT ON TABLE procrastinate_jobs IS {literal}")


def _run(connection: Connection, statements: str) -> None:
    """Run several statements as they are: the driver takes them together only without parameters."""
    driver: Any = connection.connection.driver_connection
    driver.execute(statements)
