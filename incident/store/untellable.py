"""The deliveries of people whose data was erased."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from incident.domain.deliveries import State
from incident.store.db import db
from incident.store.deliveries import HAS_NO_OWNER, IS_WAITING, NEEDS_CARE, Delivery, rows_changed
from incident.store.dispatches import Dispatch


def dispatches_with(incident_id: int, person_id: int) -> Sequence[int]:
    """The sendings of an incident that have this person on their list."""
    versions = select(Dispatch.notice_version_id).where(Dispatch.incident_id == incident_id)
    query = select(Delivery.dispatch_id).where(
        Delivery.notice_version_id.in_(versions), Delivery.person_id == person_id
    )
    return sorted(set(db.session.scalars(query)))


def current_of(dispatch_ids: Sequence[int], person_id: int) -> Sequence[Delivery]:
    """What counts for this person in each of these sendings, read anew; whoever asks has locked them."""
    versions = select(Dispatch.notice_version_id).where(Dispatch.id.in_(dispatch_ids))
    query = select(Delivery).where(
        Delivery.notice_version_id.in_(versions),
        Delivery.person_id == person_id,
        Delivery.dispatch_id.in_(dispatch_ids),
        Delivery.current,
    )
    return db.session.scalars(query.order_by(Delivery.id).execution_options(populate_existing=True)).all()


def cancel_waiting(dispatch_id: int, reason: str, owner: str, now: datetime) -> None:
    """Cancel all that waits in a sending, in nobody's care."""
    change = update(Delivery).where(Delivery.dispatch_id == dispatch_id, IS_WAITING)
    rows_changed(change.values(state=State.CANCELLED, reason=reason, owner=owner, changed_at=now))


def care_for_nobody(dispatch_id: int, owner: str) -> None:
    """Let nobody have to look after whom nobody looks after, and nobody go on to another channel."""
    mine = update(Delivery).where(Delivery.dispatch_id == dispatch_id)
    rows_changed(mine.where(HAS_NO_OWNER, NEEDS_CARE).values(owner=owner))
    rows_changed(mine.where(Delivery.climb_at.is_not(None)).values(climb_at=None))
