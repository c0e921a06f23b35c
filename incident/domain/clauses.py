"""Clauses of a law over facts, with three answers: yes, no, and open for want of named facts.

Beside facts, a clause may speak of what a law counts: residents of its place, people told at one time, kinds of data.
Each answer carries the sentences it rests on, so that a finding can say why.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from incident.domain import places
from incident.domain.cac import graded
from incident.domain.facts import UNKNOWN, Facts, Unknown, shown, vocabulary

SUBJECTS = (
    "residents",
    "people",
    "told_at_once",
    "largest_state",
    "kinds",
    "flags",
    "established",
    "places",
    "cac_level",
)
COMPARISONS = {"least": "at least", "more": "more than", "most": "at most", "less": "fewer than"}
ASK_FOR = {
    "people": "people_count",
    "told_at_once": "residents",
    "largest_state": "residents",
    "pi_people_cn": "residents",
}


class Truth(Enum):
    """What a clause answers."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


OPPOSITE = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.OPEN: Truth.OPEN}


@dataclass(frozen=True)
class Answer:
    """The truth of a clause, the sentences it rests on, and the facts that would decide it while it is open."""

    truth: Truth
    because: tuple[str, ...] = ()
    wants: frozenset[str] = frozenset()


YES = Answer(Truth.YES)

Clause: TypeAlias = Callable[[Facts], Answer]


class BadClause(ValueError):
    """A clause that cannot be read; the message says what is wrong."""


def always(_: Facts) -> Answer:
    """The clause of a duty that has none."""
    return YES


def both(parts: Iterable[Answer]) -> Answer:
    """The answer of "all": one no settles it."""
    answers = tuple(parts)
    for truth in (Truth.NO, Truth.OPEN):
        found = [answer for answer in answers if answer.truth is truth]
        if found:
            return _joined(truth, found[:1] if truth is Truth.NO else found)
    return _joined(Truth.YES, answers)


def either(parts: Iterable[Answer]) -> Answer:
    """The answer of "any": one yes settles it."""
    answers = tuple(parts)
    for truth in (Truth.YES, Truth.OPEN):
        found = [answer for answer in answers if answer.truth is truth]
        if found:
            return _joined(truth, found)
    return _joined(Truth.NO, answers)


def _joined(truth: Truth, answers: Iterable[Answer]) -> Answer:
    because: dict[str, None] = {}
    wants: set[str] = set()
    for answer in answers:
        because.update(dict.fromkeys(answer.because))
        wants |= answer.wants if truth is Truth.OPEN else frozenset()
    return Answer(truth, tuple(because), frozenset(wants))


def _open(label: str, key: str) -> Answer:
    return Answer(Truth.OPEN, (_said(label, "not known yet"),), frozenset({ASK_FOR.get(key, key)}))


def _said(label: str, words: str) -> str:
    """A question with its answer, or a label with its value."""
    return f"{label} {words}" if label.endswith("?") else f"{label}: {words}"


def read(raw: object, place: str) -> Clause:
    """The clause that a table of a law file means; `place` is the law's own. Raises BadClause."""
    if not isinstance(raw, Mapping) or not raw:
        raise BadClause("a clause is a table such as { personal_data = true }")
    parts = [_part(key, value, place) for key, value in raw.items()]
    if len(parts) == 1:
        return parts[0]
    return lambda facts: both(part(facts) for part in parts)


def _part(key: str, value: Any, place: str) -> Clause:
    if key in {"all", "any"}:
        return _group(key, value, place)
    if key == "not":
        return _not(read(value, place))
    if key in _SUBJECT_READERS:
        return _SUBJECT_READERS[key](key, value, place)
    if key not in vocabulary():
        raise BadClause(f"{key!r} is neither a fact of facts.toml nor one of {', '.join(SUBJECTS)}")
    return _fact(key, value)


def _not(inner: Clause) -> Clause:
    def clause(facts: Facts) -> Answer:
        answer = inner(facts)
        return Answer(OPPOSITE[answer.truth], answer.because, answer.wants)

    return clause


def _group(key: str, value: Any, place: str) -> Clause:
    if not isinstance(value, list) or not value:
        raise BadClause(f"{key!r} takes a list of clauses")
    parts = [read(one, place) for one in value]
    join = both if key == "all" else either
    return lambda facts: join(part(facts) for part in parts)


def _fact(key: str, value: Any) -> Clause:
    entry = vocabulary()[key]
    if isinstance(value, Mapping):
        if entry.type != "number":
            raise BadClause(f"{key!r} is no number and cannot be compared")
        return _number(key, value, lambda facts: facts[key], entry.label)
    wanted = value if isinstance(value, list) else [value]
    offered: list[Any] = [True, False] if entry.type == "yes_no" else [option.word for option in entry.options]
    strange = [one for one in wanted if one not in offered]
    if strange or not wanted:
        raise BadClause(f"{key!r} has no answer {strange[0] if strange else value!r}")

    def clause(facts: Facts) -> Answer:
        known = facts[key]
        if known is UNKNOWN:
            return _open(entry.label, key)
        hit = bool(set(known) & set(wanted)) if isinstance(known, tuple) else known in wanted
        return Answer(Truth.YES if hit else Truth.NO, (_said(entry.label, shown(key, known)),))

    return clause


