"""Open incidents take up what a page says of the organisation, and are judged anew; what somebody said of an incident itself stays."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from incident.actions import particulars
from incident.actions.intake import OUR_SETTINGS, add_learnt
from incident.actions.ledger import transaction
from incident.domain.errors import Refused
from incident.domain.particulars import FACTS
from incident.settings import Settings
from incident.store import incidents
from incident.store import particulars as rows
from incident.store.incidents import Fact

AT_ONCE: Final = 100


def due(settings: Settings) -> list[str]:
    """One reference while a change has not come to all open incidents yet."""
    return ["organisation"] if _waiting(settings) else []


def do(settings: Settings, *, clock: Callable[[], datetime], going: Callable[[], bool] = lambda: True) -> int:
    """Bring every open incident up to what was changed, each in a transaction of its own; how many changed.

    Safe to kill and to repeat. Once it is no longer `going`, it leaves after the incident in hand, and the rest stays due.
    """
    changes = _waiting(settings)
    if not changes:
        return 0
    ours = particulars.known(settings).own_facts()
    wanted = {FACTS[name]: ours.get(FACTS[name]) for name in changes}
    changed = 0
    for ref in _open(wanted):
        if not going():
            return changed
        changed += _brought_up(ref, wanted, clock())
    with transaction("system", clock()) as ledger:
        rows.took_up(changes)
        ledger.write("organisation.taken_up", "organisation", incidents=changed, fields=sorted(changes))
    return changed


def _waiting(settings: Settings) -> dict[str, datetime]:
    return rows.waiting(FACTS.keys() - particulars.given(settings))


def _open(wanted: Mapping[str, Any]) -> Iterator[str]:
    """References of the open incidents of which something else is known; some at a time from the database."""
    after = 0
    while found := incidents.open_after(after, AT_ONCE):
        after = found[-1].id
        yield from [one.ref for one in found if _missing(one.id, wanted)]


def _missing(incident_id: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of this the incident does not say yet, and nobody has said otherwise."""
    stands = incidents.latest_facts(incident_id, wanted)
    return {key: value for key, value in wanted.items() if _is_news(stands.get(key), value)}


def _is_news(fact: Fact | None, value: Any) -> bool:
    if fact is None:
        return value is not None
    return fact.source == OUR_SETTINGS and bool(fact.value != value)


def _brought_up(ref: str, wanted: Mapping[str, Any], now: datetime) -> bool:
    """Whether this incident was changed; one that was closed meanwhile is not."""
    try:
        with transaction("system", now) as ledger:
            incident = incidents.by_ref(ref, locked=True)
            missing = _missing(incident.id, wanted) if incident else {}
            if not missing:
                ledger.unchanged()
                return False
            add_learnt(ledger, ref, missing, source=OUR_SETTINGS, confidence="high", learnt_at=now)
    except Refused:
        return False
    return True
