"""When people were found later than the others: their findings get clocks of their own."""

from datetime import datetime

from incident.actions import assessment
from incident.actions.ledger import transaction
from incident.domain import incidents as incident_rules
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import shown, to_json
from incident.domain.stale import demand_seen
from incident.store import incidents, waves


def found_later(
    ref: str, number: int, discovered_at: datetime | None, *, actor: str, now: datetime, seen: str | None = None
) -> None:
    """Say when a wave of people was found after the others; nothing takes it back. Raises Invalid, Refused, Missing."""
    if discovered_at is not None and discovered_at > now:
        raise Invalid("discovered_at", "This lies in the future.")
    with transaction(actor, now) as ledger:
        incident = incidents.by_ref(ref, locked=True)
        if incident is None:
            raise Missing()
        incident_rules.must_be_open(incident.state)
        wave = waves.named(incident.id, number)
        if wave is None:
            raise Missing()
        if wave.discovered_at == discovered_at:
            ledger.unchanged()
            return
        versions = {f"Wave {number} was found at": (_words(wave.discovered_at), _words(discovered_at))}
        demand_seen(seen, wave.discovered_at, versions=versions)
        wave.discovered_at = discovered_at
        ledger.write(
            "wave.found_later",
            ref,
            incident=ref,
            wave=number,
            discovered_at=to_json(discovered_at) if discovered_at else "",
        )
        assessment.refresh(incident, ledger, now)


def _words(moment: datetime | None) -> str:
    return shown("", moment) if moment is not None else "together with the others"
