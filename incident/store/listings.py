"""The lists behind the numbers of a sending: by key, sifted, and never by reading a million rows for one page.

What needs a person is sifted in its own index. Everything else lies in the order in which it was made, and a page looks at
no more than so many of them; it then says how far it looked, and the next page goes on from there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, func, select, union_all, update

from incident.domain.deliveries import NEEDS_OWNER, State
from incident.store.claims import IS_OPEN, DeliveryClaim
from incident.store.db import db
from incident.store.deliveries import HAS_FAILED, IS_MOVED, IS_SENDING, IS_WAITING, NEEDS_CARE, Delivery, rows_changed
from incident.store.tallies import DispatchTally, Place

LOOKED_AT: Final = 200_000
"""How many deliveries one page looks at."""
MOST_FAILED: Final = 300_000
"""Up to so many that were refused or came back are counted by reason; of more the board says that they are more."""
COUNTED: Final = 100_000
"""How many are counted by owner."""
BACK: Final = (State.FAILED, State.BOUNCED)


@dataclass(frozen=True)
class Wanted:
    """What a list shows: everything that is not said here. `owner` empty means those in nobody's care."""

    state: str = ""
    channel: str = ""
    language: str | None = None
    reason: str = ""
    owner: str | None = None
    came_from: str = ""
    every: bool = False

    @property
    def is_sifted(self) -> bool:
        """Whether rows are left out that no index leaves out."""
        return bool(self.channel or self.reason) or self.language is not None or self.owner is not None

    @property
    def is_of_everything(self) -> bool:
        """Whether earlier attempts are shown too, not only the one that counts."""
        return self.every or not self.state or bool(self.came_from)


class Page(NamedTuple):
    """Some deliveries, and the number after which to look further; None when there are no more."""

    rows: Sequence[Delivery]
    after: int | None


def page(dispatch_id: int, wanted: Wanted, *, after: int = 0, limit: int = 50) -> Page:
    """The next deliveries of a dispatch in the order they were made, up to `limit` and as far as one page looks."""
    within = _within(dispatch_id, wanted)
    until = _until(within, after) if _may_be_sparse(wanted) else None
    # Few are being sent, in the middle of many: by an expression, no index on the number leads SQLite past all the others.
    number = Delivery.id + 0 if wanted.state == State.SENDING else Delivery.id
    query = select(Delivery).where(*within, *_sift(wanted), number > after).order_by(number)
    if until is not None:
        query = query.where(Delivery.id <= until)
    rows = db.session.scalars(query.limit(limit + 1)).all()
    if len(rows) > limit:
        return Page(rows[:limit], rows[limit - 1].id)
    return Page(rows, until)


def each(dispatch_id: int, wanted: Wanted, *, at_once: int = 1_000) -> Iterator[Delivery]:
    """All of them, one after the other."""
    after: int | None = 0
    while after is not None:
        found = page(dispatch_id, wanted, after=after, limit=at_once)
        yield from found.rows
        after = found.after


def _may_be_sparse(wanted: Wanted) -> bool:
    """Whether a page might have to look at far more deliveries than it shows."""
    told = wanted.state and wanted.state not in (*NEEDS_OWNER, State.SENDING)
    return not wanted.came_from and (wanted.is_sifted or bool(told))


