"""Findings in ready words, for the pages of duties and for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for

from incident.domain import clock, lawbook, settlements
from incident.domain.facts import vocabulary
from incident.domain.lawbook import Confidence, Duty, Law
from incident.domain.obligations import Standing
from incident.domain.settlements import Difference, State
from incident.store.obligations import FindingRow
from incident.web.dues import DueWords, due_words
from incident.web.filters import span

STANDING_TONES = {"owed": "owed", "open": "open", "advised": "idle", "not_owed": "idle"}
CONFIDENCE_TONES = {Confidence.VERIFIED: "met", Confidence.SECONDARY: "soon", Confidence.MEMORY: "late"}
CONFIDENCE_WORDS = {
    Confidence.VERIFIED: "read in the law",
    Confidence.SECONDARY: "secondary source",
    Confidence.MEMORY: "from memory",
}
NO_TIME = {
    "none_in_law": "no deadline in law",
    "not_started": "not started",
    "date_missing": "date missing",
    "on_hold": "on hold",
}
SETTLED = frozenset({State.MET.value, State.WAIVED.value})


@dataclass(frozen=True)
class Shown:
    """One finding with everything a page says of it."""

    row: FindingRow
    due: DueWords
    word: str
    tone: str
    law: Law | None
    duty: Duty | None
    asks: tuple[dict[str, str], ...]

    @property
    def short(self) -> str:
        """Law and place, such as GDPR Art. 33(1)."""
        if self.law is None or self.duty is None:
            return self.row.law
        place, short = self.duty.cite.place, self.law.short
        return place if place.startswith(short) else f"{short}, {place}"

    @property
    def confidence(self) -> tuple[str, str, str]:
        """How well the duty was read: word, tone, and what that means."""
        if self.duty is None:
            return "law file gone", "late", "The library no longer has this duty."
        known = self.duty.confidence
        return CONFIDENCE_WORDS[known], CONFIDENCE_TONES[known], known.words

    @property
    def settled(self) -> bool:
        """Whether somebody met or waived it."""
        return self.row.state in SETTLED

    @property
    def contents(self) -> tuple[str, ...]:
        """What the notice or report has to say, in words."""
        known = lawbook.elements()
        return tuple(known[word] for word in self.duty.contents) if self.duty else ()

    @property
    def forbidden(self) -> tuple[str, ...]:
        """What it must not say, in words."""
        known = lawbook.elements()
        return tuple(known[word] for word in self.duty.forbidden) if self.duty else ()


def shown(row: FindingRow, now: datetime) -> Shown:
    """The finding in words; the tone of its due time is that of the clock, that of its tag is its state's."""
    book = lawbook.library()
    law = book.laws.get(row.law)
    word, tone = _state(row, now)
    return Shown(row, _due(row, now), word, tone, law, book.duty(row.duty), tuple(_ask(key) for key in row.wants))


def _state(row: FindingRow, now: datetime) -> tuple[str, str]:
    if row.state == State.MET:
        return (f"met, {_late(row)} late" if row.late_seconds else "met"), "met"
    if row.state == State.WAIVED:
        return "waived", "idle"
    if row.standing == Standing.OWED and row.due_at and row.due_at < now:
        return "late", "late"
    return Standing(row.standing).words, STANDING_TONES[row.standing]


def _late(row: FindingRow) -> str:
    return span(timedelta(seconds=row.late_seconds or 0))


def _due(row: FindingRow, now: datetime) -> DueWords:
    if row.state in SETTLED:
        return DueWords(row.state, "met" if row.state == State.MET else "far", row.met_at or row.decided_at)
    if row.standing == Standing.NOT_OWED:
        return DueWords("not owed", "far", None)
    words = due_words(row.due_at, now, none=NO_TIME.get(row.clock, "no fixed time"))
    return DueWords(words.words if words.at else "open", "open", words.at) if row.standing == Standing.OPEN else words


def _ask(key: str) -> dict[str, str]:
    return {"key": key, "label": vocabulary()[key].label if key in vocabulary() else key}


def change(proposed: Iterable[FindingRow]) -> Difference:
    """What would be accepted: how the proposed findings differ from those they replaced."""
    rows = list(proposed)
    before = {row.duty: (Standing(row.was), row.was_due_at) for row in rows}
    return settlements.difference(before, {row.duty: (Standing(row.standing), row.due_at) for row in rows})


def because(row: FindingRow) -> str:
    """The reasons in a sentence."""
    return "; ".join(row.because)


def questions(rows: Iterable[FindingRow], incident: str, now: datetime) -> list[dict[str, Any]]:
    """The unknown facts that decide something: those that decide most first, of equals the nearest deadline."""
    waiting: dict[str, list[FindingRow]] = {}
    for row in rows:
        for key in row.wants if _asks(row) else ():
            waiting.setdefault(key, []).append(row)
    found = [_question(key, held, incident, now) for key, held in waiting.items() if key in vocabulary()]
    return sorted(found, key=lambda one: (-one["decides"], one["nearest"] or clock.NEVER, one["key"]))


def _asks(row: FindingRow) -> bool:
    """An open finding asks for all it wants; an owed one only for the date its clock lacks."""
    if row.state in SETTLED:
        return False
    return row.standing == Standing.OPEN or (row.standing == Standing.OWED and row.clock == "date_missing")


def _question(key: str, held: list[FindingRow], incident: str, now: datetime) -> dict[str, Any]:
    nearest = min((row.due_at for row in held if row.due_at), default=None)
    entry = vocabulary()[key]
    return {
        "key": key,
        "label": entry.label,
        "hint": entry.hint,
        "decides": len(held),
        "nearest": nearest,
        "due": due_words(nearest, now),
        "href": url_for("incidents.fact", incident=incident, key=key),
        "titles": [row.title for row in held],
    }


def line(row: FindingRow, incident: str) -> Mapping[str, Any]:
    """One finding as a row of a table."""
    duty = lawbook.library().duty(row.duty)
    return {
        "incident": incident,
        "reference": row.ref,
        "law": row.law,
        "duty": row.duty,
        "title": row.title,
        "to": row.to,
        "standing": row.standing,
        "state": row.state,
        "due (UTC)": row.due_at.isoformat() if row.due_at else "",
        "clock": row.clock,
        "clock in words": row.clock_words,
        "because": because(row),
        "wants": " ".join(row.wants),
        "met (UTC)": row.met_at.isoformat() if row.met_at else "",
        "late seconds": "" if row.late_seconds is None else row.late_seconds,
        "citation": duty.cite.place if duty else "",
        "address": duty.cite.href if duty else "",
        "confidence": duty.confidence.value if duty else "",
        "law file": row.law_digest,
    }


HEADER = (
    "incident",
    "reference",
    "law",
    "duty",
    "title",
    "to",
    "standing",
    "state",
    "due (UTC)",
    "clock",
    "clock in words",
    "because",
    "wants",
    "met (UTC)",
    "late seconds",
    "citation",
    "address",
    "confidence",
    "law file",
)
