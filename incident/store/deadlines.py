"""The next deadline of each incident, and incidents in the order of it; however many there are, a page reads its own rows alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.obligations import LIVE, FindingRow, belongs_to


@dataclass(frozen=True)
class Deadline:
    """The duty of one incident that is due first; one that is late counts until it is met or waived."""

    finding: str
    title: str
    due_at: datetime


def of(incident_ids: Collection[int]) -> Mapping[int, Deadline]:
    """The next deadline of each of these incidents that is open and has one, in one query."""
    if not incident_ids:
        return {}
    firsts = select(_first_of(Incident.id)).where(Incident.id.in_(incident_ids), Incident.state == "open")
    query = select(FindingRow.incident_id, FindingRow.ref, FindingRow.title, FindingRow.due_at)
    found = db.session.execute(query.where(FindingRow.id.in_(firsts)))
    return {row.incident_id: Deadline(row.ref, row.title, row.due_at) for row in found}


@dataclass(frozen=True)
class Place:
    """Where a list in the order of deadlines goes on: after a due time and its finding, or below an incident without one."""

    due_at: datetime | None
    number: int


def soonest(query: Select[Incident], *, after: Place | None, limit: int) -> Sequence[tuple[Incident, Place]]:
    """A page of these incidents by their next deadline, soonest first; those without one last, newest first."""
    found = [] if after is not None and after.due_at is None else _dated(query, after, limit)
    if len(found) < limit:
        below = after.number if after is not None and after.due_at is None else None
        found += _undated(query, below, limit - len(found))
    return found


def _dated(query: Select[Incident], after: Place | None, limit: int) -> list[tuple[Incident, Place]]:
    """Walks the due times and stops at each incident's first."""
    those = query.where(Incident.state == "open").with_only_columns(Incident.id)
    walk = select(FindingRow.incident_id, FindingRow.due_at, FindingRow.id).where(*_running(), belongs_to(those))
    walk = walk.where(FindingRow.id == _first_of(FindingRow.incident_id))
    if after is not None and after.due_at is not None:
        walk = walk.where(
            FindingRow.due_at >= after.due_at, (FindingRow.due_at > after.due_at) | (FindingRow.id > after.number)
        )
    places = {
        row.incident_id: Place(row.due_at, row.id)
        for row in db.session.execute(walk.order_by(FindingRow.due_at, FindingRow.id).limit(limit))
    }
    held = {row.id: row for row in db.session.scalars(select(Incident).where(Incident.id.in_(places)))}
    return [(held[number], place) for number, place in places.items()]


def _undated(query: Select[Incident], below: int | None, limit: int) -> list[tuple[Incident, Place]]:
    has_one = (Incident.state == "open") & _first_of(Incident.id).is_not(None)
    rest = query.where(~has_one)
    if below is not None:
        rest = rest.where(Incident.id < below)
    return [(row, Place(None, row.id)) for row in db.session.scalars(rest.order_by(Incident.id.desc()).limit(limit))]


def _running() -> tuple[Any, ...]:
    return LIVE, func.coalesce(FindingRow.standing, "") == "owed", FindingRow.due_at.is_not(None)


@cache
def _first_of(incident: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """The finding that is due first in the incident that the query around it names by this column; made once."""
    one = aliased(FindingRow)
    mine = (LIVE, one.incident_id == incident, func.coalesce(one.standing, "") == "owed", one.due_at.is_not(None))
    return (
        select(one.id).where(*mine).order_by(one.due_at, one.id).limit(1).correlate(incident.class_).scalar_subquery()
    )
