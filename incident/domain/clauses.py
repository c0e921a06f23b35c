"""Conditions as laws, playbooks and the grade write them, read into clauses that answer yes, no or open.

A condition is a table as TOML writes it, and every entry of it must hold; incident/laws/README.md has the words.
"""

from collections.abc import Callable, Mapping
from typing import Any

from incident.domain import places
from incident.domain.answers import (
    YES,
    Answer,
    Clause,
    Truth,
    always,
    both,
    either,
    every,
    not_known,
    one,
    opposite,
    said,
    some,
    yes_or_no,
)
from incident.domain.facts import UNKNOWN, Facts, shown, vocabulary
from incident.domain.subjects import SUBJECTS, BadClause, number, total

__all__ = [
    "YES",
    "Answer",
    "BadClause",
    "Clause",
    "Truth",
    "always",
    "both",
    "condition",
    "either",
    "holds",
    "read",
    "total",
]

AT = {"at_least": "least", "at_most": "most"}
PLAYBOOK = ""
"""The place of conditions that belong to no law."""


def read(raw: object, place: str) -> Clause:
    """The clause that a table of a law file means; `place` is the law's own. Raises BadClause."""
    if not isinstance(raw, Mapping) or not raw:
        raise BadClause("a clause is a table such as { personal_data = true }")
    return every(tuple(_part(key, value, place) for key, value in raw.items()))


def condition(raw: object) -> Clause:
    """The clause that a table of a playbook or of the grade means; an empty one always holds. Raises BadClause."""
    return always if raw == {} else read(raw, PLAYBOOK)


def holds(raw: Mapping[str, Any], facts: Facts) -> Answer:
    """What a condition of a playbook, or of a copy that a plan has pinned, says of these facts. Raises BadClause."""
    return condition(raw)(facts)


def _part(key: str, value: Any, place: str) -> Clause:
    if key in {"all", "any"}:
        return _group(key, value, place)
    if key == "not":
        return opposite(read(value, place))
    if place == PLAYBOOK and key == "people_in":
        return _people_in(value)
    if key in SUBJECTS:
        return SUBJECTS[key](key, value, place)
    if key not in vocabulary():
        raise BadClause(f"{key!r} is neither a fact of facts.toml nor one of {', '.join(SUBJECTS)}")
    if place == PLAYBOOK and isinstance(value, Mapping):
        return _measured(key, value)
    return _fact(key, value)


def _group(key: str, value: Any, place: str) -> Clause:
    if not isinstance(value, list) or not value:
        raise BadClause(f"{key!r} takes a list of clauses")
    parts = tuple(read(part, place) for part in value)
    return every(parts) if key == "all" else some(parts)


def _fact(key: str, value: Any) -> Clause:
    entry = vocabulary()[key]
    if isinstance(value, Mapping):
        if entry.type != "number":
            raise BadClause(f"{key!r} is no number and cannot be compared")
        return number(key, value, lambda facts: facts[key], entry.label)
    wanted = value if isinstance(value, list) else [value]
    offered: list[Any] = [True, False] if entry.type == "yes_no" else [option.word for option in entry.options]
    strange = [word for word in wanted if type(word) not in {bool, str} or word not in offered]
    if strange or not wanted:
        raise BadClause(f"{key!r} has no answer {strange[0] if strange else value!r}")
    chosen = frozenset(wanted)

    def answer(facts: Facts) -> Answer:
        known = facts[key]
        if known is UNKNOWN:
            return not_known(entry.label, key)
        hit = not chosen.isdisjoint(known) if isinstance(known, tuple) else known in chosen
        return yes_or_no(hit, said(entry.label, shown(key, known)), key)

    return one(("fact", key, chosen), answer)


# ---------------------------------------------------------------- words of playbooks and of the grade


def _measured(key: str, value: Mapping[str, Any]) -> Clause:
    """`{ at_least = 5 }` and `{ known = true }`; a law may not ask whether something is known."""
    if set(value) == {"known"} and isinstance(value["known"], bool):
        return _known(key, value["known"])
    return _fact(key, {AT.get(word, word): limit for word, limit in value.items()})


def _known(key: str, wanted: bool) -> Clause:
    label = vocabulary()[key].label

    def answer(facts: Facts) -> Answer:
        known = facts.known(key)
        return yes_or_no(known is wanted, said(label, "known" if known else "not known yet"), key)

    return one(("known", key, wanted), answer)


def _people_in(value: Any) -> Clause:
    """`{ EU = 1 }`: at least so many people live there."""
    regions = set(places.codes()) | set(places.groups())
    if not isinstance(value, Mapping) or not value or not set(value) <= regions:
        raise BadClause(f"'people_in' names no place: {value!r}")
    return every(tuple(_residents(region, least) for region, least in value.items()))


def _residents(region: str, least: Any) -> Clause:
    reader: Callable[[str, Any, str], Clause] = SUBJECTS["residents"]
    return reader("residents", {"in": region, "least": least}, region)
