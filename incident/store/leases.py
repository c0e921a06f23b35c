"""Who holds a part that one process alone may play, and until when. A holder that died is replaced when its time is up."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import String, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import Model, UTCDateTime, db


class Lease(Model):
    """One part, its holder, and the end of its time. `fence` goes up with every new holder."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    fence: Mapped[int] = mapped_column(default=1)


def hold(
    name: str, holder: str, *, now: datetime, length: timedelta, has_died: Callable[[str], bool] = lambda _holder: False
) -> bool:
    """Take or keep the part until `now + length`, in a commit of its own; whether it is ours. It says nothing of people.

    Where `has_died` says of its holder that it is no more, nobody waits for the end of its time.
    """
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    insert = insert_postgresql if db.engine.dialect.name == "postgresql" else insert_sqlite
    made = insert(Lease).values(name=name, holder=holder, until=now + length, fence=1).on_conflict_do_nothing()
    ours = update(Lease).where(Lease.name == name, Lease.holder == holder).values(until=now + length)
    free = update(Lease).where(Lease.name == name, Lease.until < now)
    free = free.values(holder=holder, until=now + length, fence=Lease.fence + 1)
    ways = [made, ours, free]
    other = db.session.scalar(select(Lease.holder).where(Lease.name == name))
    if other and other != holder and has_died(other):
        ways.append(
            update(Lease)
            .where(Lease.name == name, Lease.holder == other)
            .values(holder=holder, until=now + length, fence=Lease.fence + 1)
        )
    taken = any(db.session.scalar(way.returning(Lease.name)) for way in ways)
    db.session.commit()
    return taken


def let_go(name: str, holder: str, *, now: datetime) -> None:
    """Give the part back, so that the next need not wait."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    db.session.execute(update(Lease).where(Lease.name == name, Lease.holder == holder).values(until=now))
    db.session.commit()


def all_held(now: datetime) -> Sequence[Lease]:
    """The parts that somebody holds at this moment, by name."""
    query = select(Lease).where(Lease.until >= now).order_by(Lease.name)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def held(name: str, now: datetime) -> bool:
    """Whether somebody holds the part at this moment."""
    return db.session.scalar(select(Lease.until).where(Lease.name == name, Lease.until >= now)) is not None
