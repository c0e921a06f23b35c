"""Whom a notice is for, in figures and by number: plain columns only, nothing sealed is opened here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, case, func, literal, or_, select

from incident.domain.deliveries import State as Outcome
from incident.domain.people import Audience, Digest, State
from incident.store import imports
from incident.store.db import db
from incident.store.reading import once

AT_ONCE = 5_000
IN_A_LIST = 500
TOLD = (Outcome.ACCEPTED, Outcome.DELIVERED, Outcome.CONFIRMED)
"""States of a delivery in which somebody was told, as far as is known."""


@dataclass(frozen=True)
class Group:
    """How many active people share wave, place, language, age and ways to be reached."""

    wave: int
    place: str
    language: str
    age: str
    reach: int
    people: int


def groups(incident_id: int, state: State = State.ACTIVE) -> list[Group]:
    """All active people of an incident, or those in another state, counted; from the tally, so that no page counts a million rows."""
    return [group for found, group in _by_state(incident_id) if found == state]


@once
def _by_state(incident_id: int) -> list[tuple[str, Group]]:
    tally = _table("person_tally")
    columns = tally.c.wave, tally.c.place, tally.c.language, tally.c.age, tally.c.reach
    query = (
        select(tally.c.state, *columns, func.sum(tally.c.n))
        .where(tally.c.incident_id == incident_id, tally.c.n > 0)
        .group_by(tally.c.state, *columns)
    )
    return [(state, Group(*rest)) for state, *rest in db.session.execute(query)]


def counted(incident_id: int, audience: Audience, state: State = State.ACTIVE) -> list[Group]:
    """The groups that this audience takes in; one that follows another notice is counted by its rows.

    With another state: those whom it would take in were they on the list.
    """
    if audience.follows:
        return _counted_by_rows(incident_id, audience, state)
    found = groups(incident_id, state)
    codes = audience.codes({group.place for group in found})
    return [
        group
        for group in found
        if (not audience.waves or group.wave in audience.waves)
        and (codes is None or group.place in codes)
        and (not audience.languages or group.language in audience.languages)
        and audience.covers_age(group.age)
    ]


def _counted_by_rows(incident_id: int, audience: Audience, state: State) -> list[Group]:
    person = _table("person")
    ways = ((person.c.has_email, 1), (person.c.has_phone, 2), (person.c.has_address, 4), (person.c.has_push, 8))
    reach = sum((case((has, bit), else_=0) for has, bit in ways), start=literal(0))
    columns = person.c.wave, person.c.place, person.c.language, person.c.age, reach
    query = select(*columns, func.count()).where(*_conditions(incident_id, audience, state)).group_by(*columns)
    return [Group(*row) for row in db.session.execute(query)]


def members(incident_id: int, audience: Audience, *, after: int = 0, limit: int = AT_ONCE) -> list[tuple[int, int]]:
    """Id and number of the next people of this audience, by number, after the one with the number `after`."""
    person = _table("person")
    query = select(person.c.id, person.c.number).where(*_conditions(incident_id, audience), person.c.number > after)
    return [(id_, number) for id_, number in db.session.execute(query.order_by(person.c.number).limit(limit))]


def batches(incident_id: int, audience: Audience) -> Iterator[list[tuple[int, int]]]:
    """Id and number of everybody in this audience, by number, some thousand at once."""
    after = 0
    while found := members(incident_id, audience, after=after):
        yield found
        after = found[-1][1]


def lacking(incident_id: int, audience: Audience, what: str, *, after: int, limit: int) -> list[int]:
    """The numbers of those of this audience who lack something, or are somebody a text is not made for; by number.

    `what` is `no.` with a channel (or several, joined by +: none of them), `language.` with a tag, `place.unknown`, or
    `state.` with the state of those who would be of it were they on the list.
    """
    person = _table("person")
    has = {"email": "has_email", "sms": "has_phone", "call": "has_phone", "letter": "has_address", "push": "has_push"}
    kind, _, which = what.partition(".")
    wanted: list[ColumnElement[bool]] = []
    state = State(which) if kind == "state" else State.ACTIVE
    if kind == "no":
        wanted = [person.c[has[word]].is_(False) for word in which.split("+") if word in has]
    elif kind != "state":
        wanted = [person.c[kind] == ("" if which == "unknown" else which)]
    query = select(person.c.number).where(*_conditions(incident_id, audience, state), person.c.number > after, *wanted)
    return list(db.session.scalars(query.order_by(person.c.number).limit(limit)))


def frozen(incident_id: int, audience: Audience) -> tuple[int, str]:
    """How many people this is at the moment, and the digest over their numbers."""
    digest = Digest()
    for batch in batches(incident_id, audience):
        digest.add(number for _, number in batch)
    return digest.count, digest.hexdigest()


def of_numbers(incident_id: int, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Id and number of those of these people who are on the list still, by number."""
    person = _table("person")
    query = select(person.c.id, person.c.number).where(
        person.c.incident_id == incident_id, person.c.state == State.ACTIVE, *_arrived(incident_id)
    )
    found: list[tuple[int, int]] = []
    for start in range(0, len(numbers), IN_A_LIST):
        part = query.where(person.c.number.in_(numbers[start : start + IN_A_LIST]))
        found += [(id_, number) for id_, number in db.session.execute(part.order_by(person.c.number))]
    return found


