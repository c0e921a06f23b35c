"""How each person who works here is reached, and the targets that the team's alerts go to. Numbers and addresses are sealed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.users import User


class Reach(Model):
    """One person's choice of channels. Without a row it is e-mail, and a target of their own where there is one.

    `sealed` is the phone number; it is used once a code that was sent to it came back (`proved_at`).
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
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AlertTarget(Model):
    """Where alerts go beside e-mail and text: a chat, a pager, a push service. Its address is a secret, so it is sealed.

    A target of one person (`user_id`) gets that person's reminders; one of the team gets those of its level and wider.
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
