"""Decisions about all possible duplicates of an incident at once: what was decided, by whom, and how far it is carried out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.people import Pair


class PairSweep(Model):
    """One decision about all pairs of a kind. `whole` is how many waited when it was made; it is open until `ended_at`."""

    __tablename__ = "pair_sweep"
    __table_args__ = (
        Index(
            "ix_pair_sweep_open",
            "incident_id",
            "what",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    what: Mapped[str] = mapped_column(String(10))
    whole: Mapped[int]
    settled: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def open_of(incident_id: int) -> Sequence[PairSweep]:
    """What is under way in an incident, oldest first."""
    query = select(PairSweep).where(PairSweep.incident_id == incident_id, PairSweep.ended_at.is_(None))
    return db.session.scalars(query.order_by(PairSweep.id)).all()


def by_ref(ref: str, *, locked: bool = False) -> PairSweep | None:
    """One of them, read anew."""
    query = select(PairSweep).where(PairSweep.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def due() -> Sequence[str]:
    """All that are under way."""
    return db.session.scalars(select(PairSweep.ref).where(PairSweep.ended_at.is_(None)).order_by(PairSweep.id)).all()


def waiting(incident_id: int, *, identical: bool, most: int | None = None) -> int:
    """How many pairs of a kind nobody has decided about, counted no further than `most`."""
    query = select(Pair.id).where(Pair.incident_id == incident_id, Pair.state == "open", Pair.identical.is_(identical))
    held = (query.limit(most) if most else query).subquery()
    return db.session.scalar(select(func.count()).select_from(held)) or 0
