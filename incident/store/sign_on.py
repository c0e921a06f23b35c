"""Who is bound to the single sign-on, and whether it is shut."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, func, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident.store.db import BigInt, Model, UTCDateTime, db, new_ref
from incident.store.users import Session, User


class Identity(Model):
    """One account's identity at the provider: a hash of issuer and subject, bound once."""

    __tablename__ = "sign_on_identity"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    bound_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_nonce: Mapped[str] = mapped_column(String(64), default="")  # SHA-256; an answer counts once
    user: Mapped[User] = relationship()


class Switch(Model):
    """That the single sign-on was shut or opened again. Rows are only added; the latest counts."""

    __tablename__ = "sign_on_switch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    shut: Mapped[bool]
    by: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(UTCDateTime)


def switch() -> Switch | None:
    """The latest row of the switch; None where it was never used, so that the single sign-on is open."""
    return db.session.scalar(select(Switch).order_by(Switch.id.desc()).limit(1))


def is_shut() -> bool:
    """Whether nobody signs in by the provider just now."""
    row = switch()
    return row is not None and row.shut


def by_key(key: str) -> Identity | None:
    """The identity with this key, and its account."""
    return db.session.scalar(select(Identity).options(joinedload(Identity.user)).where(Identity.key == key))


def of(user_id: int) -> Identity | None:
    """The identity of this account, if it is bound."""
    return db.session.scalar(select(Identity).where(Identity.user_id == user_id))


def bind(user: User, key: str, now: datetime) -> Identity:
    """Bind this account to the identity, inside the caller's transaction."""
    row = Identity(ref=new_ref("SO"), user_id=user.id, key=key, bound_at=now, last_nonce="")
    db.session.add(row)
    return row


def unbind(user_id: int) -> None:
    """Take the binding of this account away, if there is one."""
    db.session.execute(delete(Identity).where(Identity.user_id == user_id))


def count() -> int:
    """How many accounts are bound."""
    return db.session.scalar(select(func.count()).select_from(Identity)) or 0


def end_sessions(now: datetime) -> int:
    """End every session that began at the provider; how many."""
    began_there = update(Session).where(Session.asserted != "", Session.ended_at.is_(None))
    return int(db.session.execute(began_there.values(ended_at=now)).rowcount)  # type: ignore[attr-defined]
