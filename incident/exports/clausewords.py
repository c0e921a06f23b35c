"""The conditions of a law file in words, for people who read laws rather than files. A stroke parts answers of which one is enough."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from incident.domain import places
from incident.domain.facts import vocabulary
from incident.domain.subjects import COMPARISONS

COUNTED = {
    "residents": "people in {place}",
    "people": "people concerned",
    "told_at_once": "people told at one time ({place})",
    "largest_state": "people in the state of {place} with the most",
}
PLACED = {
    "places": "people in {place} are concerned, or the organisation is established there",
    "established": "the organisation is established in {place}",
    "offers": "goods or services are offered to people in {place}",
}


def condition(raw: Any, place: str) -> str:
    """A condition as a phrase: "at least 250 people in Texas and kinds of data: name"."""
    if not isinstance(raw, Mapping):
        return ""
    return " and ".join(_part(key, value, place) for key, value in raw.items())


def _part(key: str, value: Any, place: str) -> str:
    if key in {"all", "any"}:
        parts = [_grouped(one, place) for one in value]
        joined = (" and " if key == "all" else " or ").join(parts)
        return joined if len(parts) == 1 else f"({joined})"
    if key == "not":
        return f"not ({condition(value, place)})"
    if key in COUNTED:
        return _counted(key, value, place)
    if key in PLACED:
        return PLACED[key].format(place=places.named(place if value is True else str(value)))
    if key == "kinds":
        return f"kinds of data: {_listed(value, _kind)}"
    if key == "flags":
        marks = {value} if isinstance(value, str) else set(value)
        return f"kinds of data: {_listed([word for word, kind in vocabulary().kinds.items() if kind.flags & marks], _kind)}"
    if key == "cac_level":
        return f"Chinese grade: {_listed(value, lambda word: word.replace('_', ' '))}"
    return _fact(key, value)


def _kind(word: str) -> str:
    return vocabulary().kinds[word].en


def _grouped(raw: Mapping[str, Any], place: str) -> str:
    """A condition inside a list, with brackets where it has several parts."""
    return f"({condition(raw, place)})" if len(raw) > 1 else condition(raw, place)


def _counted(key: str, value: Mapping[str, Any], place: str) -> str:
    what = COUNTED[key].format(place=places.named(str(value.get("in", place))))
    if {word: limit for word, limit in value.items() if word != "in"} == {"least": 1}:
        return what
    return f"{' and '.join(_limits(value))} {what}"


def _limits(value: Mapping[str, Any]) -> Iterator[str]:
    return (f"{COMPARISONS[word]} {limit:,}" for word, limit in value.items() if word in COMPARISONS)


def _listed(value: Any, label: Callable[[str], str]) -> str:
    """Answers of which one is enough."""
    return " / ".join(label(word) for word in ([value] if isinstance(value, str) else value))


def _fact(key: str, value: Any) -> str:
    """A fact by its question and the answers that count."""
    entry = vocabulary()[key]
    if isinstance(value, Mapping):
        return f"{entry.label}: {' and '.join(_limits(value))}"
    answers = value if isinstance(value, list) else [value]
    words = " / ".join(
        ("yes" if one else "no") if isinstance(one, bool) else entry.label_of(str(one)) for one in answers
    )
    return f"“{entry.label}” {words}" if entry.label.endswith("?") else f"{entry.label}: {words}"
