"""Finds incidents, duties and notices by reference or words of their title, among the incidents a reader may know of.

Each question is bounded, so that it takes about as long in a large installation as in a small one: duties are looked for
among those due soonest and those of the newest open incidents.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.obligations import ACTIVE, LIVE, UNSETTLED, FindingRow, belongs_to
from incident.store.people import Mark, Tally

SOONEST: Final = 2_000
NEWEST: Final = 50
MOST_INCIDENTS: Final = 200
"""So many incidents with people, newest first, are searched for one person."""


def incidents(among: Select[Incident], text: str, *, limit: int) -> Sequence[Incident]:
    """The newest of these incidents whose reference or title has the text in it."""
    query = among.where(or_(_says(Incident.title, text), _says(Incident.ref, text)))
    return db.session.scalars(query.order_by(Incident.id.desc()).limit(limit)).all()


def notices(among: Select[Incident], text: str, *, limit: int) -> Sequence[Notice]:
    """The newest notices whose reference or title has the text in it."""
    query = select(Notice).where(Notice.incident_id.in_(_ids(among)))
    query = query.where(or_(_says(Notice.title, text), Notice.ref == text.upper()))
    return db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def duties(among: Select[Incident], text: str, *, limit: int) -> Sequence[FindingRow]:
    """Duties that somebody still has to act on whose title, law or reference has the text in it, soonest due first."""
    open_ = _ids(among.where(Incident.state == "open"))
    soonest = select(FindingRow.id).where(LIVE, FindingRow.due_at.is_not(None), belongs_to(open_))
    soonest = soonest.order_by(FindingRow.due_at).limit(SOONEST)
    newest = open_.order_by(Incident.id.desc()).limit(NEWEST)
    # the standing is hidden from SQLite's planner, which would walk all duties of all incidents by it
    theirs = select(FindingRow.id).where(
        FindingRow.incident_id.in_(newest),
        FindingRow.superseded_at.is_(None),
        func.coalesce(FindingRow.standing, "").in_((*ACTIVE, "open")),
        func.coalesce(FindingRow.state, "").in_(UNSETTLED),
    )
    named = or_(_says(FindingRow.title, text), _says(FindingRow.law, text.replace(" ", "-")))
    either = or_(FindingRow.id.in_(select(soonest.subquery().c.id)), FindingRow.id.in_(theirs))
    query = select(FindingRow).where(named, either)
    ordered = query.order_by(FindingRow.due_at.is_(None), FindingRow.due_at, FindingRow.id)
    return db.session.scalars(ordered.limit(limit)).all()


def exactly(among: Select[Incident], ref: str) -> tuple[str, str, str] | None:
    """Kind, incident and reference of what has exactly this reference: an incident, a duty or a notice."""
    kinds: tuple[tuple[str, Any], ...] = (("incident", Incident), ("duty", FindingRow), ("notice", Notice))
    for kind, table in kinds:
        query = select(Incident.ref).where(Incident.id.in_(_ids(among)))
        if table is not Incident:
            query = query.join(table, table.incident_id == Incident.id)
        found = db.session.scalar(query.where(table.ref == ref))
        if found is not None:
            return kind, found, ref
    return None


def with_people(among: Select[Incident]) -> Sequence[Incident]:
    """The newest of these incidents that have people, one more than are searched where there are more."""
    held = select(Tally.incident_id).distinct()
    query = among.where(Incident.id.in_(held)).order_by(Incident.id.desc())
    return db.session.scalars(query.limit(MOST_INCIDENTS + 1)).all()


def holding(marks: Sequence[tuple[int, bytes]]) -> set[int]:
    """The incidents in which somebody holds one of these marks, given as incident and mark."""
    pair = tuple_(Mark.incident_id, Mark.mark)
    return set(db.session.scalars(select(Mark.incident_id).where(pair.in_(marks)).distinct()))


def _ids(among: Select[Incident]) -> Select[Any]:
    return among.with_only_columns(Incident.id)


def _says(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)
