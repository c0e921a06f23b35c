"""How many people of a sending stand where, by channel, language and reason, so that no page ever counts a million rows.

The totals in the dispatch's own row and the tally by channel and language are changed here alone, both at once, in the
transaction that moves the deliveries. Whoever moves deliveries has locked their dispatch first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple, Self

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import NEEDS_OWNER, State
from incident.store import bulk
from incident.store.db import BigInt, Model, db
from incident.store.deliveries import Delivery
from incident.store.dispatches import COLUMN, Dispatch

KEY: Final = ("dispatch_id", "channel", "language", "state", "reason")


class DispatchTally(Model):
    """How many current deliveries of a dispatch share channel, language, state and, where a person must look, reason."""

    __tablename__ = "dispatch_tally"
    __table_args__ = ({"sqlite_with_rowid": False},)

    dispatch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("dispatch.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[int]


class Place(NamedTuple):
    """Where a person of a sending stands. The reason counts only in states that need somebody's care."""

    channel: str
    language: str
    state: State
    reason: str = ""

    @property
    def counted(self) -> Self:
        """As it is counted: without a reason where none is asked."""
        return self if self.state in NEEDS_OWNER else self._replace(reason="")


Moves = Counter[Place]
"""How many more (or fewer) stand in each place than before."""


def place(row: Delivery) -> Place:
    """Where this delivery is counted, if it is its person's current one."""
    return Place(row.channel, row.language, State(row.state), row.reason).counted


def count(dispatch_id: int, moved: Mapping[Place, int], now: datetime) -> None:
    """Add to (or take from) the counts of a dispatch, in all and by channel and language."""
    changes, totals = _summed(moved)
    if not changes:
        return
    steps = {COLUMN[state]: n for state, n in sorted(totals.items()) if n}
    sets = "".join(f", {name} = {name} + ?" for name in steps)
    change = f"UPDATE dispatch SET changed_at = ?{sets} WHERE id = ?"  # noqa: S608  (names of ours)
    bulk.execute(change, (bulk.instant(now), *steps.values(), dispatch_id))
    _add(dispatch_id, changes)


def count_held(row: Dispatch, moved: Mapping[Place, int], now: datetime) -> None:
    """The same for a dispatch that was read under its lock in this transaction: what it counts is known at once."""
    changes, totals = _summed(moved)
    if not changes:
        return
    for state, n in totals.items():
        if n:
            setattr(row, COLUMN[state], getattr(row, COLUMN[state]) + n)
    row.changed_at = now
    _add(row.id, changes)


def _summed(moved: Mapping[Place, int]) -> tuple[dict[Place, int], Counter[State]]:
    changes: Moves = Counter()
    totals: Counter[State] = Counter()
    for where, n in moved.items():
        changes[where.counted] += n
        totals[where.state] += n
    return {where: n for where, n in changes.items() if n}, totals


def _add(dispatch_id: int, changes: Mapping[Place, int]) -> None:
    rows = [(dispatch_id, *map(str, where), n) for where, n in sorted(changes.items())]
    bulk.add_to("dispatch_tally", KEY, "n", rows)


def of(dispatch_id: int) -> Moves:
    """How many people of a dispatch stand where; places where nobody stands are left out."""
    tally = DispatchTally
    query = select(tally.channel, tally.language, tally.state, tally.reason, tally.n)
    rows = db.session.execute(query.where(tally.dispatch_id == dispatch_id))
    return Counter({_placed(*where): n for *where, n in rows if n})


def of_rows(dispatch_ids: Iterable[int] | None = None) -> Iterator[tuple[int, Place, int]]:
    """The same counted from the rows, one by one: for the check of an installation, never for a page."""
    columns = Delivery.dispatch_id, Delivery.channel, Delivery.language, Delivery.state, Delivery.reason
    query = select(*columns, func.count()).where(Delivery.current).group_by(*columns)
    if dispatch_ids is not None:
        query = query.where(Delivery.dispatch_id.in_(list(dispatch_ids)))
    found: Counter[tuple[int, Place]] = Counter()
    for dispatch_id, *where, n in db.session.execute(query):
        found[dispatch_id, _placed(*where).counted] += n
    yield from ((dispatch_id, place, n) for (dispatch_id, place), n in found.items())


def _placed(channel: str, language: str, state: str, reason: str) -> Place:
    return Place(channel, language, State(state), reason)
