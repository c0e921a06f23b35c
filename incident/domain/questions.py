"""Which unknown fact to find out first: the one on which most hangs, and soonest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from incident.domain.clock import NEVER
from incident.domain.dues import ClockState
from incident.domain.facts import vocabulary
from incident.domain.obligations import Finding, Standing

URGENT_HOURS = 72
SHORTEST_HOURS = 1


@dataclass(frozen=True)
class Question:
    """An unknown fact, the duties that wait for it, the nearest of their due times, and the duties that it could lift."""

    key: str
    label: str
    duties: tuple[str, ...]
    nearest: datetime | None
    lifts: tuple[str, ...] = ()
    weight: float = 0.0


def questions(findings: Iterable[Finding], now: datetime) -> tuple[Question, ...]:
    """The unknown facts that decide something, heaviest first; those that could only lift a duty come last."""
    waiting: dict[str, list[Finding]] = {}
    lifting: dict[str, list[Finding]] = {}
    for finding in findings:
        for key in _asked(finding):
            waiting.setdefault(key, []).append(finding)
        for key in finding.lifts if finding.standing is Standing.OWED else ():
            lifting.setdefault(key, []).append(finding)
    rows = [_question(key, waiting.get(key, []), lifting.get(key, []), now) for key in {**waiting, **lifting}]
    return tuple(sorted(rows, key=lambda row: (not row.duties, -row.weight, row.nearest or NEVER, row.key)))


def _asked(finding: Finding) -> tuple[str, ...]:
    if finding.standing is Standing.OPEN:
        return finding.wants
    if finding.standing is Standing.OWED and finding.clock.state is ClockState.DATE_MISSING:
        return finding.clock.wants
    return ()


def _question(key: str, held: list[Finding], lifting: list[Finding], now: datetime) -> Question:
    label = vocabulary()[key].label if key in vocabulary() else key
    dues = [finding.clock.due for finding in held or lifting]
    return Question(
        key,
        label,
        tuple(finding.ref for finding in held),
        min((due for due in dues if due), default=None),
        tuple(finding.ref for finding in lifting),
        weight(dues, now),
    )


def weight(dues: Iterable[datetime | None], now: datetime) -> float:
    """How much a question weighs by the due times of the duties that wait for it.

    A duty without a time counts 1; one that is due in h hours counts 1 + 72/h, so that a duty due in 72 hours weighs as much
    as two without time, one due in an hour (or late) as much as 73.
    """
    return sum(1 + _nearness(due, now) for due in dues)


def _nearness(due: datetime | None, now: datetime) -> float:
    if due is None:
        return 0.0
    hours = (due - now).total_seconds() / 3600
    return URGENT_HOURS / max(hours, SHORTEST_HOURS)
