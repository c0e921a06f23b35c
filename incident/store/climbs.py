"""Deliveries whose step of the ladder is over: who they are, what was tried for each, and their moving on.

Their own partial index holds only attempts that have a time to be looked at, so that whoever is told costs it nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import case, func, literal, select, tuple_, union_all, update

from incident.domain.deliveries import Course, State
from incident.domain.ladders import Tried
from incident.store.db import db
from incident.store.deliveries import HAS_NO_OWNER, Delivery, parts, rows_changed
from incident.store.dispatches import Dispatch
from incident.store.tallies import Place

MOST: Final = 10_001
"""So far those who wait are counted for each span of time."""


class Spent(NamedTuple):
    """A person's present attempt, whose step is over."""

    id: int
    ref: str
    person_id: int
    number: int
    state: State
    owner: str
    channel: str
    language: str
    reason: str

    @property
    def place(self) -> Place:
        """Where they are counted."""
        return Place(self.channel, self.language, self.state, self.reason)


def due(now: datetime, most: int = 100) -> Sequence[str]:
    """The dispatches of open incidents, going on or done, that hold an attempt whose step is over."""
    incident = db.metadata.tables["incident"]
    over = select(Delivery.id).where(Delivery.dispatch_id == Dispatch.id, Delivery.climb_at <= now)
    query = select(Dispatch.ref).join(incident, incident.c.id == Dispatch.incident_id)
    query = query.where(
        Dispatch.course.in_([Course.SENDING, Course.IN_DOUBT, Course.DONE]),
        incident.c.state == "open",
        over.correlate(Dispatch).exists(),
    )
    return db.session.scalars(query.order_by(Dispatch.id).limit(most)).all()


def over(dispatch_id: int, now: datetime, most: int) -> list[Spent]:
    """Up to so many attempts of a dispatch whose step is over, the longest over first."""
    columns = Delivery.id, Delivery.ref, Delivery.person_id, Delivery.person_number, Delivery.state, Delivery.owner
    query = select(*columns, Delivery.channel, Delivery.language, Delivery.reason)
    query = query.where(Delivery.dispatch_id == dispatch_id, Delivery.climb_at <= now, Delivery.current)
    rows = db.session.execute(query.order_by(Delivery.climb_at).limit(most))
    return [Spent(*row[:4], State(row[4]), *row[5:]) for row in rows]


def ahead(dispatch_id: int, edges: Sequence[datetime]) -> tuple[datetime | None, list[int]]:
    """When the first step of a dispatch is over, and how many are over up to each edge but not the one before."""
    waiting = Delivery.dispatch_id == dispatch_id, Delivery.climb_at.is_not(None)
    first = select(func.min(Delivery.climb_at)).where(*waiting).scalar_subquery()
    spans = []
    for place, edge in enumerate(edges):
        held = select(literal(1)).where(*waiting, Delivery.climb_at <= edge)
        if place:
            held = held.where(Delivery.climb_at > edges[place - 1])
        spans.append(select(literal(place), func.count(), first).select_from(held.limit(MOST).subquery()))
    rows = db.session.execute(union_all(*spans)).all()
    counts: dict[int, int] = {place: count for place, count, _ in rows}
    return rows[0][2] if rows else None, [counts.get(place, 0) for place in range(len(edges))]


def waiting(
    dispatch_id: int, *, since: datetime | None, until: datetime | None, after: tuple[datetime, int] | None, limit: int
) -> Sequence[Delivery]:
    """Those of a dispatch whose step ends after one time and up to another, the soonest first, by key."""
    query = select(Delivery).where(Delivery.dispatch_id == dispatch_id, Delivery.climb_at.is_not(None))
    if since is not None:
        query = query.where(Delivery.climb_at > since)
    if until is not None:
        query = query.where(Delivery.climb_at <= until)
    if after is not None:
        query = query.where(tuple_(Delivery.climb_at, Delivery.id) > after)
    return db.session.scalars(query.order_by(Delivery.climb_at, Delivery.id).limit(limit)).all()


def tried(dispatch: Dispatch, person_ids: Sequence[int]) -> dict[int, list[Tried]]:
    """Everything tried for each of these people in this dispatch, oldest first; in a drill as the sandbox pretends it went."""
    state = (
        case((Delivery.pretended == "", Delivery.state), else_=Delivery.pretended) if dispatch.life else Delivery.state
    )
    columns = Delivery.person_id, Delivery.id, Delivery.channel, Delivery.attempt, state, Delivery.reason
    query = select(*columns, Delivery.language).where(
        Delivery.notice_version_id == dispatch.notice_version_id, Delivery.dispatch_id == dispatch.id
    )
    found: dict[int, list[Tried]] = {id_: [] for id_ in person_ids}
    for part in parts(person_ids):
        for person_id, id_, channel, attempt, state, reason, language in db.session.execute(
            query.where(Delivery.person_id.in_(part)).order_by(Delivery.id)
        ):
            found[person_id].append(Tried(id_, channel, attempt, State(state), reason, language))
    return found


def followed(ids: Sequence[int], by: str, now: datetime) -> None:
    """Another attempt counts for these people from now on; what was their present one needs nobody's care any more."""
    for part in parts(ids):
        these = Delivery.id.in_(part)
        rows_changed(update(Delivery).where(these).values(current=False, climb_at=None, changed_at=now))
        rows_changed(update(Delivery).where(these, HAS_NO_OWNER).values(owner=by))


def made_current(ids: Sequence[int], now: datetime) -> None:
    """These earlier attempts are the ones that count, after all."""
    for part in parts(ids):
        rows_changed(update(Delivery).where(Delivery.id.in_(part)).values(current=True, climb_at=None, changed_at=now))


def spent(ids_by_state: Mapping[State, Sequence[int]], reason: str, now: datetime) -> None:
    """No channel is left for these people; those that become `unreached` by it have the reason."""
    for state, ids in ids_by_state.items():
        for part in parts(ids):
            change = update(Delivery).where(Delivery.id.in_(part)).values(climb_at=None, changed_at=now)
            rows_changed(change.values(state=state, reason=reason) if state is State.UNREACHED else change)


def owned(ids: Sequence[int], owner: str) -> None:
    """Whom nobody has looked after so far is in this person's care from now on."""
    for part in parts(ids):
        rows_changed(update(Delivery).where(Delivery.id.in_(part), HAS_NO_OWNER).values(owner=owner))
