"""Who is on which incident: only they (and auditors) know of a restricted one."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import JSON, ColumnElement, ForeignKey, Select, String, UniqueConstraint, and_, func, or_, select
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from incident.store import obligations, sealed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.incidents import Incident
from incident.store.obligations import Assessment
from incident.store.reading import once
from incident.store.sealed import DataKey
from incident.store.users import User


class Membership(Model):
    """One person on one incident. The row goes when the person leaves; the record keeps both.

    `until`: an emergency or a guest's stay ends then, whether or not the row is still there. `parts` are what a guest
    may see; None for whoever works here. `capacity` is what a guest is here as.
    """

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("incident_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by: Mapped[str] = mapped_column(String(16))
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    parts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    capacity: Mapped[str] = mapped_column(String(20), default="", server_default="")
    user: Mapped[User] = relationship()


def has(incident_id: int, user_id: int, *, at: datetime | None = None) -> bool:
    """Whether the person works on the incident; `at` this moment, where the answer opens something. A guest does not."""
    place = one(incident_id, user_id, at=at)
    return place is not None and not place.capacity


def guest_of(user_id: int, at: datetime) -> Sequence[Membership]:
    """The places to which this person is invited as a guest, at this moment."""
    mine = select(Membership).where(Membership.user_id == user_id, Membership.capacity != "", lasts(at))
    return db.session.scalars(mine.order_by(Membership.id)).all()


def one(incident_id: int, user_id: int, *, at: datetime | None = None) -> Membership | None:
    """This person's place on this incident, if there is one that has not ended `at` this moment."""
    query = select(Membership).where(Membership.incident_id == incident_id, Membership.user_id == user_id)
    return db.session.scalar(query if at is None else query.where(lasts(at)))


def found(ref: str, user_id: int, *, at: datetime) -> tuple[Incident, Membership | None] | None:
    """The incident with this reference and this person's place on it `at` this moment; None without the incident.

    Its data key and its assessment come in the same query: nearly every page opens something with the one or tells by the other.
    """
    mine = and_(Membership.incident_id == Incident.id, Membership.user_id == user_id, lasts(at))
    query = select(Incident, Membership, DataKey, Assessment).outerjoin(Membership, mine)
    query = query.outerjoin(DataKey, DataKey.owner == Incident.id)
    query = query.outerjoin(Assessment, Assessment.incident_id == Incident.id)
    row = db.session.execute(query.where(Incident.ref == ref)).one_or_none()
    if row is None:
        return None
    incident, place, key, assessment = row
    sealed.known(incident.id, key)
    obligations.known(incident.id, assessment)
    return incident, place


def lasts(at: datetime) -> ColumnElement[bool]:
    """That a place on an incident has not ended at this moment."""
    return or_(Membership.until.is_(None), Membership.until > at)


def ended(now: datetime, *, limit: int = 200) -> Sequence[Membership]:
    """The places whose time is over and that are still there."""
    query = select(Membership).where(Membership.until <= now).order_by(Membership.id).limit(limit)
    return db.session.scalars(query).all()


def of(incident_id: int) -> Sequence[Membership]:
    """Everybody on the incident, in the order they came, with their accounts."""
    query = select(Membership).join(Membership.user).options(contains_eager(Membership.user))
    return db.session.scalars(query.where(Membership.incident_id == incident_id).order_by(Membership.id)).all()


@once
def count(incident_id: int) -> int:
    """How many active people are on the incident."""
    return db.session.scalar(select(func.count()).select_from(active([incident_id]).subquery())) or 0


def active(incident_ids: Collection[int] | Select[int]) -> Select[Membership]:
    """The places of active people on these incidents."""
    query = select(Membership).join(Membership.user)
    return query.where(Membership.incident_id.in_(incident_ids), User.active.is_(True))


def add(incident_id: int, user_id: int, *, actor: str, now: datetime) -> bool:
    """Put the person on the incident, inside the caller's transaction; False when they were on it already."""
    known = one(incident_id, user_id)
    if known is not None and (known.until is None or known.capacity):
        return False
    if known is not None:  # somebody who came in an emergency now stays
        known.until, known.added_by, known.added_at = None, actor, now
        return True
    db.session.add(Membership(incident_id=incident_id, user_id=user_id, added_by=actor, added_at=now))
    return True
