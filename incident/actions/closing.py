"""Write the review, close the incident when nothing stands in the way, reopen it with a reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from incident.actions import counts
from incident.actions.ledger import Ledger, transaction
from incident.domain import closing as rules
from incident.domain import incidents as incident_rules
from incident.domain import reviews
from incident.domain.audit import canonical
from incident.domain.closing import Gate, Standing
from incident.domain.errors import Missing, Refused
from incident.store import closings as rows
from incident.store import grades, incidents, sealed, standings
from incident.store.closings import Closing, Review
from incident.store.db import db, new_ref
from incident.store.incidents import Incident


def gates(incident: Incident) -> tuple[Gate, ...]:
    """What stands in the way of closing this incident now."""
    return rules.gates(standing(incident))


def standing(incident: Incident) -> Standing:
    """What is left to do, counted over all rooms."""
    found = standings.counted(incident.id)
    return Standing(
        steps=found.blocking,
        findings_open=found.undecided("open"),
        findings_owed=found.undecided("owed"),
        notices=sum(found.notices.get(stage, 0) for stage in standings.UNFINISHED_NOTICE),
        under_way=found.deliveries["waiting"] + found.deliveries["sending"],
        not_told=found.in_nobodys_care,
        suspects=counts.counted(incident.id).suspects,
        imports=sum(found.imports.get(state, 0) for state in standings.UNFINISHED_IMPORT),
        reports=found.reports.get("draft", 0),
        enquiries=found.enquiries.get("open", 0),
        emergencies=found.emergencies,
        reviewed=rows.review(incident.id) is not None,
    )


def write_review(
    ref: str, answers: Mapping[str, str], *, factors: Sequence[str] = (), actor: str, now: datetime
) -> str:
    """Keep a review, before or after the closing; earlier ones stay. Its reference. Raises Invalid, Refused, Missing."""
    given = vars(rules.review(**{name: answers.get(name, "") for name in rules.QUESTIONS}))
    chosen = reviews.factors(factors)
    with transaction(actor, now) as ledger:
        incident = _there(ref)
        if sealed.is_erased(incident.id):
            raise Refused("This incident was erased; nothing can be added to it any more.")
        review = Review(ref=new_ref("V"), incident_id=incident.id, written_at=now, written_by=actor, **given)
        review.factors = chosen
        db.session.add(review)
        ledger.write("review.written", review.ref, incident=ref, digest=_digest(given), factors=chosen)
    return review.ref


def close(ref: str, words: str, *, actor: str, now: datetime) -> str:
    """Close the incident; the closing's reference. Raises Invalid, Refused (naming every gate that is shut), Missing."""
    summary = rules.words_for("words", words, "Say in a sentence or two how it ended.")
    with transaction(actor, now) as ledger:
        incident = _there(ref, locked=True)
        incident_rules.must_be_open(incident.state)
        rules.must_be_closable(gates(incident))
        closing = shut(incident, summary, ledger)
    return closing.ref


def shut(incident: Incident, words: str, ledger: Ledger) -> Closing:
    """Close it inside the caller's transaction, whatever is left to do; what was closed."""
    figures = standings.as_figures(standings.counted(incident.id)) | {"grades": _grades(incident.id)}
    closing = _add(incident, "closed", words, figures, actor=ledger.actor, now=ledger.now)
    incident.state, incident.closed_at = incident_rules.State.CLOSED.value, ledger.now
    digest = _digest({"words": words, "figures": figures})
    ledger.write("incident.closed", incident.ref, incident=incident.ref, closing=closing.ref, digest=digest)
    return closing


def reopen(ref: str, reason: str, *, actor: str, now: datetime) -> str:
    """Open the incident again; the reference of that. Raises Invalid, Refused, Missing."""
    why = rules.words_for("reason", reason, "Say why it is opened again; the reason stays.")
    with transaction(actor, now) as ledger:
        incident = _there(ref, locked=True)
        if incident.state != incident_rules.State.CLOSED:
            raise Refused("This incident is open already.")
        closing = _add(incident, "reopened", why, {}, actor=actor, now=now)
        incident.state, incident.closed_at = incident_rules.State.OPEN.value, None
        ledger.write("incident.reopened", ref, incident=ref, closing=closing.ref, digest=_digest({"words": why}))
    return closing.ref


def _there(ref: str, *, locked: bool = False) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    if locked:
        db.session.refresh(incident, with_for_update=True)
    return incident


def _add(incident: Incident, did: str, words: str, figures: dict[str, Any], *, actor: str, now: datetime) -> Closing:
    row = Closing(ref=new_ref("Z"), incident_id=incident.id, did=did, words=words, figures=figures)
    row.done_at, row.done_by = now, actor
    db.session.add(row)
    db.session.flush()
    return row


def _grades(incident_id: int) -> dict[str, str]:
    """The level that counts on each scale, with its score where it has one."""
    current = grades.current(incident_id).values()
    return {row.scale: row.level + ("" if row.score is None else f" {row.score:g}") for row in current}


def _digest(value: Mapping[str, Any]) -> str:
    return sha256(canonical(value).encode()).hexdigest()
