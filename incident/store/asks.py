"""What the organisation's own systems were asked to do, and the batches it went out in: numbers of people, never their references."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Table, UniqueConstraint, case, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.asks import Standing
from incident.domain.handovers import State
from incident.store import handovers
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.handovers import IS_OPEN, OnItsWay
from incident.store.webhooks import WebhookEndpoint


class SystemAsk(Model):
    """One thing asked of one system for the accounts of some people. `left_out` have no reference that may be sent."""

    __tablename__ = "system_ask"
    __table_args__ = (Index("ix_system_ask_incident", "incident_id", "id"), Index("ix_system_ask_due", "due_at"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    endpoint_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("webhook_endpoint.id"))
    kind: Mapped[str] = mapped_column(String(20))
    step: Mapped[str] = mapped_column(String(20), default="")
    audience: Mapped[dict[str, Any]] = mapped_column(JSON)
    accounts: Mapped[int]
    left_out: Mapped[int]
    batches: Mapped[int]
    simulated: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AskBatch(OnItsWay, Model):
    """Some accounts of an ask on their way; `ref` is the id by which the system knows a repeat. Whose they are is looked up when they go."""

    __tablename__ = "ask_batch"
    __table_args__ = (
        UniqueConstraint("ask_id", "number"),
        Index("ix_ask_batch_open", "next_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(30), unique=True)
    ask_id: Mapped[int] = mapped_column(BigInt, ForeignKey("system_ask.id"))
    number: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    size: Mapped[int]
    done: Mapped[int | None]
    failed: Mapped[int | None]
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    told_by: Mapped[str] = mapped_column(String(20), default="")


BATCHES: Table = AskBatch.__table__  # type: ignore[assignment]


def by_ref(ref: str, *, locked: bool = False) -> SystemAsk | None:
    """One ask, read anew."""
    query = select(SystemAsk).where(SystemAsk.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def batch(ref: str, *, locked: bool = False) -> AskBatch | None:
    """One batch by its id, read anew."""
    query = select(AskBatch).where(AskBatch.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def numbered(ask_id: int, number: int, *, locked: bool = False) -> AskBatch | None:
    """One batch of an ask by its number, read anew."""
    query = select(AskBatch).where(AskBatch.ask_id == ask_id, AskBatch.number == number)
    query = query.execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def due(now: datetime, *, only_lost: bool) -> list[str]:
    """Ids of batches whose turn has come, and of those whose worker died."""
    return handovers.due(BATCHES, now, only_lost=only_lost)


def page(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[SystemAsk]:
    """The asks of an incident, newest first."""
    query = select(SystemAsk).where(SystemAsk.incident_id == incident_id)
    if before is not None:
        query = query.where(SystemAsk.id < before)
    return db.session.scalars(query.order_by(SystemAsk.id.desc()).limit(limit)).all()


def of_step(incident_id: int, step: str) -> Sequence[SystemAsk]:
    """The asks that belong to a step of the plan, newest first."""
    query = select(SystemAsk).where(SystemAsk.incident_id == incident_id, SystemAsk.step == step)
    return db.session.scalars(query.order_by(SystemAsk.id.desc()).limit(20)).all()


def batches(ask_id: int, *, after: int = 0, limit: int = 50) -> Sequence[AskBatch]:
    """The batches of an ask by their number."""
    query = select(AskBatch).where(AskBatch.ask_id == ask_id, AskBatch.number > after)
    return db.session.scalars(query.order_by(AskBatch.number).limit(limit)).all()


def standings(asks: Sequence[SystemAsk]) -> Mapping[int, Standing]:
    """How each of these asks stands."""
    taken = case((AskBatch.state == State.ACCEPTED, AskBatch.size), else_=0)
    refused = case((AskBatch.state.in_((State.FAILED, State.CANCELLED)), 1), else_=0)
    sums = [func.coalesce(func.sum(part), 0) for part in (taken, AskBatch.done, AskBatch.failed, refused)]
    query = (
        select(AskBatch.ask_id, *sums).where(AskBatch.ask_id.in_([ask.id for ask in asks])).group_by(AskBatch.ask_id)
    )
    found = {id_: counts for id_, *counts in db.session.execute(query)} if asks else {}
    return {ask.id: Standing(ask.accounts, *map(int, found.get(ask.id, (0, 0, 0, 0)))) for ask in asks}


def names(asks: Sequence[SystemAsk]) -> dict[int, str]:
    """What the endpoints of these asks are called, by ask."""
    ids = {ask.endpoint_id for ask in asks if ask.endpoint_id}
    query = select(WebhookEndpoint.id, WebhookEndpoint.name).where(WebhookEndpoint.id.in_(ids))
    known = {id_: name for id_, name in db.session.execute(query)} if ids else {}
    return {ask.id: known.get(ask.endpoint_id or 0, "") for ask in asks}
