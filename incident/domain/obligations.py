"""Facts against laws: what is owed by when, what is open for want of which fact, what is not owed and why."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypeAlias

from incident.domain import clock
from incident.domain.clauses import YES, Answer, Clause, Truth, both
from incident.domain.clock import Calendar
from incident.domain.dues import NO_CLOCK, Before, Clock, Ticking
from incident.domain.facts import UNKNOWN, Facts
from incident.domain.lawbook import RECIPIENTS, Duty, Exemption, Law, Lawbook, Service, anchors
from incident.domain.ways import ANY, Ways, ways

Calendars: TypeAlias = Callable[[Law], Calendar]


class Standing(StrEnum):
    """What one duty says for one incident. `advised` is owed by no law, but asked for by its authority."""

    OWED = "owed"
    OPEN = "open"
    ADVISED = "advised"
    NOT_OWED = "not_owed"

    @property
    def words(self) -> str:
        """The word for people."""
        return self.value.replace("_", " ")


class Finding(NamedTuple):
    """What one duty says: its standing and why, the facts that would decide it, what could still lift it, its clock.

    `lifts` are the facts on which those doubts hang; `ways` says how the duty may be met.
    """

    duty: Duty
    standing: Standing
    because: tuple[str, ...]
    wants: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    clock: Clock = NO_CLOCK
    services: tuple[Service, ...] = ()
    lifts: tuple[str, ...] = ()
    ways: Ways = ANY
    wave: str = ""

    @property
    def ref(self) -> str:
        """The duty's name among all laws."""
        return self.duty.ref

    @property
    def key(self) -> str:
        """The name of this finding among those of its incident: the duty, and the wave of people where it is theirs."""
        return keyed(self.duty.ref, self.wave)

    @property
    def trace(self) -> str:
        """How the answer came about, in one sentence."""
        return traced(self.standing, self.because, self.duty.cite.place, self.clock.words)


def keyed(duty: str, wave: str) -> str:
    """A duty and the wave of people found later for whom it is, as one name."""
    return f"{duty}#{wave.replace(' ', '-')}" if wave else duty


def traced(standing: Standing, because: Iterable[str], cite: str, clock_words: str) -> str:
    """An answer with its reasons, its citation and its clock: "owed: People in Texas: 612 ≥ 250 (…); 30 days from … → …"."""
    said = f"{standing.words}: {', '.join(because) or 'always'} ({cite})"
    return said if standing is Standing.NOT_OWED or not clock_words else f"{said}; {clock_words}"


@dataclass(frozen=True)
class Presumed:
    """What a described case takes as given: its regime applies, the data is of the kind it protects, silence is a no."""

    scope: bool = False
    trigger: bool = False
    silence_is_no: bool = False


NOTHING_PRESUMED = Presumed()
NOTHING_DONE: Mapping[str, datetime] = {}
STARTED_BY = {
    ("authority", ""): "commissioner_notified_at",
    ("authority", "initial"): "initial_submitted_at",
    ("authority", "early_warning"): "initial_submitted_at",
    ("authority", "incident_notification"): "notification_submitted_at",
    ("authority", "intermediate"): "intermediate_submitted_at",
    ("individuals", ""): "individuals_notified_at",
}
"""The moment that meeting a duty makes known to the other clocks of its law."""


def found(
    facts: Facts,
    book: Lawbook,
    calendars: Calendars,
    today: date,
    done: Mapping[str, datetime] = NOTHING_DONE,
    told: bool = True,
) -> tuple[Finding, ...]:
    """What every duty of every law says, in the order of the files.

    `today` counts while no date of the incident is known; `done` says when duties were met, which starts the clocks that
    run from a notice or a report of the same law. Not `told`: without the words of clocks and ways, to compare alone.
    """
    each = (found_in(law, after(law, facts, done), calendars(law), today, told=told) for law in book)
    return tuple(chain.from_iterable(each))


def after(law: Law, facts: Facts, done: Mapping[str, datetime]) -> Facts:
    """The facts with what was done under this law: its own notices and reports come before what is recorded for all."""
    moments: dict[str, datetime] = {}
    for duty in law.duties if done else ():
        key = STARTED_BY.get((duty.to, duty.stage)) or STARTED_BY.get((duty.to, ""))
        if duty.ref in done and key:
            moments[key] = min(done[duty.ref], moments.get(key, done[duty.ref]))
            if duty.to == "authority":
                first = moments.get("commissioner_notified_at", done[duty.ref])
                moments["commissioner_notified_at"] = min(done[duty.ref], first)
    return facts.with_(moments) if moments else facts


def found_in(
    law: Law,
    facts: Facts,
    calendar: Calendar,
    today: date,
    presumed: Presumed = NOTHING_PRESUMED,
    told: bool = True,
) -> tuple[Finding, ...]:
    """What each duty of one law says, in the order of the file."""
    reaches = _reaches(law, facts, presumed)
    stops = next((answer for answer in reaches if answer.truth is Truth.NO), None)
    if stops:
        return tuple([Finding(duty, Standing.NOT_OWED, stops.because) for duty in law.duties])
    findings: dict[str, Finding] = {}
    others: dict[str, Before] = {}
    ticking = Ticking(facts, calendar, law_day(facts, calendar, today), others, presumed.silence_is_no, told)
    weighed: dict[Clause, Answer] = {}
    for duty in law.in_order:
        if duty.when not in weighed:
            weighed[duty.when] = _once(both((*reaches, duty.when(facts))))
        findings[duty.id] = finding = _finding(duty, weighed[duty.when], ticking)
        if finding.standing is not Standing.NOT_OWED:
            others[duty.id] = Before(duty.to, duty.title, finding.clock)
    return tuple(findings[duty.id] for duty in law.duties)