def without_kinds(incident_id: int, audience: Audience) -> int:
    """How many of them have no exposed kind of data on record."""
    person = _table("person")
    query = select(func.count()).select_from(person).where(*_conditions(incident_id, audience), person.c.exposed == "")
    return db.session.scalar(query) or 0


def without_code(incident_id: int, audience: Audience, remedy_id: int) -> int:
    """How many of them have no code of this remedy yet."""
    person, code = _table("person"), _table("remedy_code")
    held = select(code.c.id).where(code.c.remedy_id == remedy_id, code.c.person == person.c.number)
    query = select(func.count()).select_from(person)
    return db.session.scalar(query.where(*_conditions(incident_id, audience), ~held.correlate(person).exists())) or 0


def _conditions(incident_id: int, audience: Audience, state: State = State.ACTIVE) -> list[ColumnElement[bool]]:
    person = _table("person")
    codes = audience.codes({group.place for group in groups(incident_id, state)}) if audience.places else None
    found = [person.c.incident_id == incident_id, person.c.state == state, *_arrived(incident_id)]
    if audience.waves:
        found.append(person.c.wave.in_(audience.waves))
    if codes is not None:
        found.append(person.c.place.in_(codes))
    if audience.languages:
        found.append(person.c.language.in_(audience.languages))
    if audience.ages:
        found.append(person.c.age.in_(audience.ages))
    if audience.told_by:
        found.append(_on_the_list(incident_id, audience.told_by, TOLD))
    if audience.not_listed_by:
        found.append(~_on_the_list(incident_id, audience.not_listed_by))
    return found


def _arrived(incident_id: int) -> list[ColumnElement[bool]]:
    """That the list a person came with was read and compared to its end: until then nobody of it counts, or is told."""
    person, coming = _table("person"), imports.unsettled(incident_id)
    return [or_(person.c.import_id.is_(None), person.c.import_id.not_in(coming))] if coming else []


def _on_the_list(incident_id: int, notices: Sequence[str], states: Sequence[str] = ()) -> ColumnElement[bool]:
    """That a person stands on the list of a sending of these notices, in one of these states. Rehearsals do not count."""
    dispatch, delivery, person = _table("dispatch"), _table("delivery"), _table("person")
    query = select(dispatch.c.id, dispatch.c.notice_version_id, dispatch.c.simulated)
    query = query.where(dispatch.c.incident_id == incident_id, dispatch.c.notice_ref.in_(notices))
    sendings = db.session.execute(query.where(dispatch.c.first_attempt > 0)).all()
    listed = select(delivery.c.id).where(
        delivery.c.notice_version_id.in_({row.notice_version_id for row in sendings}),
        delivery.c.person_id == person.c.id,
        delivery.c.dispatch_id.in_({row.id for row in sendings}),
    )
    if states:
        drill = (Outcome.SIMULATED,) if any(row.simulated for row in sendings) else ()
        listed = listed.where(delivery.c.state.in_([*states, *drill]))
    return listed.correlate(person).exists()


def _table(name: str) -> Table:
    return db.metadata.tables[name]
