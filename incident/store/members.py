"""Who is on which incident: only they (and auditors) know of a restricted one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.users import User


class Membership(Model):
    """One person on one incident. The row goes when the person leaves; the record keeps both."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("incident_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by: Mapped[str] = mapped_column(String(16))
    user: Mapped[User] = relationship()


def has(incident_id: int, user_id: int) -> bool:
    """Whether the person is on the incident."""
    return one(incident_id, user_id) is not None


def one(incident_id: int, user_id: int) -> Membership | None:
    """This person's place on this incident, if there is one."""
    query = select(Membership).where(Membership.incident_id == incident_id, Membership.user_id == user_id)
    return db.session.scalar(query)


def of(incident_id: int) -> Sequence[Membership]:
    """Everybody on the incident, in the order they came, with their accounts."""
    query = select(Membership).join(Membership.user).options(contains_eager(Membership.user))
    return db.session.scalars(query.where(Membership.incident_id == incident_id).order_by(Membership.id)).all()


def count(incident_id: int) -> int:
    """How many active people are on the incident."""
    query = select(func.count()).select_from(Membership).join(Membership.user)
    return db.session.scalar(query.where(Membership.incident_id == incident_id, User.active.is_(True))) or 0


def add(incident_id: int, user_id: int, *, actor: str, now: datetime) -> bool:
    """Put the person on the incident, inside the caller's transaction; False when they were on it already."""
    if has(incident_id, user_id):
        return False
    db.session.add(Membership(incident_id=incident_id, user_id=user_id, added_by=actor, added_at=now))
    return True
