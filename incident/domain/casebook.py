"""The cases of a law: facts and what each duty must say of them; and what a law's cases leave untried.

An expectation is "owed", "owed by <instant>", "advised", "open", "open: <facts that would decide>" or "not owed".
Demanded of a law are cases for owed, not owed and unknown, for each exception, both sides of each threshold, the day before it
applied, and for each of its duties.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from incident.domain.answers import Truth
from incident.domain.clauses import read
from incident.domain.clock import Calendar
from incident.domain.editions import LawText
from incident.domain.errors import Invalid
from incident.domain.facts import Facts, from_json, to_json
from incident.domain.laws import Law
from incident.domain.obligations import Finding, Standing, found_in, law_day
from incident.domain.subjects import COMPARISONS

STANDINGS = ("owed", "advised", "open", "not owed")
HOLDS = {"least": 0, "more": 1, "most": 0, "less": -1}
FAILS = {"least": -1, "more": 0, "most": 1, "less": 0}
"""How far from its limit a number lies that just meets a comparison, and one that just misses it."""


class BadCases(Exception):
    """A file of cases cannot be used; the message says why."""


@dataclass(frozen=True)
class Case:
    """One case: its name, the facts, and by duty what is expected."""

    name: str
    facts: Facts
    expect: Mapping[str, str]


@dataclass(frozen=True)
class Threshold:
    """A number that a law compares: where, what is counted, and the limit."""

    where: str
    key: str
    region: str
    word: str
    limit: int

    def words(self) -> str:
        """The threshold as people read it."""
        counted = f"{self.key} in {self.region}" if self.region else self.key
        return f"{self.where}: {counted}, {COMPARISONS[self.word]} {self.limit:,}"


def cases_of(text: LawText) -> tuple[Case, ...]:
    """The cases of a file. Raises BadCases."""
    try:
        held = tomllib.loads(text.data.decode("utf-8")).get("case", [])
        return tuple(_case(row) for row in held)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadCases(f"{text.path}: not a TOML file: {error}.") from None
    except Invalid as error:
        raise BadCases(f"{text.path}: {error.field}: {error.sentence}") from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise BadCases(f"{text.path}: a case has 'name', 'facts' and 'expect'.") from None


def _case(row: Mapping[str, Any]) -> Case:
    raw = {key: to_json(value) if isinstance(value, datetime) else value for key, value in row["facts"].items()}
    return Case(str(row["name"]), from_json(raw), dict(row["expect"]))


def said(finding: Finding, expected: str) -> str:
    """The finding in the words of the expectation: as much of it as the expectation says."""
    if finding.standing is Standing.OPEN and expected.startswith("open:"):
        return f"open: {', '.join(sorted(finding.wants))}"
    if finding.standing is Standing.OWED and expected.startswith("owed by"):
        return f"owed by {to_json(finding.clock.due) if finding.clock.due else 'no time'}"
    if finding.standing is Standing.OWED and finding.clock.due:
        return "owed by a time"
    return finding.standing.words


@dataclass(frozen=True)
class Trial:
    """A law with its cases, tried on a day."""

    law: Law
    text: LawText
    cases: Sequence[Case]
    calendar: Calendar
    today: date

    @cached_property
    def findings(self) -> tuple[Mapping[str, Finding], ...]:
        """What the law says of each case, by duty."""
        return tuple(
            {one.duty.id: one for one in found_in(self.law, case.facts, self.calendar, self.today)}
            for case in self.cases
        )

    def failures(self) -> Iterator[str]:
        """A sentence for each expectation that does not come out, or that names no duty of the law."""
        for case, findings in zip(self.cases, self.findings, strict=True):
            for duty, expected in case.expect.items():
                if duty not in findings:
                    yield f"{self.law.id}, “{case.name}”: there is no duty {duty!r}"
                elif said(findings[duty], expected) != expected:
                    got = said(findings[duty], expected)
                    yield f"{self.law.id}, “{case.name}”: {duty}: expected {expected!r}, got {got!r}"

    def gaps(self) -> Iterator[str]:
        """A sentence for each thing that no case tries."""
        yield from (f"{self.law.id}: no case {words}" for words in self._untried())

    def _untried(self) -> Iterator[str]:
        answers = [answer for case in self.cases for answer in case.expect.values()]
        if self.law.in_force and not any(answer.startswith(("owed", "advised")) for answer in answers):
            yield "in which something is owed"
        if self.law.in_force and not any(answer.startswith("open") for answer in answers):
            yield "in which a fact is unknown and a duty open"
        if "not owed" not in answers:
            yield "in which nothing is owed"
        named = {duty for case in self.cases for duty in case.expect}
        yield from (f"names the duty {duty.id}" for duty in self.law.duties if duty.id not in named)
        if self.law.in_force and not self._day_before():
            yield "on the day before it applied"
        yield from self._exemptions()
        yield from self._thresholds()

    def _day_before(self) -> bool:
        """Whether some duty is tried, and not owed, on the day before it came into force."""
        starts = {duty.id: duty.since - timedelta(days=1) for duty in self.law.duties if duty.since}
        return any(
            starts.get(duty) == law_day(case.facts, self.calendar, self.today)
            for case in self.cases
            for duty, expected in case.expect.items()
            if expected == "not owed"
        )

    def _exemptions(self) -> Iterator[str]:
        """Each exception must be shown in some case of a duty that is then not owed."""
        tried: set[str] = set()
        wanted: dict[str, None] = {}
        for duty in self.law.duties:
            for exemption in duty.unless:
                wanted[exemption.says] = None
        for case, findings in zip(self.cases, self.findings, strict=True):
            for named in case.expect:
                finding = findings.get(named)
                if finding is not None and finding.standing is Standing.NOT_OWED:
                    tried |= {one.says for one in finding.duty.unless if one.when(case.facts).truth is Truth.YES}
        if self.law.in_force:
            yield from (f"shows the exception “{says}”" for says in wanted if says not in tried)

    def _thresholds(self) -> Iterator[str]:
        for threshold in dict.fromkeys(thresholds(self.text, self.law.place)) if self.law.in_force else ():
            sides = [
                (threshold.limit + HOLDS[threshold.word], "just meets"),
                (threshold.limit + FAILS[threshold.word], "just misses"),
            ]
            yield from (
                f"{verb} the threshold ({threshold.words()}): with {number:,}"
                for number, verb in sides
                if number >= 0 and not any(_has(threshold, number, case.facts) for case in self.cases)
            )


def _has(threshold: Threshold, number: int, facts: Facts) -> bool:
    """Whether what the threshold counts is this number."""
    where = {"in": threshold.region} if threshold.key == "residents" else {}
    same = {threshold.key: {"least": number, "most": number, **where}}
    return read(same, threshold.region)(facts).truth is Truth.YES


def thresholds(text: LawText, place: str) -> Iterator[Threshold]:
    """Every number that scope, trigger, conditions, exceptions and deadlines of a law compare; "at least one" is none."""
    raw = tomllib.loads(text.data.decode("utf-8"))
    for key in ("scope", "trigger", "unless"):
        yield from _compared("the law", raw.get(key), place)
    for duty in raw.get("duty", ()):
        for key in ("when", "unless", "deadline"):
            yield from _compared(str(duty.get("id")), _only_when(duty.get(key), key), place)


def _only_when(part: Any, key: str) -> Any:
    """Of deadlines, the conditions alone: their own numbers are lengths of time."""
    if key != "deadline":
        return part
    rows = part if isinstance(part, list) else [part]
    return [row.get("when") for row in rows if isinstance(row, Mapping)]


def _compared(where: str, part: Any, place: str) -> Iterator[Threshold]:
    if isinstance(part, list):
        for one in part:
            yield from _compared(where, one, place)
    if not isinstance(part, Mapping):
        return
    for key, value in part.items():
        limits = _limits(value)
        region = str(value.get("in", place)) if limits else ""
        for word, limit in limits:
            if (word, limit) not in {("least", 1), ("more", 0), ("less", 1), ("most", 0)}:
                yield Threshold(
                    where, key, region if key in {"residents", "told_at_once", "largest_state"} else "", word, limit
                )
        if not limits:
            yield from _compared(where, value, place)


def _limits(value: Any) -> list[tuple[str, int]]:
    if not isinstance(value, Mapping):
        return []
    return [(word, limit) for word, limit in value.items() if word in COMPARISONS and type(limit) is int]


def tried(
    laws: Iterable[tuple[Law, LawText, Sequence[Case]]], calendars: Callable[[Law], Calendar], today: date
) -> Iterator[Trial]:
    """A trial of each law."""
    return (Trial(law, text, cases, calendars(law), today) for law, text, cases in laws)
