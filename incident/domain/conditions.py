"""Conditions over facts, with three answers: yes, no, and *open for want of* the facts that would decide it.

A condition is a table as TOML writes it. Every entry must hold; an empty table always holds.
    malicious = true                        the fact is this value (for several choices: this one is among them)
    category = ["phishing", "ransomware"]   it is one of these (or: at least one of these is among the choices)
    people_count = { at_least = 1000 }      at_least, at_most; numbers only
    contained_at = { known = true }         there is an answer
    flags = "credential"                    a mark of the kinds of data concerned
    people_in = { CN = 1 }                  at least so many of the people live there (a place or a group such as EU)
    any = [ {…}, {…} ]   all = [ {…}, {…} ]   not = {…}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incident.domain import places
from incident.domain.facts import UNKNOWN, Facts, vocabulary

TESTS = frozenset({"at_least", "at_most", "known"})
WORDS = frozenset({"any", "all", "not", "flags", "people_in"})


class Answer(StrEnum):
    """What a condition says of facts that may be unknown."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


@dataclass(frozen=True)
class Verdict:
    """An answer; `open` names the facts that would decide it, in order, `because` those that did."""

    answer: Answer
    open: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def holds(condition: Mapping[str, Any], facts: Facts) -> Verdict:
    """Whether the condition holds of these facts."""
    return _all_of([_entry(key, wanted, facts) for key, wanted in condition.items()])


def mistakes(condition: Any, where: str = "when") -> list[str]:
    """A sentence for each thing in a condition that could never be answered; empty if it is sound."""
    if not isinstance(condition, Mapping):
        return [f"{where}: a condition is a table."]
    found: list[str] = []
    for key, wanted in condition.items():
        found += _entry_mistakes(key, wanted, f"{where}.{key}")
    return found


def _entry_mistakes(key: str, wanted: Any, where: str) -> list[str]:
    if key in {"any", "all"}:
        if not isinstance(wanted, list) or not wanted:
            return [f"{where}: give a list of conditions."]
        return [mistake for part in wanted for mistake in mistakes(part, where)]
    if key == "not":
        return mistakes(wanted, where)
    if key == "flags":
        flags = {flag for kind in vocabulary().kinds.values() for flag in kind.flags}
        return [f"{where}: {word!r} is no mark of any kind of data." for word in _listed(wanted) if word not in flags]
    if key == "people_in":
        known = set(places.codes()) | set(places.groups())
        return [f"{where}: {place!r} is not a place." for place in wanted if place not in known]
    if key not in vocabulary():
        return [f"{where}: there is no fact {key!r}."]
    return _value_mistakes(key, wanted, where)


def _value_mistakes(key: str, wanted: Any, where: str) -> list[str]:
    entry = vocabulary()[key]
    if isinstance(wanted, Mapping):
        strange = set(wanted) - TESTS
        if strange or not wanted:
            return [f"{where}: the tests are {', '.join(sorted(TESTS))}."]
        if {"at_least", "at_most"} & set(wanted) and entry.type != "number":
            return [f"{where}: only numbers have a measure."]
        return []
    if entry.type == "yes_no":
        return [] if isinstance(wanted, bool) else [f"{where}: this is answered true or false."]
    words = {option.word for option in entry.options}
    return [f"{where}: {word!r} is no answer to it." for word in _listed(wanted) if words and word not in words]


def _entry(key: str, wanted: Any, facts: Facts) -> Verdict:
    if key == "any":
        return _any_of([holds(part, facts) for part in wanted])
    if key == "all":
        return _all_of([holds(part, facts) for part in wanted])
    if key == "not":
        return _opposite(holds(wanted, facts))
    if key == "flags":
        return _among(facts.flags(), _listed(wanted), "data_kinds")
    if key == "people_in":
        return _all_of(
            [_number(facts.people_in(place), {"at_least": least}, "residents") for place, least in wanted.items()]
        )
    return _fact(key, wanted, facts)


def _fact(key: str, wanted: Any, facts: Facts) -> Verdict:
    value = facts[key]
    if isinstance(wanted, Mapping) and "known" in wanted:
        return _settled((value is not UNKNOWN) == wanted["known"], key)
    if value is UNKNOWN:
        return Verdict(Answer.OPEN, (key,))
    if isinstance(wanted, Mapping):
        return _number(value, wanted, key)
    if isinstance(value, tuple):
        return _among(value, _listed(wanted), key)
    return _settled(any(_same(value, word) for word in _listed(wanted)), key)


def _same(value: object, wanted: object) -> bool:
    return value is wanted if isinstance(value, bool) or isinstance(wanted, bool) else value == wanted


def _among(values: Any, wanted: Iterable[Any], key: str) -> Verdict:
    if values is UNKNOWN:
        return Verdict(Answer.OPEN, (key,))
    return _settled(not set(values).isdisjoint(wanted), key)


def _number(value: Any, wanted: Mapping[str, Any], key: str) -> Verdict:
    if value is UNKNOWN:
        return Verdict(Answer.OPEN, (key,))
    least, most = wanted.get("at_least"), wanted.get("at_most")
    return _settled((least is None or value >= least) and (most is None or value <= most), key)


def _settled(yes: bool, key: str) -> Verdict:
    return Verdict(Answer.YES if yes else Answer.NO, (), (key,))


def _listed(wanted: Any) -> list[Any]:
    return list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]


def _opposite(verdict: Verdict) -> Verdict:
    turned = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.OPEN: Answer.OPEN}
    return Verdict(turned[verdict.answer], verdict.open, verdict.because)


def _all_of(parts: list[Verdict]) -> Verdict:
    """No if one says no; else open if one is open; else yes. Nothing at all is a yes."""
    return _joined(parts, settles=Answer.NO, otherwise=Answer.YES)


def _any_of(parts: list[Verdict]) -> Verdict:
    """Yes if one says yes; else open if one is open; else no."""
    return _joined(parts, settles=Answer.YES, otherwise=Answer.NO)


def _joined(parts: list[Verdict], *, settles: Answer, otherwise: Answer) -> Verdict:
    for part in parts:
        if part.answer is settles:
            return Verdict(settles, (), part.because)
    still = tuple(dict.fromkeys(key for part in parts if part.answer is Answer.OPEN for key in part.open))
    if still:
        return Verdict(Answer.OPEN, still)
    return Verdict(otherwise, (), tuple(dict.fromkeys(key for part in parts for key in part.because)))
