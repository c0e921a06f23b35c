"""Looks for one person in every incident that the asker may know of, by an exact address, number or reference."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from incident.actions import people, throttled
from incident.actions.ledger import transaction
from incident.store import search as rows
from incident.store.ciphers import Sealer
from incident.store.incidents import Incident
from incident.store.people import Person
from incident.store.sealed import sealers


@dataclass(frozen=True)
class Found:
    """Who was found, masked, by incident; and whether older incidents were left out."""

    people: Sequence[tuple[Incident, Sequence[people.Shown]]]
    searched: int
    whole: bool


def for_person(text: str, among: Select[Incident], *, actor: str, now: datetime) -> Found:
    """Who has exactly this contact or reference in any of these incidents. Raises Invalid, TooMany.

    The search leaves a line, and one more in each incident in which somebody was found; it never says what was looked for.
    """
    sought = people.sought(text)
    throttled.take(people.FIND, actor, now=now)
    with transaction(actor, now) as ledger:
        asked = rows.with_people(among)
        held = {incident.id: incident for incident in asked[: rows.MOST_INCIDENTS]}
        found = _found(held, sought)
        ledger.write("people.sought", actor, incidents=len(held), found=sum(len(who) for _, who in found))
        for incident, who in found:
            ledger.write("person.found", incident.ref, incident=incident.ref, found=len(who))
    shown = [(incident, people.veiled(incident.id, who)) for incident, who in found]
    return Found(shown, len(held), len(asked) <= rows.MOST_INCIDENTS)


def _found(held: dict[int, Incident], sought: Sequence[tuple[str, str]]) -> list[tuple[Incident, list[Person]]]:
    keys = sealers(held)
    marks: dict[int, set[bytes]] = defaultdict(set)
    for number, key in keys.items():
        marks[number] = {key.mark(purpose, value) for purpose, value in sought}
    hit = rows.holding([(number, mark) for number, those in marks.items() for mark in sorted(those)])
    found = [(held[number], _holders(number, keys[number], marks[number])) for number in sorted(hit, reverse=True)]
    return [(incident, who) for incident, who in found if who]


def _holders(incident: int, key: Sealer, marks: Any) -> list[Person]:
    """Those who hold one of these marks now, and not only once."""
    candidates = people.may_have(incident, marks)
    return [
        person for person in candidates if not marks.isdisjoint(people.marks_of(key, people.record_of(key, person)))
    ]
