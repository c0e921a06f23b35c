"""Grade, owe and plan again whenever facts, laws or the people counted change, in the transaction of that change."""

from datetime import datetime

from incident.actions.ledger import Ledger
from incident.store.incidents import Incident


def refresh(incident: Incident, ledger: Ledger, now: datetime) -> None:
    """Bring the incident's findings up to its facts; what changed is written as a line of the same transaction."""
