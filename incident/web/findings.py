"""Findings in ready words, for the pages of duties and for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident.domain import lawbook, places, settlements
from incident.domain.facts import vocabulary
from incident.domain.lawbook import Confidence, Duty, Law
from incident.domain.obligations import Standing
from incident.domain.settlements import Difference, State
from incident.store.obligations import FindingRow
from incident.web import marks
from incident.web.dues import DueWords, due_words
from incident.web.languages import Word, _
from incident.web.marks import Mark

CONFIDENCE_TONES = {Confidence.VERIFIED: "met", Confidence.SECONDARY: "soon", Confidence.MEMORY: "late"}
CONFIDENCE_WORDS = {
    Confidence.VERIFIED: Word("read in the law"),
    Confidence.SECONDARY: Word("secondary source"),
    Confidence.MEMORY: Word("from memory"),
}
NO_TIME = {
    "none_in_law": Word("no deadline in law"),
    "not_started": Word("not started"),
    "date_missing": Word("date missing"),
    "on_hold": Word("on hold"),
}
SETTLED = frozenset({State.MET.value, State.WAIVED.value})


@dataclass(frozen=True)
class Shown:
    """One finding with everything a page says of it."""

    row: FindingRow
    due: DueWords
    word: str
    mark: Mark
    law: Law | None
    duty: Duty | None
    asks: tuple[dict[str, str], ...]

    @property
    def tone(self) -> str:
        """The tone of its mark."""
        return self.mark.tone

    @property
    def place(self) -> str:
        """Where its law is from, in words."""
        return places.named(self.law.place) if self.law else ""

    @property
    def recipient(self) -> str:
        """To whom it is: the authority by its name."""
        if self.row.to == "authority" and self.law:
            return self.law.authority
        return lawbook.RECIPIENTS.get(self.row.to, self.row.to)

    @property
    def own(self) -> bool:
        """Whether it stands in a law file of this installation."""
        return self.law is not None and self.law.own

    @property
    def wave(self) -> str:
        """The wave of people found later for whom it is; empty for the incident as a whole."""
        return self.row.wave

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
            return _("law file gone"), "late", _("The library no longer has this duty.")
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


def shown(row: FindingRow, now: datetime, law: Law | None = None) -> Shown:
    """The finding in words, by the law of today unless another text of it is given.

    The tone of its due time is that of the clock, that of its tag is its state's.
    """
    law = law or lawbook.library().laws.get(row.law)
    mark = marks.MARKS[marks.look(row, now)]
    asks = tuple(_ask(key) for key in row.wants)
    return Shown(
        row,
        _due(row, now),
        marks.word(row, now),
        mark,
        law,
        law.duty(row.duty.partition("/")[2]) if law else None,
        asks,
    )


def _due(row: FindingRow, now: datetime) -> DueWords:
    if row.state in SETTLED:
        return DueWords(row.state, "met" if row.state == State.MET else "far", row.met_at or row.decided_at)
    if row.standing == Standing.NOT_OWED:
        return DueWords(_("not owed"), "far", None)
    words = due_words(row.due_at, now, none=NO_TIME.get(row.clock, "no fixed time"))
    if row.standing != Standing.OPEN:
        return words
    said = _("would be %(words)s", words=words.words) if words.tone == "late" else words.words
    return DueWords(said if words.at else "open", "open", words.at)


def _ask(key: str) -> dict[str, str]:
    return {"key": key, "label": vocabulary()[key].label if key in vocabulary() else key}


def change(proposed: Iterable[FindingRow]) -> Difference:
    """What would be accepted: how the proposed findings differ from those they replaced."""
    rows = list(proposed)
    before = {row.key: (Standing(row.was), row.was_due_at) for row in rows}
    return settlements.difference(before, {row.key: (Standing(row.standing), row.due_at) for row in rows})


def because(row: FindingRow) -> str:
    """The reasons in a sentence."""
    return "; ".join(row.because)


def asks(row: FindingRow) -> bool:
    """Whether it waits for facts: an open finding for all it wants, an owed one only for the date its clock lacks."""
    if row.state in SETTLED:
        return False
    return row.standing == Standing.OPEN or (row.standing == Standing.OWED and row.clock == "date_missing")


def line(row: FindingRow, incident: str) -> Mapping[str, Any]:
    """One finding as a row of a table."""
    duty = lawbook.library().duty(row.duty)
    return {
        "incident": incident,
        "reference": row.ref,
        "law": row.law,
        "duty": row.duty,
        "wave": row.wave,
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


def cells(row: FindingRow, incident: str) -> tuple[Any, ...]:
    """One finding as the cells of a table, in the order of HEADER."""
    told = line(row, incident)
    return tuple(told[name] for name in HEADER)


HEADER = (
    "incident",
    "reference",
    "law",
    "duty",
    "wave",
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
