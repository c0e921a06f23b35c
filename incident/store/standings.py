"""Counts over the rooms of one incident, for closing it and for the summary: few small queries, no list is read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from incident.store.db import db
from incident.store.deliveries import NEEDS_CARE as NEEDS_CARE_NOW
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.enquiries import Enquiry
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
def _counts(incident_id: int) -> Mapping[str, Mapping[tuple[str, str], int]]:
    """How many rows of each of these rooms stand where, in one query."""
    finding = (FindingRow.standing, FindingRow.state)
    rooms = (
        _words("notice", Notice, (Notice.stage, literal(""))),
        _words("report", Report, (Report.state, literal(""))),
        _words("list", PersonImport, (PersonImport.state, literal(""))),
        _words("step", Step, (Step.state, literal(""))),
        _words("evidence", Evidence, (literal(""), literal(""))),
        _words("finding", FindingRow, finding).where(FindingRow.superseded_at.is_(None)),
    )
    query = union_all(*(room.where(room.selected_columns[4] == incident_id) for room in rooms))
    found: dict[str, dict[tuple[str, str], int]] = {}
    for room, word, state, number, _ in db.session.execute(query):
        found.setdefault(room, {})[word, state] = number
    return found


def _words(room: str, table: Any, by: tuple[Any, Any]) -> Select[Any]:
    own = [one for one in by if isinstance(one, InstrumentedAttribute)]
    return select(literal(room), *by, func.count(), table.incident_id).group_by(*own, table.incident_id)


def _by_word(room: str, incident_id: int) -> dict[str, int]:
    return {word: number for (word, _), number in _counts(incident_id).get(room, {}).items()}


def notices(incident_id: int) -> Mapping[str, int]:
    """Notices by stage."""
    return _by_word("notice", incident_id)


def reports(incident_id: int) -> Mapping[str, int]:
    """Reports by state."""
    return _by_word("report", incident_id)


def imports(incident_id: int) -> Mapping[str, int]:
    """Lists of people by state."""
    return _by_word("list", incident_id)


def steps(incident_id: int) -> Mapping[str, int]:
    """Steps by state."""
    return _by_word("step", incident_id)


def findings(incident_id: int) -> Mapping[tuple[str, str], int]:
    """Findings that stand, by what they say and what was decided about them."""
    return _counts(incident_id).get("finding", {})


def undecided(incident_id: int, standing: str) -> int:
    """How many findings of this standing are neither met nor waived."""
    found = findings(incident_id)
    return sum(number for (word, state), number in found.items() if word == standing and state in UNDECIDED)


def evidence(incident_id: int) -> int:
    """How many pieces of evidence there are."""
    return sum(_by_word("evidence", incident_id).values())


@once
def enquiries(incident_id: int) -> Mapping[str, int]:
    """What people asked, by state; those joined to others are counted apart."""
    query = select(Enquiry.state, func.count()).where(Enquiry.incident_id == incident_id).group_by(Enquiry.state)
    return {word: int(number) for word, number in db.session.execute(query)}


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
        "enquiries": enquiries(incident_id),
    }
