"""What is measured over many incidents, read in a fixed number of queries; `of` is always a query of incident ids."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from sys import intern
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select

from incident.domain.measures import FACTS, NOT_AUTHORITIES, PEOPLE, Course, Done, Under
from incident.domain.scales import NOT_CONCERNED, Scale
from incident.store import audit
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.grades import Grade
from incident.store.incidents import Fact, Incident
from incident.store.lessons import Lesson
from incident.store.obligations import UNSETTLED, FindingRow
from incident.store.tallies import DispatchTally

STANDINGS = ("owed", "advised", "open", "not_owed")
DECIDED = ("accepted", "met", "waived")


def mark(seen: Select[Any]) -> tuple[Any, ...]:
    """What the figures over incidents of `seen` rest on: the record as it stands, and which restricted ones are among them.

    `seen` is as `incidents.visible` makes it. Whatever changes leaves a line, so that the same mark means the same rows.
    """
    restricted = db.session.scalars(seen.with_only_columns(Incident.id).where(Incident.restricted.is_(True)))
    head = audit.head()
    return head.log, head.size, head.frontier, tuple(sorted(restricted))


def ids(seen: Select[Any], kinds: Sequence[str], since: datetime) -> Select[Any]:
    """The ids of those incidents among `seen` (a query of incidents) that are measured: of these kinds, opened since."""
    lasting = or_(Incident.opened_at >= since, Incident.closed_at >= since)
    return seen.with_only_columns(Incident.id).where(Incident.kind.in_(kinds), lasting)


def courses(of: Select[Any]) -> dict[int, Course]:
    """These incidents by id, with every moment that is known of them."""
    moments, levels = _moments(of), _levels(of)
    laws, told = _laws(of), _told(of)
    query = select(Incident.id, Incident.ref, Incident.title, Incident.opened_at, Incident.closed_at)
    found = db.session.execute(query.where(Incident.id.in_(of)))
    return {
        id_: Course(
            ref,
            title,
            levels.get(id_, ""),
            opened_at,
            closed_at,
            moments.get(id_, {}),
            _first(under.decided_at for under in laws.get(id_, {}).values()),
            _first(under.reported_at for under in laws.get(id_, {}).values()),
            told.get(id_),
            laws.get(id_, {}),
        )
        for id_, ref, title, opened_at, closed_at in found
    }


def _moments(of: Select[Any]) -> dict[int, dict[str, datetime]]:
    """The latest known value of each moment, by incident; what is unknown is left out."""
    mine = Fact.incident_id.in_(of), Fact.key.in_(FACTS)
    newest = select(func.max(Fact.id)).where(*mine).group_by(Fact.incident_id, Fact.key)
    found: dict[int, dict[str, datetime]] = {}
    for id_, key, value in db.session.execute(
        select(Fact.incident_id, Fact.key, Fact.value).where(Fact.id.in_(newest))
    ):
        if isinstance(value, str):
            found.setdefault(id_, {})[key] = datetime.fromisoformat(value)
    return found


def _levels(of: Select[Any]) -> dict[int, str]:
    """The operational level that counts: the latest chosen one, or else the latest suggestion."""
    mine = Grade.incident_id.in_(of), Grade.scale == Scale.OPERATIONAL
    newest = select(func.max(Grade.id)).where(*mine).group_by(Grade.incident_id, Grade.basis)
    rows = select(Grade.incident_id, Grade.level).where(Grade.id.in_(newest), Grade.level != NOT_CONCERNED)
    suggested_first = rows.order_by(case((Grade.basis == "chosen", 1), else_=0))
    return {id_: level for id_, level in db.session.execute(suggested_first)}


def _laws(of: Select[Any]) -> dict[int, dict[str, Under]]:
    """What came of the duties of each law, by incident; what was settled and taken back is as if it had never been, but for
    its having been accepted before."""
    row, standing = FindingRow, FindingRow.superseded_at.is_(None)
    accepted_before = row.first_decided_at < row.decided_at
    decided = or_(row.state == "accepted", and_(row.state.in_(DECIDED), or_(standing, accepted_before)))
    met, undone = and_(row.state == "met", standing), and_(row.standing == "owed", row.state.in_(UNSETTLED), standing)
    to_one, to_people = row.to.not_in(NOT_AUTHORITIES), row.to == PEOPLE
    query = select(
        row.incident_id,
        row.law,
        func.min(case((decided, row.first_decided_at))),
        func.min(case((and_(met, to_one), row.met_at))),
        func.min(case((and_(met, to_people), row.met_at))),
        func.max(case((and_(or_(met, undone), to_one), 1), else_=0)),
        func.max(case((and_(or_(met, undone), to_people), 1), else_=0)),
    ).where(or_(_in_state(*DECIDED), undone), or_(decided, undone), row.incident_id.in_(of))
    found: dict[int, dict[str, Under]] = {}
    rows: Any = db.session.execute(query.group_by(row.incident_id, row.law))
    for id_, law, decided_at, reported_at, told_at, reports, tells in rows:
        found.setdefault(id_, {})[intern(law)] = Under(decided_at, reported_at, told_at, bool(reports), bool(tells))
    return found


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _in_state(*states: str) -> ColumnElement[bool]:
    """Findings in these states, found by the index that begins with their standing: few of very many are."""
    return and_(FindingRow.standing.in_(STANDINGS), FindingRow.state.in_(states))


def _told(of: Select[Any]) -> dict[int, datetime]:
    real = Dispatch.incident_id.in_(of), Dispatch.simulated == false(), Dispatch.started_at.is_not(None)
    query = select(Dispatch.incident_id, func.min(Dispatch.started_at)).where(*real).group_by(Dispatch.incident_id)
    return {id_: at for id_, at in db.session.execute(query)}


def met(of: Select[Any]) -> dict[int, list[tuple[datetime, Done]]]:
    """Every duty that was met, once, by incident, with when it was."""
    row = FindingRow
    query = select(row.incident_id, row.law, row.start, row.met_at, row.late_seconds).where(
        _in_state("met"), row.superseded_at.is_(None), row.met_at.is_not(None), row.incident_id.in_(of)
    )
    found: dict[int, list[tuple[datetime, Done]]] = {}
    rows: Any = db.session.execute(query)
    for id_, law, start, at, late_seconds in rows:
        begun = datetime.fromisoformat(start) if "T" in start else None
        took = at - begun if begun and at >= begun else None
        found.setdefault(id_, []).append((at, Done(law, took, bool(late_seconds))))
    return found


def overdue(of: Select[Any], now: datetime) -> Mapping[str, int]:
    """How many owed duties are past their time and neither met nor waived, by law."""
    query = select(FindingRow.law, func.count()).where(
        FindingRow.standing == "owed",
        FindingRow.state.in_(UNSETTLED),
        FindingRow.due_at < now,
        FindingRow.superseded_at.is_(None),
        FindingRow.incident_id.in_(of),
    )
    return {law: number for law, number in db.session.execute(query.group_by(FindingRow.law))}


def carried(of: Select[Any], since: datetime) -> Mapping[tuple[str, str], int]:
    """How many people of real sendings begun since then stand where, by channel and state of their last message."""
    tally = DispatchTally
    query = (
        select(tally.channel, tally.state, func.sum(tally.n))
        .join(Dispatch, Dispatch.id == tally.dispatch_id)
        .where(Dispatch.incident_id.in_(of), Dispatch.simulated == false(), Dispatch.started_at >= since)
        .group_by(tally.channel, tally.state)
    )
    return {(channel, state): int(number) for channel, state, number in db.session.execute(query)}


def lessons(
    seen: Select[Any], kinds: Sequence[str], since: datetime
) -> Sequence[tuple[str, datetime, datetime | None]]:
    """State, proposal and adoption of the lessons of incidents of these kinds that were proposed or adopted since, or wait."""
    mine = seen.with_only_columns(Incident.id).where(Incident.kind.in_(kinds))
    recent = or_(Lesson.proposed_at >= since, Lesson.adopted_at >= since, Lesson.state.in_(("proposed", "accepted")))
    query = select(Lesson.state, Lesson.proposed_at, Lesson.adopted_at).where(Lesson.incident_id.in_(mine), recent)
    return [(state, at, adopted) for state, at, adopted in db.session.execute(query)]
