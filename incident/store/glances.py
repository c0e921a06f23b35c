"""When somebody last looked at an incident, so that its page can say what changed since then. Not who read what: no line, no list.

One visit is all looks with less than half an hour between them. `since` is the end of the visit before the present one.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ForeignKey, Select, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db

PAUSE = timedelta(minutes=30)
NOTED_EVERY = timedelta(minutes=5)


class Glance(Model):
    """One person's looks at one incident: the latest, and where the visit before this one ended."""

    __tablename__ = "glance"

    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True, index=True)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    since: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Since(NamedTuple):
    """Where the visit before this one ended, None at the first; and whether this look is to be noted."""

    at: datetime | None
    to_note: bool


def since(user_id: int, incident_id: int, *, now: datetime) -> Since:
    """When this person's visit before the present one ended. A look is to be noted every few minutes and not each time."""
    known = db.session.execute(_of(user_id, incident_id)).one_or_none()
    if known is None:
        return Since(None, True)
    seen_at, before = known
    if now - seen_at >= PAUSE:
        return Since(seen_at, True)
    return Since(before, now - seen_at >= NOTED_EVERY)


def _of(user_id: int, incident_id: int) -> Select[datetime, datetime | None]:
    return select(Glance.seen_at, Glance.since).where(Glance.user_id == user_id, Glance.incident_id == incident_id)


def note(user_id: int, incident_id: int, before: datetime | None, *, now: datetime) -> None:
    """Note this look, in a transaction of its own, without a line: nothing of the incident changes."""
    insert = insert_postgresql if db.engine.dialect.name == "postgresql" else insert_sqlite
    row = {"user_id": user_id, "incident_id": incident_id, "seen_at": now, "since": before}
    keys, said = ["user_id", "incident_id"], {"seen_at": now, "since": before}
    look = insert(Glance).values(row).on_conflict_do_update(index_elements=keys, set_=said)
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(look)
