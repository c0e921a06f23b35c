"""What stands around every page, in one query: whether sending is frozen, what is due next, how the page's incident stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Dialect,
    FromClause,
    Select,
    TextualSelect,
    bindparam,
    column,
    func,
    select,
    text,
    true,
)
from sqlalchemy.engine.interfaces import BindTyping

from incident.domain.scales import NOT_CONCERNED
from incident.store.db import db
from incident.store.dispatches import SendingSwitch
from incident.store.grades import Grade
from incident.store.incidents import Incident
from incident.store.obligations import LIVE, FindingRow, belongs_to
from incident.store.overview import NOW, Overview, figures, parts

WHICH: Final = bindparam("around_incident", type_=BigInteger())
"""The incident that a page is about, given with the query."""
READER: Final = bindparam("around_reader", type_=BigInteger())
"""Who reads the page, given with the query."""


@dataclass(frozen=True)
class Next:
    """The duty that is due next over several incidents, and how many are late already."""

    incident: str
    finding: str
    title: str
    due_at: datetime
    late: int


@dataclass(frozen=True)
class Weight:
    """The grade that counts on one scale."""

    level: str
    score: float | None
    basis: str


@dataclass(frozen=True)
class Around:
    """What stands around one page."""

    frozen: bool = False
    next: Next | None = None
    overview: Overview | None = None
    grades: Mapping[str, Weight] = field(default_factory=dict)


def read(
    incident_id: int | None, over: Select[Any] | None, now: datetime, *, most: int, reader: int | None = None
) -> Around:
    """What is around the page of this incident, or of none, for whom `over` are their incidents (a query of ids).

    `most` late duties are counted and no more. A query that is made once, with `READER` and `NOW` for what differs, is
    compiled once too.
    """
    given = {NOW.key: now, WHICH.key: incident_id, READER.key: reader}
    asked, wanted = _spelt(incident_id is not None, over, most, db.engine.dialect)
    rows = db.session.execute(asked, {name: given[name] for name in wanted})
    return _told([row._mapping for row in rows], now)


@lru_cache(maxsize=32)
def _spelt(
    with_incident: bool, over: Select[Any] | None, most: int, dialect: Dialect
) -> tuple[TextualSelect, frozenset[str]]:
    """The statement in the words of this database, and what is given with it: it is long, and stands on every page."""
    made = _statement(with_incident, over, most)
    kind: Any = type(dialect)
    named = kind(paramstyle="named")
    named.bind_typing = BindTyping.NONE  # the types are given with the values, below
    open_ = {one.key: one for one in (NOW, WHICH, READER)}
    spelt: Any = made.compile(dialect=named)
    state = spelt.construct_expanded_state(dict.fromkeys(open_))
    fixed: list[Any] = [bindparam(name, value) for name, value in state.parameters.items() if name not in open_]
    left = [one for name, one in open_.items() if name in state.parameters]
    columns = [column(one.name, one.type) for one in made.selected_columns]
    return text(state.statement).bindparams(*fixed, *left).columns(*columns), frozenset(one.key for one in left)


def _statement(with_incident: bool, over: Select[Any] | None, most: int) -> Select[Any]:
    switch = select(SendingSwitch.frozen).where(SendingSwitch.id == 1).scalar_subquery()
    base = select(switch.label("frozen")).subquery("base")
    source: FromClause = base
    columns: list[Any] = [base.c.frozen]
    around = [_standing(), _grades()] if with_incident else []
    for one in around if over is None else [*around, _due(over, most)]:
        source = source.outerjoin(one, true())
        columns += one.c
    return select(*columns).select_from(source)


@cache
def _standing() -> FromClause:
    named = [part.label(f"n_{name}") for name, part in parts().items()]
    return select(*named).select_from(Incident).where(Incident.id == WHICH).subquery("standing")


@cache
def _grades() -> FromClause:
    """The latest grade of each scale, the suggested and the chosen one."""
    newest = select(func.max(Grade.id)).where(Grade.incident_id == WHICH).group_by(Grade.scale, Grade.basis)
    query = select(Grade.scale, Grade.level, Grade.score, Grade.basis).where(Grade.id.in_(newest))
    return query.subquery("grades")


def _due(over: Select[Any], most: int) -> FromClause:
    """The duty due next, and the one that is late longest; walks due times, however many duties there are."""
    running = (LIVE, func.coalesce(FindingRow.standing, "") == "owed", belongs_to(over))
    late = select(FindingRow.id).where(*running, FindingRow.due_at < NOW).limit(most).subquery()
    counted = select(func.count()).select_from(late).scalar_subquery()
    where = select(Incident.ref).where(Incident.id == FindingRow.incident_id).scalar_subquery()
    named = (where.label("incident"), FindingRow.ref.label("finding"), FindingRow.title, FindingRow.due_at)
    query = select(*named, counted.label("late")).where(*running)
    ahead, behind = (
        select(query.where(which).order_by(FindingRow.due_at).limit(1).subquery())
        for which in (FindingRow.due_at >= NOW, FindingRow.due_at < NOW)
    )
    return ahead.union_all(behind).subquery("due")


def _told(rows: list[Any], now: datetime) -> Around:
    first = rows[0]
    named = [row for row in rows if row.get("finding")]
    due = max(named, key=lambda row: row["due_at"] >= now, default=None)
    next_ = Next(*(due[name] for name in ("incident", "finding", "title", "due_at", "late"))) if due else None
    counts = {name.removeprefix("n_"): value for name, value in first.items() if name.startswith("n_")}
    return Around(bool(first["frozen"]), next_, figures(counts) if counts else None, _counting(rows))


def _counting(rows: list[Any]) -> dict[str, Weight]:
    """Of each scale what was chosen, or else what was suggested; none where it does not apply."""
    found = {(row["basis"] == "chosen", row["scale"]): row for row in rows if row.get("scale")}
    counting = {scale: row for (_, scale), row in sorted(found.items())}
    return {
        scale: Weight(row["level"], row["score"], row["basis"])
        for scale, row in counting.items()
        if row["level"] != NOT_CONCERNED
    }
