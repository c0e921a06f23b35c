"""What waits for a person over several incidents, in one query: approvals, sendings, public pages, drafts, remedies, asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, union_all
from sqlalchemy.orm import aliased, defer

from incident.domain.postings import GOOD
from incident.store.announcements import Announcement
from incident.store.asks import SystemAsk
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.notices import Notice
from incident.store.postings import PostingCheck
from incident.store.remedies import Remedy
from incident.store.reports import WORDS, Report


@dataclass(frozen=True)
class Waits:
    """Each list in the order in which it is shown; of a public page incident, slug and what the last look saw."""

    notices: Sequence[Notice] = ()
    dispatches: Sequence[Dispatch] = ()
    pages: Sequence[tuple[int, str, str]] = ()
    drafts: Sequence[Report] = ()
    remedies: Sequence[Remedy] = ()
    asks: Sequence[SystemAsk] = ()
    incidents: frozenset[int] = field(default_factory=frozenset)


def read(incidents: Select[Any], *, now: datetime, until: date, limit: int) -> Waits:
    """What waits in these incidents (a query of ids), the first `limit` of each list.

    Notices that somebody submitted, oldest first; sendings that are paused or in which somebody was perhaps not told, newest
    first; public pages that were not as approved at the last look; reports begun and not filed, soonest due first; remedies
    that end from today to `until` while people have codes that they did not use; asks of own systems that should be over.
    """
    lists = _lists(incidents, now, until)
    which = union_all(*(select(one.limit(limit).subquery()) for one in lists)).subquery("which")
    query = select(Notice, Dispatch, Report, Remedy, SystemAsk, PostingCheck, Announcement).select_from(which)
    for kind, table in KINDS.items():
        query = query.outerjoin(table, and_(which.c.kind == kind, table.id == which.c.id))
    query = query.outerjoin(Announcement, Announcement.id == PostingCheck.announcement_id)
    rows = db.session.execute(query.options(*map(defer, WORDS))).all()
    return _told(rows)


KINDS: dict[str, Any] = {
    "notice": Notice,
    "dispatch": Dispatch,
    "report": Report,
    "remedy": Remedy,
    "ask": SystemAsk,
    "page": PostingCheck,
}


def _lists(incidents: Select[Any], now: datetime, until: date) -> list[Select[Any]]:
    among = _among(incidents)
    trouble = Dispatch.in_doubt + Dispatch.failed + Dispatch.bounced + Dispatch.unreached
    unused = Remedy.until.between(now.date(), until), Remedy.redeemed < Remedy.given
    late = SystemAsk.due_at <= now, SystemAsk.ended_at.is_(None), ~SystemAsk.simulated
    later = aliased(PostingCheck)
    newer = select(later.id).where(later.announcement_id == PostingCheck.announcement_id, later.id > PostingCheck.id)
    page = _ids("page", PostingCheck).join(Announcement, Announcement.id == PostingCheck.announcement_id)
    looked_at = Announcement.look_at.is_not(None), PostingCheck.sight.not_in(GOOD), ~newer.exists()
    return [
        _ids("notice", Notice).where(Notice.stage == "submitted", among(Notice)).order_by(Notice.id),
        _ids("dispatch", Dispatch)
        .where(or_(trouble > 0, Dispatch.course == "paused"), among(Dispatch))
        .order_by(Dispatch.id.desc()),
        _ids("report", Report)
        .where(Report.state == "draft", among(Report))
        .order_by(Report.due_at.is_(None), Report.due_at, Report.id),
        _ids("remedy", Remedy).where(*unused, among(Remedy)).order_by(Remedy.until, Remedy.id),
        _ids("ask", SystemAsk).where(*late, among(SystemAsk)).order_by(SystemAsk.due_at, SystemAsk.id),
        page.where(*looked_at, among(Announcement)).order_by(PostingCheck.id.desc()),
    ]


def _ids(kind: str, table: Any) -> Select[Any]:
    return select(literal(kind).label("kind"), table.id.label("id"))


def _among(incidents: Select[Any]) -> Callable[[Any], ColumnElement[bool]]:
    """Whether a row belongs to one of these incidents, asked for each row: few wait, and incidents are many."""
    own = next(iter(incidents.selected_columns))

    def among(table: Any) -> ColumnElement[bool]:
        return incidents.where(own == table.incident_id).correlate(table).exists()

    return among


def _told(rows: Sequence[Any]) -> Waits:
    notices, dispatches, drafts, remedies, asks = ([row[at] for row in rows if row[at] is not None] for at in range(5))
    looks = sorted(((row[5], row[6]) for row in rows if row[5] is not None), key=lambda look: -look[0].id)
    pages = [(of.incident_id, of.slug, look.sight) for look, of in looks]
    every = (*notices, *dispatches, *drafts, *remedies, *asks)
    return Waits(
        sorted(notices, key=lambda row: row.id),
        sorted(dispatches, key=lambda row: -row.id),
        pages,
        sorted(drafts, key=lambda row: (row.due_at is None, row.due_at or 0, row.id)),
        sorted(remedies, key=lambda row: (row.until, row.id)),
        sorted(asks, key=lambda row: (row.due_at, row.id)),
        frozenset({row.incident_id for row in every} | {incident for incident, _, _ in pages}),
    )
