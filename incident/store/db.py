"""The database handle, the base of every table, and the column types that all tables share."""

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, MetaData, event
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BUSY_TIMEOUT_MS = 15_000
PAGE_CACHE_KIB = 32 * 1024  # an import touches its index at random; the usual 2 MiB make it 3 times slower

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


def new_secret_ref() -> str:
    """26 random letters (130 bits): a reference that cannot be guessed and says nothing."""
    return _random_letters(26)


def _random_letters(count: int) -> str:
    return "".join(secrets.choice(CROCKFORD) for _ in range(count))


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
        "foreign_keys = ON",
        f"cache_size = -{PAGE_CACHE_KIB}",
        "trusted_schema = OFF",
        "recursive_triggers = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once, so that two of them wait for each other instead of failing half-way."""
    if connection.dialect.name != "sqlite":
        return
    writes = connection.get_execution_options().get("tocsin_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
