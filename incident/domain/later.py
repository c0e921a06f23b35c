"""What is owed for people found later: notices of their own, a supplement where a law stages it, a threshold reached late."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from incident.domain.facts import Facts
from incident.domain.lawbook import Law, Lawbook
from incident.domain.obligations import NOTHING_DONE, Calendars, Finding, Standing, after, found, found_in, keyed
from incident.domain.recalled import recalled
from incident.domain.waves import KNOWING, Wave, before, moments_of

STANDING = frozenset({Standing.OWED, Standing.ADVISED, Standing.OPEN})
OWED = frozenset({Standing.OWED, Standing.ADVISED})


def found_with(
    waves: Sequence[Wave],
    facts: Facts,
    book: Lawbook,
    calendars: Calendars,
    today: date,
    done: Mapping[str, datetime] = NOTHING_DONE,
    told: bool = True,
) -> tuple[Finding, ...]:
    """What every duty says, and what is owed for each of these waves beside it; without waves, as `found`."""
    first = (
        found(facts, book, calendars, today, done, told) if done else recalled(facts, book, calendars, today, told=told)
    )
    if not waves:
        return first
    ordered = sorted(waves, key=lambda wave: (wave.discovered_at, wave.number))
    reached = _reached_late(first, ordered, facts, book, calendars, today, done)
    theirs = [one for wave in ordered for one in _theirs(wave, facts, book, calendars, today, done)]
    return (*(reached.get(one.ref, one) for one in first), *theirs)


def _theirs(
    wave: Wave, facts: Facts, book: Lawbook, calendars: Calendars, today: date, done: Mapping[str, datetime]
) -> Iterable[Finding]:
    """The duties to the people of a wave, and the supplements that its discovery starts, each with its own clock."""
    own = {law.id: law for law in book if wave.lives_in(law.place)}
    for law in own.values():
        told = {duty.ref: done[keyed(duty.ref, wave.word)] for duty in law.duties if keyed(duty.ref, wave.word) in done}
        known = after(law, moments_of(wave, after(law, facts, done)), told)
        for one in found_in(law, known, calendars(law), today):
            if one.standing in STANDING and _is_theirs(one):
                yield one._replace(wave=wave.word)


def _is_theirs(one: Finding) -> bool:
    if one.duty.to == "individuals":
        return True
    return one.duty.stage == "supplementary" and one.clock.anchor in {*KNOWING, "individuals_notified_at"}


def _reached_late(
    first: Iterable[Finding],
    waves: Sequence[Wave],
    facts: Facts,
    book: Lawbook,
    calendars: Calendars,
    today: date,
    done: Mapping[str, datetime],
) -> dict[str, Finding]:
    """Duties to others than people that are owed only since a wave was counted: their clocks run from its discovery."""
    owed = {one.ref for one in first if one.standing in OWED and one.duty.to != "individuals"}
    without = before(facts, waves)
    late: dict[str, Finding] = {}
    for law in book:
        if not any(duty.ref in owed for duty in law.duties):
            continue
        earlier = _standing(law, without, calendars, today, done)
        missing = {ref for ref, one in earlier.items() if ref in owed and one.standing is Standing.NOT_OWED}
        for number, wave in enumerate(waves, 1):
            if not missing:
                break
            through = _standing(law, moments_of(wave, before(facts, waves[number:])), calendars, today, done)
            reached = {ref for ref in missing if through[ref].standing in OWED}
            late |= {ref: _told(through[ref], wave) for ref in reached}
            missing -= reached
    return late


def _standing(
    law: Law, facts: Facts, calendars: Calendars, today: date, done: Mapping[str, datetime]
) -> dict[str, Finding]:
    return {one.ref: one for one in found_in(law, after(law, facts, done), calendars(law), today)}


def _told(one: Finding, wave: Wave) -> Finding:
    return one._replace(
        because=(*one.because, f"Only since {wave.word} was counted, so the clock runs from its discovery")
    )
