"""How incidents stand, counted in one query: for the rail of one incident and for the desk over all of them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    ScalarSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from incident.domain.postings import GOOD
from incident.store.announcements import Announcement
from incident.store.closings import Review
from incident.store.db import UTCDateTime, db
from incident.store.dispatches import Dispatch
from incident.store.enquiries import Enquiry
from incident.store.incidents import Fact, Incident
from incident.store.notices import Notice
from incident.store.obligations import ACTIVE, LIVE, UNSETTLED, FindingRow, belongs_to
from incident.store.people import Tally
from incident.store.plans import UNDONE, Plan, Step
from incident.store.postings import PostingCheck
from incident.store.reports import Report
from incident.store.separation import Emergency
from incident.store.vulnerabilities import Vulnerability, VulnerabilityLink

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
    query = select(Incident.id, *(part.label(name) for name, part in parts().items()))
    found = db.session.execute(query.where(Incident.id.in_(incident_ids)), {NOW.key: now})
    return {row[0]: figures(dict(zip(parts(), row[1:], strict=True))) for row in found}


def figures(counts: Mapping[str, Any]) -> Overview:
    """The figures as they were counted; nothing is none."""
    return Overview(**{name: int(value or 0) for name, value in counts.items()})


NOW: Final = bindparam("overview_now", type_=UTCDateTime())
"""The time by which something is late, given with the query."""


@cache
def parts() -> Mapping[str, ScalarSelect[Any]]:
    """What counts each figure of the incident that the query around it names; made once, for it is long."""
    unsettled = FindingRow.state.in_(UNSETTLED)
    needed = or_(Step.need == "yes", Step.state.not_in(UNDONE))
    return {
        "facts": _of(Fact, func.count(Fact.key.distinct())),
        "steps": _of(Step, func.count(), needed),
        "steps_done": _of(Step, func.count(), Step.state.not_in(UNDONE)),
        "steps_late": _of(Step, func.count(), Step.need == "yes", Step.state.in_(UNDONE), Step.due_at < NOW),
        "people": _of(Tally, func.sum(Tally.n), Tally.state.in_(ON_THE_LIST)),
        "owed": _finding(FindingRow.standing.in_(ACTIVE), unsettled),
        "open": _finding(FindingRow.standing == "open", unsettled),
        "met": _finding(FindingRow.state == "met"),
        "late": _finding(FindingRow.standing.in_(ACTIVE), unsettled, FindingRow.due_at < NOW),
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
        "unanswered_late": _of(Enquiry, func.count(), Enquiry.state == "open", Enquiry.due_at < NOW),
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


def wanted_of_newest(incidents: Select[Any], many: int) -> Sequence[tuple[int, Sequence[str], int]]:
    """For the newest so many of these incidents (a query of ids), what open duties wait for, and how many wait for just that."""
    own = next(iter(incidents.selected_columns))
    newest = select(incidents.order_by(own.desc()).limit(many).subquery())
    keys = cast(FindingRow.wants, Text)  # hundreds of duties wait for a few dozen sets of facts
    query = select(FindingRow.incident_id, keys, func.count()).where(*_open_of(newest))
    found = db.session.execute(query.group_by(FindingRow.incident_id, keys))
    return [(incident, _keys(words), many) for incident, words, many in found]


@lru_cache(maxsize=4_096)
def _keys(words: str) -> tuple[str, ...]:
    """The same few dozen sets of facts, read from their column once."""
    return tuple(json.loads(words))


def wants(incident_ids: Collection[int]) -> Sequence[tuple[int, list[str], datetime | None]]:
    """For these incidents, what each open duty waits for, and what its due time would be if it is known."""
    query = select(FindingRow.incident_id, FindingRow.wants, FindingRow.due_at).where(*_open_of(incident_ids))
    return [(incident, keys, due) for incident, keys, due in db.session.execute(query)]


def _open_of(incident_ids: Collection[int] | Select[Any]) -> tuple[ColumnElement[bool], ...]:
    """The open duties of these incidents. SQLite's planner sees no standing in it, or it would walk those of all incidents."""
    return (
        FindingRow.incident_id.in_(incident_ids),
        FindingRow.superseded_at.is_(None),
        func.coalesce(FindingRow.standing, "") == "open",
        func.coalesce(FindingRow.state, "").in_(UNSETTLED),
    )


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


class Beside(NamedTuple):
    """Something that is named on an incident's page: a plan, a report to an authority, or a vulnerability."""

    kind: str
    ref: str
    title: str
    state: str
    form: str
    stage: str
    score: float | None


def beside(incident_id: int, *, most: int) -> list[Beside]:
    """The plans of an incident, oldest first, its newest reports that were not put away, its vulnerabilities: in one query."""
    none, no_score = literal(""), cast(null(), Float)
    plans = _few(
        (literal("plan"), Plan.ref, Plan.title, none, none, none, no_score), Plan, Plan.incident_id == incident_id, most
    )
    reports = _few(
        (literal("report"), Report.ref, Report.authority, Report.state, Report.form, Report.stage, no_score),
        Report,
        and_(Report.incident_id == incident_id, Report.state != "discarded"),
        most,
    )
    ours = select(VulnerabilityLink.vulnerability_id).where(VulnerabilityLink.incident_id == incident_id)
    score = func.coalesce(Vulnerability.score4, Vulnerability.score3)
    weak = _few(
        (
            literal("weak"),
            Vulnerability.ref,
            Vulnerability.title,
            Vulnerability.exploited,
            Vulnerability.level,
            none,
            score,
        ),
        Vulnerability,
        Vulnerability.id.in_(ours),
        most,
    )
    found = db.session.execute(union_all(plans, reports, weak)).all()
    return [
        Beside(*row[:-1]) for row in sorted(found, key=lambda row: (row[0], row[-1] if row[0] == "plan" else -row[-1]))
    ]


def _few(columns: Sequence[Any], table: Any, which: ColumnElement[bool], most: int) -> Select[Any]:
    """The newest of these, each with its place, for a union."""
    named = [column.label(f"c{place}") for place, column in enumerate(columns)]
    few = select(*named, table.id.label("place")).where(which).order_by(table.id.desc()).limit(most)
    return select(few.subquery())
