"""What providers reported, as received, in our words. Rows are only added."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db


class ProviderEvent(Model):
    """One report of a provider in our words, kept for good; without addresses, texts or network addresses."""

    __tablename__ = "provider_event"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("ix_provider_event_delivery", "delivery_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(100))
    delivery_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("delivery.id"))
    ref: Mapped[str] = mapped_column(String(64))
    provider_id: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fields: Mapped[dict[str, str]] = mapped_column(JSON)


def known_events(provider: str, ids: Sequence[str]) -> set[str]:
    """Which of these reports were received before."""
    query = select(ProviderEvent.event_id).where(ProviderEvent.provider == provider, ProviderEvent.event_id.in_(ids))
    return set(db.session.scalars(query))


def add_events(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep these reports."""
    if rows:
        db.session.execute(insert(ProviderEvent), list(rows))


def events_of(delivery_ids: Sequence[int]) -> Sequence[ProviderEvent]:
    """The reports about these deliveries, in the order received."""
    query = select(ProviderEvent).where(ProviderEvent.delivery_id.in_(delivery_ids))
    return db.session.scalars(query.order_by(ProviderEvent.id)).all()
