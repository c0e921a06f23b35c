"""Reads answers to the vocabulary's questions out of a form: every mistake at its field, times in the zone that was chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from incident.domain.digits import narrow
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, YEARS, Entry, Unknown, Value, parsed, to_json, vocabulary
from incident.domain.zones import known

LOCAL = "%Y-%m-%dT%H:%M"
NONE_OF_THESE = "none"
"""What a form sends where none of several offered words is right: an answer, and not the same as no answer."""
STRANGE = ("Etc/", "posix/", "right/", "SystemV/")


@dataclass
class Answers:
    """What was typed, what it means, and what was wrong with it, each by key."""

    typed: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def refuse(self, field_name: str, sentence: str) -> None:
        """Note what was wrong with a field."""
        self.errors[field_name] = sentence


def read(form: MultiDict[str, str], keys: Iterable[str], zone: ZoneInfo) -> Answers:
    """The answers to these questions. Unanswered ones are left out, so that nothing known is overwritten by silence."""
    answers = Answers()
    for key in keys:
        entry = vocabulary()[key]
        raw = _raw(entry, form)
        if raw in (None, "", []):
            continue
        answers.typed[key] = raw
        try:
            value = parsed(key, _in_zone(entry, raw, zone))
            answers.values[key] = to_json(value)
        except Invalid as error:
            answers.refuse(key, error.sentence)
    return answers


def _raw(entry: Entry, form: MultiDict[str, str]) -> Any:
    if entry.type == "choices":
        chosen = [word for word in form.getlist(entry.key) if word]
        return () if chosen == [NONE_OF_THESE] else chosen
    return form.get(entry.key, "").strip()


def _in_zone(entry: Entry, raw: Any, zone: ZoneInfo) -> Any:
    """A local time gets the zone that the form names. Raises Invalid for a time that the clocks skipped."""
    if entry.type != "instant" or not isinstance(raw, str) or raw == "unknown":
        return raw
    try:
        local = datetime.fromisoformat(narrow(raw))
    except ValueError:
        raise Invalid(entry.key, f"{entry.label}: give date and time, such as 2026-03-10 14:20.") from None
    if local.year not in YEARS:
        raise Invalid(entry.key, f"{entry.label}: the year {local.year} cannot be right.")
    if _is_skipped(local, zone):
        raise Invalid(
            entry.key, f"{entry.label}: at this time the clocks in {zone.key} were put forward; it did not exist."
        )
    return local if local.tzinfo is not None else local.replace(tzinfo=zone)


def _is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone were put forward over this local time."""
    if local.tzinfo is not None:
        return False
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def zone_of(form: Mapping[str, str], usual: ZoneInfo) -> ZoneInfo:
    """The zone that the form names, or the reader's. Raises Invalid."""
    name = form.get("zone") or usual.key
    if name not in known():
        raise Invalid("zone", "Choose a time zone from the list.")
    return ZoneInfo(name)


def as_typed(entry: Entry, value: Value | Unknown | None, zone: ZoneInfo) -> Any:
    """A known value as the form would have it."""
    if value is None or value is UNKNOWN:
        return [] if entry.type == "choices" else ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime(LOCAL)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return list(value) if entry.type == "choices" else "\n".join(value)
    if isinstance(value, Mapping):
        return "\n".join(f"{place} {count}" for place, count in value.items())
    return str(value)


def zones() -> list[str]:
    """Time zones to choose from, by name."""
    return ["UTC", *sorted(name for name in known() if "/" in name and not name.startswith(STRANGE))]


def moment(text: str, zone: ZoneInfo, field_name: str = "learnt_at") -> datetime:
    """A moment out of a form's field, in this zone unless it names one. Raises Invalid for what cannot be meant."""
    try:
        local = datetime.fromisoformat(narrow(text))
    except ValueError:
        raise Invalid(field_name, "Give date and time, such as 2026-03-10 14:20.") from None
    if local.year not in YEARS:
        raise Invalid(field_name, f"The year {local.year} cannot be right.")
    if _is_skipped(local, zone):
        raise Invalid(field_name, "This time does not exist in that zone: the clocks skip it. Choose another.")
    return local if local.tzinfo is not None else local.replace(tzinfo=zone)


def instant(text: str, zone: ZoneInfo, field_name: str) -> datetime | None:
    """The same in UTC; None for an empty field. Raises Invalid."""
    return moment(text, zone, field_name).astimezone(UTC) if text.strip() else None
