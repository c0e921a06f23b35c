"""Who of a sending waits for something else than their turn: for people of the team, for a fit hour, for another try."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from incident.domain.deliveries import NO_WORKERS_TURN
from incident.store.db import db
from incident.store.deliveries import IS_WAITING, Delivery
from incident.store.loose_ends import MOST

BY_HAND, LATER = "by_hand", "later"


class Waiting(NamedTuple):
    """How many wait by one channel, each counted up to `MOST`: `by_hand` for people of the team, `later` for a time to
    come, of which `first` is the soonest."""

    by_hand: int = 0
    later: int = 0
    first: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of them were counted."""
        return max(self.by_hand, self.later) < MOST


def of(dispatch_id: int, channels: Sequence[str], now: datetime) -> Mapping[str, Waiting]:
    """Those of each of these channels who wait for more than their turn; channels where nobody does are left out."""
    kinds = {BY_HAND: Delivery.due_at == NO_WORKERS_TURN, LATER: Delivery.due_at.between(now, NO_WORKERS_TURN)}
    kinds[LATER] &= Delivery.due_at != NO_WORKERS_TURN
    asked = [_counted(dispatch_id, word, kind, when) for word in channels for kind, when in kinds.items()]
    found: dict[str, Waiting] = {}
    for channel, kind, people, first in db.session.execute(union_all(*asked)) if asked else ():
        if people:
            seen = {kind: people} | ({"first": first} if kind == LATER else {})
            found[channel] = found.get(channel, Waiting())._replace(**seen)
    return found


def _counted(dispatch_id: int, channel: str, kind: str, when: ColumnElement[bool]) -> Select[str, str, int, Any]:
    """Up to `MOST` of one channel, the soonest first, as the index of those who were put off holds them."""
    held = select(Delivery.due_at).where(Delivery.dispatch_id == dispatch_id, Delivery.channel == channel, IS_WAITING)
    soonest = held.where(Delivery.due_at.is_not(None), when).order_by(Delivery.due_at).limit(MOST).subquery()
    return select(literal(channel), literal(kind), func.count(), func.min(soonest.c.due_at))
