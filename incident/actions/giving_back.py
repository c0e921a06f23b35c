"""Give back what was claimed and not handed over: it waits again, or is cancelled where its sending was stopped for good."""

from incident.actions.ledger import Ledger
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, State
from incident.store import claims
from incident.store.db import db
from incident.store.dispatches import Dispatch


def give_back(row: Dispatch, fence: int, ledger: Ledger, incident: str) -> bool:
    """Give one claimed batch back inside the caller's transaction, which holds the sending; whether it still was ours."""
    if not claims.turn_claim(fence, "claimed", "returned", ledger.now):
        return False
    state = rules.waits_or_not(Course(row.course))
    moved = claims.move_claimed(fence, state, ledger.now, reason=None if state is State.WAITING else "stopped")
    ledger.write(
        "deliveries.returned",
        row.ref,
        incident=incident,
        claim=fence,
        count=len(moved),
        digest=rules.batch_digest(moved),
    )
    return True


def give_all_back(row: Dispatch, ledger: Ledger, incident: str) -> None:
    """The same for every batch of a sending that no worker has begun; its counts are read anew.

    Whoever holds one finds its claim gone when it is about to hand it over, and hands over nothing.
    """
    given = [give_back(row, fence, ledger, incident) for fence in claims.unbegun(row.id)]
    if any(given):
        db.session.flush()
        db.session.refresh(row)
