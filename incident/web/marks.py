"""How a duty stands, told by a sign and a word as well as by a colour: the same on board, desk, plot and page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident.domain.dues import ClockState
from incident.domain.obligations import Standing
from incident.domain.settlements import State
from incident.store.obligations import FindingRow
from incident.web.filters import span
from incident.web.languages import Word, _


@dataclass(frozen=True)
class Mark:
    """A look with its name, its sign, its tone, and what it means in a legend."""

    look: str
    sign: str
    tone: str
    means: str


MARKS = {
    mark.look: mark
    for mark in (
        Mark("late", "!", "late", Word("late: owed, and its time is over")),
        Mark("owed", "●", "owed", Word("owed")),
        Mark("held", "‖", "soon", Word("on hold: law enforcement asked for delay")),
        Mark("advised", "◇", "idle", Word("advised: owed by no law, asked for by the authority")),
        Mark("open", "○", "open", Word("open: facts that decide it are not known yet")),
        Mark("met", "✓", "met", Word("met")),
        Mark("waived", "×", "idle", Word("waived, with a reason")),
        Mark("not_owed", "–", "idle", Word("not owed")),
    )
}
"""In the order of how much they press."""

TO_PEOPLE = frozenset({"individuals", "public", "media", "customers"})
TO_AUTHORITIES = frozenset({"authority", "attorney_general", "police"})


def kind(row: FindingRow) -> str:
    """The shape of a finding on a plot, by whom it is to: an authority, people, or others."""
    if row.to in TO_AUTHORITIES:
        return "report"
    return "people" if row.to in TO_PEOPLE else "other"


def look(row: FindingRow, now: datetime) -> str:
    """The name of the mark that a finding bears now."""
    if row.state in {State.MET, State.WAIVED}:
        return str(row.state)
    if row.standing == Standing.OWED and row.due_at and row.due_at < now:
        return "late"
    if row.clock == ClockState.ON_HOLD and row.standing in {Standing.OWED, Standing.ADVISED}:
        return "held"
    return str(row.standing)


def word(row: FindingRow, now: datetime) -> str:
    """The word that stands beside the sign."""
    seen = look(row, now)
    if seen == "met" and row.late_seconds:
        return _("met, %(timedelta)s late", timedelta=span(timedelta(seconds=row.late_seconds)))
    return {"held": "on hold", "not_owed": "not owed"}.get(seen, seen)
