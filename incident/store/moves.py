"""How many people of a sending went from one channel to another, so that no page ever counts their attempts."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import ForeignKey, String, literal, select, union_all
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import State
from incident.store import bulk
from incident.store.db import BigInt, Model, db
from incident.store.tallies import DispatchTally, Place

KEY = ("dispatch_id", "origin", "target")


class DispatchMove(Model):
    """How many of a dispatch went from one channel to another: onward, or back to one that had told them after all."""

    __tablename__ = "dispatch_move"
    __table_args__ = ({"sqlite_with_rowid": False},)

    dispatch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("dispatch.id"), primary_key=True)
    origin: Mapped[str] = mapped_column(String(12), primary_key=True)
    target: Mapped[str] = mapped_column(String(12), primary_key=True)
    n: Mapped[int]


def count(dispatch_id: int, went: Mapping[tuple[str, str], int]) -> None:
    """Add to the moves of a dispatch, by origin and target. Whoever moves deliveries has locked their dispatch first."""
    rows = [(dispatch_id, *ends, n) for ends, n in sorted(went.items()) if n and ends[0] != ends[1]]
    bulk.add_to("dispatch_move", KEY, "n", rows)


def standing(dispatch_id: int) -> tuple[Counter[Place], dict[tuple[str, str], int]]:
    """Who stands where, and how many went from where to where, in one query."""
    tally, move, none = DispatchTally, DispatchMove, literal("")
    stands = select(tally.channel, tally.language, tally.state, tally.reason, tally.n)
    went = select(move.origin, move.target, none, none, move.n)  # a move has no state
    both = union_all(stands.where(tally.dispatch_id == dispatch_id), went.where(move.dispatch_id == dispatch_id))
    found: Counter[Place] = Counter()
    moved: dict[tuple[str, str], int] = {}
    for channel, other, state, reason, n in db.session.execute(both):
        if state:
            found[Place(channel, other, State(state), reason)] += n
        else:
            moved[channel, other] = n
    return +found, moved


def of(dispatch_id: int) -> dict[tuple[str, str], int]:
    """How many went from where to where."""
    query = select(DispatchMove.origin, DispatchMove.target, DispatchMove.n)
    rows = db.session.execute(query.where(DispatchMove.dispatch_id == dispatch_id))
    return {(origin, target): n for origin, target, n in rows}
