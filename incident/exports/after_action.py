"""The report of a drill as a file: as people read it, for machines, and as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from incident.domain.after_action import AfterAction, Thrown
from incident.domain.drills import KIND_WORDS, Judged, Kind, Remark, Verdict, span_words
from incident.domain.facts import time_words
from incident.exports import csv, drill_plot, json
from incident.exports import pdf as layouts
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
HEADER: Final = (
    "expected", "why", "came out", "due (minute of the drill)", "done (minute of the drill)", "late by (minutes)", "line",
)  # fmt: skip


def pdf(of: AfterAction, author: str, zone: ZoneInfo, names: Mapping[str, str]) -> bytes:
    """The report as PDF, with the same for machines inside."""
    inside = Attachment(f"{of.ref}-drill.json", json.MIME, "The same report for machines", data(of))
    return layouts.pdf(document(of, author, zone, names), [inside])


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


def document(of: AfterAction, author: str, zone: ZoneInfo, names: Mapping[str, str]) -> Document:
    """The report as a document."""
    said = [Section(word, items=tuple(_remarks(of, kind, names))) for kind, word in REMARKS.items()]
    return Document(
        title=f"After the drill: {of.title}",
        subtitle=f"{of.ref} – as of {time_words(of.made_at, zone)}",
        language="en",
        author=author or "Tocsin",
        at=of.made_at,
        was_word="Before",
        particulars=tuple(_particulars(of, zone, names)),
        sections=(
            Section("What was expected", text=HOW, items=tuple(_item(one) for one in of.judged)),
            *(section for section in said if section.items),
            Section("What came in", tables=(_came_in(of),)),
            Section("What was done", tables=(_done(of, names),)),
        ),
        closing="A drill: nothing in it happened, and nobody outside was told.",
    )


def _particulars(of: AfterAction, zone: ZoneInfo, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{n} {VERDICT_WORDS[Verdict(word)]}" for word, n in of.counts.items() if n)
    yield "Score", "–" if of.score is None else f"{of.score} of 100 ({counts})"
    yield "Began", time_words(of.began_at, zone)
    yield "Ended", time_words(of.ended_at, zone) if of.ended_at else "it still runs"
    yield "Clock", f"{of.factor} minutes of the drill in one; {_span(of.minutes)} of {_span(of.planned)} were played"
    yield "Facilitator", names.get(of.facilitator, of.facilitator)
    yield "Scenario", f"{of.scenario} ({of.digest[:16]})"


def _item(one: Judged) -> Item:
    due = f"due at {_span(one.due or 0)}"
    done = "" if one.done is None else f", done at {_span(one.done)}"
    late = "" if one.late_by is None else f", {_span(one.late_by)} late"
    line = "" if one.line is None else f" (line {one.line} of the record)"
    mark = Mark(VERDICT_WORDS[one.verdict], TONES.get(one.verdict, "plain"))
    return Item(one.expected.title, f"{due}{done}{late}{line}", marks=(mark,), notes=(one.expected.why,))


def _remarks(of: AfterAction, kind: Remark, names: Mapping[str, str]) -> Iterator[Item]:
    for one in of.remarks:
        if one.kind == kind:
            notes = (f"proposed as {one.lesson}",) if one.lesson else ()
            yield Item(names.get(one.who, one.who), one.text, notes=notes)


def _came_in(of: AfterAction) -> Table:
    rows = tuple(
        (_when(one), KIND_WORDS[Kind(one.kind)], f"{one.sender}: {one.title}", _answer(one)) for one in of.thrown
    )
    return Table(("When", "What", "From, and what about", "Answer"), rows, (2, 2, 6, 3))


def _when(one: Thrown) -> str:
    return one.state if one.arrived is None else _span(one.arrived)


def _answer(one: Thrown) -> str:
    if one.answered is not None:
        return f"at {_span(one.answered)}"
    return "none" if one.wants_answer and one.arrived is not None else ""


def _done(of: AfterAction, names: Mapping[str, str]) -> Table:
    rows = tuple((_span(one.minute), names.get(one.who, one.who), one.words, str(one.line)) for one in of.done)
    return Table(("When", "Who", "What", "Line"), rows, (2, 3, 8, 1))


def _span(minutes: int) -> str:
    return span_words(timedelta(minutes=minutes))


def picture(of: AfterAction, *, look: str, width: int) -> bytes:
    """The line of time as a picture."""
    return drill_plot.drawn(of, look=look, width=width)
