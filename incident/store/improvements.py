"""What somebody will do so that it does not happen again: rows with owner and due time, and what became of each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Select, String, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.improvements import State
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db


class Improvement(Model):
    """One thing to be done after an incident."""

    __tablename__ = "improvement"
    __table_args__ = (
        Index("ix_improvement_incident", "incident_id", "id"),
        Index("ix_improvement_state_due", "state", "due_at", "id"),
        Index("ix_improvement_owner", "owner_id", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    text: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(8), default="open")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class ImprovementEvent(Model):
    """What somebody did to one, with their words and the evidence they gave. Rows are only added."""

    __tablename__ = "improvement_event"
    __table_args__ = (Index("ix_improvement_event_improvement", "improvement_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    improvement_id: Mapped[int] = mapped_column(BigInt, ForeignKey("improvement.id"))
    did: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[list[str]] = mapped_column(JSON, default=list)
    handed_to: Mapped[str] = mapped_column(String(20), default="")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(Improvement, "text")
words.keep(
    ImprovementEvent, "text", place=("improvement_id", "did", "done_at"), parent=("improvement_id", "improvement")
)


def by_ref(incident_id: int, ref: str, *, locked: bool = False) -> Improvement | None:
    """One of this incident; `locked` holds its row until the transaction ends."""
    query = select(Improvement).where(Improvement.incident_id == incident_id, Improvement.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def of_incident(incident_id: int) -> Sequence[Improvement]:
    """All of an incident, in the order in which they were made."""
    query = select(Improvement).where(Improvement.incident_id == incident_id)
    return db.session.scalars(query.order_by(Improvement.id)).all()


def events(ids: Collection[int]) -> dict[int, list[ImprovementEvent]]:
    """What was done to these, newest first, by improvement."""
    found: dict[int, list[ImprovementEvent]] = {}
    query = select(ImprovementEvent).where(ImprovementEvent.improvement_id.in_(ids))
    for row in db.session.scalars(query.order_by(ImprovementEvent.id.desc())) if ids else ():
        found.setdefault(row.improvement_id, []).append(row)
    return found


def open_of(owner_id: int, incidents: Select[Any], *, limit: int) -> Sequence[Improvement]:
    """Those that wait for one person in these incidents (a query of ids), soonest due first."""
    query = select(Improvement).where(Improvement.owner_id == owner_id, Improvement.state == State.OPEN.value)
    query = query.where(Improvement.incident_id.in_(incidents))
    return db.session.scalars(query.order_by(Improvement.due_at, Improvement.id).limit(limit)).all()


def asked(
    incidents: Select[Any], *, state: str = "", owner_id: int | None = None, due_before: datetime | None = None
) -> Select[Improvement]:
    """Those of these incidents (a query of ids) of a state, an owner, or due before a moment, where asked."""
    query = select(Improvement).where(Improvement.incident_id.in_(incidents))
    if state:
        query = query.where(Improvement.state == state)
    if owner_id is not None:
        query = query.where(Improvement.owner_id == owner_id)
    return query if due_before is None else query.where(Improvement.due_at < due_before)


def page(query: Select[Improvement], *, before: int | None, limit: int) -> Sequence[Improvement]:
    """So many of these, newest first."""
    if before is not None:
        query = query.where(Improvement.id < before)
    return db.session.scalars(query.order_by(Improvement.id.desc()).limit(limit)).all()


def late(now: datetime) -> int:
    """How many are past their time, over all incidents."""
    query = select(func.count()).where(Improvement.state == State.OPEN.value, Improvement.due_at < now)
    return db.session.scalar(query.select_from(Improvement)) or 0
