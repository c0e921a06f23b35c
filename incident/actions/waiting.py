"""Which sendings have something to do now, and by which channels."""

from datetime import datetime

from incident.actions import quieting
from incident.domain.deliveries import Course
from incident.store import claims, dispatches, letters
from incident.store.dispatches import Dispatch


def due(now: datetime) -> list[str]:
    """The dispatches with something to do now."""
    found = [row.ref for row in dispatches.under_way() if row.course == Course.PREPARING or _is_due(row, now)]
    doubts = [*dispatches.without_doubts(), *dispatches.done_in_doubt()]
    return list(dict.fromkeys([*found, *doubts, *claims.dispatches_with_lost_claims(now)]))


def _is_due(row: Dispatch, now: datetime) -> bool:
    if not row.waiting:
        return not row.sending and not letters.unposted(row.id)
    return not dispatches.frozen() and any(_has_due(row, channel, now) for channel in rested(row, now))


def _has_due(row: Dispatch, channel: str, now: datetime) -> bool:
    found = claims.has_due(row.id, channel, now)
    if not found:
        quieting.found_nobody(row, channel, now)
    return found


def rested(row: Dispatch, now: datetime) -> list[str]:
    """The channels of a dispatch that are not resting from their provider's trouble."""
    return [
        word
        for word in row.channels
        if (not (until := row.holds.get(word, {}).get("until")) or datetime.fromisoformat(until) <= now)
        and quieting.is_worth_a_look(row, word, now)
    ]
