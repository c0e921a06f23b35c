"""Who was refused what: a line for each, until somebody is refused so often that more lines would say nothing new."""

from datetime import datetime
from typing import Final

from incident.actions.ledger import transaction
from incident.actions.throttled import TooMany, take

LIMIT: Final = "refused"
MOST_KNOWN: Final = 1_000
_quiet_until: dict[str, datetime] = {}
"""Of whom this process knows that no line is written just now, so that refusing them again costs nothing."""


def note(person: str, permit: str, *, incident: str | None, now: datetime) -> None:
    """Leave a line that this person was refused; none once they were refused ten times within an hour, for half an hour."""
    if person in _quiet_until and now < _quiet_until[person]:
        return
    try:
        take(LIMIT, person, now=now)
    except TooMany as many:
        if len(_quiet_until) >= MOST_KNOWN:
            _quiet_until.clear()
        _quiet_until[person] = many.until
        return
    with transaction(person, now) as ledger:
        ledger.write("access.refused", person, incident=incident, permit=permit)
