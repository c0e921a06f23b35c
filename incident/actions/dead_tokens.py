"""Push tokens that belong to no device any more: noted with the answers of their batch, so that nobody is tried there again."""

from collections.abc import Mapping
from typing import Final

from incident.actions.ledger import Ledger
from incident.actions.settling import Batch
from incident.domain import deliveries as rules
from incident.store import people
from incident.store.dispatches import Dispatch
from notifiers.contract import Answer

DEAD: Final = "token_dead"  # the reason of an adapter's answer


def forget(row: Dispatch, batch: Batch, answers: Mapping[str, Answer], ledger: Ledger, incident: str) -> None:
    """Note, inside the caller's transaction, that these people are reached by no push; a corrected record brings it back."""
    dead = [member for member in batch.held.rows if member.ref in answers and answers[member.ref].reason == DEAD]
    if not dead:
        return
    people.lose_push([member.person_id for member in dead])
    ledger.write(
        "people.push_lost",
        row.ref,
        incident=incident,
        claim=batch.held.fence,
        count=len(dead),
        digest=rules.batch_digest((member.ref, f"P-{member.person_number}") for member in dead),
    )
