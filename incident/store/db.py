"""The database handle, the base of every table, and the column types that all tables share."""

import secrets
import sqlite3
from collections import deque
from datetime import UTC, datetime
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, MetaData, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import Pool
from sqlalchemy.types import TypeDecorator

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTER = (CROCKFORD * 8).encode("ascii")  # of each byte one of the 32 letters, each as often as the others
PAIRS = tuple(first + second for first in CROCKFORD for second in CROCKFORD)  # ten bits of a reference each
REF_BITS = 40
BUSY_TIMEOUT_MS = 15_000
STEP = 0.002  # seconds between two looks at a lock that another process holds
TURN = "tocsin_turn"
UNAWAITED = {"tocsin_write": True, "tocsin_unawaited": True}
"""The options of a writing connection whose commit does not wait for the disk: kept as soon as a later commit is that waits.

Only for what may be lost with the power, or is worth nothing without that later commit. A process that dies loses nothing.
"""
HURRIED = "tocsin_hurried"
JOURNAL_PAGES = (
    8_192  # 32 MiB: a commit that finds as many in the journal carries them over itself (store/write_ahead.py)
)
PAGE_CACHE_KIB = 8 * 1024  # of each connection; what is written is brought in order first, so that more saves nothing

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base; its names of constraints are fixed, so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

BigInt = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit number; SQLite numbers rows by itself only where the type is called INTEGER."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC. SQLite drops zones, so they are refused when missing and put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant without a zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_ref(prefix: str) -> str:
    """A short random reference such as `N-7K3MXW2Q` (40 random bits; the table's unique key settles a clash)."""
    return f"{prefix}-{_random_letters(8)}"


def new_refs(prefix: str, count: int) -> list[str]:
    """So many references that follow one another from a random one: they come to stand together in the index of their table.

    Each at random would touch a page of its own there, and clash more often.
    """
    first = secrets.randbits(REF_BITS)
    return [f"{prefix}-{_spelt((first + number) % 2**REF_BITS)}" for number in range(count)]


def _spelt(number: int) -> str:
    return "".join([PAIRS[number >> shift & 1023] for shift in (30, 20, 10, 0)])


def new_secret_ref() -> str:
    """26 random letters (130 bits): a reference that cannot be guessed and says nothing."""
    return _random_letters(26)


def _random_letters(count: int) -> str:
    return secrets.token_bytes(count).translate(LETTER).decode("ascii")


class Turns:
    """Who in this process may write next: in the order they asked, at once when it is their turn."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Any] = deque()
        self._taken = False

    def take(self, seconds: float) -> bool:
        """Wait for our turn; False where it did not come within so many seconds."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it came in this very moment

    def give(self) -> None:
        """It is the next one's turn."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_TURNS: WeakKeyDictionary[Pool, Turns] = WeakKeyDictionary()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Durable and strict SQLite; transactions are begun by us (below), not by the driver's guess."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        f"wal_autocheckpoint = {JOURNAL_PAGES}",
        "foreign_keys = ON",
        f"cache_size = -{PAGE_CACHE_KIB}",
        "trusted_schema = OFF",
        "recursive_triggers = ON",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once, so that two of them wait for each other instead of failing half-way."""
    unawaited = connection.get_execution_options().get("tocsin_unawaited", False)
    if connection.dialect.name != "sqlite":
        if unawaited:
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
        return
    if unawaited and HURRIED not in connection.info:
        connection.info[HURRIED] = True
        cast("Any", connection.connection.driver_connection).execute("PRAGMA synchronous = NORMAL")
    if not connection.get_execution_options().get("tocsin_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    if TURN not in connection.info:
        turns = _TURNS.setdefault(connection.engine.pool, Turns())
        connection.info[TURN] = turns if turns.take(BUSY_TIMEOUT_MS / 1000) else None
    _begin_to_write(connection)


def _begin_to_write(connection: Connection) -> None:
    """Other processes are waited for in short steps: SQLite's own waiting sleeps up to 100 ms beside a lock that is free."""
    driver: Any = connection.connection.driver_connection
    until = monotonic() + BUSY_TIMEOUT_MS / 1000
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while monotonic() < until:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if "locked" not in str(error.orig):
                    raise
                sleep(STEP)
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@event.listens_for(Pool, "checkin")
def _give_turn(connection: Any, record: Any) -> None:
    """The transaction is over: whoever waits longest writes next. The next one on this connection waits for the disk."""
    if record.info.pop(HURRIED, False) and connection is not None:
        connection.execute("PRAGMA synchronous = FULL")
    turns = record.info.pop(TURN, None)
    if turns is not None:
        turns.give()
