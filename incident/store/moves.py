"""How many people of a sending went from one channel to another, so that no page ever counts their attempts."""

from collections.abc import Mapping

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import bulk
from incident.store.db import BigInt, Model, db

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


def of(dispatch_id: int) -> dict[tuple[str, str], int]:
    """How many went from where to where."""
    query = select(DispatchMove.origin, DispatchMove.target, DispatchMove.n)
    rows = db.session.execute(query.where(DispatchMove.dispatch_id == dispatch_id))
    return {(origin, target): n for origin, target, n in rows}
