"""What people decided where a law lets or makes the public be told: drafted or declined, with the figures of that moment."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class PublicDecision(Model):
    """One decision of a person: to begin a notice in public for a duty, or not to. Decisions are only added."""

    __tablename__ = "public_decision"
    __table_args__ = (
        Index("ix_public_decision_incident", "incident_id", "id"),
        Index("ix_public_decision_notice", "notice_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    duty: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    decision: Mapped[str] = mapped_column(String(10))
    notice_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("notice.id"))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(PublicDecision, "evidence", "reason")


def of_incident(incident_id: int) -> Sequence[PublicDecision]:
    """All decisions of an incident, newest first; there are at most a few for each law."""
    query = select(PublicDecision).where(PublicDecision.incident_id == incident_id)
    return db.session.scalars(query.order_by(PublicDecision.id.desc()).limit(500)).all()


@once
def of_notice(notice_id: int) -> Sequence[PublicDecision]:
    """What a notice was begun for, oldest first; nothing for a notice that no such task began."""
    query = select(PublicDecision).where(PublicDecision.notice_id == notice_id)
    return db.session.scalars(query.order_by(PublicDecision.id)).all()


def notice_refs(ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Reference and stage of these notices, by number."""
    if not ids:
        return {}
    notice = db.metadata.tables["notice"]
    query = select(notice.c.id, notice.c.ref, notice.c.stage).where(notice.c.id.in_(ids))
    return {number: (ref, stage) for number, ref, stage in db.session.execute(query)}
