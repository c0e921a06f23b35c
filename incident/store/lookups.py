"""What providers said when they were asked about deliveries in doubt. Rows are only added."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, and_, func, insert, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import State
from incident.domain.lookups import ASKED_AFTER, ASKED_AGAIN_AFTER, MOST_UNANSWERED, Verdict
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import IS_SENDING, IS_WAITING, NEEDS_CARE, Delivery, parts
from incident.store.dispatches import Dispatch


class DeliveryLookup(Model):
    """One answer of a provider about one delivery: how many messages of its fit, and how the one stands that is ours."""

    __tablename__ = "delivery_lookup"
    __table_args__ = (Index("ix_delivery_lookup_delivery", "delivery_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by: Mapped[str] = mapped_column(String(20))
    provider: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str] = mapped_column(String(12))
    found: Mapped[int]
    provider_id: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def add(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep these answers."""
    if rows:
        db.session.execute(insert(DeliveryLookup), list(rows))


def of(delivery_ids: Sequence[int]) -> Sequence[DeliveryLookup]:
    """The answers about these deliveries, oldest first."""
    query = select(DeliveryLookup).where(DeliveryLookup.delivery_id.in_(delivery_ids))
    return db.session.scalars(query.order_by(DeliveryLookup.id)).all()


def newest(delivery_ids: Sequence[int]) -> dict[int, DeliveryLookup]:
    """The last answer about each of these deliveries, where there is one."""
    return {one.delivery_id: one for part in parts(delivery_ids) for one in of(part)}


def _is_doubtful(channels: Sequence[str]) -> ColumnElement[bool]:
    """In doubt, the present attempt, by one of these channels; its own partial index finds them."""
    return and_(NEEDS_CARE, Delivery.state == State.IN_DOUBT, Delivery.current, Delivery.channel.in_(channels))


def _is_unasked(now: datetime) -> ColumnElement[bool]:
    """In doubt for a while, and its provider has not said anything yet, nor failed to too often or just now."""
    answers = select(DeliveryLookup.id).where(DeliveryLookup.delivery_id == Delivery.id)
    said = answers.where(DeliveryLookup.verdict != Verdict.UNANSWERED).correlate(Delivery).exists()
    lately = answers.where(DeliveryLookup.at > now - ASKED_AGAIN_AFTER).correlate(Delivery).exists()
    tries = select(func.count()).where(DeliveryLookup.delivery_id == Delivery.id).correlate(Delivery).scalar_subquery()
    return and_(Delivery.changed_at <= now - ASKED_AFTER, ~said, ~lately, tries < MOST_UNANSWERED)


def _waits_unasked(channels: Sequence[str], frozen_at: datetime, now: datetime) -> ColumnElement[bool]:
    """Waiting by one of these channels, and since all was frozen nobody asked whether it went out after all."""
    answers = select(DeliveryLookup.id).where(DeliveryLookup.delivery_id == Delivery.id, DeliveryLookup.at >= frozen_at)
    said = answers.where(DeliveryLookup.verdict != Verdict.UNANSWERED).correlate(Delivery).exists()
    lately = answers.where(DeliveryLookup.at > now - ASKED_AGAIN_AFTER).correlate(Delivery).exists()
    return and_(IS_WAITING, Delivery.current, Delivery.channel.in_(channels), ~said, ~lately)


def due(channels: Sequence[str], now: datetime, *, frozen_at: datetime | None = None) -> Sequence[str]:
    """The dispatches with somebody in doubt by one of these channels about whom the provider was not asked yet.

    Since `frozen_at` also those with somebody who waits: a restored database may not know that they were told.
    """
    found = select(Delivery.id).where(Delivery.dispatch_id == Dispatch.id).correlate(Dispatch)
    doubtful = and_(Dispatch.in_doubt > 0, found.where(_is_doubtful(channels), _is_unasked(now)).exists())
    query = select(Dispatch.ref).where(Dispatch.simulated.is_(False)).order_by(Dispatch.id)
    if frozen_at is None:
        return db.session.scalars(query.where(doubtful)).all()
    waiting = and_(Dispatch.waiting > 0, found.where(_waits_unasked(channels, frozen_at, now)).exists())
    return db.session.scalars(query.where(or_(doubtful, waiting))).all()


def waiting(
    dispatch_id: int, channels: Sequence[str], most: int, *, frozen_at: datetime, now: datetime
) -> Sequence[Delivery]:
    """Deliveries of a dispatch that wait by these channels and were not asked about since all was frozen."""
    query = select(Delivery).where(Delivery.dispatch_id == dispatch_id, _waits_unasked(channels, frozen_at, now))
    return db.session.scalars(query.order_by(Delivery.id).limit(most)).all()


def doubtful(
    dispatch_id: int, channels: Sequence[str], most: int, *, unasked: datetime | None = None
) -> Sequence[Delivery]:
    """Deliveries of a dispatch in doubt by these channels, those never asked about first; `unasked` leaves out the others."""
    query = select(Delivery).where(Delivery.dispatch_id == dispatch_id, _is_doubtful(channels))
    if unasked is not None:
        return db.session.scalars(query.where(_is_unasked(unasked)).order_by(Delivery.id).limit(most)).all()
    last = select(func.coalesce(func.max(DeliveryLookup.id), 0)).where(DeliveryLookup.delivery_id == Delivery.id)
    return db.session.scalars(query.order_by(last.correlate(Delivery).scalar_subquery(), Delivery.id).limit(most)).all()


def unsettled(incident_id: int, channel: str, most: int, *, waiting: bool) -> list[tuple[int, int, str]]:
    """Number, person and reference of everything of this incident by this channel that is under way or in doubt.

    With `waiting` also of what waits, where that may have gone out after all.
    """
    columns = select(Delivery.id, Delivery.person_id, Delivery.ref)
    query = columns.join(Dispatch, Dispatch.id == Delivery.dispatch_id).where(
        Dispatch.incident_id == incident_id, Delivery.channel == channel
    )
    states: list[Any] = [
        IS_SENDING,
        and_(NEEDS_CARE, Delivery.state == State.IN_DOUBT),
        *([IS_WAITING] if waiting else []),
    ]
    rows = (row for which in states for row in db.session.execute(query.where(which).limit(most)))
    return [(id_, person, ref) for id_, person, ref in rows]


def owned(provider_ids: Sequence[str], but: Sequence[int]) -> set[str]:
    """Which of these numbers of a provider belong to deliveries other than those."""
    found: set[str] = set()
    for part in parts(list(provider_ids)):  # type: ignore[arg-type]
        query = select(Delivery.id, Delivery.provider_id).where(Delivery.provider_id.in_(part))
        found |= {number for id_, number in db.session.execute(query) if id_ not in set(but)}
    return found
