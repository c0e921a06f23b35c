"""Keep the register of vulnerabilities: describe one, link it to incidents, open an incident for one that is exploited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident.actions import intake
from incident.actions.ledger import Ledger, transaction
from incident.domain import vulnerabilities as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.domain.tips import Kind as TipKind
from incident.domain.tips import State as TipState
from incident.domain.vulnerabilities import Described
from incident.exports.cvss import Score, scored
from incident.store import incidents, tips
from incident.store import vulnerabilities as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.tips import Tip
from incident.store.vulnerabilities import Vulnerability


def record(given: Mapping[str, Any], *, actor: str, now: datetime) -> str:
    """Put one on the register; its reference. Raises Invalid."""
    said, scores = rules.described(given, now=now), _scores(given)
    with transaction(actor, now) as ledger:
        row = Vulnerability(ref=new_ref("V"), made_at=now, made_by=actor)
        _write(row, said, scores, now)
        db.session.add(row)
        _line(ledger, "vulnerability.recorded", row)
    return row.ref


def register(tip: str, *, title: str = "", existing: str = "", actor: str, now: datetime) -> str:
    """Put what somebody reported on the register, or to one that is on it; its reference. Raises Invalid, Refused, Missing.

    The report stays in hand, so that whoever sent it hears how it ends. An incident that it belongs to is linked too.
    """
    with transaction(actor, now) as ledger:
        report = _report(tip)
        row = _one(existing) if existing else _reported(report, title, actor, now)
        if not rows.link_tip(row, report.id, actor=actor, now=now):
            ledger.unchanged()
            return row.ref
        if not existing:
            _line(ledger, "vulnerability.recorded", row)
        case = db.session.get(Incident, report.incident_id) if report.incident_id is not None else None
        ledger.write("vulnerability.reported", row.ref, incident=case.ref if case else None, tip=report.ref)
        if case is not None and rows.link(row, case, actor=actor, now=now):
            _line(ledger, "vulnerability.linked", row, case)
        if report.state == TipState.NEW:
            report.state, report.taken_by, report.changed_at = TipState.IN_HAND.value, actor, now
    return row.ref


def _report(ref: str) -> Tip:
    found = tips.by_ref(ref, locked=True)
    if found is None:
        raise Missing()
    if found.kind != TipKind.VULNERABILITY:
        raise Refused("This report is not about a vulnerability. Say first that it is.")
    return found


def _reported(report: Tip, title: str, actor: str, now: datetime) -> Vulnerability:
    """A new one in the words of a report."""
    given = rules.of_report(report.ref, tips.told(report), title=title, received_at=report.received_at)
    row = Vulnerability(ref=new_ref("V"), made_at=now, made_by=actor)
    _write(row, rules.described(given, now=now), _scores(given), now)
    db.session.add(row)
    db.session.flush()
    return row


def change(ref: str, given: Mapping[str, Any], *, seen: str | None = None, actor: str, now: datetime) -> None:
    """Describe it anew. Raises Invalid, Missing, Stale where somebody else changed it since `seen`."""
    said, scores = rules.described(given, now=now), _scores(given)
    with transaction(actor, now) as ledger:
        row = _one(ref)
        demand_seen(seen, row.changed_at.isoformat())
        _write(row, said, scores, now)
        _line(ledger, "vulnerability.changed", row)


def _scores(given: Mapping[str, Any]) -> tuple[Score | None, Score | None]:
    """The scores of both vectors, each where it is given. Raises Invalid naming the field."""
    found = []
    for name, beginning in (("vector3", "CVSS:3"), ("vector4", "CVSS:4")):
        vector = str(given.get(name) or "").strip()
        if vector and not vector.startswith(beginning):
            raise Invalid(name, f"Such a vector begins with {beginning}.")
        try:
            found.append(scored(vector) if vector else None)
        except Invalid as error:
            raise Invalid(name, error.sentence) from None
    return found[0], found[1]


def _write(row: Vulnerability, said: Described, scores: tuple[Score | None, Score | None], now: datetime) -> None:
    three, four = scores
    row.title, row.product, row.cve, row.state, row.exploited = (
        said.title,
        said.product,
        said.cve,
        said.state,
        said.exploited,
    )
    row.reported_at, row.exploited_known_at = said.reported_at, said.exploited_known_at
    row.fix_available_at, row.disclosed_at = said.fix_available_at, said.disclosed_at
    row.vector3, row.score3 = (three.vector, three.score) if three else ("", None)
    row.vector4, row.score4 = (four.vector, four.score) if four else ("", None)
    row.level = four.level if four else three.level if three else ""
    row.changed_at = now
    rows.keep_details(row, said.details)


def link(ref: str, incident: str, *, actor: str, now: datetime) -> None:
    """Say that an incident has to do with it. Raises Missing."""
    with transaction(actor, now) as ledger:
        row, found = _one(ref), _incident(incident)
        if not rows.link(row, found, actor=actor, now=now):
            ledger.unchanged()
            return
        _line(ledger, "vulnerability.linked", row, found)


def unlink(ref: str, incident: str, *, actor: str, now: datetime) -> None:
    """Take that back. Raises Missing."""
    with transaction(actor, now) as ledger:
        row, found = _one(ref), _incident(incident)
        if not rows.unlink(row, found):
            raise Missing()
        _line(ledger, "vulnerability.unlinked", row, found)


def open_incident(ref: str, *, house: intake.Own | None, actor: str, now: datetime) -> str:
    """Open the incident that an exploited one is, with what is known of it; its reference. Raises Refused, Missing.

    The duties of makers of products with digital elements (EU CRA, Art. 14) follow from its facts.
    """
    with transaction(actor, now) as ledger:
        row = _one(ref)
        known = rules.facts(row.described(), title=row.title)
        incident = intake.opened(
            ledger,
            kind="incident",
            title=row.title,
            facts=known,
            house=house,
            source=f"vulnerability {row.ref}",
            confidence="high",
            lead="",
        )
        rows.link(row, incident, actor=actor, now=now)
        _line(ledger, "vulnerability.linked", row, incident)
    return incident.ref


def _one(ref: str) -> Vulnerability:
    row = rows.by_ref(ref, locked=True)
    if row is None:
        raise Missing()
    return row


def _incident(ref: str) -> Incident:
    found = incidents.by_ref(ref)
    if found is None:
        raise Missing()
    return found


def _line(ledger: Ledger, verb: str, row: Vulnerability, incident: Incident | None = None) -> None:
    details = {"state": row.state, "exploited": row.exploited, "level": row.level or "none"}
    if incident is None:
        ledger.write(verb, row.ref, **details)
    else:
        ledger.write(verb, row.ref, incident=incident.ref, **details)
