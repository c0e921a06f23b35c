"""How incidents stand, counted in one query: for the rail of one incident and for the desk over all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, or_, select

from incident.domain.postings import GOOD
from incident.store.announcements import Announcement
from incident.store.closings import Review
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.enquiries import Enquiry
from incident.store.incidents import Fact, Incident
from incident.store.notices import Notice
from incident.store.obligations import ACTIVE, LIVE, UNSETTLED, FindingRow, belongs_to
from incident.store.people import Tally
from incident.store.plans import UNDONE, Step
from incident.store.postings import PostingCheck
from incident.store.reports import Report
from incident.store.separation import Emergency

ON_THE_LIST = ("active", "suspect")


@dataclass(frozen=True)
class Overview:
    """The figures of one incident."""

    facts: int = 0
    steps: int = 0
    steps_done: int = 0
    steps_late: int = 0
    people: int = 0
    owed: int = 0
    open: int = 0
    met: int = 0
    late: int = 0
    notices: int = 0
    sent: int = 0
    submitted: int = 0
    addressed: int = 0
    reached: int = 0
    under_way: int = 0
    trouble: int = 0
    drafts: int = 0
    filed: int = 0
    reviewed: int = 0
    asked: int = 0
    unanswered: int = 0
    unanswered_late: int = 0
    pages: int = 0
    opened: int = 0


def of(incident_ids: Collection[int], now: datetime) -> Mapping[int, Overview]:
    """The figures of these incidents, in one query."""
    asked = parts(now)
    query = select(Incident.id, *(part.label(name) for name, part in asked.items()))
    found = db.session.execute(query.where(Incident.id.in_(incident_ids)))
    return {row[0]: figures(dict(zip(asked, row[1:], strict=True))) for row in found}


def figures(counts: Mapping[str, Any]) -> Overview:
    """The figures as they were counted; nothing is none."""
    return Overview(**{name: int(value or 0) for name, value in counts.items()})


def parts(now: datetime) -> dict[str, ScalarSelect[Any]]:
    """What counts each figure of the incident that the query around it names."""
    unsettled = FindingRow.state.in_(UNSETTLED)
    needed = or_(Step.need == "yes", Step.state.not_in(UNDONE))
    return {
        "facts": _of(Fact, func.count(Fact.key.distinct())),
        "steps": _of(Step, func.count(), needed),
        "steps_done": _of(Step, func.count(), Step.state.not_in(UNDONE)),
        "steps_late": _of(Step, func.count(), Step.need == "yes", Step.state.in_(UNDONE), Step.due_at < now),
        "people": _of(Tally, func.sum(Tally.n), Tally.state.in_(ON_THE_LIST)),
        "owed": _finding(FindingRow.standing.in_(ACTIVE), unsettled),
        "open": _finding(FindingRow.standing == "open", unsettled),
        "met": _finding(FindingRow.state == "met"),
        "late": _finding(FindingRow.standing.in_(ACTIVE), unsettled, FindingRow.due_at < now),
        "notices": _of(Notice, func.count()),
        "sent": _of(Notice, func.count(), Notice.stage == "sent"),
        "submitted": _of(Notice, func.count(), Notice.stage == "submitted"),
        "addressed": _of(Dispatch, func.sum(_everyone()), Dispatch.simulated.is_(False)),
        "reached": _of(
            Dispatch,
            func.sum(Dispatch.accepted + Dispatch.delivered + Dispatch.confirmed),
            Dispatch.simulated.is_(False),
        ),
        "under_way": _of(Dispatch, func.sum(Dispatch.waiting + Dispatch.sending)),
        "trouble": _of(Dispatch, func.sum(Dispatch.in_doubt + Dispatch.failed + Dispatch.bounced + Dispatch.unreached)),
        "drafts": _of(Report, func.count(), Report.state == "draft"),
        "filed": _of(Report, func.count(), Report.state == "filed"),
        "reviewed": _of(Review, func.count()),
        "asked": _of(Enquiry, func.count()),
        "unanswered": _of(Enquiry, func.count(), Enquiry.state == "open"),
        "unanswered_late": _of(Enquiry, func.count(), Enquiry.state == "open", Enquiry.due_at < now),
        "pages": _of(Announcement, func.count(), Announcement.look_at.is_not(None), _last_sight().not_in(GOOD)),
        "opened": _of(Emergency, func.count(), Emergency.reviewed_at.is_(None)),
    }


def _last_sight() -> ScalarSelect[Any]:
    """What the last look at a public page saw."""
    looks = select(PostingCheck.sight).where(PostingCheck.announcement_id == Announcement.id).correlate(Announcement)
    return looks.order_by(PostingCheck.id.desc()).limit(1).scalar_subquery()


def _everyone() -> ColumnElement[int]:
    return (
        Dispatch.waiting
        + Dispatch.sending
        + Dispatch.in_doubt
        + Dispatch.accepted
        + Dispatch.delivered
        + Dispatch.confirmed
        + Dispatch.failed
        + Dispatch.bounced
        + Dispatch.cancelled
        + Dispatch.unreached
    )


def _of(table: Any, figure: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(figure).where(table.incident_id == Incident.id, *conditions).correlate(Incident).scalar_subquery()


def _finding(*conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return _of(FindingRow, func.count(), FindingRow.superseded_at.is_(None), *conditions)


def steps_due(incidents: Select[Any], *, limit: int) -> Sequence[Step]:
    """Needed steps with a due time that nobody has finished, over these incidents (a query of ids), soonest first."""
    query = select(Step).where(Step.incident_id.in_(incidents), Step.state.in_(UNDONE), Step.need == "yes")
    return db.session.scalars(query.where(Step.due_at.is_not(None)).order_by(Step.due_at, Step.id).limit(limit)).all()


def wants_of_newest(incidents: Select[Any], many: int) -> Sequence[tuple[int, list[str], datetime | None]]:
    """The same of the newest so many of these incidents (a query of ids)."""
    own = next(iter(incidents.selected_columns))
    return wants(select(incidents.order_by(own.desc()).limit(many).subquery()))


def wants(incident_ids: Collection[int] | Select[Any]) -> Sequence[tuple[int, list[str], datetime | None]]:
    """For these incidents, what each open duty waits for, and what its due time would be if it is known."""
    # the standing is hidden from SQLite's planner, which would walk all open duties of all incidents by it
    query = select(FindingRow.incident_id, FindingRow.wants, FindingRow.due_at).where(
        FindingRow.incident_id.in_(incident_ids),
        FindingRow.superseded_at.is_(None),
        func.coalesce(FindingRow.standing, "") == "open",
        func.coalesce(FindingRow.state, "").in_(UNSETTLED),
    )
    return [(incident, keys, due) for incident, keys, due in db.session.execute(query)]


def numbers_of(
    incidents: Select[Any], now: datetime, today_ends: datetime, others: Select[Any] | None = None
) -> tuple[int, int, int, int]:
    """How many open incidents, how many duties due by the end of today, how many of those are late, how many of `others`."""
    late = func.sum(case((FindingRow.due_at < now, 1), else_=0))
    today = (LIVE, belongs_to(incidents), FindingRow.due_at < today_ends)
    asked = [select(func.count()).select_from(one.subquery()) for one in (incidents, others) if one is not None]
    query = select(func.count(), late, *(one.scalar_subquery() for one in asked)).select_from(FindingRow).where(*today)
    due, over, count, *outside = db.session.execute(query).one()
    return int(count or 0), int(due or 0), int(over or 0), sum(outside)
