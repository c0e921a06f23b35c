"""The closing summary of an incident: what happened, what was owed, done and told, and where the record stood."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incident.domain import facts
from incident.domain.computed import graded
from incident.domain.dossier import Dossier, DutyLine, NoticeLine
from incident.domain.facts import UNKNOWN, shown, time_words, vocabulary
from incident.domain.plans import PHASE_WORDS, Phase
from incident.exports.document import Document, Item, Section, Table

FORMAT = "tocsin-summary/1"
KINDS = {"incident": "Incident", "near_miss": "Near miss", "drill": "Drill: nothing in it happened"}
DUTY_WORDS = {"not_owed": "not owed", "advised": "asked for, not owed"}
SHORTEST_HASH = 16


def document(told: Dossier) -> Document:
    """The summary as a document for people."""
    return Document(
        title=f"Summary: {told.title}",
        subtitle=f"{told.ref} – {KINDS.get(told.kind, told.kind)} – as of {_when(told.made_at, told)}",
        language="en",
        author=told.company.name or "Tocsin",
        at=told.made_at,
        was_word="Before",
        particulars=tuple(_particulars(told)),
        sections=tuple(section for section in _sections(told) if section.items or section.tables or section.text),
        closing="Times are in the zone that stands beside them. The data inside this file holds every value as recorded.",
    )


def _particulars(told: Dossier) -> Iterator[tuple[str, str]]:
    yield "Incident", told.ref
    yield "Kind", KINDS.get(told.kind, told.kind)
    yield "State", told.state
    yield "Opened", _when(told.opened_at, told)
    if told.closed_at:
        yield "Closed", _when(told.closed_at, told)
    if told.people_total:
        yield "People on the list", f"{told.people_total:,}"
    if told.seal:
        yield (
            "Record",
            f"checkpoint of {told.seal.size:,} lines, signed {_when(told.seal.signed_at, told)}, root {told.seal.root}",
        )
    else:
        yield "Record", "no checkpoint signed yet"


def _sections(told: Dossier) -> Iterator[Section]:
    yield Section("How severe", items=tuple(Item(graded(one, "en"), "\n".join(one.reasons)) for one in told.grades))
    yield Section("What is known", tables=_tables(_facts(told)))
    yield Section("What was owed", tables=_tables(_duties(told)))
    yield Section("Reports to authorities", tables=_tables(_reports(told)))
    yield Section("People told", tables=_tables(_notices(told)))
    yield Section("What was offered", tables=_tables(_remedies(told)))
    yield Section("What people asked", tables=_tables(_enquiries(told)))
    yield Section("What was done", tables=_tables(_steps(told)))
    yield Section("Evidence", tables=_tables(_evidence(told)))
    yield Section("Review", items=tuple(Item(line.label, line.text) for line in told.review if line.text))


def _tables(table: Table) -> tuple[Table, ...]:
    """The table, unless nothing stands in it."""
    return (table,) if table.rows else ()


def _facts(told: Dossier) -> Table:
    rows = tuple(
        (
            entry.label,
            shown(entry.key, fact.value, told.zone),
            _origin(fact.source, fact.confidence),
            _when(fact.recorded_at, told),
        )
        for entry in vocabulary()
        if (fact := told.facts.get(entry.key))
    )
    return Table(("Fact", "Value", "How known", "Recorded"), rows, (4, 7, 3, 3))


def _origin(source: str, confidence: str) -> str:
    return ", ".join(part for part in (source, f"{confidence} confidence" if confidence else "") if part)


def _duties(told: Dossier) -> Table:
    rows = tuple(
        (_due(one, told), one.title, f"{one.law} {one.cite}".strip(), _duty_state(one, told)) for one in told.duties
    )
    return Table(("Due", "Duty", "Law", "How it stands"), rows, (3, 5, 4, 4))


def _due(one: DutyLine, told: Dossier) -> str:
    return _when(one.due_at, told) if one.due_at else "no fixed time"


def _duty_state(one: DutyLine, told: Dossier) -> str:
    if one.state != "met" or one.met_at is None:
        return DUTY_WORDS.get(one.state, one.state)
    late = " (late)" if one.late_seconds else ""
    return f"met {_when(one.met_at, told)}{late}" + (f", reference {one.reference}" if one.reference else "")


def _reports(told: Dossier) -> Table:
    rows = tuple(
        (_when(one.filed_at, told), one.authority, f"{one.title}: {one.stage}", one.reference) for one in told.reports
    )
    return Table(("Filed", "Authority", "Report", "Reference"), rows, (3, 4, 6, 3))


def _notices(told: Dossier) -> Table:
    rows = tuple(
        (one.title, _sent(one, told), f"{one.people:,}", f"{one.reached:,}", _rest(one)) for one in told.notices
    )
    return Table(("Notice", "Sent from", "People", "Reached", "The others"), rows, (4, 3, 2, 2, 4))


def _sent(one: NoticeLine, told: Dossier) -> str:
    return (
        f"{_when(one.first_sent_at, told)} by {', '.join(one.channels)}"
        if one.first_sent_at
        else f"not sent ({one.state})"
    )


def _rest(one: NoticeLine) -> str:
    others = {
        state: number
        for state, number in one.states.items()
        if state not in {"accepted", "delivered", "confirmed"} and number
    }
    return ", ".join(f"{state.replace('_', ' ')} {number:,}" for state, number in others.items())


def _remedies(told: Dossier) -> Table:
    rows = tuple(
        (
            one.name,
            one.provider,
            f"{one.months} months" if one.months else "",
            one.until or "no last day",
            f"{one.given:,}",
            f"{one.redeemed:,}",
        )
        for one in told.remedies
    )
    return Table(("Remedy", "Provider", "For", "Until", "Codes given", "Redeemed"), rows, (4, 3, 2, 3, 2, 2))


def _enquiries(told: Dossier) -> Table:
    """One row, of figures alone; none where nobody asked."""
    one = told.enquiries
    if one is None:
        return Table((), (), ())
    late = f", {one.late:,} late" if one.late else ""
    half = "" if one.median_hours is None else f"{one.median_hours:.1f} hours"
    row = (f"{one.all:,}", f"{one.open:,}{late}", f"{one.answered:,}", f"{one.in_time:,}", f"{one.requests:,}", half)
    heads = ("Enquiries", "Open", "Answered", "Answered in time", "Requests under a law", "Half answered within")
    return Table(heads, (row,), (2, 2, 2, 3, 3, 3))


def _steps(told: Dossier) -> Table:
    rows = tuple(
        (
            PHASE_WORDS[Phase(one.phase)] if one.phase in set(Phase) else one.phase,
            one.title,
            one.state,
            _when(one.finished_at, told) if one.finished_at else "",
        )
        for one in told.steps
    )
    return Table(("Phase", "Step", "State", "Finished"), rows, (3, 7, 2, 3))


def _evidence(told: Dossier) -> Table:
    rows = tuple((one.ref, one.description, f"{one.size:,} bytes", one.sha256) for one in told.evidence)
    return Table(("Piece", "What it shows", "Size", "SHA-256"), rows, (2, 4, 2, 7))


def _when(moment: datetime, told: Dossier) -> str:
    return time_words(moment, told.zone)


def data(told: Dossier) -> dict[str, Any]:
    """The summary for machines."""
    return {
        "format": FORMAT,
        "incident": told.ref,
        "kind": told.kind,
        "title": told.title,
        "category": told.category,
        "state": told.state,
        "opened_at": _plain(told.opened_at),
        "closed_at": _plain(told.closed_at),
        "as_of": _plain(told.made_at),
        "people": {"total": told.people_total, "by_place": dict(told.people_by_place)},
        "facts": {
            key: {
                "value": None if one.value is UNKNOWN else facts.to_json(one.value),
                "source": one.source,
                "confidence": one.confidence,
                "recorded_at": _plain(one.recorded_at),
            }
            for key, one in told.facts.items()
        },
        **{
            name: [_json(one) for one in getattr(told, name)]
            for name in ("grades", "duties", "reports", "notices", "remedies", "steps", "evidence", "review")
        },
        "enquiries": _json(told.enquiries) if told.enquiries else None,
        "record": _json(told.seal) if told.seal else None,
    }


def _json(one: object) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(one).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return facts.to_json(value)
    return list(value) if isinstance(value, tuple) else value
