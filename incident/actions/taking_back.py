"""Take a whole list back that was read by a wrong mapping or should never have come in; nobody else is lost by it."""

from collections import Counter
from datetime import datetime
from typing import Final

from incident.actions import imports, people
from incident.actions.ledger import transaction
from incident.domain import imports as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.imports import State as Standing
from incident.domain.imports import Step
from incident.domain.people import State
from incident.store import people as registry
from incident.store import pieces
from incident.store import taking_back as rows
from incident.store.sealed import Sealer, sealer

AT_ONCE: Final = 500


def people_of(ref: str, import_ref: str) -> int:
    """How many people of this list are on the list of the incident, or may be. Raises Missing."""
    return rows.live_of(imports.get(ref, import_ref).id)


def take_back(ref: str, import_ref: str, *, number: int, actor: str, now: datetime) -> int:
    """Take everybody of a list off; how many that were. Raises Invalid, Refused once one of them is being told, Missing.

    `number` is how many people that are, typed to confirm. Whoever was only kept back because of somebody of this list,
    or was joined with one of them, stands on their own again.
    """
    with transaction(actor, now) as ledger:
        row = imports.get(ref, import_ref)
        rules.must_be(row.state, Standing.DONE, Standing.FAILED)
        live = rows.live_of(row.id)
        if number != live:
            raise Invalid("number", f"Type {live} to confirm: so many people will be taken off.")
        if rows.is_being_told(row.id):
            raise Refused(
                "Somebody of this list is being told, or was told, by a notice. Take people off one by one instead."
            )
        incident_id, key = row.incident_id, sealer(row.incident_id)
        registry.count(_moved(rows.groups_of(row.id), counted=row.step == Step.SETTLED))
        pieces.drop(row.id)
        others = rows.entangled(incident_id, row.id)
        rows.take_off(incident_id, row.id)
        for start in range(0, len(others), AT_ONCE):
            _set_free(incident_id, others[start : start + AT_ONCE], key)
        row.state, row.step, row.ended_at = Standing.WITHDRAWN, Step.SETTLED, now
        ledger.write("list.taken_back", row.ref, incident=ref, people=live)
    return live


def _moved(groups: dict[tuple[object, ...], int], *, counted: bool) -> Counter[tuple[object, ...]]:
    """The changes of the counters when all of these people are taken off, who were counted so far or not."""
    changes: Counter[tuple[object, ...]] = Counter()
    for key, n in groups.items():
        changes[key] -= n if counted else 0
        changes[(*key[:2], State.REMOVED.value, *key[3:])] += n
    return changes


def _set_free(incident_id: int, others: list[tuple[int, bool]], key: Sealer) -> None:
    found = registry.by_numbers(incident_id, [number for number, _ in others])
    for number, was_joined in others:
        person = found[number]
        waits = person.state == State.SUSPECT and not registry.waits(incident_id, number)
        if waits or (was_joined and person.state == State.SAME):
            registry.move(person, state=State.ACTIVE)
        if person.state in {State.ACTIVE, State.SUSPECT}:
            marks = people.marks_of(key, people.record_of(key, person))
            registry.hold(incident_id, [(mark, number) for mark in marks])