def _number(key: str, value: Any, count: Callable[[Facts], Any], what: str) -> Clause:
    tests = [(word, limit) for word, limit in value.items() if word != "in"] if isinstance(value, Mapping) else []
    if not tests or any(word not in COMPARISONS or type(limit) is not int for word, limit in tests):
        raise BadClause(f"{key!r} is compared with {', '.join(COMPARISONS)} and whole numbers, as in {{ least = 500 }}")
    limits = " and ".join(f"{COMPARISONS[word]} {limit:,}" for word, limit in tests)

    def clause(facts: Facts) -> Answer:
        number = count(facts)
        if number is UNKNOWN:
            return _open(what, key)
        holds = all(_compares(word, number, limit) for word, limit in tests)
        asked = "" if holds and tests == [("least", 1)] else f", the law asks for {limits}"
        return Answer(Truth.YES if holds else Truth.NO, (f"{what}: {number:,}{asked}",))

    return clause


def _compares(word: str, number: int | float, limit: int) -> bool:
    if word == "least":
        return number >= limit
    if word == "more":
        return number > limit
    return number <= limit if word == "most" else number < limit


def _residents(key: str, value: Any, place: str) -> Clause:
    region = str(value.get("in", place)) if isinstance(value, Mapping) else place
    return _number(key, value, lambda facts: facts.people_in(region), f"People in {places.named(region)}")


def _people(key: str, value: Any, _: str) -> Clause:
    return _number(key, value, total, "People concerned")


def total(facts: Facts) -> int | Unknown:
    """How many people are concerned: the count given, or else the sum over the places."""
    counted = facts["people_count"]
    if isinstance(counted, int):
        return counted
    residents = facts["residents"]
    return sum(residents.values()) if isinstance(residents, Mapping) else UNKNOWN


def _told_at_once(key: str, value: Any, place: str) -> Clause:
    """How many persons a law makes one tell at one time: the number told, or else its residents."""

    def count(facts: Facts) -> Any:
        told = facts["total_notified"]
        return facts.people_in(place) if told is UNKNOWN else told

    return _number(key, value, count, f"People told at one time ({places.named(place)})")


def _largest_state(key: str, value: Any, place: str) -> Clause:
    def count(facts: Facts) -> Any:
        residents = facts["residents"]
        if not isinstance(residents, Mapping):
            return UNKNOWN
        return max((n for code, n in residents.items() if code != place and places.within(code, place)), default=0)

    return _number(key, value, count, "People in the state with the most")


def _kinds(key: str, value: Any, _: str) -> Clause:
    """At least one of these kinds of data, or of kinds with one of these flags."""
    wanted = [value] if isinstance(value, str) else value
    known = vocabulary().kinds
    marks = {flag for kind in known.values() for flag in kind.flags} if key == "flags" else set(known)
    if not isinstance(wanted, list) or not wanted or not set(wanted) <= marks:
        raise BadClause(f"{key!r} names something that facts.toml does not have: {value!r}")

    def clause(facts: Facts) -> Answer:
        held = facts["data_kinds"]
        if not isinstance(held, tuple):
            return _open("Kinds of personal data", "data_kinds")
        hits = [
            word
            for word in held
            if word in known and (word in wanted if key == "kinds" else known[word].flags & set(wanted))
        ]
        words = ", ".join(known[word].en for word in (hits or held) if word in known)
        return Answer(Truth.YES if hits else Truth.NO, (f"Kinds of data: {words or 'none'}",))

    return clause


def _established(_: str, value: Any, place: str) -> Clause:
    region = place if value is True else str(value)

    def clause(facts: Facts) -> Answer:
        where = facts["establishments"]
        if not isinstance(where, tuple):
            return _open("Places where the organisation is established", "establishments")
        inside = places.any_within(where, region)
        return Answer(
            Truth.YES if inside else Truth.NO,
            (f"The organisation is {'' if inside else 'not '}established in {places.named(region)}",),
        )

    return clause


def _places(_: str, value: Any, place: str) -> Clause:
    """People of a region are concerned, or the organisation is established there."""
    region = place if value is True else str(value)
    house = _established("established", region, place)

    def clause(facts: Facts) -> Answer:
        living = facts.people_in(region)
        if not isinstance(living, int):
            return either((_open("Where the people concerned live", "residents"), house(facts)))
        if living:
            return Answer(Truth.YES, (f"People in {places.named(region)}: {living:,}",))
        return either((Answer(Truth.NO, (f"No people in {places.named(region)}",)), house(facts)))

    return clause


def _cac_level(_: str, value: Any, __: str) -> Clause:
    """The Chinese grade; while it is general, unknown figures could still raise it."""
    wanted = [value] if isinstance(value, str) else value
    if not isinstance(wanted, list) or not set(wanted) <= {
        "general",
        "relatively_major",
        "major",
        "particularly_major",
    }:
        raise BadClause(f"'cac_level' names no level: {value!r}")

    def clause(facts: Facts) -> Answer:
        grade = graded(facts.values)
        if grade.level.word in wanted:
            return Answer(Truth.YES, grade.reasons)
        missing = frozenset(ASK_FOR.get(key, key) for key in grade.open)
        return Answer(Truth.OPEN if missing else Truth.NO, grade.reasons, missing)

    return clause


_SUBJECT_READERS: Mapping[str, Callable[[str, Any, str], Clause]] = {
    "residents": _residents,
    "people": _people,
    "told_at_once": _told_at_once,
    "largest_state": _largest_state,
    "kinds": _kinds,
    "flags": _kinds,
    "established": _established,
    "places": _places,
    "cac_level": _cac_level,
}
