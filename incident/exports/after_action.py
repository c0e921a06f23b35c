"""The report of a drill as a file: as people read it, for machines, and as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from incident.domain.after_action import AfterAction, Thrown
from incident.domain.drills import KIND_WORDS, Judged, Kind, Remark, Verdict, span_words
from incident.domain.facts import time_words
from incident.domain.speech import Say, retold
from incident.exports import csv, drill_plot, json
from incident.exports import pdf as layouts
from incident.exports.catalogue import FORMS, speaker
from incident.exports.document import Attachment, Document, Item, Mark, Section, Table

VERDICT_WORDS: Final = {
    Verdict.MET: "in time",
    Verdict.LATE: "late",
    Verdict.MISSED: "missed",
    Verdict.WAITING: "still to come",
    Verdict.OVERDUE: "overdue",
}
TONES: Final = {Verdict.MET: "plain", Verdict.LATE: "soon", Verdict.MISSED: "late", Verdict.OVERDUE: "late"}
REMARKS: Final = {
    Remark.HELPED: "What helped",
    Remark.HURT: "What hurt",
    Remark.LESSON: "What is to be learnt",
}
HOW: Final = (
    "Times are those of the drill, from its beginning. What was expected stands in the scenario, which was pinned at the "
    "start; what was done is read from the record. In time counts whole, late half, missed nothing."
)
HEADS: Final = {
    "came in": ("When", "Kind", "From, and what about", "Answer"),
    "done": ("When", "Who", "What was done", "Line of the record"),
}
HEADER: Final = (
    "expected", "why", "came out", "due (minute of the drill)", "done (minute of the drill)", "late by (minutes)", "line",
)  # fmt: skip


def pdf(of: AfterAction, author: str, zone: ZoneInfo, names: Mapping[str, str], language: str = "en") -> bytes:
    """The report as PDF in a language of the interface, with the same for machines inside."""
    inside = Attachment(f"{of.ref}-drill.json", json.MIME, "The same report for machines", data(of))
    return layouts.pdf(document(of, author, zone, names, language), [inside])


def data(of: AfterAction) -> bytes:
    """The report for machines."""
    return json.json_bytes(plain(of))


def plain(of: AfterAction) -> dict[str, Any]:
    """The report as values for JSON."""
    told: dict[str, Any] = _plain(asdict(of))
    told["judged"] = [_judged(one) for one in of.judged]
    return told | {"form": "tocsin drill report 1"}


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "key": one.expected.key,
        "title": one.expected.title,
        "why": one.expected.why,
        "verdict": one.verdict.value,
        "due_minute": one.due,
        "done_minute": one.done,
        "late_by_minutes": one.late_by,
        "line": one.line,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def table(of: AfterAction) -> bytes:
    """What was expected and how it came out, one line each."""
    return "".join(csv.rows(HEADER, cells(of))).encode()


def cells(of: AfterAction) -> Iterator[tuple[Any, ...]]:
    """The lines of the table."""
    for one in of.judged:
        late = "" if one.late_by is None else one.late_by
        yield one.expected.title, one.expected.why, one.verdict.value, one.due, one.done, late, one.line


def document(of: AfterAction, author: str, zone: ZoneInfo, names: Mapping[str, str], language: str = "en") -> Document:
    """The report as a document, in a language of the interface; what people wrote stays as they wrote it."""
    say = speaker(language)
    remarks = [Section(say(word), items=tuple(_remarks(of, kind, names, say))) for kind, word in REMARKS.items()]
    return Document(
        title=f"{say('After the drill')}{say(': ')}{retold(say, of.title)}",
        subtitle=f"{of.ref} – {say('as of {when}', when=time_words(of.made_at, zone))}",
        language=FORMS[language],
        author=author or "Tocsin",
        at=of.made_at,
        was_word=say("Before"),
        particulars=tuple(_particulars(of, zone, names, say)),
        sections=(
            Section(say("What was expected"), text=say(HOW), items=tuple(_item(one, say) for one in of.judged)),
            *(section for section in remarks if section.items),
            Section(say("What came in"), tables=(_came_in(of, say),)),
            Section(say("What was done"), tables=(_done(of, names, say),)),
        ),
        closing=say("A drill: nothing in it happened, and nobody outside was told."),
    )


def _particulars(of: AfterAction, zone: ZoneInfo, names: Mapping[str, str], say: Say) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{n} {say(VERDICT_WORDS[Verdict(word)])}" for word, n in of.counts.items() if n)
    score = "–" if of.score is None else say("{score} of 100 ({counts})", score=of.score, counts=counts)
    yield say("Score"), score
    yield say("Began"), retold(say, time_words(of.began_at, zone))
    yield say("Ended"), retold(say, time_words(of.ended_at, zone)) if of.ended_at else say("it still runs")
    played, planned = _span(of.minutes, say), _span(of.planned, say)
    yield (
        say("Clock of the drill"),
        say(
            "{factor} minutes of the drill in one; {played} of {planned} were played",
            factor=of.factor, played=played, planned=planned,
        ),
    )  # fmt: skip
    yield say("Facilitator"), names.get(of.facilitator, of.facilitator)
    yield say("Scenario"), f"{of.scenario} ({of.digest[:16]})"


def _item(one: Judged, say: Say) -> Item:
    due = say("due at {span}", span=_span(one.due or 0, say))
    done = "" if one.done is None else say(", done at {span}", span=_span(one.done, say))
    late = "" if one.late_by is None else say(", {span} late", span=_span(one.late_by, say))
    line = "" if one.line is None else say(" (line {line} of the record)", line=one.line)
    mark = Mark(say(VERDICT_WORDS[one.verdict]), TONES.get(one.verdict, "plain"))
    return Item(
        retold(say, one.expected.title),
        f"{due}{done}{late}{line}",
        marks=(mark,),
        notes=(retold(say, one.expected.why),),
    )


def _remarks(of: AfterAction, kind: Remark, names: Mapping[str, str], say: Say) -> Iterator[Item]:
    for one in of.remarks:
        if one.kind == kind:
            notes = (say("proposed as {lesson}", lesson=one.lesson),) if one.lesson else ()
            yield Item(names.get(one.who, one.who), one.text, notes=notes)


def _heads(table: str, say: Say) -> tuple[str, ...]:
    return tuple(say(word) for word in HEADS[table])


def _came_in(of: AfterAction, say: Say) -> Table:
    rows = tuple(
        (
            _when(one, say),
            say(KIND_WORDS[Kind(one.kind)]),
            f"{retold(say, one.sender)}: {retold(say, one.title)}",
            _answer(one, say),
        )
        for one in of.thrown
    )
    return Table(_heads("came in", say), rows, (2, 2, 6, 3))


def _when(one: Thrown, say: Say) -> str:
    return retold(say, one.state) if one.arrived is None else _span(one.arrived, say)


def _answer(one: Thrown, say: Say) -> str:
    if one.answered is not None:
        return str(say("at {span}", span=_span(one.answered, say)))
    return str(say("none")) if one.wants_answer and one.arrived is not None else ""


def _done(of: AfterAction, names: Mapping[str, str], say: Say) -> Table:
    rows = tuple(
        (_span(one.minute, say), names.get(one.who, one.who), retold(say, one.words), str(one.line)) for one in of.done
    )
    return Table(_heads("done", say), rows, (2, 3, 8, 1))


def _span(minutes: int, say: Say) -> str:
    return span_words(timedelta(minutes=minutes), say)


def picture(of: AfterAction, *, look: str, width: int, language: str = "en") -> bytes:
    """The line of time as a picture, its words in this language."""
    return drill_plot.drawn(of, look=look, width=width, say=speaker(language))
