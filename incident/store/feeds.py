"""Calendar feeds: a secret address per person, kept as its SHA-256; and the deadlines that each of them shows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, Select, String, and_, case, func, or_, select, text, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from incident.domain.obligations import keyed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.obligations import UNSETTLED, FindingRow
from incident.store.plans import UNDONE, Step
from incident.store.users import User

LIVE = text("revoked_at IS NULL")


class CalendarFeed(Model):
    """One person's address of deadlines; a new one ends the one before."""

    __tablename__ = "calendar_feed"
    __table_args__ = (Index("uq_calendar_feed_live", "user_id", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("user_account.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship()


class Known(NamedTuple):
    """What a calendar must know of a duty beside its finding: how many answers it gave, and the last time it had."""

    answers: int
    changed_at: datetime
    due_at: datetime | None


def by_key(key: str) -> CalendarFeed | None:
    """The live feed with this key and its account, in one query."""
    query = select(CalendarFeed).options(joinedload(CalendarFeed.user))
    return db.session.scalar(query.where(CalendarFeed.key == key, CalendarFeed.revoked_at.is_(None)))


def live(user_id: int) -> CalendarFeed | None:
    """This person's feed, if there is one."""
    query = select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    return db.session.scalar(query)


def end(user_id: int, now: datetime) -> None:
    """End this person's feed, inside the caller's transaction."""
    query = update(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    db.session.execute(query.values(revoked_at=now))


def note_use(feed_id: int, now: datetime) -> None:
    """Remember that a feed was read, in a transaction of its own (no line: no change)."""
    with db.engine.connect().execution_options(tocsin_write=True) as connection, connection.begin():
        connection.execute(update(CalendarFeed).where(CalendarFeed.id == feed_id).values(last_used_at=now))


def duties(incidents: Select[Any], since: datetime, limit: int) -> Sequence[FindingRow]:
    """The standing answer of each duty that a calendar may show, newest due times first: those with a due time after
    `since`, and those that had one before they were lifted."""
    had = (
        _had_a_time(incidents)
        .where(FindingRow.due_at > since)
        .with_only_columns(FindingRow.incident_id, FindingRow.duty, FindingRow.wave)
    )
    once = had.distinct().subquery()
    query = (
        select(FindingRow)
        .join(
            once,
            and_(
                once.c.incident_id == FindingRow.incident_id,
                once.c.duty == FindingRow.duty,
                once.c.wave == FindingRow.wave,
            ),
        )
        .where(FindingRow.superseded_at.is_(None))
        .order_by(FindingRow.due_at.is_(None), FindingRow.due_at.desc(), FindingRow.id.desc())
    )
    return db.session.scalars(query.limit(limit)).all()


def known(incident_ids: Collection[int]) -> dict[tuple[int, str], Known]:
    """For each duty of these incidents that ever had a due time: how often it answered, when it last changed, its last due time."""
    timed = case((FindingRow.standing.in_(("owed", "advised", "open")), FindingRow.due_at))
    last = func.max(case((timed.is_not(None), FindingRow.id)))
    query = (
        select(
            FindingRow.incident_id, FindingRow.duty, FindingRow.wave, func.count(), func.max(FindingRow.made_at), last
        )
        .where(FindingRow.incident_id.in_(incident_ids))
        .group_by(FindingRow.incident_id, FindingRow.duty, FindingRow.wave)
        .having(last.is_not(None))
    )
    found = db.session.execute(query).all()
    dues = _dues([row[5] for row in found])
    return {
        (number, keyed(duty, wave)): Known(answers, changed_at, dues.get(last_id))
        for number, duty, wave, answers, changed_at, last_id in found
    }


def _dues(ids: Sequence[int]) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for first in range(0, len(ids), 500):
        query = select(FindingRow.id, FindingRow.due_at).where(FindingRow.id.in_(ids[first : first + 500]))
        found |= {number: due_at for number, due_at in db.session.execute(query) if due_at}
    return found


def _had_a_time(incidents: Select[Any]) -> Select[Any]:
    return select(FindingRow).where(
        FindingRow.incident_id.in_(incidents),
        FindingRow.due_at.is_not(None),
        or_(FindingRow.standing.in_(("owed", "advised", "open")), FindingRow.state.not_in(UNSETTLED)),
    )


def own_steps(incidents: Select[Any], user_id: int, since: datetime, limit: int) -> Sequence[Step]:
    """The person's own steps with a due time that are needed or were dealt with."""
    query = select(Step).where(
        Step.incident_id.in_(incidents),
        Step.owner_id == user_id,
        Step.due_at > since,
        or_(Step.need == "yes", Step.state.not_in(UNDONE)),
    )
    return db.session.scalars(query.order_by(Step.due_at.desc(), Step.id).limit(limit)).all()
