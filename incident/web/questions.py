"""The questions that decide duties, each with the field to answer it, and what an answer changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident.domain import settlements
from incident.domain.facts import Entry, parsed, vocabulary
from incident.domain.obligations import Standing
from incident.domain.questions import weight
from incident.domain.settlements import Difference
from incident.store import incidents
from incident.store import obligations as rows
from incident.store.obligations import FindingRow
from incident.web import access, findings
from incident.web.dues import DueWords, due_words
from incident.web.languages import _, value_words

UNDO_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Question:
    """An unknown fact, how many duties wait for it, and when the nearest of them would be due."""

    entry: Entry
    waiting: tuple[FindingRow, ...]
    nearest: datetime | None
    due: DueWords

    @property
    def key(self) -> str:
        """The fact's name."""
        return self.entry.key

    @property
    def decides(self) -> int:
        """How many duties wait for it."""
        return len(self.waiting)


def asked(found: Iterable[FindingRow], now: datetime) -> list[Question]:
    """The open questions: first those on which most hangs, and soonest."""
    waiting: dict[str, list[FindingRow]] = {}
    for row in found:
        for key in row.wants if findings.asks(row) else ():
            if key in vocabulary():
                waiting.setdefault(key, []).append(row)
    questions = [_question(key, tuple(held), now) for key, held in waiting.items()]
    return sorted(questions, key=lambda one: (-weight((row.due_at for row in one.waiting), now), one.key))


def _question(key: str, held: tuple[FindingRow, ...], now: datetime) -> Question:
    nearest = min((row.due_at for row in held if row.due_at), default=None)
    return Question(vocabulary()[key], held, nearest, due_words(nearest, now, none=_("no time yet")))


def standings(incident_id: int) -> dict[str, settlements.Known]:
    """How each duty stands now, to compare with later."""
    return known(rows.current(incident_id).values())


def known(found: Iterable[FindingRow]) -> dict[str, settlements.Known]:
    """How each of these duties stands."""
    return {row.key: (Standing(row.standing), row.due_at) for row in found}


def change(before: Mapping[str, settlements.Known], after: Mapping[str, settlements.Known]) -> Difference:
    """What an answer changed."""
    return settlements.difference(before, after)


@dataclass(frozen=True)
class Answered:
    """An answer of a moment ago: what it says now, and what it said before it."""

    entry: Entry
    words: str
    before: str
    undoable: bool


def just_answered(incident_id: int, key: str, who: str, now: datetime) -> Answered | None:
    """The answer that this reader has just given, to be looked at and taken back; None if there is none."""
    if key not in vocabulary():
        return None
    past = incidents.history(incident_id, key)
    if not past or past[0].recorded_by != who or now - past[0].recorded_at > UNDO_WITHIN:
        return None
    entry, before = vocabulary()[key], (past[1].value if len(past) > 1 else None)
    said, was = (value_words(key, parsed(key, value), access.zone()) for value in (past[0].value, before))
    return Answered(entry, said, was, undoable=before != past[0].value)
