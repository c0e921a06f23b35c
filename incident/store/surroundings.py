"""What stands around every page, in one query: whether sending is frozen, what is due next, how the page's incident stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Select, case, func, select, true

from incident.domain.scales import NOT_CONCERNED
from incident.store.db import db
from incident.store.dispatches import SendingSwitch
from incident.store.grades import Grade
from incident.store.incidents import Incident
from incident.store.obligations import LIVE, FindingRow, belongs_to
from incident.store.overview import Overview, figures, parts


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
    """The grade that counts for the people concerned, as the rail names it."""

    level: str
    score: float | None
    basis: str


@dataclass(frozen=True)
class Around:
    """What stands around one page."""

    frozen: bool = False
    next: Next | None = None
    overview: Overview | None = None
    weight: Weight | None = None


def read(incident_id: int | None, over: Select[Any] | None, now: datetime, *, most: int, scale: str) -> Around:
    """What is around the page of this incident, or of none, for whom `over` are their incidents (a query of ids).

    `most` late duties are counted and no more; `scale` is that of the grade.
    """
    switch = select(SendingSwitch.frozen).where(SendingSwitch.id == 1).scalar_subquery()
    base = select(switch.label("frozen")).subquery("base")
    source: FromClause = base
    columns: list[Any] = [base.c.frozen]
    for one in (_standing(incident_id, now), _weight(incident_id, scale), _due(over, now, most)):
        if one is not None:
            source = source.outerjoin(one, true())
            columns += one.c
    return _told([row._mapping for row in db.session.execute(select(*columns).select_from(source))], now)


def _standing(incident_id: int | None, now: datetime) -> FromClause | None:
    if incident_id is None:
        return None
    named = [part.label(f"n_{name}") for name, part in parts(now).items()]
    return select(*named).select_from(Incident).where(Incident.id == incident_id).subquery("standing")


def _weight(incident_id: int | None, scale: str) -> FromClause | None:
    """The latest chosen grade of this scale, or else the latest suggestion."""
    if incident_id is None:
        return None
    chosen_first = case((Grade.basis == "chosen", 0), else_=1)
    query = select(Grade.level, Grade.score, Grade.basis).where(Grade.incident_id == incident_id, Grade.scale == scale)
    return query.order_by(chosen_first, Grade.id.desc()).limit(1).subquery("weight")


def _due(over: Select[Any] | None, now: datetime, most: int) -> FromClause | None:
    """The duty due next, and the one that is late longest; walks due times, however many duties there are."""
    if over is None:
        return None
    running = (LIVE, func.coalesce(FindingRow.standing, "") == "owed", belongs_to(over))
    late = select(FindingRow.id).where(*running, FindingRow.due_at < now).limit(most).subquery()
    counted = select(func.count()).select_from(late).scalar_subquery()
    where = select(Incident.ref).where(Incident.id == FindingRow.incident_id).scalar_subquery()
    named = (where.label("incident"), FindingRow.ref.label("finding"), FindingRow.title, FindingRow.due_at)
    query = select(*named, counted.label("late")).where(*running)
    ahead, behind = (
        select(query.where(which).order_by(FindingRow.due_at).limit(1).subquery())
        for which in (FindingRow.due_at >= now, FindingRow.due_at < now)
    )
    return ahead.union_all(behind).subquery("due")


def _told(rows: list[Any], now: datetime) -> Around:
    first = rows[0]
    named = [row for row in rows if row.get("finding")]
    due = max(named, key=lambda row: row["due_at"] >= now, default=None)
    next_ = Next(*(due[name] for name in ("incident", "finding", "title", "due_at", "late"))) if due else None
    counts = {name.removeprefix("n_"): value for name, value in first.items() if name.startswith("n_")}
    level = first.get("level")
    weight = Weight(level, first["score"], first["basis"]) if level and level != NOT_CONCERNED else None
    return Around(bool(first["frozen"]), next_, figures(counts) if counts else None, weight)
