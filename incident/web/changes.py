"""What is proposed since somebody last accepted, in words and in lists: which duties became owed, moved or fell away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incident.store.obligations import FindingRow
from incident.web import findings
from incident.web.languages import Word, _

LISTED = 12
WORDS = {
    "owed": Word("Became owed"),
    "moved": Word("Have another due time"),
    "lifted": Word("No longer owed"),
    "closed": Word("No longer open, and not owed"),
}
WOULD = {
    "moved": Word("Would be due at another time"),
    "lifted": Word("Would no longer be owed"),
    "closed": Word("Would be ruled out"),
}


@dataclass(frozen=True)
class Changed:
    """One duty that says something else now."""

    ref: str
    title: str
    due_at: datetime | None
    was_due_at: datetime | None
    note: str


@dataclass(frozen=True)
class Proposed:
    """The difference that waits for a person: its sentence, and the duties by what became of them."""

    number: int
    words: str
    lists: Sequence[tuple[str, Sequence[Changed], int]]


def proposed(rows: Sequence[FindingRow]) -> Proposed | None:
    """What these findings would change; None if nothing is proposed."""
    if not rows:
        return None
    difference = findings.change(rows)
    by_duty = {row.key: row for row in rows}
    lists = []
    for word, label in WORDS.items():
        held = sorted((by_duty[duty] for duty in getattr(difference, word)), key=_soonest)
        if held:
            lists.append((label, [_changed(row, word) for row in held[:LISTED]], max(0, len(held) - LISTED)))
    words = difference.words()
    return Proposed(len(rows), _("The first assessment") if words == "nothing changed" else words, lists)


def _soonest(row: FindingRow) -> tuple[bool, datetime | int, str]:
    return row.due_at is None, row.due_at or 0, row.duty


def _changed(row: FindingRow, word: str) -> Changed:
    moved = word == "moved"
    note = findings.because(row) if word in {"lifted", "closed"} else ("" if row.due_at else row.clock_words)
    return Changed(
        row.ref,
        f"{row.title} ({row.wave})" if row.wave else row.title,
        row.due_at,
        row.was_due_at if moved else None,
        note,
    )
