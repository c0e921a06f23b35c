"""Counts over the rooms of one incident, for closing it and for the summary: two queries, no list is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from incident.store import plans
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
from incident.store.separation import Emergency

UNFINISHED_NOTICE = ("submitted", "approved", "sending")
UNFINISHED_IMPORT = ("mapping", "waiting", "running")
UNDECIDED = ("proposed", "accepted")
NEEDS_CARE = ("in_doubt", "failed", "bounced", "unreached", "cancelled")
COUNTED = ("waiting", "sending", "accepted", "delivered", "confirmed", *NEEDS_CARE)


@dataclass(frozen=True)
class Counted:
    """How many rows of each room stand where, and what became of people in real sendings (rehearsals left out)."""

    rooms: Mapping[str, Mapping[tuple[str, str], int]]
    deliveries: Mapping[str, int]
    """People by what became of their notice."""

    def _by_word(self, room: str) -> dict[str, int]:
        return {word: number for (word, _), number in self.rooms.get(room, {}).items()}

    def _number(self, room: str) -> int:
        return sum(self.rooms.get(room, {}).values())

    @property
    def notices(self) -> Mapping[str, int]:
        """Notices by stage."""
        return self._by_word("notice")

    @property
    def reports(self) -> Mapping[str, int]:
        """Reports by state."""
        return self._by_word("report")

    @property
    def imports(self) -> Mapping[str, int]:
        """Lists of people by state."""
        return self._by_word("list")

    @property
    def steps(self) -> Mapping[str, int]:
        """Steps by state."""
        return self._by_word("step")

    @property
    def blocking(self) -> int:
        """How many mandatory steps are neither done nor skipped and are, or may be, needed."""
        return self._number("blocking")

    @property
    def findings(self) -> Mapping[tuple[str, str], int]:
        """Findings that stand, by what they say and what was decided about them."""
        return self.rooms.get("finding", {})

    @property
    def evidence(self) -> int:
        """How many pieces of evidence there are."""
        return self._number("evidence")

    @property
    def enquiries(self) -> Mapping[str, int]:
        """What people asked, by state; those joined to others are counted apart."""
        return self._by_word("enquiry")

    @property
    def emergencies(self) -> int:
        """How many openings of this incident wait for their review."""
        return self._number("emergency")

    @property
    def in_nobodys_care(self) -> int:
        """How many people who were perhaps not told have no owner."""
        return self._number("care")

    def undecided(self, standing: str) -> int:
        """How many findings of this standing are neither met nor waived."""
        return sum(number for (word, state), number in self.findings.items() if word == standing and state in UNDECIDED)


@once
def counted(incident_id: int) -> Counted:
    """What there is in each room of an incident, in two queries."""
    return Counted(_rooms(incident_id), _told(incident_id))


def _rooms(incident_id: int) -> Mapping[str, Mapping[tuple[str, str], int]]:
    finding = (FindingRow.standing, FindingRow.state)
    unreviewed, none = Emergency.reviewed_at.is_(None), (literal(""), literal(""))
    rooms = (
        _words("notice", Notice, (Notice.stage, literal(""))),
        _words("report", Report, (Report.state, literal(""))),
        _words("list", PersonImport, (PersonImport.state, literal(""))),
        _words("step", Step, (Step.state, literal(""))),
        _words("blocking", Step, none).where(plans.blocks()),
        _words("evidence", Evidence, none),
        _words("enquiry", Enquiry, (Enquiry.state, literal(""))),
        _words("emergency", Emergency, none).where(unreviewed),
        _words("finding", FindingRow, finding).where(FindingRow.superseded_at.is_(None)),
    )
    query = union_all(*(room.where(room.selected_columns[4] == incident_id) for room in rooms), _care(incident_id))
    found: dict[str, dict[tuple[str, str], int]] = {}
    for room, word, state, number, _ in db.session.execute(query):
        found.setdefault(room, {})[word, state] = number
    return found


def _words(room: str, table: Any, by: tuple[Any, Any]) -> Select[Any]:
    own = [one for one in by if isinstance(one, InstrumentedAttribute)]
    return select(literal(room), *by, func.count(), table.incident_id).group_by(*own, table.incident_id)


def _care(incident_id: int) -> Select[Any]:
    ours = select(Dispatch.id).where(Dispatch.incident_id == incident_id, Dispatch.simulated.is_(False))
    unowned = (NEEDS_CARE_NOW, Delivery.current.is_(True), Delivery.owner == "")
    columns: Any = (literal("care"), literal(""), literal(""), func.count(Delivery.id), literal(incident_id))
    query: Select[Any] = select(*columns)
    return query.where(Delivery.dispatch_id.in_(ours), *unowned)


def _told(incident_id: int) -> Mapping[str, int]:
    """People by what became of their notice, from the kept counts."""
    sums = [func.coalesce(func.sum(getattr(Dispatch, word)), 0).label(word) for word in COUNTED]
    query = select(*sums).where(Dispatch.incident_id == incident_id, Dispatch.simulated.is_(False))
    return {word: int(number) for word, number in db.session.execute(query).one()._mapping.items()}


def as_figures(found: Counted) -> dict[str, Any]:
    """Everything counted, as a closing keeps it."""
    return {
        "steps": dict(found.steps),
        "notices": dict(found.notices),
        "reports": dict(found.reports),
        "deliveries": dict(found.deliveries),
        "findings": {f"{standing}: {state}": number for (standing, state), number in found.findings.items()},
        "evidence": found.evidence,
        "enquiries": dict(found.enquiries),
    }
