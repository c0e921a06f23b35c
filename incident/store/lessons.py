"""Lessons: proposed changes of what this installation goes by, each with the incident that taught it and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, String, Text, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.lessons import State
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db


class Lesson(Model):
    """One lesson. The title is plain, so that lists can be searched; what happened and the texts are sealed."""

    __tablename__ = "lesson"
    __table_args__ = (Index("ix_lesson_incident", "incident_id", "id"), Index("ix_lesson_state", "state", "id"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    title: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(10))
    target: Mapped[str] = mapped_column(String(120), default="")
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")
    base: Mapped[str] = mapped_column(String(64), default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    proposed_by: Mapped[str] = mapped_column(String(20))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str] = mapped_column(String(20), default="")
    adopted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    adopted_by: Mapped[str] = mapped_column(String(20), default="")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(Lesson, "why", "before", "after", "reason")


def by_ref(ref: str, *, locked: bool = False) -> Lesson | None:
    """One lesson; `locked` holds its row until the transaction ends."""
    query = select(Lesson).where(Lesson.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def by_refs(refs: Collection[str]) -> dict[str, Lesson]:
    """Lessons by reference."""
    found = db.session.scalars(select(Lesson).where(Lesson.ref.in_(refs))) if refs else ()
    return {row.ref: row for row in found}


def of_incident(incident_id: int) -> Sequence[Lesson]:
    """The lessons of one incident, oldest first."""
    return db.session.scalars(select(Lesson).where(Lesson.incident_id == incident_id).order_by(Lesson.id)).all()


def asked(
    incidents: Select[Any], *, state: str = "", kind: str = "", owner_id: int | None = None, words: str = ""
) -> Select[Lesson]:
    """The lessons of these incidents (a query of ids), of a state, a kind, an owner or with these words where asked."""
    query = select(Lesson).where(Lesson.incident_id.in_(incidents))
    if state:
        query = query.where(Lesson.state == state)
    if kind:
        query = query.where(Lesson.kind == kind)
    if owner_id is not None:
        query = query.where(Lesson.owner_id == owner_id)
    if words:
        columns = (Lesson.title, Lesson.target, Lesson.ref)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    return query


def page(query: Select[Lesson], *, before: int | None, limit: int) -> Sequence[Lesson]:
    """So many of these, newest first."""
    if before is not None:
        query = query.where(Lesson.id < before)
    return db.session.scalars(query.order_by(Lesson.id.desc()).limit(limit)).all()


def undecided(before: datetime) -> int:
    """How many were proposed before this moment and are neither adopted nor declined."""
    waiting = Lesson.state.in_((State.PROPOSED.value, State.ACCEPTED.value)), Lesson.proposed_at < before
    return db.session.scalar(select(func.count()).select_from(Lesson).where(*waiting)) or 0
