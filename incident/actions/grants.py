"""Give the database account of the running application its rights, and no more."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.store import grants


def give(role: str, *, actor: str, now: datetime) -> int:
    """Give the role what the application needs of every table; on how many. Raises Refused."""
    with transaction(actor, now) as ledger:
        count = grants.give(role)
        ledger.write("database.granted", "database", tables=count)
    return count
