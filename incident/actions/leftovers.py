"""What is kept for a day or two so that nothing is typed or done twice goes once its time is over, with one line."""

from datetime import datetime, timedelta
from typing import Final

from incident.actions.ledger import transaction
from incident.store import repeats, unsent

EVERYTHING: Final = "leftovers"
AT_ONCE: Final = timedelta(hours=6)
"""So long may something lie beyond its time, so that there is a line four times a day at most."""


def due(now: datetime) -> list[str]:
    """One reference once something lies beyond its time for too long."""
    overdue = now - AT_ONCE
    return [EVERYTHING] if unsent.has_old(overdue) or repeats.has_old(overdue) else []


def do(_reference: str, now: datetime) -> None:
    """Remove forms that nobody sent again, and answers that were kept for requests sent twice."""
    with transaction("system", now) as ledger:
        forms, answers = unsent.remove_old(now), repeats.remove_old(now)
        if not forms and not answers:
            ledger.unchanged()
            return
        ledger.write("leftovers.removed", EVERYTHING, forms=forms, answers=answers)
