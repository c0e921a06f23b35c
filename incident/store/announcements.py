"""What was made public: one page for one approved notice version, its posting period, and its end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Select, String, Text, false, select, text
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Announcement(Model):
    """A public page. It shows the text of its notice version and nothing of the incident or its people.

    A `simulated` one is of a drill: only the team sees it. `look_at` is when it is looked at next; never again without it.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        Index("ix_announcement_incident", "incident_id", "id"),
        Index("ix_announcement_state_starts", "state", "starts_at", "id"),
        Index(
            "ix_announcement_look",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    notice_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice.id"))
    notice_version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice_version.id"), unique=True)
    languages: Mapped[list[str]] = mapped_column(JSON)
    titles: Mapped[dict[str, str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12), default="published")
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_by: Mapped[str] = mapped_column(String(20))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    taken_down_by: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    simulated: Mapped[bool] = mapped_column(default=False, server_default=false())
    look_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def by_slug(slug: str) -> Announcement | None:
    """The announcement at this address, in whatever state."""
    return db.session.scalar(select(Announcement).where(Announcement.slug == slug))


def of_version(notice_version_id: int) -> Announcement | None:
    """The announcement of this notice version, if it was made public."""
    return db.session.scalar(select(Announcement).where(Announcement.notice_version_id == notice_version_id))


@once
def of_notice(notice_id: int) -> Sequence[Announcement]:
    """All announcements of a notice, newest first."""
    query = select(Announcement).where(Announcement.notice_id == notice_id).order_by(Announcement.id.desc())
    return db.session.scalars(query).all()


def among(incident_ids: Select[int], *, before: int | None = None, limit: int = 50) -> Sequence[Announcement]:
    """The announcements of these incidents, in whatever state, newest first, by key."""
    query = select(Announcement).where(Announcement.incident_id.in_(incident_ids))
    if before is not None:
        query = query.where(Announcement.id < before)
    return db.session.scalars(query.order_by(Announcement.id.desc()).limit(limit)).all()


def posted(now: datetime, *, before: int | None = None, limit: int = 50) -> Sequence[Announcement]:
    """Announcements that everybody can read at this moment, newest first, by key; none of a drill."""
    query = select(Announcement).where(
        Announcement.state == "published",
        Announcement.simulated.is_(False),
        Announcement.starts_at <= now,
        Announcement.ends_at.is_(None) | (Announcement.ends_at > now),
    )
    if before is not None:
        query = query.where(Announcement.id < before)
    return db.session.scalars(query.order_by(Announcement.id.desc()).limit(limit)).all()
