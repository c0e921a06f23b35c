"""Whom a notice reaches and which duties it answers, as the rules for notices take them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from incident.actions import people
from incident.domain import lawbook, places
from incident.domain import public_tasks as public_task_rules
from incident.domain.clauses import Truth
from incident.domain.facts import Facts
from incident.domain.musts import Cite, Crowd, Duty
from incident.domain.notices import Channel
from incident.domain.people import Audience, Reach
from incident.domain.remedies import Owed
from incident.store import audiences, law_editions, obligations, public_tasks

REACHED_BY = {
    Channel.EMAIL: Reach.EMAIL,
    Channel.SMS: Reach.PHONE,
    Channel.CALL: Reach.PHONE,
    Channel.LETTER: Reach.ADDRESS,
    Channel.PUSH: Reach.PUSH,
}
TOLD = frozenset({"individuals", "public", "customers"})
"""To whom a duty speaks that a notice answers."""
SERVICES = {"id_theft_prevention": "identity theft prevention", "credit_monitoring": "credit monitoring"}
NAMES = frozenset({"person.name", "person.for_whom"})


def crowd(
    incident_id: int, audience: Audience, channels: Iterable[Channel], lacking: Mapping[str, int] | None = None
) -> Crowd:
    """Return the audience in figures, from the tally. `lacking` is what `lacking()` found, where it was asked."""
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
        lacking=lacking or {},
        unreached=sum(group.people for group in found if not Reach(group.reach) & ways),
    )


def lacking(incident_id: int, audience: Audience, fields: frozenset[str]) -> dict[str, int]:
    """Return how many people lack a value for each of these fields.

    Names are sealed: they are opened batch by batch, looked at by nobody. That takes seconds for a hundred thousand
    people, so call it before a write transaction, never in one.
    """
    counted: Counter[str] = Counter()
    if "person.exposed" in fields:
        counted["person.exposed"] = audiences.without_kinds(incident_id, audience)
    if NAMES & fields:
        for batch in audiences.batches(incident_id, audience):
            for person in people.addressees(incident_id, [id_ for id_, _ in batch]).values():
                counted["person.name"] += not person.name.strip()
                counted["person.for_whom"] += not person.for_whom.strip()
    return {name: count for name, count in counted.items() if count and name in fields}


def duties(incident_id: int, audience: Audience, facts: Facts) -> tuple[Duty, ...]:
    """Return the duties to tell these people that stand as owed and are not waived, with what their notice must hold."""
    book = law_editions.of_incident(incident_id)
    owed = dict.fromkeys(
        finding.duty
        for finding in obligations.current(incident_id).values()
        if finding.standing == "owed" and finding.state != "waived"
    )
    found = [book.duty(duty) for duty in owed]
    return tuple(
        _duty(duty, facts)
        for duty in found
        if duty is not None and TOLD & duty.names and meant(book[duty.law].place, audience)
    )


def guardians(incident_id: int, audience: Audience) -> tuple[str, ...]:
    """Return, of the duties owed to these people, the laws that want guardians told of children, each with its age."""
    book = law_editions.of_incident(incident_id)
    found: dict[str, None] = {}
    for finding in obligations.current(incident_id).values():
        duty = book.duty(finding.duty) if finding.standing == "owed" and finding.state != "waived" else None
        if duty is None or not TOLD & duty.names or not meant(book[duty.law].place, audience):
            continue
        if duty.guardian_under:
            found[f"{book[duty.law].short}, of people under {duty.guardian_under}"] = None
    return tuple(found)


def begun_for(notice_id: int) -> tuple[Duty, ...]:
    """Return what the notice has to hold because it was begun to tell the public or the media, as some law says."""
    return tuple(public_task_rules.duty_of(row.evidence) for row in public_tasks.of_notice(notice_id))


def _duty(duty: lawbook.Duty, facts: Facts) -> Duty:
    services = [service for service in duty.services if service.when(facts).truth is Truth.YES]
    return Duty(
        Cite(duty.law, duty.cite.place, duty.cite.href, duty.confidence),
        duty.contents,
        duty.forbidden,
        tuple(
            f"{SERVICES.get(service.what, service.what.replace('_', ' '))}, {service.months} months"
            for service in services
        ),
        duty.channels,
        tuple(Owed(service.what, service.months) for service in services),
    )


def meant(place: str, audience: Audience) -> bool:
    """Return whether a law of this place can speak of an audience that is narrowed to some places."""
    return not audience.places or any(
        place == chosen or places.within(chosen, place) or places.within(place, chosen)
        for chosen in audience.places
        if chosen
    )
