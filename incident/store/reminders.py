"""Reminders of duties: which rungs were given, the messages they made and what became of each, owners, acknowledgements.

A rung of a duty's due time exists once (unique in the database), however many processes look. A message is claimed with a
lease and a fence, turned to "calling" right before the call, and settled after it; what a dead worker had only claimed goes
back to waiting, what it was handing over is in doubt.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    UniqueConstraint,
    column,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.handovers import State
from incident.domain.obligations import keyed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.handovers import IS_OPEN
from incident.store.obligations import RUNNING, UNSETTLED, FindingRow
from incident.store.users import User

MOST_ASKED: Final = 2_000
MOST_ACCOUNTS: Final = 1_000


class Reminder(Model):
    """One rung of one due time of one duty: given, or overtaken by a later one."""

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("incident_id", "duty", "due_at", "rung"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    duty: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rung: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(10))
    moment: Mapped[datetime] = mapped_column(UTCDateTime)
    known_since: Mapped[datetime] = mapped_column(UTCDateTime)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    overtaken: Mapped[bool] = mapped_column(default=False)


class ReminderMessage(Model):
    """One message to one person, or to one target of the team, by one channel; it may be about several duties."""

    __tablename__ = "reminder_message"
    __table_args__ = (
        Index(
            "ix_reminder_message_open",
            "next_at",
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
        Index("ix_reminder_message_incident", "incident_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    user_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"))
    target_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("alert_target.id"))
    channel: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10))
    simulated: Mapped[bool]
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    called_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(40), default="")
    code: Mapped[str] = mapped_column(String(20), default="")
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(100), default="")


MESSAGES: Table = ReminderMessage.__table__  # type: ignore[assignment]


class ReminderItem(Model):
    """That a message is about a rung."""

    __tablename__ = "reminder_item"

    message_id: Mapped[int] = mapped_column(BigInt, ForeignKey("reminder_message.id"), primary_key=True)
    reminder_id: Mapped[int] = mapped_column(BigInt, ForeignKey("reminder.id"), primary_key=True, index=True)


class Acknowledgement(Model):
    """Somebody said that they have a duty. Only added; it holds for this due time."""

    __tablename__ = "reminder_ack"
    __table_args__ = (Index("ix_reminder_ack_duty", "incident_id", "duty", "due_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    duty: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    given_by: Mapped[str] = mapped_column(String(20))


class DutyOwner(Model):
    """Who looks after a duty of an incident; without a row it is the incident's lead."""

    __tablename__ = "duty_owner"
    __table_args__ = (UniqueConstraint("incident_id", "duty"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    duty: Mapped[str] = mapped_column(String(100))
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    given_by: Mapped[str] = mapped_column(String(20))


# ---------------------------------------------------------------- which duties are to be looked at


def incidents_to_look_at(now: datetime, limit: int = 200) -> list[str]:
    """References of open incidents with an owed duty whose next rung may have come, or that nobody looked at yet.

    Two questions to the index of running findings, then the incidents by number: a few milliseconds over 400,000 findings.
    """
    numbers = {*_waiting(column("remind_at").is_(None)), *_waiting(column("remind_at", UTCDateTime) <= now)}
    if not numbers:
        return []
    incident = db.metadata.tables["incident"]
    query = select(incident.c.ref).where(incident.c.state == "open", incident.c.id.in_(numbers))
    return list(db.session.scalars(query.limit(limit)))


def _waiting(moment: ColumnElement[bool]) -> Sequence[int]:
    """Incidents of running findings; SQLite is told its index, since it would take one of far more rows without statistics."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    table = text("finding INDEXED BY ix_finding_remind" if on_sqlite else "finding")
    query: Select[int] = select(column("incident_id", BigInt)).select_from(table).where(RUNNING, moment)
    return db.session.scalars(query.order_by(column("remind_at")).limit(MOST_ASKED)).all()


def running(incident_id: int) -> Sequence[FindingRow]:
    """The owed duties of an incident that somebody has to act on and whose clock runs; soonest first."""
    query = select(FindingRow).where(FindingRow.incident_id == incident_id, RUNNING)
    return db.session.scalars(query.order_by(FindingRow.due_at, FindingRow.id)).all()


def known_since(incident_id: int) -> dict[tuple[str, datetime], datetime]:
    """Since when each due time of each duty has stood."""
    row = FindingRow
    query = (
        select(row.duty, row.wave, row.due_at, func.min(row.made_at))
        .where(row.incident_id == incident_id, row.due_at.is_not(None), row.standing == "owed")
        .group_by(row.duty, row.wave, row.due_at)
    )
    found = db.session.execute(query).all()
    return {(keyed(duty, wave), due_at): made_at for duty, wave, due_at, made_at in found if due_at and made_at}


def undecided(incident_id: int) -> int:
    """How many duties are open for want of facts and would have a due time."""
    query = select(func.count()).where(
        FindingRow.incident_id == incident_id,
        FindingRow.superseded_at.is_(None),
        FindingRow.standing == "open",
        FindingRow.state.in_(UNSETTLED),
        FindingRow.due_at.is_not(None),
    )
    return db.session.scalar(query) or 0


def look_again(moments: Mapping[int, datetime]) -> None:
    """Note when each of these findings is to be looked at next, inside the caller's transaction."""
    for number, moment in moments.items():
        db.session.execute(update(FindingRow).where(FindingRow.id == number).values(remind_at=moment))


def look_again_alone(moments: Mapping[int, datetime]) -> None:
    """The same in a commit of its own: it decides nothing and says nothing of people, so no line is owed."""
    if not moments:
        return
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    look_again(moments)
    db.session.commit()


# ---------------------------------------------------------------- rungs, owners, acknowledgements


def given(incident_id: int) -> dict[tuple[str, datetime], set[str]]:
    """The rungs that were given or overtaken, by duty and due time."""
    found: dict[tuple[str, datetime], set[str]] = {}
    query = select(Reminder.duty, Reminder.due_at, Reminder.rung).where(Reminder.incident_id == incident_id)
    for duty, due_at, rung in db.session.execute(query):
        found.setdefault((duty, due_at), set()).add(rung)
    return found


def acknowledged(incident_id: int) -> dict[tuple[str, datetime], Acknowledgement]:
    """The latest acknowledgement of each due time of each duty."""
    query = select(Acknowledgement).where(Acknowledgement.incident_id == incident_id).order_by(Acknowledgement.id)
    return {(row.duty, row.due_at): row for row in db.session.scalars(query)}


def owners(incident_id: int) -> dict[str, DutyOwner]:
    """Who looks after which duty, where somebody was named."""
    query = select(DutyOwner).where(DutyOwner.incident_id == incident_id)
    return {row.duty: row for row in db.session.scalars(query)}


def on_the_case(incident_id: int) -> list[int]:
    """The numbers of the accounts that have to do with an incident: its members, owners of duties and of steps."""
    members, steps, duties = _on_it(incident_id)
    return sorted(db.session.scalars(members.union(steps, duties)))


def team(incident_id: int) -> list[tuple[User, bool]]:
    """Every account by reference, ended ones too, and whether it has to do with this incident."""
    on_it = or_(*(User.id.in_(some) for some in _on_it(incident_id)))
    found = db.session.execute(select(User, on_it).order_by(User.ref).limit(MOST_ACCOUNTS))
    return [(user, bool(near)) for user, near in found]


def _on_it(incident_id: int) -> tuple[Select[int], Select[int], Select[int]]:
    step, membership = db.metadata.tables["step"], db.metadata.tables["membership"]
    members = select(membership.c.user_id).where(membership.c.incident_id == incident_id)
    steps = select(step.c.owner_id).where(step.c.incident_id == incident_id, step.c.owner_id.is_not(None))
    return members, steps, select(DutyOwner.user_id).where(DutyOwner.incident_id == incident_id)


def of_duty(incident_id: int, duty: str) -> Sequence[Reminder]:
    """Every rung that was given or overtaken, newest first."""
    query = select(Reminder).where(Reminder.incident_id == incident_id, Reminder.duty == duty)
    return db.session.scalars(query.order_by(Reminder.id.desc())).all()


def of_incident(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Reminder]:
    """The rungs that were given in an incident, newest first, by key."""
    query = select(Reminder).where(Reminder.incident_id == incident_id, Reminder.overtaken.is_(False))
    if before is not None:
        query = query.where(Reminder.id < before)
    return db.session.scalars(query.order_by(Reminder.id.desc()).limit(limit)).all()


def acknowledgements(incident_id: int, duty: str) -> Sequence[Acknowledgement]:
    """Every acknowledgement of a duty, newest first."""
    query = select(Acknowledgement).where(Acknowledgement.incident_id == incident_id, Acknowledgement.duty == duty)
    return db.session.scalars(query.order_by(Acknowledgement.id.desc())).all()


# ---------------------------------------------------------------- messages


def messages_of(reminder_ids: Collection[int]) -> dict[int, list[ReminderMessage]]:
    """The messages about these rungs, by rung."""
    found: dict[int, list[ReminderMessage]] = {}
    if not reminder_ids:
        return found
    query = (
        select(ReminderItem.reminder_id, ReminderMessage)
        .join(ReminderMessage, ReminderMessage.id == ReminderItem.message_id)
        .where(ReminderItem.reminder_id.in_(reminder_ids))
        .order_by(ReminderMessage.id)
    )
    for number, message in db.session.execute(query):
        found.setdefault(number, []).append(message)
    return found


def rungs_of(message_id: int) -> Sequence[Reminder]:
    """The rungs that a message is about."""
    query = select(Reminder).join(ReminderItem, ReminderItem.reminder_id == Reminder.id)
    return db.session.scalars(query.where(ReminderItem.message_id == message_id).order_by(Reminder.due_at)).all()


def link(message_id: int, reminder_ids: Iterable[int]) -> None:
    """Say what a message is about."""
    db.session.execute(
        insert(ReminderItem), [{"message_id": message_id, "reminder_id": number} for number in reminder_ids]
    )


def message(ref: str, *, locked: bool = False) -> ReminderMessage | None:
    """One message, read anew."""
    query = select(ReminderMessage).where(ReminderMessage.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def by_refs(refs: Collection[str]) -> dict[str, ReminderMessage]:
    """The messages with these references, held against other writers."""
    if not refs:
        return {}
    query = select(ReminderMessage).where(ReminderMessage.ref.in_(refs)).order_by(ReminderMessage.id)
    return {row.ref: row for row in db.session.scalars(query.with_for_update())}


def cancel_waiting(incident_id: int, reminder_ids: Collection[int], now: datetime, reason: str) -> int:
    """Take back the messages that still wait and are about these rungs alone; how many."""
    if not reminder_ids:
        return 0
    others = select(ReminderItem.message_id).where(ReminderItem.reminder_id.not_in(reminder_ids))
    mine = select(ReminderItem.message_id).where(ReminderItem.reminder_id.in_(reminder_ids))
    change = update(ReminderMessage).where(
        ReminderMessage.incident_id == incident_id,
        ReminderMessage.state == State.WAITING,
        ReminderMessage.id.in_(mine),
        ReminderMessage.id.not_in(others),
    )
    result = db.session.execute(
        change.values(state=State.CANCELLED, reason=reason, changed_at=now),
        execution_options={"synchronize_session": False},
    )
    return result.rowcount if isinstance(result, CursorResult) else 0