def _within(dispatch_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What an index holds by itself, in the words that it is known by."""
    found: list[Any] = [Delivery.dispatch_id == dispatch_id]
    if wanted.came_from:
        found += [IS_MOVED, Delivery.came_from == wanted.came_from]
    elif wanted.state in NEEDS_OWNER:
        found += [NEEDS_CARE, Delivery.state == wanted.state]
    elif wanted.state == State.SENDING:
        held = select(DeliveryClaim.id).where(DeliveryClaim.dispatch_id == dispatch_id, IS_OPEN)
        return [IS_SENDING, Delivery.claim_id.in_(held)]  # type: ignore[list-item]
    return found


def _sift(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[Any] = []
    if wanted.state == State.WAITING:
        found.append(IS_WAITING)
    elif wanted.state:
        found.append(Delivery.state == wanted.state)
    if not wanted.is_of_everything:
        found.append(Delivery.current)
    if wanted.channel:
        found.append(Delivery.channel == wanted.channel)
    if wanted.language is not None:
        found.append(Delivery.language == wanted.language)
    if wanted.reason:
        found.append(Delivery.reason == wanted.reason)
    if wanted.owner is not None:
        found.append(Delivery.owner == wanted.owner)
    return found


def _until(within: Sequence[ColumnElement[bool]], after: int) -> int | None:
    """The number of the last delivery that one page looks at; None when it looks at all that are left."""
    query = select(Delivery.id).where(*within, Delivery.id > after).order_by(Delivery.id)
    return db.session.scalar(query.offset(LOOKED_AT - 1).limit(1))


def count(dispatch_id: int, wanted: Wanted, *, most: int | None = None) -> int:
    """How many need a person as it is asked, counted in their own index; no further than `most`."""
    query = select(Delivery.id).where(*_within(dispatch_id, wanted), *_sift(wanted))
    held = query.limit(most) if most is not None else query
    return db.session.scalar(select(func.count()).select_from(held.subquery())) or 0


def give(dispatch_id: int, wanted: Wanted, owner: str, now: datetime) -> None:
    """Put those who need a person, as it is asked, into somebody's care."""
    change = update(Delivery).where(*_within(dispatch_id, wanted), *_sift(wanted))
    rows_changed(change.values(owner=owner, changed_at=now))


def first_waiting(dispatch_id: int) -> int:
    """The number before that of the first delivery that waits, to begin a list of them where they are."""
    found = db.session.scalar(select(func.min(Delivery.id)).where(Delivery.dispatch_id == dispatch_id, IS_WAITING))
    return (found or 1) - 1


def tallied(dispatch_ids: Sequence[int]) -> Counter[Place]:
    """Who stands where in all of these dispatches together."""
    tally = DispatchTally
    query = select(tally.channel, tally.language, tally.state, tally.reason, func.sum(tally.n))
    query = query.where(tally.dispatch_id.in_(dispatch_ids))
    rows = db.session.execute(query.group_by(tally.channel, tally.language, tally.state, tally.reason))
    return Counter({Place(channel, tag, State(state), reason): int(n) for channel, tag, state, reason, n in rows if n})


def counted(tally: Mapping[Place, int], wanted: Wanted) -> int | None:
    """How many a list holds, from the tally; None where the tally cannot tell."""
    if not wanted.state or wanted.is_of_everything or wanted.owner is not None:
        return None
    if wanted.reason and wanted.state not in NEEDS_OWNER:
        return None
    return sum(n for place, n in tally.items() if _fits(place, wanted))


def _fits(place: Place, wanted: Wanted) -> bool:
    return (
        place.state == wanted.state
        and wanted.channel in ("", place.channel)
        and wanted.language in (None, place.language)
        and wanted.reason in ("", place.reason)
    )


class Setback(NamedTuple):
    """How many attempts by one channel were refused or came back for one reason."""

    channel: str
    state: State
    reason: str
    n: int


def setbacks(dispatch_id: int) -> list[Setback]:
    """Why attempts of a dispatch failed, those that another one follows included, most first.

    Counted in their own index: ask only where `MOST_FAILED` or fewer have failed.
    """
    columns = Delivery.state, Delivery.channel, Delivery.reason
    parts = [
        select(*columns, func.count())
        .where(Delivery.dispatch_id == dispatch_id, HAS_FAILED, Delivery.state == state)
        .group_by(*columns)
        for state in BACK
    ]
    rows = db.session.execute(union_all(*parts))
    found = [Setback(channel, State(state), reason, n) for state, channel, reason, n in rows]
    return sorted(found, key=lambda one: (-one.n, one))


def owners(dispatch_ids: Sequence[int], state: State) -> dict[str, int]:
    """Who looks after how many in this state; an empty word is nobody. Counted no further than `COUNTED`."""
    if not dispatch_ids:
        return {}
    query = select(Delivery.owner).where(Delivery.dispatch_id.in_(dispatch_ids), NEEDS_CARE, Delivery.state == state)
    held = query.where(Delivery.current).limit(COUNTED).subquery()
    return {owner: n for owner, n in db.session.execute(select(held.c.owner, func.count()).group_by(held.c.owner))}
