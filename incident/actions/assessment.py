"""Grade, owe and plan again whenever facts, laws or the people counted change, in the transaction of that change."""

from datetime import datetime

from incident.actions import grades, obligations, plans
from incident.actions.ledger import Ledger
from incident.domain.facts import Facts
from incident.store import incidents, waves
from incident.store.incidents import Incident


def refresh(incident: Incident, ledger: Ledger, now: datetime) -> None:
    """Bring the incident's findings up to its facts; what changed is written as a line of the same transaction."""
    facts = incidents.known(incident.id)
    grades.suggest_again(incident, facts, ledger, now)
    obligations.owe_again(incident, facts, ledger, now)
    plans.plan_again(incident, facts, ledger, now)


def begin(incident: Incident, facts: Facts, ledger: Ledger, now: datetime) -> None:
    """Grade and owe for the first time, in the transaction that has just opened the incident; plans it has none."""
    grades.suggest_first(incident, facts, ledger, now)
    obligations.owe_first(incident, facts, ledger, now)


def refresh_for(incident: Incident, wave: int, ledger: Ledger, now: datetime) -> None:
    """Bring the findings up to the people of a wave, if it was found later: how many live where decides its duties."""
    found = waves.named(incident.id, wave)
    if found is not None and found.discovered_at is not None and incident.state == "open":
        refresh(incident, ledger, now)
