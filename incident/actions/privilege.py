"""Mark notes, evidence, facts and reports as privileged, and lift a mark; each with its line. Nothing is hidden by deleting."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.domain import privilege as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import vocabulary
from incident.domain.privilege import Kind
from incident.store import incidents, reports
from incident.store import privilege as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.privilege import PrivilegeMark


def mark(incident_ref: str, kind: str, item: str, *, basis: str, description: str, actor: str, now: datetime) -> str:
    """Mark an item as privileged; the reference of the mark. Raises Invalid, Missing, Refused; the same again changes nothing."""
    of, ground = rules.kind_and_basis(kind, basis)
    words = rules.description(description)
    with transaction(actor, now) as ledger:
        incident = _there(incident_ref)
        _demand_item(incident, of, item)
        known = rows.latest(incident.id, of, item)
        if known is not None and (known.state, known.basis, known.description) == ("marked", ground, words):
            ledger.unchanged()
            return known.ref
        row = _row(incident, of, item, "marked", ground, words, actor, now)
        ledger.write("privilege.marked", row.ref, incident=incident_ref, kind=of.value, item=item, basis=ground.value)
    return row.ref


def lift(incident_ref: str, kind: str, item: str, *, reason: str, actor: str, now: datetime) -> None:
    """Lift the mark of an item: from now on it goes into exports again. Raises Missing, Invalid."""
    why = rules.description(reason)
    with transaction(actor, now) as ledger:
        incident = _there(incident_ref)
        known = rows.latest(incident.id, kind, item)
        if known is None:
            raise Missing()
        if known.state != "marked":
            ledger.unchanged()
            return
        row = _row(incident, Kind(kind), item, "lifted", rules.Basis(known.basis), why, actor, now)
        ledger.write("privilege.lifted", row.ref, incident=incident_ref, kind=kind, item=item)


def _there(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return incident


def _demand_item(incident: Incident, kind: Kind, item: str) -> None:
    """Raises Missing, or Invalid, unless the incident has it."""
    report = reports.by_ref(incident.id, item) if kind is Kind.REPORT else None
    if report is not None:
        rules.demand_not_filed(report.state)
    there = {
        Kind.NOTE: lambda: item in incidents.notes_by_ref(incident.id, [item]),
        Kind.EVIDENCE: lambda: incidents.piece(incident.id, item) is not None,
        Kind.FACT: lambda: item in vocabulary() and bool(incidents.history(incident.id, item)),
        Kind.REPORT: lambda: report is not None,
        Kind.REVIEW: lambda: item == incident.ref,
    }
    if not there[kind]():
        raise Invalid("item", f"There is no {kind.value} {item[:60]!r} in this incident.")


def _row(
    incident: Incident,
    kind: Kind,
    item: str,
    state: str,
    basis: rules.Basis,
    description: str,
    actor: str,
    now: datetime,
) -> PrivilegeMark:
    row = PrivilegeMark(ref=new_ref("PM"), incident_id=incident.id, kind=kind.value, item=item, state=state)
    row.basis, row.description, row.at, row.by = basis.value, description, now, actor
    db.session.add(row)
    return row
