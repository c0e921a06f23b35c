"""Endpoints of other programs that are told of lines of the record, and what became of each event for each of them.

`told_to` of an endpoint is the place in the record up to which events were made for it. An event is not kept: its line is.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CursorResult,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.handovers import State
from incident.store import handovers
from incident.store.audit import AuditHead, AuditLine
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.handovers import IS_OPEN, OnItsWay
from incident.store.incidents import Incident


class WebhookEndpoint(Model):
    """Where events go. `sealed` holds its address and the secrets that sign for it."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    types: Mapped[list[str]] = mapped_column(JSON)
    hears_restricted: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    told_to: Mapped[int] = mapped_column(BigInt)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    rotated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    off_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    off_why: Mapped[str] = mapped_column(String(20), default="")
    rests_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried: Mapped[str] = mapped_column(String(40), default="")


class WebhookEvent(OnItsWay, Model):
    """One line of the record on its way to one endpoint; `ref` is the id by which the endpoint knows a repeat."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "line"),
        Index("ix_webhook_event_open", "next_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(30), unique=True)
    endpoint_id: Mapped[int] = mapped_column(BigInt, ForeignKey("webhook_endpoint.id"))
    line: Mapped[int] = mapped_column(BigInt)
    verb: Mapped[str] = mapped_column(String(128))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


EVENTS: Table = WebhookEvent.__table__  # type: ignore[assignment]
ON = WebhookEndpoint.removed_at.is_(None) & WebhookEndpoint.off_at.is_(None)
UNSETTLED = WebhookEvent.state.in_((State.WAITING, State.CLAIMED, State.CALLING))


def endpoints(*, after: str = "", limit: int = 100) -> Sequence[WebhookEndpoint]:
    """The endpoints in use, those that are switched off among them, by reference, beginning behind `after`."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.removed_at.is_(None), WebhookEndpoint.ref > after)
    return db.session.scalars(query.order_by(WebhookEndpoint.ref).limit(limit)).all()


def endpoint(ref: str, *, locked: bool = False) -> WebhookEndpoint | None:
    """One endpoint in use, read anew."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.ref == ref, WebhookEndpoint.removed_at.is_(None))
    query = query.execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def endpoint_of(event: WebhookEvent, *, locked: bool = False) -> WebhookEndpoint | None:
    """The endpoint of an event, read anew, while it is in use."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == event.endpoint_id)
    query = query.where(WebhookEndpoint.removed_at.is_(None)).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def behind() -> list[str]:
    """References of the endpoints that have not been told of all the record yet."""
    size = select(AuditHead.size).where(AuditHead.id == 1).scalar_subquery()
    return list(db.session.scalars(select(WebhookEndpoint.ref).where(ON, WebhookEndpoint.told_to < size)))


def size() -> int:
    """How many lines the record has."""
    return db.session.scalar(select(AuditHead.size).where(AuditHead.id == 1)) or 0


def lines(start: int, limit: int) -> Sequence[AuditLine]:
    """Lines of the record from this place on."""
    query = select(AuditLine).where(AuditLine.seq >= start).order_by(AuditLine.seq)
    return db.session.scalars(query.limit(limit)).all()


def line(place: int) -> AuditLine | None:
    """One line of the record."""
    return db.session.get(AuditLine, place)


def incidents_of(refs: Collection[str]) -> dict[str, tuple[str, bool]]:
    """Kind of each incident, and whether it is restricted, by reference."""
    if not refs:
        return {}
    query = select(Incident.ref, Incident.kind, Incident.restricted).where(Incident.ref.in_(refs))
    return {ref: (kind, restricted) for ref, kind, restricted in db.session.execute(query)}


def go_past(ref: str, before: int, then: int) -> None:
    """Note that nothing up to there is for this endpoint; committed alone, for nothing was decided by it."""
    change = update(WebhookEndpoint).where(WebhookEndpoint.ref == ref, WebhookEndpoint.told_to == before)
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    db.session.execute(change.values(told_to=then), execution_options={"synchronize_session": False})
    db.session.commit()


def add_events(found: Sequence[Mapping[str, Any]]) -> None:
    """Keep events to be sent. Inside the caller's transaction."""
    db.session.execute(insert(WebhookEvent), list(found))


def event(ref: str, *, locked: bool = False) -> WebhookEvent | None:
    """One event, read anew."""
    query = select(WebhookEvent).where(WebhookEvent.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def due(now: datetime, *, only_lost: bool) -> list[str]:
    """References of events to hand over, of endpoints that are on and do not rest; and of those whose worker died."""
    awake = WebhookEndpoint.rests_until.is_(None) | (WebhookEndpoint.rests_until <= now)
    ready = EVENTS.c.endpoint_id.in_(select(WebhookEndpoint.id).where(ON, awake))
    return handovers.due(EVENTS, now, only_lost=only_lost, also=ready)


def log(
    endpoint_id: int, *, state: str = "", before: int | None = None, limit: int | None = 50
) -> Sequence[WebhookEvent]:
    """What became of the events of an endpoint, newest first; those before the one numbered `before`."""
    query = select(WebhookEvent).where(WebhookEvent.endpoint_id == endpoint_id)
    if state:
        query = query.where(WebhookEvent.state == state)
    if before is not None:
        query = query.where(WebhookEvent.id < before)
    return db.session.scalars(query.order_by(WebhookEvent.id.desc()).limit(limit)).all()


def counts(endpoint_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many events of each endpoint stand in each state."""
    query = select(WebhookEvent.endpoint_id, WebhookEvent.state, func.count()).where(
        WebhookEvent.endpoint_id.in_(endpoint_ids)
    )
    found: dict[int, dict[str, int]] = {}
    for endpoint_id, state, number in db.session.execute(query.group_by(WebhookEvent.endpoint_id, WebhookEvent.state)):
        found.setdefault(endpoint_id, {})[state] = number
    return found


def cancel(endpoint_id: int, now: datetime, reason: str) -> int:
    """Take back what waits for an endpoint and is in no worker's hands; how many. Inside the caller's transaction."""
    change = update(WebhookEvent).where(WebhookEvent.endpoint_id == endpoint_id, WebhookEvent.state == State.WAITING)
    return _changed(change.values(state=State.CANCELLED, reason=reason, changed_at=now))


def again(endpoint_id: int, states: Collection[str], now: datetime) -> int:
    """Have what ended in these states sent once more; how many. Inside the caller's transaction."""
    change = update(WebhookEvent).where(WebhookEvent.endpoint_id == endpoint_id, WebhookEvent.state.in_(states))
    return _changed(change.values(state=State.WAITING, reason="", tries=0, next_at=now, changed_at=now))


def settled_before(moment: datetime, limit: int = 1) -> Sequence[int]:
    """Numbers of events that were settled before this."""
    query = select(WebhookEvent.id).where(~UNSETTLED, WebhookEvent.changed_at < moment)
    return db.session.scalars(query.order_by(WebhookEvent.id).limit(limit)).all()


def forget(ids: Collection[int]) -> int:
    """Take these out of the log; how many. Inside the caller's transaction."""
    return _changed(delete(WebhookEvent).where(WebhookEvent.id.in_(ids)))


def _changed(change: Any) -> int:
    result = db.session.execute(change, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0