def law_day(facts: Facts, calendar: Calendar, today: date) -> date:
    """The day whose law counts: when it was discovered, or else the first moment known of it, or else today."""
    key = ("law_day", calendar.zone, today)
    if key not in facts.memo:
        facts.memo[key] = _law_day(facts, calendar, today)
    day: date = facts.memo[key]
    return day


def _law_day(facts: Facts, calendar: Calendar, today: date) -> date:
    for key in ("discovered_at", "aware_at", "detected_at", "noticed_at"):
        moment = facts[key]
        if isinstance(moment, date):
            return clock.local_day(moment, calendar.zone)
    known = [moment for key in anchors() if isinstance(moment := facts[key], date)]
    return min((clock.local_day(moment, calendar.zone) for moment in known), default=today)


def _reaches(law: Law, facts: Facts, presumed: Presumed) -> tuple[Answer, ...]:
    """Whether the law speaks of this organisation, these people and this data at all."""
    if law.overruled:
        return (Answer(Truth.NO, (law.overruled,)),)
    if not law.in_force:
        return (Answer(Truth.NO, (f"Not in force: {law.status}",)),)
    scope = law.scope(facts)
    if presumed.scope and scope.truth is Truth.OPEN:
        scope = Answer(Truth.YES, (f"{law.short} is taken to apply",))
    if scope.truth is Truth.NO:
        return (scope,)
    trigger = law.trigger(facts.with_({"data_kinds": UNKNOWN}) if presumed.trigger else facts)
    if presumed.trigger and trigger.truth is Truth.OPEN:
        trigger = _taken_as_given(law, facts, trigger)
    return scope, trigger


def _taken_as_given(law: Law, facts: Facts, trigger: Answer) -> Answer:
    """What triggers a law is taken as given, unless the case itself says no to it and is silent on the rest."""
    silent = law.trigger(facts.with_(dict.fromkeys(trigger.wants, False)))
    if silent.truth is Truth.NO and any(facts.known(key) for key in silent.rests):
        return silent
    return YES


def _finding(duty: Duty, answer: Answer, ticking: Ticking) -> Finding:
    """What a duty says, by the answer that its law's reach and its own condition give together."""
    out = _not_in_force(duty, ticking.day)
    if out:
        return Finding(duty, Standing.NOT_OWED, (out,))
    if answer.truth is Truth.NO:
        return Finding(duty, Standing.NOT_OWED, answer.because)
    doubts: list[tuple[str, tuple[str, ...]]] = []
    for exemption in duty.unless:
        found = exemption.when(ticking.facts)
        if found.truth is Truth.YES:
            return Finding(duty, Standing.NOT_OWED, _grounds(duty, ticking.facts))
        if found.truth is Truth.OPEN:
            doubts.append((exemption.says, found.wants))
    return Finding(
        duty,
        _standing(duty, answer),
        answer.because,
        answer.wants,
        tuple([says for says, _ in doubts]),
        ticking.clock(duty),
        tuple([service for service in duty.services if service.when(ticking.facts).truth is Truth.YES]),
        tuple(dict.fromkeys([key for _, wants in doubts for key in wants])),
        ways(duty, ticking.facts) if ticking.told else ANY,
    )


def _grounds(duty: Duty, facts: Facts) -> tuple[str, ...]:
    """Every ground on which a duty falls away."""
    found = [(exemption, exemption.when(facts)) for exemption in duty.unless]
    return tuple(_lifted(exemption, answer) for exemption, answer in found if answer.truth is Truth.YES)


def _once(answer: Answer) -> Answer:
    """The answer without the reasons that another one says with more: 612 ≥ 250 says that there are 612."""
    return answer if len(answer.because) == 1 else answer._replace(because=_said_once(answer.because))


@lru_cache(maxsize=4096)
def _said_once(because: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(said for said in because if not any(other.startswith(f"{said} ") for other in because))


def _lifted(exemption: Exemption, found: Answer) -> str:
    """The ground on which a duty falls away, the facts that show it, and what must be kept, or told, to rely on it."""
    said = f"{exemption.says}. {', '.join(found.because)}"
    if exemption.keep:
        kept = f" for {exemption.keep_years} years" if exemption.keep_years else ""
        said += f". Keep {exemption.keep}{kept}"
    if exemption.tell:
        said += f". Tell {RECIPIENTS[exemption.tell]} of it"
    return said


def _standing(duty: Duty, answer: Answer) -> Standing:
    if answer.truth is Truth.OPEN:
        return Standing.OPEN
    return Standing.ADVISED if duty.voluntary else Standing.OWED


def _not_in_force(duty: Duty, day: date) -> str:
    if duty.since and day < duty.since:
        return f"In force only from {duty.since.day} {duty.since:%b %Y}"
    if duty.until and day >= duty.until:
        return f"No longer in force since {duty.until.day} {duty.until:%b %Y}"
    return ""


def by_ref(findings: Iterable[Finding]) -> Mapping[str, Finding]:
    """The findings by the reference of their duty, with their wave where they have one."""
    return {finding.key: finding for finding in findings}
