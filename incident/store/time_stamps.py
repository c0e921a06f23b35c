"""Time stamps (RFC 3161) of checkpoints, as the authority gave them, and the tries that brought none."""

from collections.abc import Collection

from sqlalchemy import ForeignKey, Index, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, db


class TimeStamp(Model):
    """One answer of an authority about one checkpoint, or that there was none."""

    __tablename__ = "time_stamp"
    __table_args__ = (Index("ix_time_stamp_size", "size", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    size: Mapped[int] = mapped_column(BigInt, ForeignKey("checkpoint.size"))
    at: Mapped[str] = mapped_column(String(27))
    authority: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40), default="")
    stamped_at: Mapped[str] = mapped_column(String(27), default="")
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)


def of(size: int) -> TimeStamp | None:
    """The newest that is known about this checkpoint's stamp."""
    return db.session.scalar(select(TimeStamp).where(TimeStamp.size == size).order_by(TimeStamp.id.desc()).limit(1))


def tries(size: int) -> int:
    """How often this checkpoint was sent to an authority."""
    return db.session.scalar(select(func.count()).select_from(TimeStamp).where(TimeStamp.size == size)) or 0


def add(made: TimeStamp) -> None:
    """Keep it, in the caller's transaction."""
    db.session.add(made)


def newest(states: Collection[str]) -> TimeStamp | None:
    """The newest with one of these states."""
    asked = select(TimeStamp).where(TimeStamp.state.in_(states)).order_by(TimeStamp.id.desc())
    return db.session.scalar(asked.limit(1))
