"""Messages of drills about which the sandbox has something to pretend, by their own partial index."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, select, text

from incident.store import bulk
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch

PRETENDING = text("delivery.state = 'simulated' AND delivery.due_at IS NOT NULL")


class Kept(NamedTuple):
    """One message that the sandbox took: since when, what it pretended so far, and from when on it has more to say."""

    id: int
    ref: str
    person: int
    channel: str
    pretended: str
    current: bool
    taken_at: datetime
    due_at: datetime
    climb_at: datetime | None


def due(now: datetime) -> Sequence[str]:
    """The dispatches with something to pretend now."""
    over = select(Delivery.id).where(Delivery.dispatch_id == Dispatch.id, PRETENDING, Delivery.due_at <= now)
    query = select(Dispatch.ref).where(Dispatch.simulated, over.correlate(Dispatch).exists())
    return db.session.scalars(query.order_by(Dispatch.id)).all()


def page(dispatch_id: int, now: datetime, most: int) -> list[Kept]:
    """The next of a dispatch of whom something is to be pretended, the longest due first."""
    columns = (
        Delivery.id, Delivery.ref, Delivery.person_number, Delivery.channel, Delivery.pretended, Delivery.current,
        Delivery.answered_at, Delivery.due_at, Delivery.climb_at,
    )  # fmt: skip
    which = and_(Delivery.dispatch_id == dispatch_id, PRETENDING, Delivery.due_at <= now)
    rows = db.session.execute(select(*columns).where(which).order_by(Delivery.due_at, Delivery.id).limit(most))
    return [Kept._make(row) for row in rows]


def write(rows: Sequence[tuple[int, str, datetime | None, datetime | None]]) -> None:
    """Number, what is pretended, when there is more, and when the next channel is due, for each."""
    kept = bulk.instants()
    values = [(id_, pretended, kept(due_at), kept(climb_at)) for id_, pretended, due_at, climb_at in rows]
    bulk.change("delivery", ("id", "pretended", "due_at", "climb_at"), values)


def of_refs(refs: Sequence[str]) -> Mapping[str, str]:
    """What is pretended of these attempts."""
    query: Any = select(Delivery.ref, Delivery.pretended).where(Delivery.ref.in_(refs), Delivery.pretended != "")
    return dict(db.session.execute(query).all())
