"""Which unknown fact to find out first: the one on which most hangs, and soonest."""

from collections.abc import Iterable
from datetime import datetime

URGENT_HOURS = 72
SHORTEST_HOURS = 1


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
