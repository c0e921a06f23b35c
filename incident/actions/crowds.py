"""Whom a notice reaches and which duties it answers, as the rules for notices take them."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from incident.actions import people
from incident.domain import lawbook, obligations, places
from incident.domain.clock import Calendar
from incident.domain.facts import Facts
from incident.domain.musts import Cite, Crowd, Duty
from incident.domain.notices import Channel
from incident.domain.obligations import Standing
from incident.domain.people import Audience, Reach
from incident.store import audiences

REACHED_BY = {
    Channel.EMAIL: Reach.EMAIL,
    Channel.SMS: Reach.PHONE,
    Channel.CALL: Reach.PHONE,
    Channel.LETTER: Reach.ADDRESS,
    Channel.PUSH: Reach.PUSH,
}
TOLD = frozenset({"individuals", "public", "customers"})
"""To whom a duty speaks that a notice answers."""
NAMES = frozenset({"person.name", "person.for_whom"})


def crowd(incident_id: int, audience: Audience, channels: Iterable[Channel], fields: Iterable[str]) -> Crowd:
    """Return the audience in figures. What `fields` ask of each person is looked for in everybody's record."""
    found = audiences.counted(incident_id, audience)
    ways = Reach.NONE
    for channel in channels:
        ways |= REACHED_BY.get(channel, Reach.NONE)
    by_language: Counter[str] = Counter()
    for group in found:
        by_language[group.language] += group.people
    return Crowd(
        people=sum(group.people for group in found),
        by_language=dict(by_language),
        lacking=_lacking(incident_id, audience, frozenset(fields)),
        unreached=sum(group.people for group in found if not Reach(group.reach) & ways),
    )


def _lacking(incident_id: int, audience: Audience, fields: frozenset[str]) -> dict[str, int]:
    """Count who lacks a value; names are sealed, so they are opened batch by batch, looked at by nobody."""
    lacking: Counter[str] = Counter()
    if "person.exposed" in fields:
        lacking["person.exposed"] = audiences.without_kinds(incident_id, audience)
    if NAMES & fields:
        for batch in audiences.batches(incident_id, audience):
            for person in people.addressees(incident_id, [id_ for id_, _ in batch]).values():
                lacking["person.name"] += not person.name.strip()
                lacking["person.for_whom"] += not person.for_whom.strip()
    return {name: count for name, count in lacking.items() if count and name in fields}


def duties(facts: Facts, audience: Audience, today: date) -> tuple[Duty, ...]:
    """Return the duties to tell these people that are owed, with what their notice must hold."""
    return tuple(
        Duty(Cite(law.id, duty.cite.place, duty.cite.href, duty.confidence), duty.contents, duty.forbidden)
        for law in lawbook.library()
        if law.in_force and _meant(law.place, audience)
        for finding in obligations.found_in(law, facts, Calendar(law.place, law.zone), today)
        for duty in (finding.duty,)
        if finding.standing is Standing.OWED and TOLD & duty.names
    )


def _meant(place: str, audience: Audience) -> bool:
    """Return whether a law of this place can speak of an audience that is narrowed to some places."""
    return not audience.places or any(
        place == chosen or places.within(chosen, place) or places.within(place, chosen)
        for chosen in audience.places
        if chosen
    )
