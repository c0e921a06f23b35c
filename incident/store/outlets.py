"""Newsrooms that the team keeps addresses of, and each approved notice that was handed to one of them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Table, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db


class MediaOutlet(Model):
    """A newsroom: what it is called, which places it serves, and where it is reached. A removed one keeps its name alone."""

    __tablename__ = "media_outlet"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    places: Mapped[list[str]] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(String(12))
    email: Mapped[str] = mapped_column(String(254), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MediaCopy(Model):
    """One attempt to hand one notice version to one newsroom, by e-mail or on paper."""

    __tablename__ = "media_copy"
    __table_args__ = (
        UniqueConstraint("notice_version_id", "outlet_id", "attempt"),
        Index("ix_media_copy_incident", "incident_id", "id"),
        Index(
            "ix_media_copy_open",
            "id",
            sqlite_where=text("state IN ('waiting', 'claimed', 'calling')"),
            postgresql_where=text("state IN ('waiting', 'claimed', 'calling')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    notice_version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice_version.id"))
    outlet_id: Mapped[int] = mapped_column(BigInt, ForeignKey("media_outlet.id"))
    attempt: Mapped[int] = mapped_column(default=1)
    way: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    reason: Mapped[str] = mapped_column(String(40), default="")
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(100), default="")
    simulated: Mapped[bool]
    tries: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    asked_by: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


COPIES: Table = MediaCopy.__table__  # type: ignore[assignment]


def kept(*, after: str = "", limit: int = 500) -> Sequence[MediaOutlet]:
    """The newsrooms on the list, by reference, beginning behind `after`."""
    query = select(MediaOutlet).where(MediaOutlet.removed_at.is_(None), MediaOutlet.ref > after)
    return db.session.scalars(query.order_by(MediaOutlet.ref).limit(limit)).all()


def by_ref(ref: str) -> MediaOutlet | None:
    """A newsroom on the list."""
    return db.session.scalar(select(MediaOutlet).where(MediaOutlet.ref == ref, MediaOutlet.removed_at.is_(None)))


def by_refs(refs: Collection[str]) -> Sequence[MediaOutlet]:
    """Those of these newsrooms that are on the list, by reference."""
    query = select(MediaOutlet).where(MediaOutlet.ref.in_(refs), MediaOutlet.removed_at.is_(None))
    return db.session.scalars(query.order_by(MediaOutlet.ref)).all()


def by_ids(ids: Collection[int]) -> dict[int, MediaOutlet]:
    """Newsrooms by number, removed ones too."""
    found = db.session.scalars(select(MediaOutlet).where(MediaOutlet.id.in_(ids))) if ids else ()
    return {row.id: row for row in found}


def copies(notice_version_id: int) -> Sequence[MediaCopy]:
    """All attempts to hand this version to newsrooms, newest first."""
    query = select(MediaCopy).where(MediaCopy.notice_version_id == notice_version_id)
    return db.session.scalars(query.order_by(MediaCopy.id.desc())).all()


def copy(ref: str, *, locked: bool = False) -> MediaCopy | None:
    """One attempt."""
    query = select(MediaCopy).where(MediaCopy.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def copies_by_refs(refs: Collection[str]) -> Sequence[MediaCopy]:
    """The attempts with these references, held against other writers."""
    if not refs:
        return ()
    return db.session.scalars(select(MediaCopy).where(MediaCopy.ref.in_(refs)).with_for_update()).all()
