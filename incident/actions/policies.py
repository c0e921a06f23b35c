"""Take up what this installation has set about who may do what: the policy in force stands in the record."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.domain.separation import Policy
from incident.store import separation as rows
from incident.store.db import db
from incident.store.separation import PolicyInForce


def take_up(policy: Policy, *, actor: str, now: datetime) -> bool:
    """Put this policy in force; whether that changed anything. The same policy again leaves no line."""
    if _holds(policy):
        return False
    with transaction(actor, now) as ledger:
        if _holds(policy):
            ledger.unchanged()
            return False
        known = rows.latest()
        db.session.add(PolicyInForce(chosen=policy.to_json(), since=now))
        ledger.write("policy.in_force", "policy", chosen=policy.to_json(), before=known.chosen if known else None)
    return True


def _holds(policy: Policy) -> bool:
    known = rows.latest()
    return known is not None and known.chosen == policy.to_json()
