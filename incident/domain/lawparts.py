"""The parts of a law file that say how a duty is met: ways, forms, languages, what replaces a notice, what must be kept."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from incident.domain.clauses import BadClause, Clause, always, read
from incident.domain.laws import (
    CHANNELS,
    FORMS,
    RECIPIENTS,
    Channel,
    Exemption,
    Form,
    Hold,
    Resume,
    Service,
    Substitute,
    elements,
)

HELD = frozenset({"individuals", "media"})
"""Notices that wait when law enforcement asks, where the law says nothing else; reports to authorities do not."""
OLDEST_CHILD = 21
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


class BadPart(ValueError):
    """A part of a law file that cannot be read; the message says what is wrong."""


def exemption(raw: Any, place: str) -> Exemption:
    """A ground that lifts a duty. Raises BadPart."""
    _only(raw, {"says", "when", "keep_years", "keep", "tell"}, "'unless'")
    if not raw.get("says"):
        raise BadPart("'unless' has no 'says'")
    if "when" not in raw:
        raise BadPart("'unless' has no 'when'")
    if raw.get("tell", "") not in {"", *RECIPIENTS}:
        raise BadPart(f"'tell' is one of {', '.join(RECIPIENTS)}")
    years = _number(raw.get("keep_years", 0), "keep_years", 100)
    if years and not raw.get("keep"):
        raise BadPart("'keep_years' needs 'keep': what must be kept")
    return Exemption(raw["says"], _clause(raw["when"], place), years, _text(raw, "keep"), raw.get("tell", ""))


def channels(raw: Any) -> tuple[Channel, ...]:
    """The ways in which a notice may go, in the order of the file. Raises BadPart."""
    if not isinstance(raw, list):
        raise BadPart("'channels' is a list of words or of { by, says }")
    found = tuple(_channel(one) for one in raw)
    if len({channel.by for channel in found}) != len(found):
        raise BadPart("'channels' has one word twice")
    return found


def _channel(raw: Any) -> Channel:
    if isinstance(raw, str):
        return Channel(_way(raw))
    _only(raw, {"by", "says"}, "'channels'")
    return Channel(_way(raw.get("by")), _text(raw, "says"))


def _way(word: Any) -> str:
    if word not in CHANNELS:
        raise BadPart(f"{word!r} is no way to tell somebody: {', '.join(CHANNELS)}")
    return str(word)


def substitutes(raw: Any, place: str) -> tuple[Substitute, ...]:
    """What may replace telling each person, in the order of the file. Raises BadPart."""
    return tuple(_substitute(one, place) for one in (raw if isinstance(raw, list) else [raw]))


def _substitute(raw: Any, place: str) -> Substitute:
    _only(raw, {"when", "by", "days", "says", "contents"}, "'substitute'")
    if "when" not in raw or not isinstance(raw.get("by"), list) or not raw["by"]:
        raise BadPart("'substitute' needs 'when' and 'by', a list of ways")
    ways = tuple(_way(word) for word in raw["by"])
    days = _number(raw.get("days", 0), "days", 3650)
    return Substitute(_clause(raw["when"], place), ways, days, _text(raw, "says"), _elements(raw.get("contents", [])))


def _elements(raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list) or any(word not in elements() for word in raw):
        raise BadPart("'contents' of a 'substitute' is a list of words of elements.toml")
    return tuple(raw)


def languages(raw: Any) -> tuple[str, ...]:
    """The languages that a law demands, as codes such as fr or zh-TW. Raises BadPart."""
    if not isinstance(raw, list) or not all(isinstance(one, str) and LANGUAGE.fullmatch(one) for one in raw):
        raise BadPart("'language' is a list of codes such as fr, en or zh-TW")
    return tuple(raw)


def form(raw: Any) -> Form:
    """How a report must reach its recipient. Raises BadPart."""
    _only(raw, {"how", "name", "href"}, "'form'")
    if raw.get("how") not in FORMS:
        raise BadPart(f"'form' needs 'how': {', '.join(FORMS)}")
    href = _text(raw, "href")
    if href and not href.startswith("https://"):
        raise BadPart("'form' needs an https address")
    return Form(raw["how"], _text(raw, "name"), href)


def guardian_under(raw: Any) -> int:
    """The age below which a guardian is told; 0 where the law says nothing. Raises BadPart."""
    return _number(raw, "guardian_under", OLDEST_CHILD)


def hold(raw: Any, to: str) -> Hold:
    """What a request of law enforcement does to the clock of a duty to `to`. Raises BadPart."""
    if raw is None:
        return Hold(allowed=to in HELD)
    if isinstance(raw, bool):
        return Hold(allowed=raw)
    _only(raw, {"resume", "says"}, "'hold'")
    try:
        return Hold(True, Resume(raw.get("resume", "at_once")), _text(raw, "says"))
    except ValueError:
        raise BadPart(f"'resume' is one of {', '.join(Resume)}") from None


def service(raw: Any, place: str) -> Service:
    """What must be offered to people. Raises BadPart."""
    _only(raw, {"what", "months", "when"}, "'services'")
    if not raw.get("what"):
        raise BadPart("'services' needs 'what' and 'months'")
    when = _clause(raw["when"], place) if "when" in raw else always
    return Service(str(raw["what"]), _number(raw.get("months"), "months", 1200), when)


def _clause(raw: object, place: str) -> Clause:
    try:
        return read(raw, place)
    except BadClause as error:
        raise BadPart(str(error)) from None


def _number(raw: Any, key: str, most: int) -> int:
    if type(raw) is not int or not 0 <= raw <= most:
        raise BadPart(f"'{key}' is a whole number up to {most}")
    return raw


def _text(raw: Mapping[str, Any], key: str) -> str:
    if not isinstance(raw.get(key, ""), str):
        raise BadPart(f"'{key}' is a text")
    return str(raw.get(key, ""))


def _only(raw: Any, known: Iterable[str], what: str) -> None:
    if not isinstance(raw, Mapping):
        raise BadPart(f"{what} is a table of {', '.join(sorted(known))}")
    strange = sorted(raw.keys() - set(known))
    if strange:
        raise BadPart(f"{what} has {strange[0]!r}, which means nothing here")
