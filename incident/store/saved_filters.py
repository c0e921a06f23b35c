"""Filters of lists that people keep under a name. Name and filter are sealed together: both are what somebody typed."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.saved_filters import Chosen
from incident.store import sealed
from incident.store.db import BigInt, Model, UTCDateTime, db


class SavedFilter(Model):
    """One filter of one list; `shared` shows it to the whole team."""

    __tablename__ = "saved_filter"
    __table_args__ = (
        Index("ix_saved_filter_user", "user_id", "listing"),
        Index("ix_saved_filter_shared", "shared", "listing"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    listing: Mapped[str] = mapped_column(String(20))
    shared: Mapped[bool] = mapped_column(Boolean)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    def keep(self, chosen: Chosen) -> None:
        """Take the name and the filter, sealed."""
        words = json.dumps([chosen.name, chosen.asked], ensure_ascii=False).encode()
        self.sealed = sealed.seal(None, _place(self.ref), words)

    def chosen(self) -> Chosen:
        """What was kept."""
        name, asked = json.loads(sealed.unseal(None, _place(self.ref), self.sealed))
        return Chosen(name, asked)


def of(user_id: int, listings: Collection[str], *, most: int) -> Sequence[SavedFilter]:
    """Those of one person and those of the team for these lists, in the order in which they were kept."""
    query = select(SavedFilter).where(
        SavedFilter.listing.in_(listings), or_(SavedFilter.user_id == user_id, SavedFilter.shared)
    )
    return db.session.scalars(query.order_by(SavedFilter.id).limit(most)).all()


def own(user_id: int, *, locked: bool = False) -> Sequence[SavedFilter]:
    """All of one person, in the order in which they were kept."""
    query = select(SavedFilter).where(SavedFilter.user_id == user_id).order_by(SavedFilter.id)
    return db.session.scalars(query.with_for_update() if locked else query).all()


def by_ref(ref: str) -> SavedFilter | None:
    """One of them, read anew."""
    query = select(SavedFilter).where(SavedFilter.ref == ref)
    return db.session.scalar(query.execution_options(populate_existing=True))


def _place(ref: str) -> str:
    return f"saved_filter.sealed:{ref}"
