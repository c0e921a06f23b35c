"""What a law file can get wrong beside its form: places nobody knows, periods that end before they begin or overlap."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from incident.domain import places

WHERE = ("places", "established", "offers")
COUNTED = ("residents", "told_at_once", "largest_state")
FIRST, LAST = date.min, date.max


def faults(path: str, data: bytes) -> tuple[str, ...]:
    """A sentence for each fault of a file that can be read as a law; empty where there is none."""
    raw = tomllib.loads(data.decode("utf-8"))
    found = [*_unknown_places(raw), *_periods(raw)]
    return tuple(dict.fromkeys(f"{path}: {sentence}." for sentence in found))


# Places ---------------------------------------------------------------------------------------------------------------


def is_known(place: str) -> bool:
    """Whether places.toml knows this code, as a place or a group of places."""
    return places.is_place(place) or place in places.groups()


def _unknown_places(raw: Mapping[str, Any]) -> Iterator[str]:
    named = [("'place'", raw.get("place")), ("'calendar'", raw.get("calendar"))]
    named += [(f"a clause with {key!r}", place) for key, place in _named(raw)]
    for where, place in named:
        if isinstance(place, str) and not is_known(place):
            yield f"{where} names {place!r}, which places.toml does not have"


def _named(part: Any) -> Iterator[tuple[str, Any]]:
    """Every place that a clause names, with its key."""
    if isinstance(part, list):
        for one in part:
            yield from _named(one)
    if not isinstance(part, Mapping):
        return
    for key, value in part.items():
        if key in WHERE:
            yield key, value
        elif key in COUNTED and isinstance(value, Mapping):
            yield key, value.get("in")
        yield from _named(value)


# Periods --------------------------------------------------------------------------------------------------------------


def _periods(raw: Mapping[str, Any]) -> Iterator[str]:
    for duty in raw.get("duty", ()):
        name = f"duty {duty.get('id', '?')}"
        since, until = _period({"since": raw.get("since"), **duty})
        if since >= until:
            yield f"{name}: ends on {until}, which is not after {since}"
        yield from _deadlines(name, duty.get("deadline", ()))


def _deadlines(name: str, raw: Any) -> Iterator[str]:
    """Of two alternatives without condition, only one may be in force on any day: the second would never count."""
    rows = raw if isinstance(raw, list) else [raw]
    periods = [_period(row) for row in rows]
    for place, (since, until) in enumerate(periods):
        if since >= until:
            yield f"{name}: the deadline {place + 1} ends on {until}, which is not after {since}"
        later = range(place + 1, len(rows)) if "when" not in rows[place] else range(0)
        for other in later:
            if max(since, periods[other][0]) < min(until, periods[other][1]):
                yield f"{name}: the deadlines {place + 1} and {other + 1} are in force at once, and the first always counts"


def _period(row: Mapping[str, Any]) -> tuple[date, date]:
    return row.get("since") or FIRST, row.get("until") or LAST
