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


AND, OR, NOT = " and ", " or ", "not "
KINDS, CHINA = "kinds of data: ", "Chinese grade: "
GLUE = (AND, OR, NOT, KINDS, CHINA)
"""What joins the parts of a condition."""

Say = Callable[[str], str]
"""Words of a part in the reader's language."""


def condition(raw: Any, place: str, say: Say = str) -> str:
    """A condition as a phrase: "at least 250 people in Texas and kinds of data: name"; each part as `say` puts it."""
    if not isinstance(raw, Mapping):
        return ""
    return say(AND).join(_part(key, value, place, say) for key, value in raw.items())


def _part(key: str, value: Any, place: str, say: Say) -> str:
    if key in {"all", "any"}:
        parts = [_grouped(one, place, say) for one in value]
        joined = say(AND if key == "all" else OR).join(parts)
        return joined if len(parts) == 1 else f"({joined})"
    if key == "not":
        return f"{say(NOT)}({condition(value, place, say)})"
    if key in COUNTED:
        return _counted(key, value, place, say)
    if key in PLACED:
        return say(PLACED[key].format(place=places.named(place if value is True else str(value))))
    if key == "kinds":
        return say(KINDS) + _listed(value, lambda word: say(_kind(word)))
    if key == "flags":
        marks = {value} if isinstance(value, str) else set(value)
        marked = [word for word, kind in vocabulary().kinds.items() if kind.flags & marks]
        return say(KINDS) + _listed(marked, lambda word: say(_kind(word)))
    if key == "cac_level":
        return say(CHINA) + _listed(value, lambda word: say(word.replace("_", " ")))
    return _fact(key, value, say)


def _kind(word: str) -> str:
    return vocabulary().kinds[word].en


def _grouped(raw: Mapping[str, Any], place: str, say: Say) -> str:
    """A condition inside a list, with brackets where it has several parts."""
    return f"({condition(raw, place, say)})" if len(raw) > 1 else condition(raw, place, say)


def _counted(key: str, value: Mapping[str, Any], place: str, say: Say) -> str:
    what = say(COUNTED[key].format(place=places.named(str(value.get("in", place)))))
    if {word: limit for word, limit in value.items() if word != "in"} == {"least": 1}:
        return what
    return f"{say(AND).join(say(limit) for limit in _limits(value))} {what}"


def _limits(value: Mapping[str, Any]) -> Iterator[str]:
    return (f"{COMPARISONS[word]} {limit:,}" for word, limit in value.items() if word in COMPARISONS)


def _listed(value: Any, label: Callable[[str], str]) -> str:
    """Answers of which one is enough."""
    return " / ".join(label(word) for word in ([value] if isinstance(value, str) else value))


def _fact(key: str, value: Any, say: Say) -> str:
    """A fact by its question and the answers that count."""
    entry = vocabulary()[key]
    if isinstance(value, Mapping):
        return f"{say(entry.label)}: {say(AND).join(say(limit) for limit in _limits(value))}"
    answers = value if isinstance(value, list) else [value]
    words = " / ".join(
        say("yes" if one else "no") if isinstance(one, bool) else say(entry.label_of(str(one))) for one in answers
    )
    return f"“{say(entry.label)}” {words}" if entry.label.endswith("?") else f"{say(entry.label)}: {words}"
