"""Finds incidents, duties and notices by reference or words of their title, among the incidents a reader may know of.

Each question is bounded, so that it takes about as long in a large installation as in a small one: duties are looked for
among those due soonest and those of the newest open incidents.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    LargeBinary,
    Select,
    and_,
    column,
    func,
    or_,
    select,
    union,
    union_all,
    values,
)

from incident.domain.people import State
from incident.store import law_editions
from incident.store.db import BigInt, db
from incident.store.incidents import Incident
from incident.store.notices import Notice
from incident.store.obligations import ACTIVE, LIVE, UNSETTLED, Assessment, FindingRow, belongs_to
from incident.store.people import Mark, Pair, Person, Tally
from incident.store.sealed import DataKey

SOONEST: Final = 2_000
NEWEST: Final = 50
FEWEST: Final = 5
MOST_FINDINGS: Final = 2_000
MOST_INCIDENTS: Final = 200
"""So many incidents with people, newest first, are searched for one person."""
MOST_HOLDERS: Final = 50


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

    Newest incident first, there by number, no more than a page of each. The marks are joined as a table: with
    `(incident, mark) IN (…)` SQLite reads all marks of all people, and all pairs where their sides are asked as either-or.
    """
    if not marks:
        return []
    sought = values(column("incident_id", BigInt), column("mark", LargeBinary), name="sought").data(list(marks)).cte()
    found = sought.join(Mark, and_(Mark.incident_id == sought.c.incident_id, Mark.mark == sought.c.mark))
    held = select(Mark.incident_id, Mark.number).select_from(found).cte("held")
    others = (_others(held, Pair.number, Pair.twin), _others(held, Pair.twin, Pair.number))
    who = union(select(held.c.incident_id, held.c.number), *others).subquery()
    place = func.row_number().over(partition_by=who.c.incident_id, order_by=who.c.number).label("place")
    placed = select(who.c.incident_id, who.c.number, place).subquery()
    theirs = and_(Person.incident_id == placed.c.incident_id, Person.number == placed.c.number)
    query = select(Person).select_from(placed.join(Person, theirs)).where(placed.c.place <= MOST_HOLDERS)
    query = query.where(Person.state.in_((State.ACTIVE, State.SUSPECT)))
    return db.session.scalars(query.order_by(Person.incident_id.desc(), Person.number)).all()


def _others(held: CTE, side: Any, other: Any) -> Select[Any]:
    paired = held.join(Pair, and_(Pair.incident_id == held.c.incident_id, side == held.c.number))
    return select(Pair.incident_id, other).select_from(paired)


def _ids(among: Select[Incident]) -> Select[Any]:
    return among.with_only_columns(Incident.id)


def _named(row: Any, text: str) -> ColumnElement[bool]:
    return or_(_says(row.title, text), _says(row.law, text.replace(" ", "-")))


def _says(column: Any, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(text, autoescape=True)
    return found
