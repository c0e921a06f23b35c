"""Who the organisation is, as administrators said it on a page: one row a setting."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import Model, UTCDateTime, db


class Particular(Model):
    """What one setting says where neither environment nor file says it."""

    __tablename__ = "particular"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


def all_() -> dict[str, Particular]:
    """What was said, by the setting's name."""
    return {row.name: row for row in db.session.scalars(select(Particular))}


def keep(said: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Keep these in place of what stood; an empty one is taken back."""
    for name, words in said.items():
        if words:
            db.session.merge(Particular(name=name, words=words, changed_by=by, changed_at=now))
        else:
            db.session.execute(delete(Particular).where(Particular.name == name))
