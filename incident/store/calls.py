"""Calls that people of the team make: who is to be called and when, who makes the call, and every attempt.

The delivery says what is known of telling somebody; a row here only says that it is our people's turn.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.calls import Why
from incident.domain.deliveries import Course, State
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import Delivery, parts, rows_changed
from incident.store.dispatches import Dispatch

IS_OPEN = text("call_task.is_open")


class CallTask(Model):
    """One delivery that a person is to call about. `due_at`: not before, and `agreed` with them if so; `holder` makes the call until `held_until`."""

    __tablename__ = "call_task"
    __table_args__ = (
        Index(
            "ix_call_task_open",
            "incident_id",
            "due_at",
            "delivery_id",
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
    )

    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"), primary_key=True, autoincrement=False)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    why: Mapped[str] = mapped_column(String(10))
    is_open: Mapped[bool]
    tries: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(String(12))
    place: Mapped[str] = mapped_column(String(6))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    agreed: Mapped[bool] = mapped_column(default=False)
    holder: Mapped[str] = mapped_column(String(20), default="")
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CallAttempt(Model):
    """One attempt to call somebody, and what the caller noted, sealed: it may name people. Only added."""

    __tablename__ = "call_attempt"
    __table_args__ = (Index("ix_call_attempt_delivery", "delivery_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"))
    outcome: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    back_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


def list_waiting(incident_id: int, delivery_ids: Sequence[int], now: datetime) -> None:
    """Put on the list those of these deliveries that wait for a person's call."""
    waiting = and_(Delivery.provider == "by_hand", Delivery.channel == "call", Delivery.state == State.WAITING)
    for part in parts(delivery_ids):
        _list(incident_id, and_(Delivery.id.in_(part), waiting), Why.FIRST, now)


def list_back(incident_id: int, delivery_ids: Sequence[int], now: datetime) -> None:
    """Put on the list, or on it again, those who want to be called back."""
    again = update(CallTask).where(CallTask.delivery_id.in_(delivery_ids))
    rows_changed(again.values(is_open=True, why=Why.CALL_BACK.value, tries=0, agreed=False, due_at=now, changed_at=now))
    _list(incident_id, Delivery.id.in_(delivery_ids), Why.CALL_BACK, now)


def _list(incident_id: int, which: ColumnElement[bool], why: Why, now: datetime) -> None:
    person = db.metadata.tables["person"]
    listed = select(CallTask.delivery_id).where(CallTask.delivery_id == Delivery.id).exists()
    fixed = {"incident_id": incident_id, "why": why.value, "is_open": True, "tries": 0, "agreed": False, "holder": ""}
    values = {
        CallTask.delivery_id: Delivery.id,
        **{getattr(CallTask, name): literal(value) for name, value in fixed.items()},
        CallTask.language: person.c.language,
        CallTask.place: person.c.place,
        CallTask.due_at: literal(now, UTCDateTime),
        CallTask.changed_at: literal(now, UTCDateTime),
    }
    found = (
        select(*values.values()).join_from(Delivery, person, person.c.id == Delivery.person_id).where(which, ~listed)
    )
    db.session.execute(insert(CallTask).from_select([column.key for column in values], found))


def _open(incident_id: int) -> Any:
    """Everybody who is still to be called: first calls only while their delivery waits and its sending goes on."""
    query: Any = select(CallTask, Delivery, Dispatch)
    query = query.join(Delivery, Delivery.id == CallTask.delivery_id).join(
        Dispatch, Dispatch.id == Delivery.dispatch_id
    )
    running = Dispatch.course.in_([Course.PREPARING, Course.SENDING, Course.IN_DOUBT, Course.DONE])
    wanted = or_(CallTask.why == Why.CALL_BACK, and_(Delivery.state == State.WAITING, running))
    return query.where(CallTask.incident_id == incident_id, IS_OPEN, wanted)


def page(
    incident_id: int,
    *,
    language: str = "",
    why: str = "",
    due_by: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Who is to be called, soonest first, by key: (task, delivery, dispatch)."""
    query = _open(incident_id)
    if language:
        query = query.where(CallTask.language == language)
    if why:
        query = query.where(CallTask.why == why)
    if due_by is not None:
        query = query.where(CallTask.due_at <= due_by)
    if after is not None:
        query = query.where(
            tuple_(CallTask.due_at, CallTask.delivery_id) > tuple_(literal(after[0], UTCDateTime), after[1])
        )
    return db.session.execute(query.order_by(CallTask.due_at, CallTask.delivery_id).limit(limit)).all()


def open_count(incident_id: int) -> int:
    """How many are still to be called."""
    return db.session.scalar(select(func.count()).select_from(_open(incident_id).subquery())) or 0


def languages(incident_id: int) -> Sequence[str]:
    """The languages of those who are still to be called."""
    query = select(CallTask.language).where(CallTask.incident_id == incident_id, IS_OPEN).distinct()
    return db.session.scalars(query.order_by(CallTask.language)).all()


def next_free(incident_id: int, *, language: str, actor: str, now: datetime, after: int, limit: int) -> Sequence[Any]:
    """Those whose time has come and whom nobody else is calling, soonest first, (task, delivery, dispatch), from an offset on."""
    free = or_(CallTask.holder == "", CallTask.holder == actor, CallTask.held_until <= now)
    query = _open(incident_id).where(CallTask.due_at <= now, free)
    if language:
        query = query.where(CallTask.language == language)
    return db.session.execute(query.order_by(CallTask.due_at, CallTask.delivery_id).offset(after).limit(limit)).all()


def of_attempt(incident_id: int, ref: str) -> Any:
    """The open call about the delivery with this reference: (task, delivery, dispatch), or None."""
    return db.session.execute(_open(incident_id).where(Delivery.ref == ref)).one_or_none()


def take(task: CallTask, holder: str, until: datetime, now: datetime) -> bool:
    """Hold this call, if nobody else holds it; whether it is ours now."""
    free = or_(CallTask.holder == "", CallTask.holder == holder, CallTask.held_until <= now)
    change = update(CallTask).where(CallTask.delivery_id == task.delivery_id, CallTask.is_open, free)
    return rows_changed(change.values(holder=holder, held_until=until, changed_at=now)) == 1


def attempts_of(delivery_ids: Sequence[int]) -> Sequence[CallAttempt]:
    """Every attempt to call about these deliveries, oldest first."""
    query = select(CallAttempt).where(CallAttempt.delivery_id.in_(delivery_ids))
    return db.session.scalars(query.order_by(CallAttempt.id)).all()
