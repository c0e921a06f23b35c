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
from incident.domain.speech import Say, retold
from incident.exports.catalogue import FORMS, speaker
from incident.exports.document import Document, Item, Section, Table

FORMAT: Final = "tocsin-review/1"
ANSWERS: Final = tuple(QUESTIONS)
HEADS: Final = {
    "moments": ("When", "What", "Line of the record"),
    "factors": ("Kind", "Term", "Meaning"),
    "improvements": ("What", "Who", "By when", "State", "Last word on it"),
    "lessons": ("Lesson", "What was learnt", "Changes", "State"),
}
STATE_WORDS: Final = {"open": "to do", "done": "done", "dropped": "not done"}
"""How an improvement stands."""


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


def document(told: Told, language: str = "en") -> Document:
    """The review as a document for people, in a language of the interface; what people wrote stays as they wrote it."""
    say = speaker(language)
    drill = say(" – a drill: nothing in it happened") if told.kind == "drill" else ""
    return Document(
        title=f"{say('Review')}{say(': ')}{retold(say, told.title) if drill else told.title}",
        subtitle=f"{told.ref}{drill} – {say('as of {when}', when=time_words(told.made_at, told.zone))}",
        language=FORMS[language],
        author=told.company or "Tocsin",
        at=told.made_at,
        was_word=say("Before"),
        particulars=tuple(_particulars(told, say)),
        sections=tuple(one for one in _sections(told, say) if one.items or one.tables or one.text),
        closing=say(
            "Times are in the zone that stands beside them. The data inside this file holds every value as recorded."
        ),
    )


def _particulars(told: Told, say: Say) -> Iterator[tuple[str, str]]:
    yield say("Incident"), told.ref
    if told.meeting_at:
        yield say("Meeting"), _when(told.meeting_at, told, say)
    if told.people:
        yield say("Who takes part"), say(", ").join(told.people)
    open_ = sum(one["state"] == "open" for one in told.improvements)
    adopted = sum(one["state"] == "adopted" for one in told.lessons)
    yield say("Improvements"), say("{all}, of which {left} to do", all=len(told.improvements), left=open_)
    yield say("Lessons"), say("{all}, of which {adopted} adopted", all=len(told.lessons), adopted=adopted)


def _sections(told: Told, say: Say) -> Iterator[Section]:
    yield Section(say("What happened"), tables=_tables(_moments(told, say)))
    said = tuple(Item(say(QUESTIONS[name]), told.answers[name]) for name in ANSWERS if told.answers.get(name))
    yield Section(say("What was found"), text="" if said else say("The review is not written yet."), items=said)
    yield Section(say("Causes and factors (terms of VERIS)"), tables=_tables(_factors(told, say)))
    yield Section(say("Improvements"), tables=_tables(_improvements(told, say)))
    yield Section(say("Lessons"), tables=_tables(_lessons(told, say)))
    yield Section(say("What the lessons change"), items=tuple(_changes(told)))


def _tables(table: Table) -> tuple[Table, ...]:
    return (table,) if table.rows else ()


def _heads(table: str, say: Say) -> tuple[str, ...]:
    return tuple(say(word) for word in HEADS[table])


def _moments(told: Told, say: Say) -> Table:
    rows = tuple((_when(at, told, say), text, "" if line is None else str(line)) for at, text, line in told.moments)
    return Table(_heads("moments", say), rows, (3, 9, 2))


def _factors(told: Told, say: Say) -> Table:
    known = [(GROUPS[key.partition(".")[0]], *FACTORS[key]) for key in told.factors if key in FACTORS]
    rows = tuple((say(group), term, say(meaning)) for group, term, meaning in known)
    return Table(_heads("factors", say), rows, (4, 4, 6))


def _improvements(told: Told, say: Say) -> Table:
    rows = tuple(
        (
            one["text"],
            one["owner"] or say("nobody"),
            _when(one["due_at"], told, say),
            say(STATE_WORDS[one["state"]]),
            one["shown_by"],
        )
        for one in told.improvements
    )
    return Table(_heads("improvements", say), rows, (5, 3, 3, 2, 4))


def _lessons(told: Told, say: Say) -> Table:
    rows = tuple(
        (one["ref"], retold(say, one["title"]), one["target"] or say("practice"), say(one["state"]))
        for one in told.lessons
    )
    return Table(_heads("lessons", say), rows, (2, 6, 4, 2))


def _changes(told: Told) -> Iterator[Item]:
    for one in told.lessons:
        if one["after"]:
            yield Item(f"{one['ref']}: {one['target']}", one["after"], was=one["before"])


def _when(moment: datetime, told: Told, say: Say) -> str:
    return retold(say, time_words(moment, told.zone))


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
