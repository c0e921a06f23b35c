"""Looks at public pages: what each of them served, added and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.announcements import Announcement
from incident.store.db import BigInt, Model, UTCDateTime, db


class PostingCheck(Model):
    """One look at a public page. `pages` has for each language its status, size and digest as served."""

    __tablename__ = "posting_check"
    __table_args__ = (Index("ix_posting_check_announcement", "announcement_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    announcement_id: Mapped[int] = mapped_column(BigInt, ForeignKey("announcement.id"))
    look: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    sight: Mapped[str] = mapped_column(String(12))
    outside: Mapped[bool]
    pages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))


def due(now: datetime, limit: int = 100) -> Sequence[str]:
    """Slugs of pages that are to be looked at, those that wait longest first."""
    query = select(Announcement.slug).where(Announcement.look_at.is_not(None), Announcement.look_at <= now)
    return db.session.scalars(query.order_by(Announcement.look_at).limit(limit)).all()


def move_on(announcement_id: int, was: datetime, then: datetime | None) -> bool:
    """Set when the page is looked at next; False where somebody else has done this look."""
    query = update(Announcement).where(Announcement.id == announcement_id, Announcement.look_at == was)
    return db.session.execute(query.values(look_at=then).returning(Announcement.id)).first() is not None


def of(announcement_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[PostingCheck]:
    """The looks at one page, newest first, by key."""
    query = select(PostingCheck).where(PostingCheck.announcement_id == announcement_id)
    if before is not None:
        query = query.where(PostingCheck.id < before)
    return db.session.scalars(query.order_by(PostingCheck.id.desc()).limit(limit)).all()


def sights(announcement_ids: Sequence[int]) -> dict[int, list[tuple[datetime, str]]]:
    """When each of these pages was looked at and what was seen, oldest first: a row a day of each."""
    found: dict[int, list[tuple[datetime, str]]] = {number: [] for number in announcement_ids}
    query = select(PostingCheck.announcement_id, PostingCheck.at, PostingCheck.sight)
    query = query.where(PostingCheck.announcement_id.in_(announcement_ids)).order_by(PostingCheck.id)
    for number, at, sight in db.session.execute(query):
        found[number].append((at, sight))
    return found


def answered_before(announcement_id: int) -> bool:
    """Whether the public address of this page ever answered from here."""
    query = select(func.count()).select_from(PostingCheck)
    query = query.where(PostingCheck.announcement_id == announcement_id, PostingCheck.outside.is_(True))
    return bool(db.session.scalar(query))
