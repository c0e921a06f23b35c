"""SQLite's journal is carried over by the clock, cut where words were emptied, and never loses what was committed."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from incident import clock, scheduler
from incident.actions.ledger import transaction
from incident.store import beginnings, repeats, traces, write_ahead
from incident.store.db import JOURNAL_PAGES, UNAWAITED, db


@pytest.fixture
def journal(app) -> Path:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps its journal by itself")
    counted("journal")
    return Path(f"{db.engine.url.database}-wal")


def counted(name: str) -> int:
    number = beginnings.begun(name, lead="").number
    db.session.commit()
    return number


def in_file(journal: Path, tmp_path: Path) -> int | None:
    """What the database itself says, without its journal."""
    alone = tmp_path / "alone.db"
    alone.write_bytes(Path(str(journal).removesuffix("-wal")).read_bytes())
    with sqlite3.connect(alone) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        row = connection.execute("SELECT value FROM counter WHERE name = 'journal'").fetchone()
    connection.close()
    return row[0] if row else None


def test_a_commit_leaves_the_carrying_to_the_clock_until_the_journal_is_at_its_bound(app):
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(text("PRAGMA wal_autocheckpoint")) == JOURNAL_PAGES


def synchronous(connection: Connection) -> int | str | None:
    name = "synchronous" if db.engine.dialect.name == "sqlite" else "synchronous_commit"
    asked = f"PRAGMA {name}" if db.engine.dialect.name == "sqlite" else f"SHOW {name}"
    found: int | str | None = connection.scalar(text(asked))
    return found


def usual() -> int | str | None:
    """SQLite waits for the disk; PostgreSQL does as its server is set, which is not to wait where tests run."""
    if db.engine.dialect.name == "sqlite":
        return 2
    with db.engine.connect() as connection:
        return synchronous(connection)


def test_only_the_commit_that_says_so_does_not_wait_for_the_disk(app):
    waits, hurries = usual(), (1 if db.engine.dialect.name == "sqlite" else "off")
    for _ in range(3):
        with db.engine.connect().execution_options(**UNAWAITED) as connection, connection.begin():
            assert synchronous(connection) == hurries
        with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
            assert synchronous(connection) == waits
    hurried = db.engine.connect().execution_options(**UNAWAITED)
    with pytest.raises(ZeroDivisionError), hurried, hurried.begin():
        raise ZeroDivisionError
    with db.engine.connect() as connection:
        assert synchronous(connection) == waits


def test_a_line_of_the_record_is_waited_for_also_right_after_a_key_was_taken(app):
    repeats.begin("a key", "asked", clock.now())
    with transaction("system", clock.now()) as ledger:
        assert synchronous(db.session.connection()) == usual()
        ledger.unchanged()


def test_what_was_committed_stands_in_the_database_after_it_was_carried_over(journal, tmp_path):
    write_ahead.carry_over()
    number = counted("journal")
    assert in_file(journal, tmp_path) != number
    write_ahead.carry_over()
    assert in_file(journal, tmp_path) == number


def test_the_clock_carries_it_over_while_it_is_ours_alone(journal, tmp_path, app):
    waker = scheduler.Waker(app)
    number = counted("journal")
    job = waker.apscheduler.get_job("journal") or next(
        job for job, *_ in waker.apscheduler._pending_jobs if job.id == "journal"
    )
    job.func()
    assert in_file(journal, tmp_path) != number
    waker.until = float("inf")
    job.func()
    assert in_file(journal, tmp_path) == number


def test_a_reader_keeps_nobody_waiting_and_loses_nothing(journal, tmp_path):
    counted("journal")
    with db.engine.connect() as reader:
        seen = reader.scalar(text("SELECT value FROM counter WHERE name = 'journal'"))
        number = counted("journal")
        write_ahead.carry_over()
        assert reader.scalar(text("SELECT value FROM counter WHERE name = 'journal'")) == seen
    assert counted("journal") == number + 1
    write_ahead.carry_over()
    assert in_file(journal, tmp_path) == number + 1


def test_nobody_carries_while_somebody_cuts(journal, tmp_path):
    number = counted("journal")
    with write_ahead.ONE_AT_A_TIME:
        write_ahead.carry_over()  # it comes back at once, with nothing done
    assert in_file(journal, tmp_path) != number
    write_ahead.carry_over()
    assert in_file(journal, tmp_path) == number


def test_a_cut_leaves_nothing_in_the_journal(journal):
    counted("journal")
    assert journal.stat().st_size > 0
    traces.take_out()
    assert journal.stat().st_size == 0
