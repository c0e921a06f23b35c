"""What other systems tell of by a program: an alert in our own form, or a MISP event, read into a report for the queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from incident.domain import tips
from incident.domain.errors import Invalid
from incident.domain.tips import Kind

LARGEST: Final = 1024 * 1024
"""Bytes of one alert."""
KINDS: Final = (Kind.LEAK, Kind.ACCOUNT, Kind.VULNERABILITY, Kind.OTHER)
MEMBERS: Final = ("id", "title", "text", "source", "kind", "where", "since", "url")
LONGEST_ID: Final = 200
MOST_ATTRIBUTES: Final = 50
"""So many attributes of a MISP event are written out; all of them are in the file."""


@dataclass(frozen=True)
class Alert:
    """One alert: what makes it unlike others, what it is about, and what it says, field by field."""

    unlike: str
    kind: Kind
    said: dict[str, Any]


def read(raw: Any, *, now: datetime) -> Alert:
    """The alert that a program gave. Raises Invalid naming the member."""
    if not isinstance(raw, Mapping):
        raise Invalid("body", "Give one JSON object: an alert, or a MISP event under `Event`.")
    return _event(raw["Event"], now) if "Event" in raw else _alert(raw, now)


def _alert(raw: Mapping[str, Any], now: datetime) -> Alert:
    for name, value in raw.items():
        if name not in MEMBERS:
            raise Invalid("body", f"An alert has the members {', '.join(MEMBERS)}; this one has another.")
        if not isinstance(value, str):
            raise Invalid(name, f"{name} is a text.")
    kind = _kind(raw.get("kind", Kind.OTHER))
    title = tips.text("title", raw.get("title", ""), 300)
    what = "\n\n".join(part for part in (title, raw.get("text", "").strip(), raw.get("url", "").strip()) if part)
    given = {"what": what, "who": raw.get("source", ""), "where": raw.get("where", ""), "since": raw.get("since", "")}
    return Alert(f"alert {_id(raw.get('id', ''))}", kind, tips.told(kind, given, offset="+00:00", now=now))


def _kind(word: str) -> Kind:
    if word not in KINDS:
        raise Invalid("kind", f"kind is one of {', '.join(KINDS)}.")
    return Kind(word)


def _id(given: str) -> str:
    said = given.strip()
    if not 0 < len(said) <= LONGEST_ID:
        raise Invalid(
            "id", f"Give an id of your own, of 1 to {LONGEST_ID} characters: by it the same alert is taken once."
        )
    return said


def _event(event: Any, now: datetime) -> Alert:
    """A MISP event (draft-dulaunoy-misp-core-format): what it is about, its day, and its attributes line by line."""
    if not isinstance(event, Mapping):
        raise Invalid("Event", "A MISP event is a JSON object.")
    info = tips.text("info", str(event.get("info") or ""), 1_000)
    lines = list(_attributes(event.get("Attribute")))
    left = len(lines) - MOST_ATTRIBUTES
    more = [f"… and {left} more, in the file"] if left > 0 else []
    what = "\n".join([info, *(["", *lines[:MOST_ATTRIBUTES], *more] if lines else [])])
    given = {"what": what[: tips.LONGEST_TEXT], "who": _organisation(event)}
    return Alert(
        f"misp {_id(str(event.get('uuid') or ''))}", Kind.OTHER, tips.told(Kind.OTHER, given, offset="+00:00", now=now)
    )


def _attributes(raw: Any) -> Iterable[str]:
    if raw is None:
        return
    if not isinstance(raw, list) or not all(isinstance(one, Mapping) for one in raw):
        raise Invalid("Attribute", "The attributes of a MISP event are a list of objects.")
    for one in raw:
        kind, value, comment = (str(one.get(name) or "")[:300] for name in ("type", "value", "comment"))
        yield f"{kind}: {value}" + (f" ({comment})" if comment else "")


def _organisation(event: Mapping[str, Any]) -> str:
    made = event.get("Orgc") or event.get("Org") or {}
    return str(made.get("name") or "")[:120] if isinstance(made, Mapping) else ""
