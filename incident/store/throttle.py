"""Tries at sign-in, counted where every process sees them. Keys are keyed hashes: no address of anyone stands here."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, String, Table, delete, func, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.throttle import LIMITS, Tally, counted, waits_until
from incident.store.db import Model, UTCDateTime, db

KEPT = timedelta(days=1)
SWEEPS = "0"
"""New keys that begin so, one in sixteen, take away what is over: it means to read the whole table."""


class Throttle(Model):
    """The tries under one key, such as one account from one network."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tries: Mapped[int]
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)


rows: Table = Throttle.__table__  # type: ignore[assignment]


def take(keys: Iterable[tuple[str, str]], now: datetime) -> datetime | None:
    """Take one try under each (limit, key), in a transaction of its own; or say until when none is taken.

    The try is counted before anything is checked, so that many at once cannot pass together.
    """
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        return _taken(connection, keys, now)


def take_within(keys: Iterable[tuple[str, str]], now: datetime) -> datetime | None:
    """The same inside the caller's transaction, and with it: what is rolled back was not counted."""
    return _taken(db.session.connection(), keys, now)


def _taken(connection: Connection, keys: Iterable[tuple[str, str]], now: datetime) -> datetime | None:
    tallies = [(limit, key, _tally(connection, key, now)) for limit, key in sorted(keys)]
    waits = [until for _, _, tally in tallies if (until := waits_until(tally, now))]
    if waits:
        return max(waits)
    for limit, key, tally in tallies:
        _keep(connection, key, counted(tally, LIMITS[limit], now))
    if any(tally.tries == 0 and key.startswith(SWEEPS) for _, key, tally in tallies):
        connection.execute(delete(Throttle).where(func.coalesce(Throttle.until, Throttle.since) < now - KEPT))
    return None


def forget(key: str) -> None:
    """Start counting anew under this key, inside the caller's transaction: the right one came in."""
    db.session.execute(delete(Throttle).where(Throttle.key == key))


def _tally(connection: Connection, key: str, now: datetime) -> Tally:
    """The tally under a key, its row made and held, so that two at once count one after the other."""
    insert = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    # one statement makes or holds the row: between two of them, whoever came in rightly could have taken it away
    held = insert(Throttle).values(key=key, tries=0, since=now)
    held = held.on_conflict_do_update(index_elements=["key"], set_={"key": key})
    row = connection.execute(held.returning(rows.c.tries, rows.c.since, rows.c.until)).one()
    return Tally(row.tries, row.since, row.until)


def _keep(connection: Connection, key: str, tally: Tally) -> None:
    values = {"tries": tally.tries, "since": tally.since, "until": tally.until}
    connection.execute(update(rows).where(rows.c.key == key).values(**values))
