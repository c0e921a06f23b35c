"""Where people of a sending live, and messages that wait until it is a fit hour there."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update

from incident.domain.deliveries import State
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.deliveries import IS_SENDING, Delivery, parts, rows_changed
from incident.store.people import Person


def places_of(person_ids: Sequence[int]) -> dict[int, str]:
    """Where each of these people lives; empty where nobody knows."""
    found: dict[int, str] = {}
    for part in parts(person_ids):
        query = select(Person.id, Person.place).where(Person.id.in_(part))
        found |= {id_: place for id_, place in db.session.execute(query)}
    return found


def is_claimed(fence: int, now: datetime) -> bool:
    """Whether the claim stands as it was taken: nothing of it handed over, its lease not over."""
    query = select(DeliveryClaim.id).where(DeliveryClaim.id == fence, DeliveryClaim.state == "claimed")
    return db.session.scalar(query.where(DeliveryClaim.lease_until > now)) is not None


def put_back(fence: int, state: State, until: Mapping[datetime, Sequence[int]], now: datetime) -> None:
    """Give rows of a claim back, each due at its time."""
    for moment, ids in until.items():
        for part in parts(ids):
            change = update(Delivery).where(Delivery.id.in_(part), Delivery.claim_id == fence, IS_SENDING)
            rows_changed(change.values(state=state, due_at=moment, changed_at=now))
