"""Report an incident, add and correct facts, write notes: what is known, and since when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from incident.actions import assessment
from incident.actions.ledger import Ledger, transaction
from incident.domain import facts as vocabulary
from incident.domain import incidents as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.stale import demand_seen
from incident.store import beginnings, sealed, users, words
from incident.store import incidents as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Fact, Incident, Note

LONGEST_NOTE = 20_000
LONGEST_SOURCE = 300
OUR_SETTINGS = "settings of this installation"

Own: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""What is known of the organisation in every incident, as facts, by the words that were said of it on its page."""


@dataclass(frozen=True)
class Origin:
    """Where facts come from, how sure they are, and when they were learnt."""

    source: str
    confidence: str
    learnt_at: datetime


def log(
    *,
    kind: str,
    title: str,
    facts: Mapping[str, Any],
    source: str,
    confidence: str,
    actor: str,
    now: datetime,
    lead: str = "",
    house: Own | None = None,
) -> str:
    """Open an incident, near miss or drill with what is known so far; its reference. Raises Invalid.

    What `house` tells of the organisation stands in every incident; what is given stands before it.
    """
    with transaction(actor, now) as ledger:
        incident = opened(
            ledger,
            kind=kind,
            title=title,
            facts=facts,
            house=house,
            source=source,
            confidence=confidence,
            lead=lead,
        )
    return incident.ref


def opened(
    ledger: Ledger,
    *,
    kind: str,
    title: str,
    facts: Mapping[str, Any],
    house: Own | None,
    source: str,
    confidence: str,
    lead: str = "",
    learnt_at: datetime | None = None,
) -> Incident:
    """The same inside the caller's transaction; the incident. Raises Invalid."""
    values, now = _parsed(facts), ledger.now
    begun = beginnings.begun(f"incident:{now.year}", lead=lead)
    ours = _parsed(house(begun.said)) if house else {}
    own = {key: value for key, value in ours.items() if values.get(key) is None}
    incident = Incident(
        ref=f"INC-{now.year}-{begun.number:04d}",
        kind=rules.kind(kind),
        title=rules.title(title),
        category=values.get("category") or own.get("category") or "",
        opened_at=now,
        opened_by=ledger.actor,
        lead_id=begun.lead_id,
    )
    _demand_lead(lead, begun.lead_id)
    db.session.add(incident)
    db.session.flush()
    words.known(incident.id, sealed.first(incident.id))
    ledger.write("incident.opened", incident.ref, incident=incident.ref, kind=incident.kind)
    said = _facts(incident, _said(values), _origin(source, confidence, learnt_at or now), ledger)
    known = _facts(incident, _said(own), Origin(OUR_SETTINGS, "high", now), ledger)
    _put(incident, said, known, ledger=ledger)
    assessment.begin(incident, vocabulary.from_json(_said(values) | _said(own)), ledger, now)
    return incident


def add_learnt(
    ledger: Ledger, ref: str, facts: Mapping[str, Any], *, source: str, confidence: str, learnt_at: datetime
) -> Incident:
    """Add what was learnt to an open incident, inside the caller's transaction; the incident. Raises Invalid, Refused, Missing."""
    values, incident = _parsed(facts), _open(ref)
    if _add(incident, values, _origin(source, confidence, learnt_at), ledger):
        assessment.refresh(incident, ledger, ledger.now)
    return incident


