"""Counts over the rooms of one incident, for closing it and for the summary: one small query each, no list is read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from incident.store.db import db
from incident.store.deliveries import NEEDS_CARE as NEEDS_CARE_NOW
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.imports import PersonImport
from incident.store.incidents import Evidence
from incident.store.notices import Notice
from incident.store.obligations import FindingRow
from incident.store.plans import Step
from incident.store.reading import once
from incident.store.reports import Report

UNFINISHED_NOTICE = ("submitted", "approved", "sending")
UNFINISHED_IMPORT = ("mapping", "waiting", "running")
UNDECIDED = ("proposed", "accepted")
NEEDS_CARE = ("in_doubt", "failed", "bounced", "unreached", "cancelled")
COUNTED = ("waiting", "sending", "accepted", "delivered", "confirmed", *NEEDS_CARE)


@once
def _by_word(column: InstrumentedAttribute[str], incident_id: int) -> dict[str, int]:
    """How many rows of this incident stand where."""
    query = select(column, func.count()).where(column.class_.incident_id == incident_id).group_by(column)
    return {word: number for word, number in db.session.execute(query)}


def notices(incident_id: int) -> Mapping[str, int]:
    """Notices by stage."""
    return _by_word(Notice.stage, incident_id)


def reports(incident_id: int) -> Mapping[str, int]:
    """Reports by state."""
    return _by_word(Report.state, incident_id)


def imports(incident_id: int) -> Mapping[str, int]:
    """Lists of people by state."""
    return _by_word(PersonImport.state, incident_id)


def steps(incident_id: int) -> Mapping[str, int]:
    """Steps by state."""
    return _by_word(Step.state, incident_id)


@once
def findings(incident_id: int) -> Mapping[tuple[str, str], int]:
    """Findings that stand, by what they say and what was decided about them."""
    query = select(FindingRow.standing, FindingRow.state, func.count())
    query = query.where(FindingRow.incident_id == incident_id, FindingRow.superseded_at.is_(None))
    found = db.session.execute(query.group_by(FindingRow.standing, FindingRow.state))
    return {(standing, state): number for standing, state, number in found}


def undecided(incident_id: int, standing: str) -> int:
    """How many findings of this standing are neither met nor waived."""
    found = findings(incident_id)
    return sum(number for (word, state), number in found.items() if word == standing and state in UNDECIDED)


def evidence(incident_id: int) -> int:
    """How many pieces of evidence there are."""
    return db.session.scalar(select(func.count(Evidence.id)).where(Evidence.incident_id == incident_id)) or 0


@once
def deliveries(incident_id: int) -> Mapping[str, int]:
    """People by what became of their notice, over all real sendings (rehearsals left out), from the kept counts."""
    sums = [func.coalesce(func.sum(getattr(Dispatch, word)), 0).label(word) for word in COUNTED]
    query = select(*sums).where(Dispatch.incident_id == incident_id, Dispatch.simulated.is_(False))
    return {word: int(number) for word, number in db.session.execute(query).one()._mapping.items()}


def in_nobodys_care(incident_id: int) -> int:
    """How many people who were perhaps not told have no owner."""
    ours = select(Dispatch.id).where(Dispatch.incident_id == incident_id, Dispatch.simulated.is_(False))
    query = select(func.count(Delivery.id)).where(
        Delivery.dispatch_id.in_(ours), NEEDS_CARE_NOW, Delivery.current.is_(True), Delivery.owner == ""
    )
    return db.session.scalar(query) or 0


def as_figures(incident_id: int) -> dict[str, Any]:
    """Everything counted, as a closing keeps it."""
    return {
        "steps": dict(steps(incident_id)),
        "notices": dict(notices(incident_id)),
        "reports": dict(reports(incident_id)),
        "deliveries": dict(deliveries(incident_id)),
        "findings": {f"{standing}: {state}": number for (standing, state), number in findings(incident_id).items()},
        "evidence": evidence(incident_id),
    }
