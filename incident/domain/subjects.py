"""What a law counts beside plain facts: residents of its place, people told at one time, kinds of data, Chinese grades."""

from collections.abc import Callable, Mapping
from typing import Any

from incident.domain import places
from incident.domain.answers import Answer, Clause, Truth, either, not_known, one, yes_or_no
from incident.domain.cac import Level, graded
from incident.domain.facts import UNKNOWN, Facts, Unknown, vocabulary

SIGNS = {"least": "≥", "more": ">", "most": "≤", "less": "<"}
MISSED = {"least": "<", "more": "≤", "most": ">", "less": "≥"}
COMPARISONS = {"least": "at least", "more": "more than", "most": "at most", "less": "fewer than"}
ASK_FOR = {
    "people": "people_count",
    "told_at_once": "residents",
    "largest_state": "residents",
    "pi_people_cn": "residents",
}
LEVELS = {level.word for level in Level}


class BadClause(ValueError):
    """A clause that cannot be read; the message says what is wrong."""


def number(key: str, value: Any, count: Callable[[Facts], Any], what: str) -> Clause:
    """A clause that compares a number; its sentence holds both numbers and how they compare. Raises BadClause."""
    tests = [(word, limit) for word, limit in value.items() if word != "in"] if isinstance(value, Mapping) else []
    if not tests or any(word not in COMPARISONS or type(limit) is not int for word, limit in tests):
        raise BadClause(f"{key!r} is compared with {', '.join(COMPARISONS)} and whole numbers, as in {{ least = 500 }}")
    limits = " and ".join(f"{COMPARISONS[word]} {limit:,}" for word, limit in tests)
    asked = "" if tests == [("least", 1)] else f", {limits} asked for"
    fact = ASK_FOR.get(key, key)

    def answer(facts: Facts) -> Answer:
        found = count(facts)
        if found is UNKNOWN:
            return not_known(what, fact, asked)
        missed = [(word, limit) for word, limit in tests if not _compares(word, found, limit)]
        return yes_or_no(not missed, f"{what}: {found:,}{_compared(tests, missed)}", fact)

    return one(("number", key, tuple(tests), what), answer)


def _compared(tests: list[tuple[str, int]], missed: list[tuple[str, int]]) -> str:
    if missed:
        return f" {MISSED[missed[0][0]]} {missed[0][1]:,}"
    return "" if tests == [("least", 1)] else "".join(f" {SIGNS[word]} {limit:,}" for word, limit in tests)


def _compares(word: str, found: int | float, limit: int) -> bool:
    if word == "least":
        return found >= limit
    if word == "more":
        return found > limit
    return found <= limit if word == "most" else found < limit


def _residents(key: str, value: Any, place: str) -> Clause:
    region = str(value.get("in", place)) if isinstance(value, Mapping) else place
    return number(key, value, lambda facts: facts.people_in(region), f"People in {places.named(region)}")


def _people(key: str, value: Any, _: str) -> Clause:
    return number(key, value, total, "People concerned")


def total(facts: Facts) -> int | Unknown:
    """How many people are concerned: the count given, or else the sum over the places."""
    counted = facts["people_count"]
    if isinstance(counted, int):
        return counted
    residents = facts["residents"]
    return sum(residents.values()) if isinstance(residents, Mapping) else UNKNOWN


def _told_at_once(key: str, value: Any, place: str) -> Clause:
    """How many persons a law makes one tell at one time: its residents, or more if more were told already."""
    what = f"People told at one time ({places.named(place)})"
    reached = number("total_notified", value, _told, what)
    whole = number(key, value, lambda facts: _most(facts.people_in(place), _told(facts)), what)

    def answer(facts: Facts) -> Answer:
        if facts.known("residents"):
            return whole(facts)
        found = reached(facts)
        return found if found.truth is Truth.YES else not_known(what, "residents")

    return one((key, place, tuple(value.items())), answer)


def _told(facts: Facts) -> Any:
    return facts["total_notified"]


def _most(residents: Any, told: Any) -> Any:
    return max(residents, told) if isinstance(told, int) else residents


