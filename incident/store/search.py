"""Finds incidents, duties and notices by reference or words of their title, among the incidents a reader may know of.

Each question is bounded, so that it takes about as long in a large installation as in a small one: duties are looked for
among those due soonest and those of the newest open incidents.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    or_,
    select,
    union_all,
)

from incident.domain.people import State
from incident.store import bulk, law_editions
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.obligations import ACTIVE, LIVE, UNSETTLED, Assessment, FindingRow, belongs_to
from incident.store.people import Person, Tally
from incident.store.sealed import DataKey

SOONEST: Final = 2_000
NEWEST: Final = 50
FEWEST: Final = 5
MOST_FINDINGS: Final = 2_000
MOST_INCIDENTS: Final = 200
"""So many incidents with people, newest first, are searched for one person."""
MOST_HOLDERS: Final = 50
_HOLDERS: Final = """
WITH sought (incident_id, mark) AS (VALUES {marks}),
held AS (
    SELECT person_mark.incident_id, person_mark.number FROM sought
    JOIN person_mark ON person_mark.incident_id = sought.incident_id AND person_mark.mark = sought.mark
),
who AS (
    SELECT incident_id, number FROM held
    UNION SELECT person_pair.incident_id, person_pair.twin FROM held
    JOIN person_pair ON person_pair.incident_id = held.incident_id AND person_pair.number = held.number
    UNION SELECT person_pair.incident_id, person_pair.number FROM held
    JOIN person_pair ON person_pair.incident_id = held.incident_id AND person_pair.twin = held.number
)
SELECT incident_id, number
FROM (SELECT who.*, row_number() OVER (PARTITION BY incident_id ORDER BY number) AS place FROM who) AS placed
WHERE place <= ?
"""
"""Who holds marks, and those paired with them.

The marks are joined as a table: with `(incident, mark) IN (…)` SQLite reads all marks of all people. Each side of a pair is
asked by itself: as either-or, SQLite reads every pair of the incident.
"""


def incidents(among: Select[Incident], text: str, *, limit: int) -> Sequence[Incident]:
    """The newest of these incidents whose reference or title has the text in it."""
    query = among.where(or_(_says(Incident.title, text), _says(Incident.ref, text)))
    return db.session.scalars(query.order_by(Incident.id.desc()).limit(limit)).all()


def notices(among: Select[Incident], text: str, *, limit: int) -> Sequence[Notice]:
    """The newest notices whose reference or title has the text in it."""
    query = select(Notice).where(_ids(among.where(Incident.id == Notice.incident_id)).correlate(Notice).exists())
    query = query.where(or_(_says(Notice.title, text), Notice.ref == text.upper()))
    return db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def duties(among: Select[Incident], text: str, *, limit: int) -> Sequence[FindingRow]:
    """Duties that somebody still has to act on whose title, law or reference has the text in it, soonest due first.

    Which duties of the newest incidents are called so is told by the laws that they go by, so that only those findings are
    read. Words that very many duties have are looked for in fewer of the newest incidents.
    """
    open_ = _ids(among.where(Incident.state == "open"))
    newest = list(db.session.scalars(open_.order_by(Incident.id.desc()).limit(NEWEST)))
    called = _called(text, newest)
    few = newest[: max(FEWEST, MOST_FINDINGS // max(1, len(called)))]
    # the standing is hidden from SQLite's planner, which would walk all duties of all incidents by it
    theirs = select(FindingRow.id).where(
        FindingRow.incident_id.in_(few),
        FindingRow.duty.in_(called),
        _named(FindingRow, text),
        FindingRow.superseded_at.is_(None),
        func.coalesce(FindingRow.standing, "").in_((*ACTIVE, "open")),
        func.coalesce(FindingRow.state, "").in_(UNSETTLED),
    )
    query = select(FindingRow).where(FindingRow.id.in_(union_all(_soonest(open_, text, limit), theirs)))
    ordered = query.order_by(FindingRow.due_at.is_(None), FindingRow.due_at, FindingRow.id)
    return db.session.scalars(ordered.limit(limit)).all()


def _called(text: str, incidents: Sequence[int]) -> set[str]:
    """The duties whose title or law has the text in it, by reference, in the laws that these incidents go by."""
    words, name = text.casefold(), text.replace(" ", "-").casefold()
    used = db.session.scalars(select(Assessment.library).where(Assessment.incident_id.in_(incidents)).distinct())
    laws = {law.digest: law for book in map(law_editions.book, used) for law in book or ()}
    return {
        duty.ref
        for law in laws.values()
        for duty in law.duties
        if words in duty.title.casefold() or name in law.id.casefold()
    }


def _soonest(open_: Select[Any], text: str, limit: int) -> Select[Any]:
    """The first of those due soonest that are called so."""
    soonest = select(FindingRow.id, FindingRow.due_at, FindingRow.title, FindingRow.law)
    soonest = soonest.where(LIVE, FindingRow.due_at.is_not(None), belongs_to(open_))
    held = soonest.order_by(FindingRow.due_at).limit(SOONEST).subquery()
    return select(select(held.c.id).where(_named(held.c, text)).order_by(held.c.due_at).limit(limit).subquery())


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


def with_people(among: Select[Incident]) -> Sequence[tuple[Incident, DataKey]]:
    """The newest of these incidents that have people and a key that opens them, with it; one more than are searched, if any."""
    held = select(Tally.incident_id).distinct()
    query = among.add_columns(DataKey).join(DataKey, DataKey.owner == Incident.id)
    query = query.where(Incident.id.in_(held), DataKey.sealing.is_not(None)).order_by(Incident.id.desc())
    return [(incident, key) for incident, key in db.session.execute(query.limit(MOST_INCIDENTS + 1))]


def holders(marks: Sequence[tuple[int, bytes]]) -> Sequence[Person]:
    """Whoever holds one of these marks, given as incident and mark, and those paired with them, who may have the same value.

    Newest incident first, there by number, no more than a page of each.
    """
    if not marks:
        return []
    sought = _HOLDERS.format(marks=", ".join(["(?, ?)"] * len(marks)))
    found: dict[int, list[int]] = {}
    for incident, number in bulk.fetched(sought, [*chain.from_iterable(marks), MOST_HOLDERS]):
        found.setdefault(incident, []).append(number)
    if not found:
        return []
    theirs = (and_(Person.incident_id == incident, Person.number.in_(some)) for incident, some in found.items())
    query = select(Person).where(or_(*theirs), Person.state.in_((State.ACTIVE, State.SUSPECT)))
    return db.session.scalars(query.order_by(Person.incident_id.desc(), Person.number)).all()


def _ids(among: Select[Incident]) -> Select[Any]:
    return among.with_only_columns(Incident.id)


def _named(row: Any, text: str) -> ColumnElement[bool]:
    return or_(_says(row.title, text), _says(row.law, text.replace(" ", "-")))


def _says(column: Any, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(text, autoescape=True)
    return found
