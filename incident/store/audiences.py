"""Whom a notice is for, in figures and by number: plain columns only, nothing sealed is opened here."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, func, select

from incident.domain.people import Audience, Digest, State
from incident.store.db import db

AT_ONCE = 5_000


@dataclass(frozen=True)
class Group:
    """How many active people share wave, place, language, age and ways to be reached."""

    wave: int
    place: str
    language: str
    age: str
    reach: int
    people: int


def groups(incident_id: int) -> list[Group]:
    """All active people of an incident, counted; from the tally, so that no page counts a million rows."""
    tally = _table("person_tally")
    columns = tally.c.wave, tally.c.place, tally.c.language, tally.c.age, tally.c.reach
    query = (
        select(*columns, func.sum(tally.c.n))
        .where(tally.c.incident_id == incident_id, tally.c.state == State.ACTIVE, tally.c.n > 0)
        .group_by(*columns)
    )
    return [Group(*row) for row in db.session.execute(query)]


def counted(incident_id: int, audience: Audience) -> list[Group]:
    """The groups that this audience takes in."""
    found = groups(incident_id)
    codes = audience.codes({group.place for group in found})
    return [
        group
        for group in found
        if (not audience.waves or group.wave in audience.waves)
        and (codes is None or group.place in codes)
        and (not audience.languages or group.language in audience.languages)
        and audience.covers_age(group.age)
    ]


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


def frozen(incident_id: int, audience: Audience) -> tuple[int, str]:
    """How many people this is at the moment, and the digest over their numbers."""
    digest = Digest()
    for batch in batches(incident_id, audience):
        digest.add(number for _, number in batch)
    return digest.count, digest.hexdigest()


def without_kinds(incident_id: int, audience: Audience) -> int:
    """How many of them have no exposed kind of data on record."""
    person = _table("person")
    query = select(func.count()).select_from(person).where(*_conditions(incident_id, audience), person.c.exposed == "")
    return db.session.scalar(query) or 0


def _conditions(incident_id: int, audience: Audience) -> list[ColumnElement[bool]]:
    person = _table("person")
    codes = audience.codes({group.place for group in groups(incident_id)}) if audience.places else None
    found = [person.c.incident_id == incident_id, person.c.state == State.ACTIVE]
    if audience.waves:
        found.append(person.c.wave.in_(audience.waves))
    if codes is not None:
        found.append(person.c.place.in_(codes))
    if audience.languages:
        found.append(person.c.language.in_(audience.languages))
    if audience.ages:
        found.append(person.c.age.in_(audience.ages))
    return found


def _table(name: str) -> Table:
    return db.metadata.tables[name]
