"""What reports make of one delivery. However often they come, in whatever order and in however many posts, the end is the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from incident.domain.deliveries import MAY_PASS, REPORTS, TABLE, Happening, State
from notifiers.contract import Event, Status

SAYS_IT_ARRIVED: Final = frozenset({State.ACCEPTED, State.DELIVERED, State.CONFIRMED})
MEANS: Final = {
    status: (happening, status in MAY_PASS, status is Status.COMPLAINED) for status, happening in REPORTS.items()
}
"""What happened, whether it came back for this time only, and whether the person complained."""


@dataclass(slots=True)
class Known:
    """What is known of one delivery. `last` is the newest moment that a report named."""

    state: State
    provider_id: str = ""
    reason: str = ""
    code: str = ""
    may_pass: bool = False
    complained: bool = False
    last: datetime | None = None


def hear(known: Known, events: Iterable[Event], now: datetime) -> bool:
    """Take these reports in; whether one of them said something of this delivery that is not simulated.

    What came back for good stays so, whatever else says that it may be tried again.
    """
    said = False
    for event in events:
        happening, may_pass, complaint = MEANS[event.status]
        at = event.at or now
        if known.last is None or at > known.last:
            known.last = at
        known.complained = known.complained or complaint
        if happening is Happening.REPORTED_ELSE or known.state is State.SIMULATED:
            continue
        said = True
        known.provider_id = known.provider_id or event.provider_id
        then = TABLE[known.state, happening]
        is_final = happening is Happening.REPORTED_BACK and then is State.BOUNCED and known.may_pass and not may_pass
        if then is not known.state or is_final:
            known.state, known.reason, known.code, known.may_pass = then, event.reason[:40], event.code[:20], may_pass
    return said
