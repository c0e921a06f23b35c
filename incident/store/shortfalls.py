"""Whom a sending did not reach, counted by where they live: from the index of those who need somebody's care."""

from typing import Final

from sqlalchemy import func, select

from incident.domain.deliveries import State
from incident.store.db import db
from incident.store.deliveries import NEEDS_CARE, Delivery

NOT_TOLD: Final = (State.FAILED, State.BOUNCED, State.UNREACHED, State.CANCELLED)
"""States in which somebody was, as far as is known, not told; what is in doubt is told of by itself."""


def by_place(dispatch_id: int) -> list[tuple[str, int]]:
    """How many of them live where, most first."""
    person = db.metadata.tables["person"]
    query = select(person.c.place, func.count()).select_from(Delivery).join(person, person.c.id == Delivery.person_id)
    query = query.where(
        Delivery.dispatch_id == dispatch_id, NEEDS_CARE, Delivery.state != State.IN_DOUBT, Delivery.current
    )
    rows = db.session.execute(query.group_by(person.c.place).order_by(func.count().desc(), person.c.place))
    return [(place, count) for place, count in rows]
