"""Grades as they were suggested and chosen. Rows are only added; the current grade of a scale is the latest chosen one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Text,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.scales import NOT_CONCERNED
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Grade(Model):
    """One grade on one scale: `basis` says whether the rules suggested it or a person chose it."""

    __tablename__ = "grade"
    __table_args__ = (Index("ix_grade_incident_scale", "incident_id", "scale", "basis", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    scale: Mapped[str] = mapped_column(String(12))
    basis: Mapped[str] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(20))
    score: Mapped[float | None] = mapped_column(Float)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    open: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(Grade, "note")


@once
def latest(incident_id: int) -> dict[tuple[str, str], Grade]:
    """The latest grade by scale and basis, in one query."""
    return {(row.scale, row.basis): row for row in db.session.scalars(newest(incident_id))}


def newest(incident_id: int | BindParameter[int]) -> Select[Grade]:
    """The latest grade of each scale and basis."""
    last = select(func.max(Grade.id)).where(Grade.incident_id == incident_id).group_by(Grade.scale, Grade.basis)
    return select(Grade).where(Grade.id.in_(last))


def current(incident_id: int) -> dict[str, Grade]:
    """The grade that counts on each scale: the latest chosen one, or else the latest suggestion if it still applies."""
    return counting(latest(incident_id).values())


def counting(latest: Iterable[Grade]) -> dict[str, Grade]:
    """Of the latest grades, those that count, by scale."""
    found = {(row.scale, row.basis): row for row in latest}
    scales = dict.fromkeys(scale for scale, _ in found)
    counting = {scale: found.get((scale, "chosen")) or found[(scale, "suggested")] for scale in scales}
    return {scale: row for scale, row in counting.items() if row.level != NOT_CONCERNED}


def history(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Grade]:
    """Every grade ever, newest first; `before` is the id to go on from."""
    query = select(Grade).where(Grade.incident_id == incident_id)
    if before is not None:
        query = query.where(Grade.id < before)
    return db.session.scalars(query.order_by(Grade.id.desc()).limit(limit)).all()
