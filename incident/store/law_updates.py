"""What newer laws would change: one row for each incident for which somebody has still to take them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, ForeignKey, Select, String, and_, case, delete, func, insert, null, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.facts import Facts, from_json
from incident.domain.obligations import Standing, keyed
from incident.store.db import BigInt, Model, UTCDateTime, db

STANDINGS = {standing.value: standing for standing in Standing}


class LawUpdate(Model):
    """The difference that an edition would make to one incident, as it stood when it was last assessed."""

    __tablename__ = "law_update"

    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    library: Mapped[str] = mapped_column(String(64))
    was: Mapped[str] = mapped_column(String(64))
    assessed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changes: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)
    compared_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Waiting(NamedTuple):
    """An open incident that goes by other laws than today's: which ones, and when it was assessed by them."""

    id: int
    ref: str
    library: str
    assessed_at: datetime


class Answer(NamedTuple):
    """What a finding says, as far as a comparison needs it: `key` is the duty, with its wave where it has one; `wants` are the facts
    that an open one asks for."""

    key: str
    standing: Standing
    state: str
    clock: str
    due_at: datetime | None
    met_at: datetime | None
    wants: tuple[str, ...]


def _tables() -> tuple[Any, Any, Any]:
    tables = db.metadata.tables
    return tables["incident"], tables["assessment"], tables["law_update"]


def waiting(library: str, limit: int) -> list[Waiting]:
    """Open incidents that were never compared with these laws, or were assessed again since; oldest first."""
    incident, assessment, update_ = _tables()
    stale = or_(
        update_.c.incident_id.is_(None),
        update_.c.library != library,
        update_.c.assessed_at != assessment.c.made_at,
    )
    query = (
        select(incident.c.id, incident.c.ref, assessment.c.library, assessment.c.made_at)
        .join(assessment, assessment.c.incident_id == incident.c.id)
        .outerjoin(update_, update_.c.incident_id == incident.c.id)
        .where(incident.c.state == "open", assessment.c.library != library, stale)
    )
    return [Waiting(*row) for row in db.session.execute(query.order_by(incident.c.id).limit(limit))]


def elsewhere(library: str, *, after: int, limit: int) -> list[Waiting]:
    """Open incidents that go by other laws than these, by their number, after the one with number `after`."""
    incident, assessment, _ = _tables()
    query = (
        select(incident.c.id, incident.c.ref, assessment.c.library, assessment.c.made_at)
        .join(assessment, assessment.c.incident_id == incident.c.id)
        .where(incident.c.state == "open", assessment.c.library != library, incident.c.id > after)
    )
    return [Waiting(*row) for row in db.session.execute(query.order_by(incident.c.id).limit(limit))]


def facts_of(ids: Collection[int]) -> dict[int, Facts]:
    """What is known now of each of these incidents."""
    fact = db.metadata.tables["fact"]
    newest = select(func.max(fact.c.id)).where(fact.c.incident_id.in_(ids)).group_by(fact.c.incident_id, fact.c.key)
    held: dict[int, dict[str, Any]] = {id_: {} for id_ in ids}
    query = select(fact.c.incident_id, fact.c.key, fact.c.value).where(fact.c.id.in_(newest))
    for incident, key, value in db.session.execute(query):
        held[incident][key] = value
    return {id_: from_json(values) for id_, values in held.items()}


def answers_of(ids: Collection[int], laws: Collection[str] | None) -> dict[int, list[Answer]]:
    """The findings that stand in each of these incidents, of these laws alone; None: of all.

    What is not owed and was never settled is left out: to a comparison, a duty that is not there is not owed.
    """
    finding = db.metadata.tables["finding"]
    telling = or_(finding.c.standing != Standing.NOT_OWED.value, finding.c.state.in_(("met", "waived")))
    query = select(
        finding.c.incident_id,
        finding.c.duty,
        finding.c.wave,
        finding.c.standing,
        finding.c.state,
        finding.c.clock,
        finding.c.due_at,
        finding.c.met_at,
        case((finding.c.standing == Standing.OPEN.value, finding.c.wants), else_=null()),
    ).where(finding.c.incident_id.in_(ids), finding.c.superseded_at.is_(None), telling)
    if laws is not None:
        query = query.where(finding.c.law.in_(laws))
    held: dict[int, list[Answer]] = {id_: [] for id_ in ids}
    for incident, duty, wave, standing, state, clock, due_at, met_at, wants in db.session.execute(query):
        told = (STANDINGS[standing], state, clock, due_at, met_at, tuple(wants or ()))
        held[incident].append(Answer(keyed(duty, wave), *told))
    return held


def put(found: Sequence[Mapping[str, Any]]) -> None:
    """Keep these comparisons in place of earlier ones of the same incidents."""
    ids = [row["incident_id"] for row in found]
    forget(ids)
    if found:
        db.session.execute(insert(LawUpdate), list(found))


def forget(ids: Collection[int]) -> None:
    """Drop the comparisons of these incidents."""
    if ids:
        db.session.execute(delete(LawUpdate).where(LawUpdate.incident_id.in_(list(ids))))


def take_unchanged(ids: Collection[int], library: str) -> None:
    """Say that these incidents go by this edition now; their findings stay as they were made."""
    _, assessment, _ = _tables()
    if ids:
        db.session.execute(update(assessment).where(assessment.c.incident_id.in_(list(ids))).values(library=library))


def pending(library: str, incidents: Select[Any]) -> Select[Any]:
    """Incident and update for each of these incidents (a query of ids) that the current laws would change."""
    incident, assessment, update_ = _tables()
    return (
        select(incident.c.id, incident.c.ref, incident.c.title, LawUpdate)
        .join(update_, update_.c.incident_id == incident.c.id)
        .join(assessment, assessment.c.incident_id == incident.c.id)
        .where(
            and_(
                incident.c.id.in_(incidents),
                incident.c.state == "open",
                update_.c.library == library,
                assessment.c.library != library,
            )
        )
    )


def page(query: Select[Any], *, after: int, limit: int) -> Sequence[Any]:
    """A page of `pending`, by the incident's number."""
    incident, *_ = _tables()
    return db.session.execute(query.where(incident.c.id > after).order_by(incident.c.id).limit(limit)).all()


def number(query: Select[Any]) -> int:
    """How many incidents `pending` finds."""
    found = query.with_only_columns(LawUpdate.incident_id, maintain_column_froms=True).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def refs(query: Select[Any]) -> Sequence[str]:
    """What a query of references finds."""
    return db.session.scalars(query).all()


def of(incident_id: int, library: str) -> LawUpdate | None:
    """What these laws would change for one incident, if that is still to be taken."""
    row = db.session.get(LawUpdate, incident_id)
    return row if row is not None and row.library == library else None
