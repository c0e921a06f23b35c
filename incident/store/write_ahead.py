"""SQLite's journal: what is committed stands in it first, safe on the disk, and is carried into the database later.

SQLite would have every sixth commit of a large installation do that, and whoever waits for it waits three times as long.
The clock's program does it once a second instead, beside the pages (`scheduler.Waker`); where no clock runs, the commit
that finds the journal at its bound does it as ever. Nothing is less safe: a commit still waits for the disk.
"""

import sqlite3
from contextlib import suppress
from threading import Lock
from typing import Any, Final

from incident.store.db import db

EVERY_SECONDS: Final = 1.0
ONE_AT_A_TIME: Final = Lock()
"""Held while the journal is carried over or cut: SQLite refuses a second one instead of having it wait."""


def carry_over() -> None:
    """Carry what is committed into the database, as far as no reader needs it where it stands. Keeps nobody waiting."""
    if db.engine.dialect.name != "sqlite" or not ONE_AT_A_TIME.acquire(blocking=False):
        return
    try:
        _checkpoint("PASSIVE")
    finally:
        ONE_AT_A_TIME.release()


def cut() -> None:
    """Carry everything over and leave an empty journal; where somebody reads just now, the next one who writes cuts it."""
    with ONE_AT_A_TIME, suppress(sqlite3.OperationalError):
        _checkpoint("TRUNCATE")


def _checkpoint(how: str) -> None:
    """Past SQLAlchemy, which would begin a transaction first: inside one the journal cannot be carried over."""
    connection = db.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        driver.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    finally:
        connection.close()