def record_facts(
    ref: str,
    facts: Mapping[str, Any],
    *,
    source: str,
    confidence: str,
    actor: str,
    now: datetime,
    learnt_at: datetime | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[str]:
    """Add what was learnt; the keys whose value changed. A correction is a new fact. Raises Invalid, Refused.

    `seen` holds by key the mark of the value that the page showed. Raises Stale where another stands by now.
    """
    values = _parsed(facts)
    if learnt_at is not None and learnt_at > now:
        raise Invalid("learnt_at", "This lies in the future; say when you learnt it.")
    with transaction(actor, now) as ledger:
        incident = _open(ref)
        _demand_seen(incident, values, seen or {})
        changed = _add(incident, values, _origin(source, confidence, learnt_at or now), ledger)
        if not changed:
            ledger.unchanged()
            return []
        assessment.refresh(incident, ledger, now)
    return changed


def rename(ref: str, title: str, *, version: int, actor: str, now: datetime) -> None:
    """Give the incident another title. Raises Invalid, Refused (also when somebody else changed it meanwhile)."""
    with transaction(actor, now) as ledger:
        incident = _open(ref)
        if incident.title == rules.title(title):
            ledger.unchanged()
            return
        rules.must_be_version(incident.version, version, {"Title": (incident.title, title)})
        incident.title = rules.title(title)
        ledger.write("incident.renamed", ref, incident=ref)


def lead_by(ref: str, lead: str, *, actor: str, now: datetime, seen: str | None = None) -> None:
    """Put somebody in the lead; `seen` is the mark of who was. Raises Invalid, Refused (also when out of date)."""
    with transaction(actor, now) as ledger:
        incident = _open(ref)
        number = _lead(lead)
        if number == incident.lead_id:
            ledger.unchanged()
            return
        names = users.names([number, incident.lead_id])
        versions = {"Lead": (names.get(incident.lead_id, "nobody"), names.get(number, "nobody"))}
        demand_seen(seen, incident.lead_id, versions=versions)
        incident.lead_id = number
        ledger.write("incident.lead_changed", ref, incident=ref, lead=lead or "nobody")


def add_note(ref: str, text: str, *, purpose: str = "", actor: str, now: datetime) -> str:
    """Write something down; the note's reference. Raises Invalid, Missing. Closed incidents take notes too."""
    told = rules.line_of_text("text", text, LONGEST_NOTE)
    meant = rules.purpose(purpose)
    with transaction(actor, now) as ledger:
        incident = rows.by_ref(ref)
        if incident is None:
            raise Missing()
        note = Note(
            ref=new_ref("T"), incident_id=incident.id, text=told, purpose=meant, written_at=now, written_by=actor
        )
        db.session.add(note)
        ledger.write("note.handed_over" if meant == rules.Purpose.HANDOVER else "note.added", note.ref, incident=ref)
    return note.ref


def _open(ref: str) -> Incident:
    incident = rows.by_ref(ref, locked=True)
    if incident is None:
        raise Missing()
    rules.must_be_open(incident.state)
    return incident


def _lead(ref: str) -> int | None:
    if not ref:
        return None
    user = users.by_ref(ref)
    number = user.id if user is not None and user.active else None
    _demand_lead(ref, number)
    return number


def _demand_lead(ref: str, number: int | None) -> None:
    if ref and number is None:
        raise Invalid("lead", "Choose somebody who works here.")


def _parsed(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: vocabulary.to_json(vocabulary.parsed(key, raw)) for key, raw in facts.items()}


def _origin(source: str, confidence: str, learnt_at: datetime) -> Origin:
    """The origin that somebody names. Raises Invalid."""
    return Origin(source.strip()[:LONGEST_SOURCE], rules.confidence(confidence), learnt_at)


def _add(incident: Incident, values: Mapping[str, Any], origin: Origin, ledger: Ledger) -> list[str]:
    """Add the values that say something new, with one line over all of them; their keys."""
    before = rows.current_facts(incident.id)
    changed = {key: value for key, value in values.items() if _says_more(before.get(key), value, origin)}
    _put(incident, _facts(incident, changed, origin, ledger), ledger=ledger)
    return sorted(changed)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of these values says something about an incident of which nothing is known."""
    return {key: value for key, value in values.items() if value is not None}


def _facts(incident: Incident, values: Mapping[str, Any], origin: Origin, ledger: Ledger) -> list[Fact]:
    return [
        Fact(
            incident_id=incident.id,
            key=key,
            value=value,
            source=origin.source,
            confidence=origin.confidence,
            learnt_at=origin.learnt_at,
            recorded_at=ledger.now,
            recorded_by=ledger.actor,
        )
        for key, value in values.items()
    ]


def _put(incident: Incident, *origins: Sequence[Fact], ledger: Ledger) -> None:
    """Add these facts, with one line over all of one origin."""
    rows.add_facts([fact for facts in origins for fact in facts])
    for facts in filter(None, origins):
        said = {fact.key: fact.value for fact in facts}
        if "category" in said:
            incident.category = said["category"] or ""
        ledger.write(
            "facts.recorded",
            incident.ref,
            incident=incident.ref,
            keys=sorted(said),
            rows=rows.facts_digest(facts),
        )


def _demand_seen(incident: Incident, values: Mapping[str, Any], seen: Mapping[str, str]) -> None:
    """Raises Stale where a fact that a page showed has another value by now, and not the one that was sent."""
    stands = rows.current_facts(incident.id) if seen else {}
    for key in values.keys() & seen.keys():
        value = stands[key].value if key in stands else None
        if value != values[key]:
            shown = tuple(vocabulary.shown(key, vocabulary.parsed(key, one)) for one in (value, values[key]))
            demand_seen(seen[key], value, versions={vocabulary.vocabulary().entries[key].label: (shown[0], shown[1])})


def _says_more(known: Fact | None, value: Any, origin: Origin) -> bool:
    if known is None:
        return value is not None
    said = origin.source, origin.confidence
    return bool(known.value != value or (origin.source and (known.source, known.confidence) != said))
