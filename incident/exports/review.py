"""The review of an incident as a file: what happened, what stood behind it, what was learnt, and what is done about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from incident.domain import facts
from incident.domain.closing import QUESTIONS
from incident.domain.facts import time_words
from incident.domain.reviews import FACTORS, GROUPS
from incident.exports.document import Document, Item, Section, Table

FORMAT: Final = "tocsin-review/1"
ANSWERS: Final = tuple(QUESTIONS)
NOT_WRITTEN: Final = "The review is not written yet."


@dataclass(frozen=True)
class Told:
    """All that a review says, ready to be laid out."""

    ref: str
    title: str
    kind: str
    company: str
    made_at: datetime
    zone: ZoneInfo
    meeting_at: datetime | None = None
    people: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    moments: Sequence[tuple[datetime, str, int | None]] = ()
    improvements: Sequence[Mapping[str, Any]] = ()
    lessons: Sequence[Mapping[str, Any]] = ()


def document(told: Told) -> Document:
    """The review as a document for people."""
    drill = " – a drill: nothing in it happened" if told.kind == "drill" else ""
    return Document(
        title=f"Review: {told.title}",
        subtitle=f"{told.ref}{drill} – as of {_when(told.made_at, told)}",
        language="en",
        author=told.company or "Tocsin",
        at=told.made_at,
        was_word="Before",
        particulars=tuple(_particulars(told)),
        sections=tuple(one for one in _sections(told) if one.items or one.tables or one.text),
        closing="Times are in the zone that stands beside them. The data inside this file holds every value as recorded.",
    )


def _particulars(told: Told) -> Iterator[tuple[str, str]]:
    yield "Incident", told.ref
    if told.meeting_at:
        yield "Meeting", _when(told.meeting_at, told)
    if told.people:
        yield "Who takes part", ", ".join(told.people)
    open_ = sum(one["state"] == "open" for one in told.improvements)
    adopted = sum(one["state"] == "adopted" for one in told.lessons)
    yield "Improvements", f"{len(told.improvements)}, of which {open_} open"
    yield "Lessons", f"{len(told.lessons)}, of which {adopted} adopted"


def _sections(told: Told) -> Iterator[Section]:
    yield Section("What happened", tables=_tables(_moments(told)))
    said = tuple(Item(QUESTIONS[name], told.answers[name]) for name in ANSWERS if told.answers.get(name))
    yield Section("What was found", text="" if said else NOT_WRITTEN, items=said)
    yield Section("Causes and factors (terms of VERIS)", tables=_tables(_factors(told)))
    yield Section("Improvements", tables=_tables(_improvements(told)))
    yield Section("Lessons", tables=_tables(_lessons(told)))
    yield Section("What the lessons change", items=tuple(_changes(told)))


def _tables(table: Table) -> tuple[Table, ...]:
    return (table,) if table.rows else ()


def _moments(told: Told) -> Table:
    rows = tuple((_when(at, told), text, "" if line is None else str(line)) for at, text, line in told.moments)
    return Table(("When", "What", "Line of the record"), rows, (3, 9, 2))


def _factors(told: Told) -> Table:
    rows = tuple((GROUPS[key.partition(".")[0]], *FACTORS[key]) for key in told.factors if key in FACTORS)
    return Table(("Kind", "Term", "Meaning"), rows, (4, 4, 6))


def _improvements(told: Told) -> Table:
    rows = tuple(
        (one["text"], one["owner"] or "nobody", _when(one["due_at"], told), one["state"], one["shown_by"])
        for one in told.improvements
    )
    return Table(("What", "Who", "By", "State", "Last word on it"), rows, (5, 3, 3, 2, 4))


def _lessons(told: Told) -> Table:
    rows = tuple((one["ref"], one["title"], one["target"] or "practice", one["state"]) for one in told.lessons)
    return Table(("Lesson", "What was learnt", "Changes", "State"), rows, (2, 6, 4, 2))


def _changes(told: Told) -> Iterator[Item]:
    for one in told.lessons:
        if one["after"]:
            yield Item(f"{one['ref']}: {one['target']}", one["after"], was=one["before"])


def _when(moment: datetime, told: Told) -> str:
    return time_words(moment, told.zone)


def data(told: Told) -> dict[str, Any]:
    """The review for machines."""
    return {
        "format": FORMAT,
        "incident": told.ref,
        "kind": told.kind,
        "title": told.title,
        "as_of": _plain(told.made_at),
        "meeting": {"at": _plain(told.meeting_at), "people": list(told.people)} if told.meeting_at else None,
        "answers": dict(told.answers),
        "factors": [{"key": key, "veris": FACTORS[key][0]} for key in told.factors if key in FACTORS],
        "moments": [{"at": _plain(at), "text": text, "line": line} for at, text, line in told.moments],
        "improvements": [_json(one) for one in told.improvements],
        "lessons": [_json(one) for one in told.lessons],
    }


def _json(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in one.items()}


def _plain(value: Any) -> Any:
    return facts.to_json(value) if isinstance(value, datetime) else value