def _largest_state(key: str, value: Any, place: str) -> Clause:
    def count(facts: Facts) -> Any:
        residents = facts["residents"]
        if not isinstance(residents, Mapping):
            return UNKNOWN
        return max((n for code, n in residents.items() if code != place and places.within(code, place)), default=0)

    return number(key, value, count, f"People in the state of {places.named(place)} with the most")


def _kinds(key: str, value: Any, _: str) -> Clause:
    """At least one of these kinds of data, or of kinds with one of these flags."""
    wanted = [value] if isinstance(value, str) else value
    known = vocabulary().kinds
    marks = {flag for kind in known.values() for flag in kind.flags} if key == "flags" else set(known)
    if (
        not isinstance(wanted, list)
        or not wanted
        or not all(isinstance(word, str) and word in marks for word in wanted)
    ):
        raise BadClause(f"{key!r} names something that facts.toml does not have: {value!r}")
    chosen = frozenset(
        word for word, kind in known.items() if (word in wanted if key == "kinds" else kind.flags & set(wanted))
    )

    def answer(facts: Facts) -> Answer:
        held = facts["data_kinds"]
        if not isinstance(held, tuple):
            return not_known("Kinds of personal data", "data_kinds")
        hits = [word for word in held if word in chosen]
        words = ", ".join(known[word].en for word in (hits or held) if word in known)
        return yes_or_no(bool(hits), f"Kinds of data: {words or 'none'}", "data_kinds")

    return one(("kinds", chosen), answer)


def _inside(fact: str, label: str, said: Callable[[bool, str], str]) -> Callable[[str, Any, str], Clause]:
    """A clause over a list of places: whether one of them lies in the region asked for."""

    def reader(_: str, value: Any, place: str) -> Clause:
        region = place if value is True else str(value)

        def answer(facts: Facts) -> Answer:
            where = facts[fact]
            if not isinstance(where, tuple):
                return not_known(label, fact)
            inside = places.any_within(where, region)
            return yes_or_no(inside, said(inside, places.named(region)), fact)

        return one((fact, region), answer)

    return reader


_established = _inside(
    "establishments",
    "Places where the organisation is established",
    lambda inside, place: (
        f"The organisation is established in {place}" if inside else f"The organisation is not established in {place}"
    ),
)
_offers = _inside(
    "markets",
    "Places where goods or services are offered",
    lambda inside, place: (
        f"Goods or services are offered to people in {place}"
        if inside
        else f"Goods or services are not offered to people in {place}"
    ),
)


def _places(_: str, value: Any, place: str) -> Clause:
    """People of a region are concerned, or the organisation is established there."""
    region = place if value is True else str(value)
    house = _established("established", region, place)

    def answer(facts: Facts) -> Answer:
        living = facts.people_in(region)
        if not isinstance(living, int):
            return either((not_known("Where the people concerned live", "residents"), house(facts)))
        if living:
            return yes_or_no(True, f"People in {places.named(region)}: {living:,}", "residents")
        return either((yes_or_no(False, f"No people in {places.named(region)}", "residents"), house(facts)))

    return one(("places", region), answer)


def _cac_level(_: str, value: Any, __: str) -> Clause:
    """The Chinese grade; while a figure is unknown, it could still be raised."""
    wanted = [value] if isinstance(value, str) else value
    if not isinstance(wanted, list) or not set(wanted) <= LEVELS:
        raise BadClause(f"'cac_level' names no level: {value!r}")

    def answer(facts: Facts) -> Answer:
        grade = graded(facts.values)
        missing = tuple(dict.fromkeys(ASK_FOR.get(key, key) for key in grade.open))
        reachable = {level.word for level in Level if level >= grade.level} if missing else {grade.level.word}
        if reachable <= set(wanted):
            return Answer(Truth.YES, grade.reasons)
        if not reachable & set(wanted):
            return Answer(Truth.NO, grade.reasons)
        return Answer(Truth.OPEN, grade.reasons, missing)

    return one(("cac_level", tuple(sorted(wanted))), answer)


SUBJECTS: Mapping[str, Callable[[str, Any, str], Clause]] = {
    "residents": _residents,
    "people": _people,
    "told_at_once": _told_at_once,
    "largest_state": _largest_state,
    "kinds": _kinds,
    "flags": _kinds,
    "established": _established,
    "offers": _offers,
    "places": _places,
    "cac_level": _cac_level,
}
