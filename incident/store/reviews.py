"""The meeting at which an incident is talked over, and what happened as its review tells it, taken from the record and edited."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db


class ReviewMeeting(Model):
    """When the review meets and who takes part. The latest of an incident counts; earlier ones stay."""

    __tablename__ = "review_meeting"
    __table_args__ = (Index("ix_review_meeting_incident", "incident_id", "id"), Index("ix_review_meeting_at", "at"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    people: Mapped[list[str]] = mapped_column(JSON, default=list)
    planned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    planned_by: Mapped[str] = mapped_column(String(20))
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ReviewMoment(Model):
    """One moment of what happened. `line` is the line of the record that it was taken from; None: written by hand."""

    __tablename__ = "review_moment"
    __table_args__ = (Index("ix_review_moment_incident", "incident_id", "at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    text: Mapped[str] = mapped_column(Text)
    line: Mapped[int | None] = mapped_column(BigInt)
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    written_by: Mapped[str] = mapped_column(String(20))
    taken_out_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(ReviewMoment, "text")


def meeting(incident_id: int) -> ReviewMeeting | None:
    """The meeting that counts, if one is planned."""
    query = select(ReviewMeeting).where(ReviewMeeting.incident_id == incident_id)
    return db.session.scalar(query.order_by(ReviewMeeting.id.desc()).limit(1))


def meeting_by_ref(ref: str, *, locked: bool = False) -> ReviewMeeting | None:
    """One meeting."""
    query = select(ReviewMeeting).where(ReviewMeeting.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def meetings_to_call(*, after: datetime, before: datetime) -> Sequence[str]:
    """References of meetings between these moments to which nobody was called yet; of an incident's, the latest alone."""
    newest = select(func.max(ReviewMeeting.id)).group_by(ReviewMeeting.incident_id)
    query = select(ReviewMeeting.ref).where(
        ReviewMeeting.at > after, ReviewMeeting.at <= before, ReviewMeeting.reminded_at.is_(None)
    )
    return db.session.scalars(query.where(ReviewMeeting.id.in_(newest)).order_by(ReviewMeeting.at)).all()


def moments(incident_id: int, *, limit: int = 500) -> Sequence[ReviewMoment]:
    """What happened, in its order, without what was taken out."""
    query = select(ReviewMoment).where(ReviewMoment.incident_id == incident_id, ReviewMoment.taken_out_at.is_(None))
    return db.session.scalars(query.order_by(ReviewMoment.at, ReviewMoment.id).limit(limit)).all()


def moment(incident_id: int, ref: str, *, locked: bool = False) -> ReviewMoment | None:
    """One moment of this incident's review that was not taken out."""
    query = select(ReviewMoment).where(
        ReviewMoment.incident_id == incident_id, ReviewMoment.ref == ref, ReviewMoment.taken_out_at.is_(None)
    )
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)
