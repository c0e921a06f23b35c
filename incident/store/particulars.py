"""Who the organisation is, as administrators said it on a page: one row a setting."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import String, Text, delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import Model, UTCDateTime, db
from incident.store.reading import once


class Particular(Model):
    """What one setting says where neither environment nor file says it.

    What open incidents know as a fact has `taken_up_at`, up to when its changes came to them; taken back, it stays as "".
    """

    __tablename__ = "particular"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    taken_up_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@once
def all_() -> dict[str, Particular]:
    """What was said, by the setting's name."""
    return {row.name: row for row in db.session.scalars(select(Particular)) if row.words}


def waiting(names: Collection[str]) -> dict[str, datetime]:
    """Those of these of which a change has not come to all open incidents yet, and when it was made."""
    late = or_(Particular.taken_up_at.is_(None), Particular.taken_up_at < Particular.changed_at)
    query = select(Particular.name, Particular.changed_at).where(Particular.name.in_(names), late)
    return {name: at for name, at in db.session.execute(query)}


def took_up(changes: Mapping[str, datetime]) -> None:
    """Remember up to which change of each open incidents have taken it up."""
    for name, at in changes.items():
        db.session.execute(update(Particular).where(Particular.name == name).values(taken_up_at=at))


def keep(said: Mapping[str, str], *, facts: Collection[str], by: str, now: datetime) -> None:
    """Keep these in place of what stood; an empty one is taken back. `facts` are those that open incidents take up."""
    for name, words in said.items():
        if words or name in facts:
            db.session.merge(Particular(name=name, words=words, changed_by=by, changed_at=now))
        else:
            db.session.execute(delete(Particular).where(Particular.name == name))
