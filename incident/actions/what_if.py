"""What if a fact were otherwise: the difference to what is owed, worked out on a copy. Nothing is kept, and no line is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident import calendars
from incident.domain import drills, settlements
from incident.domain import obligations as rules
from incident.domain.errors import Invalid
from incident.domain.facts import Facts, Unknown, Value, parsed, vocabulary
from incident.domain.later import found_with
from incident.domain.lawbook import Lawbook
from incident.domain.obligations import Finding, Standing
from incident.domain.settlements import Difference, Known, State
from incident.store import drills as drill_rows
from incident.store import incidents, law_editions, waves
from incident.store import obligations as rows
from incident.store.obligations import FindingRow

MOST_FACTS = 100
NOT_OWED: Known = (Standing.NOT_OWED, None)


@dataclass(frozen=True)
class Beside:
    """One duty as it stands, and as it would stand."""

    duty: str
    title: str
    to: str
    before: Known
    after: Known
    because: tuple[str, ...]
    wants: tuple[str, ...]
    clock_words: str


@dataclass(frozen=True)
class WhatIf:
    """What would change: the facts that were supposed, the difference, and each changed duty before and after."""

    facts: Mapping[str, Value | Unknown]
    changes: Difference
    duties: tuple[Beside, ...]


def what_if(incident_id: int, given: Mapping[str, Any], now: datetime) -> WhatIf:
    """The difference that these facts would make to what is owed; what people settled stays. Raises Invalid."""
    supposed = supposed_facts(given)
    facts = incidents.known(incident_id).with_(supposed)
    held = rows.current(incident_id)
    done = {ref: row.met_at for ref, row in held.items() if row.state == State.MET and row.met_at}
    book = law_editions.of_incident(incident_id)
    found = found_with(waves.later(incident_id), facts, book, calendars.of_law, now.date(), done)
    said = rules.by_ref(drills.paced_all(found, drill_rows.clock_of_id(incident_id), now))
    settled = {ref for ref, row in held.items() if row.state in {State.MET, State.WAIVED}}
    before = {ref: (Standing(row.standing), row.due_at) for ref, row in held.items() if ref not in settled}
    after = {ref: (finding.standing, finding.clock.due) for ref, finding in said.items() if ref not in settled}
    changed = sorted(ref for ref in {*before, *after} if before.get(ref, NOT_OWED) != after.get(ref, NOT_OWED))
    duties = tuple(_beside(ref, held.get(ref), said.get(ref)) for ref in changed)
    return WhatIf(supposed, settlements.difference(before, after), duties)


def supposed_facts(given: Mapping[str, Any]) -> dict[str, Value | Unknown]:
    """The facts to suppose, by the rules of their questions; nothing at all makes one unknown. Raises Invalid."""
    if not given or len(given) > MOST_FACTS:
        raise Invalid("facts", f"Suppose between 1 and {MOST_FACTS} facts.")
    strange = [key for key in given if key not in vocabulary()]
    if strange:
        raise Invalid(strange[0][:60], "There is no such fact.")
    return {key: parsed(key, value) for key, value in given.items()}


def _beside(ref: str, row: FindingRow | None, finding: Finding | None) -> Beside:
    before: Known = (Standing(row.standing), row.due_at) if row else NOT_OWED
    if finding is None:
        return Beside(ref, row.title if row else ref, row.to if row else "", before, NOT_OWED, (), (), "")
    return Beside(
        ref,
        finding.duty.title,
        finding.duty.to,
        before,
        (finding.standing, finding.clock.due),
        tuple(finding.because),
        tuple(sorted(finding.wants)),
        finding.clock.words,
    )


def between(facts: Facts, others: Facts, book: Lawbook, now: datetime) -> Difference:
    """The difference between two sets of facts, without an incident."""

    def known(held: Facts) -> dict[str, Known]:
        return {one.ref: (one.standing, one.clock.due) for one in rules.found(held, book, calendars.of_law, now.date())}

    return settlements.difference(known(facts), known(others))
