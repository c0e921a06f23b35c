"""Looks for one person in every incident that the asker may know of, by an exact address, number or reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

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
        held = {incident.id: incident for incident, _ in asked[: rows.MOST_INCIDENTS]}
        keys = sealers([key for _, key in asked[: rows.MOST_INCIDENTS]])
        found = [(held[number], keys[number], who) for number, who in _found(keys, sought)]
        ledger.write("people.sought", actor, incidents=len(held), found=sum(len(who) for _, _, who in found))
        for incident, _, who in found:
            ledger.write("person.found", incident.ref, incident=incident.ref, found=len(who))
    shown = [(incident, people.veiled(key, who)) for incident, key, who in found]
    return Found(shown, len(held), len(asked) <= rows.MOST_INCIDENTS)


def _found(keys: Mapping[int, Sealer], sought: Sequence[tuple[str, str]]) -> list[tuple[int, list[Person]]]:
    """By incident, newest first, those who hold what is sought now, and not only once."""
    marks = {number: {key.mark(purpose, value) for purpose, value in sought} for number, key in keys.items()}
    candidates = rows.holders([(number, mark) for number, those in marks.items() for mark in sorted(those)])
    return [
        (number, who)
        for number, some in groupby(candidates, key=lambda person: person.incident_id)
        if (who := people.holding(keys[number], marks[number], some))
    ]
