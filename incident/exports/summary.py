"""The closing summary of an incident: what happened, what was owed, done and told, and where the record stood."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from incident.domain import facts, phrases
from incident.domain.computed import graded
from incident.domain.dossier import Dossier, DutyLine, NoticeLine
from incident.domain.facts import UNKNOWN, Unknown, Value, shown, time_words, vocabulary
from incident.domain.plans import PHASE_WORDS, Phase
from incident.domain.speech import Say, retold
from incident.exports.catalogue import FORMS, placed, speaker
from incident.exports.document import Document, Item, Section, Table

FORMAT = "tocsin-summary/1"
KINDS = {"incident": "Incident", "near_miss": "Near miss", "drill": "Drill: nothing in it happened"}
STATE_WORDS: Final = {"open": "still open", "closed": "closed"}
DUTY_WORDS = {"not_owed": "not owed", "advised": "asked for, not owed"}
HEADS: Final = {
    "facts": ("Fact", "Value", "How known", "Recorded"),
    "duties": ("Due", "Duty", "Law", "How it stands"),
    "reports": ("Filed", "Authority", "Report", "Reference"),
    "notices": ("Notice", "Sent from", "People", "Reached", "The others"),
    "remedies": ("Remedy offered", "Provider", "For", "Until", "Codes given", "Redeemed"),
    "enquiries": ("Enquiries", "Open", "Answered", "Answered in time", "Requests under a law", "Half answered within"),
    "steps": ("Phase", "Step", "State", "Finished"),
    "evidence": ("Piece", "What it shows", "Size", "SHA-256"),
}
SHORTEST_HASH = 16


def document(told: Dossier, language: str = "en") -> Document:
    """The summary as a document for people, in a language of the interface; what people wrote stays as they wrote it."""
    say = speaker(language)
    return Document(
        title=f"{say('Summary')}{say(': ')}{told.title}",
        subtitle=f"{told.ref} – {say(KINDS.get(told.kind, told.kind))} – {say('as of {when}', when=_at(told.made_at, told))}",
        language=FORMS[language],
        author=told.company.name or "Tocsin",
        at=told.made_at,
        was_word=say("Before"),
        particulars=tuple(_particulars(told, say)),
        sections=tuple(
            section for section in _sections(told, say, language) if section.items or section.tables or section.text
        ),
        closing=say(
            "Times are in the zone that stands beside them. The data inside this file holds every value as recorded."
        ),
    )


def _particulars(told: Dossier, say: Say) -> Iterator[tuple[str, str]]:
    yield say("Incident"), told.ref
    yield say("Kind"), say(KINDS.get(told.kind, told.kind))
    yield say("State"), say(STATE_WORDS.get(told.state, told.state))
    yield say("Opened"), _when(told.opened_at, told, say)
    if told.closed_at:
        yield say("Closed"), _when(told.closed_at, told, say)
    if told.people_total:
        yield say("People on the list"), f"{told.people_total:,}"
    yield say("Record"), _record(told, say)


def _record(told: Dossier, say: Say) -> str:
    seal = told.seal
    if seal is None:
        return str(say("no checkpoint signed yet"))
    signed = _at(seal.signed_at, told)
    words = say(
        "checkpoint of {lines} lines, signed {when}, root {root}", lines=f"{seal.size:,}", when=signed, root=seal.root
    )
    return str(words)


def _sections(told: Dossier, say: Say, language: str) -> Iterator[Section]:
    yield Section(say("How severe"), items=tuple(_grades(told, say, language)))
    yield Section(say("What is known"), tables=_tables(_facts(told, say, language)))
    yield Section(say("What was owed"), tables=_tables(_duties(told, say)))
    yield Section(say("Reports to authorities"), tables=_tables(_reports(told, say)))
    yield Section(say("People told"), tables=_tables(_notices(told, say)))
    yield Section(say("What was offered"), tables=_tables(_remedies(told, say)))
    yield Section(say("What people asked"), tables=_tables(_enquiries(told, say)))
    yield Section(say("What was done"), tables=_tables(_steps(told, say)))
    yield Section(say("Evidence"), tables=_tables(_evidence(told, say)))
    answers = (Item(retold(say, line.label), line.text) for line in told.review if line.text)
    yield Section(say("Review"), items=tuple(answers))


def _tables(table: Table) -> tuple[Table, ...]:
    """The table, unless nothing stands in it."""
    return (table,) if table.rows else ()


def _heads(table: str, say: Say) -> tuple[str, ...]:
    return tuple(say(word) for word in HEADS[table])


def _grades(told: Dossier, say: Say, language: str) -> Iterator[Item]:
    for one in told.grades:
        yield Item(graded(one, FORMS[language]), "\n".join(retold(say, reason) for reason in one.reasons))


def _facts(told: Dossier, say: Say, language: str) -> Table:
    rows = tuple(
        (
            retold(say, entry.label),
            _value(entry.key, fact.value, told, language),
            _origin(fact.source, fact.confidence, say),
            _when(fact.recorded_at, told, say),
        )
        for entry in vocabulary()
        if (fact := told.facts.get(entry.key))
    )
    return Table(_heads("facts", say), rows, (4, 7, 3, 3))


def _value(key: str, value: Value | Unknown, told: Dossier, language: str) -> str:
    if language == "en":
        return shown(key, value, told.zone)
    words = phrases.words(key, value, told.zone, FORMS[language])
    return placed(words, language) if isinstance(value, datetime) else words


def _origin(source: str, confidence: str, say: Say) -> str:
    sure = say("{level} confidence", level=confidence) if confidence else ""
    return say(", ").join(part for part in (retold(say, source), sure) if part)


def _duties(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (_due(one, told, say), retold(say, one.title), f"{one.law} {one.cite}".strip(), _duty_state(one, told, say))
        for one in told.duties
    )
    return Table(_heads("duties", say), rows, (3, 5, 4, 4))


def _due(one: DutyLine, told: Dossier, say: Say) -> str:
    return _when(one.due_at, told, say) if one.due_at else str(say("no fixed time"))


def _duty_state(one: DutyLine, told: Dossier, say: Say) -> str:
    if one.state != "met" or one.met_at is None:
        return retold(say, DUTY_WORDS.get(one.state, one.state))
    when = _at(one.met_at, told)
    met = say("met {when} (late)", when=when) if one.late_seconds else say("met {when}", when=when)
    return f"{met}{say(', reference')} {one.reference}" if one.reference else str(met)


def _reports(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (
            _when(one.filed_at, told, say),
            retold(say, one.authority),
            f"{retold(say, one.title)}: {retold(say, one.stage)}",
            one.reference,
        )
        for one in told.reports
    )
    return Table(_heads("reports", say), rows, (3, 4, 6, 3))


def _notices(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (one.title, _sent(one, told, say), f"{one.people:,}", f"{one.reached:,}", _rest(one, say))
        for one in told.notices
    )
    return Table(_heads("notices", say), rows, (4, 3, 2, 2, 4))


def _sent(one: NoticeLine, told: Dossier, say: Say) -> str:
    if one.first_sent_at is None:
        return str(say("not sent ({state})", state=one.state.replace("_", " ")))
    channels = say(", ").join(retold(say, channel) for channel in one.channels)
    return str(say("{when} by {channels}", when=_at(one.first_sent_at, told), channels=channels))


def _rest(one: NoticeLine, say: Say) -> str:
    others = {
        state: number
        for state, number in one.states.items()
        if state not in {"accepted", "delivered", "confirmed"} and number
    }
    return say(", ").join(f"{retold(say, state.replace('_', ' '))} {number:,}" for state, number in others.items())


def _remedies(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (
            one.name,
            one.provider,
            say("{months} months", months=one.months) if one.months else "",
            one.until or say("no last day"),
            f"{one.given:,}",
            f"{one.redeemed:,}",
        )
        for one in told.remedies
    )
    return Table(_heads("remedies", say), rows, (4, 3, 2, 3, 2, 2))


def _enquiries(told: Dossier, say: Say) -> Table:
    """One row, of figures alone; none where nobody asked."""
    one = told.enquiries
    if one is None:
        return Table((), (), ())
    late = say(", {amount} late", amount=f"{one.late:,}") if one.late else ""
    half = "" if one.median_hours is None else say("{amount} hours", amount=f"{one.median_hours:.1f}")
    row = (f"{one.all:,}", f"{one.open:,}{late}", f"{one.answered:,}", f"{one.in_time:,}", f"{one.requests:,}", half)
    return Table(_heads("enquiries", say), (row,), (2, 2, 2, 3, 3, 3))


def _steps(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (
            retold(say, PHASE_WORDS[Phase(one.phase)] if one.phase in set(Phase) else one.phase),
            retold(say, one.title),
            retold(say, one.state),
            _when(one.finished_at, told, say) if one.finished_at else "",
        )
        for one in told.steps
    )
    return Table(_heads("steps", say), rows, (3, 7, 2, 3))


def _evidence(told: Dossier, say: Say) -> Table:
    rows = tuple(
        (one.ref, one.description, say("{amount} bytes", amount=f"{one.size:,}"), one.sha256) for one in told.evidence
    )
    return Table(_heads("evidence", say), rows, (2, 4, 2, 7))


def _at(moment: datetime, told: Dossier) -> str:
    """A moment as rules write it; who says it puts it into the language."""
    return time_words(moment, told.zone)


def _when(moment: datetime, told: Dossier, say: Say) -> str:
    return retold(say, _at(moment, told))


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
