"""Grade an incident: what the rules suggest is kept beside what a person chooses; neither is ever overwritten."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from incident.actions.ledger import Ledger, transaction
from incident.domain import incidents as incident_rules
from incident.domain import scales, severity
from incident.domain.audit import canonical
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import Facts
from incident.domain.scales import Proposal, Scale
from incident.domain.texts import storable
from incident.exports import cvss
from incident.store import grades as rows
from incident.store import incidents
from incident.store.db import db, new_ref
from incident.store.grades import Grade
from incident.store.incidents import Incident


def suggest_again(incident: Incident, facts: Facts, ledger: Ledger, now: datetime) -> None:
    """Add what the rules suggest now, where it differs from what they suggested last; part of the caller's transaction."""
    _suggest(incident, facts, rows.latest(incident.id), ledger, now)


def suggest_first(incident: Incident, facts: Facts, ledger: Ledger, now: datetime) -> None:
    """The same for an incident that this transaction has just opened, which has no grade."""
    _suggest(incident, facts, {}, ledger, now)


def _suggest(
    incident: Incident, facts: Facts, before: Mapping[tuple[str, str], Grade], ledger: Ledger, now: datetime
) -> None:
    proposals = scales.proposals(facts)
    gone = {scale for scale, basis in before if basis == "suggested"} - {one.scale.value for one in proposals}
    for proposal in (*proposals, *(scales.no_longer(scale) for scale in sorted(gone))):
        last = before.get((proposal.scale.value, "suggested"))
        if last is None or _differs(last, proposal):
            row = _add(incident, proposal, basis="suggested", note="", actor="system", now=now)
            was = last.level if last else ""
            if last is None or was != proposal.level:
                ledger.write(
                    "grade.suggested", row.ref, incident=incident.ref, scale=row.scale, before=was, after=row.level
                )


def choose_level(ref: str, scale: str, level: str, note: str, *, actor: str, now: datetime) -> str:
    """Grade on a scale of words; the grade's reference. Raises Invalid, Refused, Missing."""
    proposal = scales.chosen_level(_scale(scale), level, note)
    return _choose(ref, proposal, storable(note), actor=actor, now=now)


def choose_severity(
    ref: str, inputs: Mapping[str, Any], reasons: Mapping[str, str], note: str, *, actor: str, now: datetime
) -> str:
    """Grade the severity for people by chosen inputs, each with its reason. Raises Invalid, Refused, Missing."""
    why = scales.must_say_why(note)
    given = severity.Inputs(
        **_checked(inputs), reasons={name: storable(reasons.get(name, ""))[:500] for name in severity.CAPTIONS}
    )
    missing = next((name for name, reason in given.reasons.items() if not reason), None)
    if missing is not None:
        raise Invalid(f"why_{missing}", f"{severity.CAPTIONS[missing]}: give the reason.")
    return _choose(ref, scales.of_people(given), why, actor=actor, now=now)


def choose_vector(ref: str, vector: str, note: str, *, actor: str, now: datetime) -> str:
    """Grade a vulnerability by its CVSS vector. Raises Invalid, Refused, Missing."""
    found = cvss.scored(vector)
    proposal = Proposal(Scale.CVSS, found.level, found.score, {"vector": found.vector}, (found.vector,))
    return _choose(ref, proposal, storable(note)[: scales.LONGEST_NOTE], actor=actor, now=now)


def _choose(ref: str, proposal: Proposal, note: str, *, actor: str, now: datetime) -> str:
    with transaction(actor, now) as ledger:
        incident = incidents.by_ref(ref)
        if incident is None:
            raise Missing()
        incident_rules.must_be_open(incident.state)
        before = rows.current(incident.id).get(proposal.scale.value)
        row = _add(incident, proposal, basis="chosen", note=note, actor=actor, now=now)
        ledger.write(
            "grade.chosen",
            row.ref,
            incident=ref,
            scale=row.scale,
            before=before.level if before else "",
            after=row.level,
            score="" if row.score is None else f"{row.score:g}",
            digest=chosen_digest(row),
        )
    return row.ref


def chosen_digest(row: Grade) -> str:
    """The digest of what a person chose a grade with, as the record has it."""
    told = {"inputs": _plain(row.inputs), "reasons": row.reasons, "note": row.note}
    return sha256(canonical(told).encode()).hexdigest()


def _add(incident: Incident, proposal: Proposal, *, basis: str, note: str, actor: str, now: datetime) -> Grade:
    row = Grade(
        ref=new_ref("G"),
        incident_id=incident.id,
        scale=proposal.scale.value,
        basis=basis,
        level=proposal.level,
        score=proposal.score,
        inputs=proposal.inputs,
        reasons=list(proposal.reasons),
        open=list(proposal.open),
        note=note,
        made_at=now,
        made_by=actor,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _differs(last: Grade, proposal: Proposal) -> bool:
    same = (last.level, last.score, last.inputs, last.reasons) == (
        proposal.level,
        proposal.score,
        proposal.inputs,
        list(proposal.reasons),
    )
    return not same or last.open != list(proposal.open)


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with numbers as text, as digests are made over them."""
    return {name: f"{value:g}" if isinstance(value, float) else value for name, value in inputs.items()}


def _scale(word: str) -> Scale:
    try:
        return Scale(word)
    except ValueError:
        raise Invalid("scale", f"The scale is one of {', '.join(Scale)}.") from None


def _checked(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in their types. Raises Invalid naming the one that is missing or not of its type."""
    found: dict[str, Any] = {}
    for name, caption in severity.CAPTIONS.items():
        value = inputs.get(name)
        if value is None or value == "":
            raise Invalid(name, f"{caption}: choose one.")
        found[name] = _typed(name, caption, value)
    return found


def _typed(name: str, caption: str, value: Any) -> Any:
    kinds: dict[str, type] = {"adjust": int, "ei": float}
    try:
        return kinds.get(name, str)(value)
    except (TypeError, ValueError):
        raise Invalid(name, f"{caption}: give a number.") from None
