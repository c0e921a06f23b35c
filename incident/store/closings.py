"""Reviews, and when an incident was closed and reopened. Rows are only added; the latest review is the one that counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import reading, words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Review(Model):
    """What was learnt, as one person wrote it at one time."""

    __tablename__ = "review"
    __table_args__ = (Index("ix_review_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    went_well: Mapped[str] = mapped_column(Text)
    went_badly: Mapped[str] = mapped_column(Text)
    root_cause: Mapped[str] = mapped_column(Text)
    lessons: Mapped[str] = mapped_column(Text)
    measures: Mapped[str] = mapped_column(Text)
    factors: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    written_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Closing(Model):
    """One closing or reopening, with its words and the figures as they stood."""

    __tablename__ = "closing"
    __table_args__ = (Index("ix_closing_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    did: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(Review, "went_well", "went_badly", "root_cause", "lessons", "measures")
words.keep(Closing, "words")


@once
def review(incident_id: int) -> Review | None:
    """The latest review, if one was written."""
    query = select(Review).where(Review.incident_id == incident_id).order_by(Review.id.desc()).limit(1)
    return db.session.scalar(query)


def reviews(incident_id: int, limit: int = 50) -> Sequence[Review]:
    """Reviews as they were written, newest first."""
    query = select(Review).where(Review.incident_id == incident_id).order_by(Review.id.desc())
    found = db.session.scalars(query.limit(limit)).all()
    reading.keep(review, found[0] if found else None, incident_id)
    return found


def history(incident_id: int) -> Sequence[Closing]:
    """Every closing and reopening, newest first."""
    return db.session.scalars(
        select(Closing).where(Closing.incident_id == incident_id).order_by(Closing.id.desc())
    ).all()
