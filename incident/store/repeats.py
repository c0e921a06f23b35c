"""Answers kept for a day, so that a program may send the same request again without doing it twice."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import JSON, CursorResult, LargeBinary, String, Table, Update, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import sealed
from incident.store.db import UNAWAITED, Model, UTCDateTime, db

KEPT = timedelta(days=1)


class Repeat(Model):
    """A request that named a key of its own: what was asked, and what was answered once it was."""

    __tablename__ = "repeat"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


rows: Table = Repeat.__table__  # type: ignore[assignment]


class Kept(NamedTuple):
    """What is known of an earlier request under a key; without a status while nobody knows how it ended."""

    asked: str
    status: int | None
    headers: dict[str, str]
    body: bytes


def key_of(user_id: int, key: str) -> str:
    """The name under which a person's key is kept: nobody meets the keys of others."""
    return sha256(f"{user_id}:{key}".encode()).hexdigest()


def begin(key: str, asked: str, now: datetime) -> Kept | None:
    """Take this key, in a transaction of its own; or what is kept under it when it was taken before.

    It is not waited for until this is on the disk: what is then done under the key is committed later, and awaited.
    """
    with db.engine.connect().execution_options(**UNAWAITED) as connection, connection.begin():
        insert = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
        fresh = {"asked": asked, "at": now, "status": None, "headers": {}, "sealed": None}
        taken = insert(Repeat).values(key=key, **fresh)
        again = taken.on_conflict_do_update(index_elements=["key"], set_=fresh, where=Repeat.at < now - KEPT)
        if connection.execute(again.returning(rows.c.key)).first() is not None:
            return None
        row = connection.execute(select(rows).where(rows.c.key == key)).one()
    body = sealed.unseal(None, _place(key), row.sealed) if row.sealed is not None else b""
    return Kept(row.asked, row.status, row.headers, body)


def keep(key: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep what was answered to a program."""
    hidden = sealed.seal(None, _place(key), body)
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(_answered(key, status, headers, hidden))


def keep_way(key: str, status: int, headers: dict[str, str]) -> None:
    """Keep where a form led to. Where the power fails right then, whoever sends it again is told to look."""
    with db.engine.connect().execution_options(**UNAWAITED) as connection, connection.begin():
        connection.execute(_answered(key, status, headers, None))


def _answered(key: str, status: int, headers: dict[str, str], hidden: bytes | None) -> Update:
    return update(Repeat).where(Repeat.key == key).values(status=status, headers=headers, sealed=hidden)


def forget(key: str) -> None:
    """Free the key: nothing was done under it, or only read."""
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(delete(Repeat).where(Repeat.key == key))


def has_old(now: datetime) -> bool:
    """Whether something is kept beyond its day: whoever asks again takes nothing out but a key of their own."""
    return bool(db.session.scalar(select(exists().where(Repeat.at < now - KEPT))))


def remove_old(now: datetime) -> int:
    """Take out what is kept beyond its day, in the caller's transaction; how many that were."""
    found = db.session.execute(delete(Repeat).where(Repeat.at < now - KEPT))
    return found.rowcount if isinstance(found, CursorResult) else 0


def empty() -> int:
    """Take what was answered to programs out of all that is kept, in the caller's transaction; how many answers that were.

    The keys stay taken: nothing is done twice, and a repeat hears that the answer is lost.
    """
    answered = (Repeat.key != Repeat.asked, Repeat.sealed.is_not(None))  # forms keep where they led to, and no answer
    change = update(Repeat).where(*answered).values(status=None, headers={}, sealed=None)
    found = db.session.execute(change.execution_options(synchronize_session=False))
    return found.rowcount if isinstance(found, CursorResult) else 0


def _place(key: str) -> str:
    return f"repeat:{key}"
