"""Claims on single messages: held with a lease and a fence, turned to "calling" right before the call.

For each table whose rows have ref, state, fence, tries, next_at, lease_until and changed_at. Each change is committed alone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, Table, Update, and_, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.handovers import State
from incident.store.db import UTCDateTime, db

IS_OPEN = text("state IN ('waiting', 'claimed', 'calling')")
"""What the tables' partial indexes know: everything else is settled."""


class OnItsWay:
    """The columns of something that is handed over to a program of somebody else's; `code` is the number of its last answer."""

    state: Mapped[str] = mapped_column(String(12), default=State.WAITING.value)
    reason: Mapped[str] = mapped_column(String(40), default="")
    code: Mapped[str] = mapped_column(String(20), default="")
    tries: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


def due(
    rows: Table,
    now: datetime,
    *,
    only_lost: bool = False,
    also: ColumnElement[bool] | None = None,
    limit: int = 100,
) -> list[str]:
    """References of messages whose turn has come (unless `only_lost`), and of those whose worker died; oldest first.

    `also` is what must be true of those whose turn has come.
    """
    lost = rows.c.state.in_((State.CLAIMED, State.CALLING)) & (rows.c.lease_until <= now)
    waiting = and_(rows.c.state == State.WAITING, rows.c.next_at <= now, *(() if also is None else (also,)))
    query = select(rows.c.ref).where(IS_OPEN, lost if only_lost else or_(waiting, lost))
    return list(db.session.scalars(query.order_by(rows.c.id).limit(limit)))


def claim(rows: Table, ref: str, *, lease: timedelta, now: datetime) -> int | None:
    """Hold a waiting message for one worker: its fence; None where another was quicker."""
    values = {"state": State.CLAIMED, "fence": rows.c.fence + 1, "lease_until": now + lease, "changed_at": now}
    return _alone(rows, ref, (rows.c.state == State.WAITING) & (rows.c.next_at <= now), values)


def begin_call(rows: Table, ref: str, fence: int, *, lease: timedelta, now: datetime) -> bool:
    """Say right before the call that from here on it may have left; whether the claim was still ours."""
    mine = (rows.c.fence == fence) & (rows.c.state == State.CLAIMED) & (rows.c.lease_until > now)
    values = {"state": State.CALLING, "lease_until": now + lease, "changed_at": now, "tries": rows.c.tries + 1}
    if "called_at" in rows.c:
        values["called_at"] = now
    return _alone(rows, ref, mine, values) is not None


def give_back(rows: Table, ref: str, now: datetime, *, begun: bool = False) -> None:
    """Let what a dead worker had claimed wait again: nothing of it had left. With `begun`, also what may have left."""
    states = (State.CLAIMED, State.CALLING) if begun else (State.CLAIMED,)
    lost = rows.c.state.in_(states) & (rows.c.lease_until <= now)
    _alone(rows, ref, lost, {"state": State.WAITING, "changed_at": now})


def _alone(rows: Table, ref: str, which: ColumnElement[bool], values: Mapping[str, Any]) -> int | None:
    change: Update = update(rows).where(rows.c.ref == ref, which).values(**values)
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    fence: int | None = db.session.scalar(change.returning(rows.c.fence))
    db.session.commit()
    return fence
