"""How each person who works here is reached, and the targets that the team's alerts go to. Numbers, tokens and addresses are sealed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.users import User


class Reach(Model):
    """One person's choice of channels. Without a row it is e-mail, and a target of their own where there is one.

    `sealed` is the phone number; it is used once a code that was sent to it came back (`proved_at`). `call_ref` is the call
    that reads the code out, where no text carries it.
    """

    __tablename__ = "reach"

    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), primary_key=True, autoincrement=False)
    email: Mapped[bool] = mapped_column(default=True)
    sms: Mapped[bool] = mapped_column(default=False)
    alert: Mapped[bool] = mapped_column(default=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    code: Mapped[str] = mapped_column(String(64), default="")
    code_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    call_ref: Mapped[str] = mapped_column(String(32), default="", server_default="")
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OwnDevice(Model):
    """The device of a person who works here that a push reaches, for tests alone. `sealed` is its token.

    It is used once a code that a push carried came back (`proved_at`); `gone_at` is when the push service said that the
    token is dead.
    """

    __tablename__ = "own_device"

    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"), primary_key=True, autoincrement=False)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    code: Mapped[str] = mapped_column(String(64), default="")
    code_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AlertTarget(Model):
    """Where alerts go beside e-mail and text: a chat, a pager, a push service. Its address is a secret, so it is sealed.

    A target of one person (`user_id`) gets that person's reminders, in their language; one of the team gets those of its level
    and wider, in its own.
    """

    __tablename__ = "alert_target"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"), index=True)
    level: Mapped[str] = mapped_column(String(10), default="everybody")
    hears_restricted: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried: Mapped[str] = mapped_column(String(40), default="")


def of(user_ids: Collection[int]) -> dict[int, Reach]:
    """What these people chose, by their number; who chose nothing is left out."""
    if not user_ids:
        return {}
    return {row.user_id: row for row in db.session.scalars(select(Reach).where(Reach.user_id.in_(user_ids)))}


def one(user_id: int, *, locked: bool = False) -> Reach | None:
    """What one person chose."""
    query = select(Reach).where(Reach.user_id == user_id)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def told_by_call(ref: str) -> Reach | None:
    """Whose code this call reads out."""
    return db.session.scalar(select(Reach).where(Reach.call_ref == ref)) if ref else None


def device(user_id: int, *, locked: bool = False) -> OwnDevice | None:
    """The device of one person."""
    query = select(OwnDevice).where(OwnDevice.user_id == user_id)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def own(user_id: int) -> tuple[Reach | None, OwnDevice | None]:
    """What one person chose, with their number, and their device."""
    both = select(Reach, OwnDevice).select_from(User).where(User.id == user_id)
    both = both.outerjoin(Reach, Reach.user_id == User.id).outerjoin(OwnDevice, OwnDevice.user_id == User.id)
    row = db.session.execute(both).one()
    return row[0], row[1]


def forget(user_id: int) -> None:
    """Delete number, device and choice of channels of somebody who leaves. Call inside a transaction."""
    for table in (Reach, OwnDevice):
        db.session.execute(delete(table).where(table.user_id == user_id))


def targets(*, after: str = "", limit: int = 200) -> Sequence[AlertTarget]:
    """The targets in use, by reference, beginning behind `after`."""
    query = select(AlertTarget).where(AlertTarget.removed_at.is_(None), AlertTarget.ref > after)
    return db.session.scalars(query.order_by(AlertTarget.ref).limit(limit)).all()


def target(ref: str) -> AlertTarget | None:
    """A target in use."""
    return db.session.scalar(select(AlertTarget).where(AlertTarget.ref == ref, AlertTarget.removed_at.is_(None)))


def targets_by_id(ids: Collection[int]) -> dict[int, AlertTarget]:
    """Targets by number, removed ones too."""
    if not ids:
        return {}
    return {row.id: row for row in db.session.scalars(select(AlertTarget).where(AlertTarget.id.in_(ids)))}


def people(ids: Collection[int]) -> Sequence[User]:
    """The accounts with these numbers."""
    return db.session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id)).all() if ids else []
