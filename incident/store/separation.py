"""The policy in force, requests for roles, restricted incidents opened in an emergency, and what the leads are told of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident.domain import separation as rules
from incident.domain.separation import Policy
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.users import User

OPEN = "open"


class PolicyInForce(Model):
    """What the installation had set from this moment on. Rows are only added; the latest counts."""

    __tablename__ = "policy_in_force"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    chosen: Mapped[dict[str, Any]] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(UTCDateTime)


class RoleRequest(Model):
    """Roles that somebody is to have once a second person says yes."""

    __tablename__ = "role_request"
    __table_args__ = (Index("ix_role_request_user", "user_id", "state"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    held: Mapped[list[str]] = mapped_column(JSON)
    wanted: Mapped[list[str]] = mapped_column(JSON)
    why: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    decided_by: Mapped[str] = mapped_column(String(16), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


class Emergency(Model):
    """A restricted incident that somebody opened in an emergency, why, until when, and who looked at that afterwards."""

    __tablename__ = "emergency"
    __table_args__ = (Index("ix_emergency_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reviewed_by: Mapped[str] = mapped_column(String(16), default="")
    verdict: Mapped[str] = mapped_column(String(16), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    reminded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None]
    user: Mapped[User] = relationship()


words.keep(Emergency, "reason", "words")


class TeamMail(Model):
    """An e-mail to one person who works here, about who may do what: handed over once."""

    __tablename__ = "team_mail"
    __table_args__ = (
        Index("ix_team_mail_state", "state", "next_at"),
        Index("ix_team_mail_user", "user_id", "kind", "made_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    kind: Mapped[str] = mapped_column(String(24))
    about: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(40), default="")
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


def policy() -> Policy:
    """The policy in force; the defaults where none was ever taken up."""
    row = latest()
    return rules.from_json(row.chosen) if row is not None else Policy()


def latest() -> PolicyInForce | None:
    """The latest policy as it was taken up."""
    return db.session.scalar(select(PolicyInForce).order_by(PolicyInForce.id.desc()).limit(1))


def request(ref: str, *, locked: bool = False) -> RoleRequest | None:
    """One request for roles."""
    query = select(RoleRequest).where(RoleRequest.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def requests(now: datetime, *, limit: int = 200) -> Sequence[RoleRequest]:
    """The requests that wait for an answer, latest first, each with its account."""
    query = select(RoleRequest).options(joinedload(RoleRequest.user)).where(*_waits(now))
    return db.session.scalars(query.order_by(RoleRequest.id.desc()).limit(limit)).all()


def requests_to_answer(user: User, now: datetime, *, limit: int) -> Sequence[RoleRequest]:
    """The requests that wait for this person's yes or no, oldest first: neither asked by them nor about them."""
    query = select(RoleRequest).options(joinedload(RoleRequest.user)).where(*_waits(now))
    others = RoleRequest.asked_by != user.ref, RoleRequest.user_id != user.id
    return db.session.scalars(query.where(*others).order_by(RoleRequest.id).limit(limit)).all()


def requests_before(before: int | None, *, limit: int) -> Sequence[RoleRequest]:
    """Every request, answered ones too, newest first, by key."""
    query = select(RoleRequest).options(joinedload(RoleRequest.user))
    if before is not None:
        query = query.where(RoleRequest.id < before)
    return db.session.scalars(query.order_by(RoleRequest.id.desc()).limit(limit)).all()


def request_for(user_id: int, now: datetime) -> RoleRequest | None:
    """What waits for this person, if anything does."""
    query = select(RoleRequest).where(RoleRequest.user_id == user_id, *_waits(now))
    return db.session.scalar(query.order_by(RoleRequest.id.desc()).limit(1))


def end_requests(user_id: int, *, by: str, now: datetime) -> None:
    """End what waits for this person: something newer takes its place."""
    mine = update(RoleRequest).where(RoleRequest.user_id == user_id, RoleRequest.state == OPEN)
    db.session.execute(mine.values(state="ended", decided_by=by, decided_at=now))


def _waits(now: datetime) -> tuple[Any, ...]:
    return RoleRequest.state == OPEN, RoleRequest.asked_at > now - rules.REQUEST_LASTS


def emergency(incident_id: int, ref: str, *, locked: bool = False) -> Emergency | None:
    """One opening of this incident."""
    query = select(Emergency).where(Emergency.incident_id == incident_id, Emergency.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def emergencies(incident_id: int) -> Sequence[Emergency]:
    """Every opening of this incident, newest first, with who opened it."""
    query = select(Emergency).options(joinedload(Emergency.user)).where(Emergency.incident_id == incident_id)
    return db.session.scalars(query.order_by(Emergency.id.desc())).all()


def running(incident_id: int, user_id: int, now: datetime) -> Emergency | None:
    """This person's opening of this incident that has not ended."""
    query = select(Emergency).where(Emergency.incident_id == incident_id, Emergency.user_id == user_id)
    return db.session.scalar(query.where(Emergency.ends_at > now).order_by(Emergency.id.desc()).limit(1))


def overdue_of(user_id: int, now: datetime) -> int:
    """How many openings by this person were not reviewed in time."""
    late = Emergency.reviewed_at.is_(None), Emergency.opened_at < now - rules.REVIEW_WITHIN
    return (
        db.session.scalar(select(func.count()).select_from(Emergency).where(Emergency.user_id == user_id, *late)) or 0
    )


def to_remind(now: datetime, every: timedelta) -> Sequence[str]:
    """References of openings without a review, of whose review nobody was reminded lately."""
    query = select(Emergency.ref).where(Emergency.reviewed_at.is_(None), Emergency.reminded_at <= now - every)
    return db.session.scalars(query.order_by(Emergency.id)).all()


def emergency_anywhere(ref: str) -> Emergency | None:
    """One opening, whatever incident it belongs to."""
    return db.session.scalar(select(Emergency).where(Emergency.ref == ref))


def mails_due(now: datetime) -> Sequence[str]:
    """References of mails to hand over, and of those whose worker died."""
    waits = and_(TeamMail.state == "waiting", TeamMail.next_at <= now)
    lost = and_(TeamMail.state == "calling", TeamMail.lease_until <= now)
    return db.session.scalars(select(TeamMail.ref).where(or_(waits, lost)).order_by(TeamMail.id).limit(200)).all()


def mail(ref: str, *, locked: bool = False) -> TeamMail | None:
    """One mail."""
    query = select(TeamMail).where(TeamMail.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def mails(*, limit: int = 50, but: Collection[str] = ()) -> Sequence[TeamMail]:
    """The latest mails, newest first, with whom they went to; without those of some kinds."""
    query = select(TeamMail).options(joinedload(TeamMail.user)).order_by(TeamMail.id.desc())
    return db.session.scalars(query.where(TeamMail.kind.not_in(but)).limit(limit)).all()


def mails_about(user_ids: Iterable[int], kind: str, *, since: datetime) -> Sequence[TeamMail]:
    """The mails of one kind to these people since a moment."""
    query = select(TeamMail).where(TeamMail.user_id.in_(set(user_ids)), TeamMail.kind == kind, TeamMail.made_at > since)
    return db.session.scalars(query).all()


def known_mails(refs: Collection[str]) -> set[str]:
    """Those of these references that are mails of ours."""
    return set(db.session.scalars(select(TeamMail.ref).where(TeamMail.ref.in_(refs)))) if refs else set()
