"""What became of the others that were handed over in the same call as those in doubt."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select

from incident.domain.deliveries import State
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.deliveries import NEEDS_CARE, Delivery

LOOKED_AT: Final = 20_000
"""Above so many in doubt nothing is said of their calls: half a count would be worse than none."""


def calls(dispatch_ids: Collection[int], claim_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """For each of these claims of these dispatches how many messages it held, and how many of them are still in doubt."""
    if not claim_ids:
        return {}
    held = select(Delivery.claim_id).where(Delivery.dispatch_id.in_(dispatch_ids), NEEDS_CARE)
    doubtful = held.where(Delivery.state == State.IN_DOUBT).limit(LOOKED_AT).subquery()
    whole = func.sum(func.count()).over()
    by_claim = select(doubtful.c.claim_id, func.count().label("n"), whole.label("whole")).group_by(doubtful.c.claim_id)
    counted = by_claim.subquery()
    query = select(DeliveryClaim.id, DeliveryClaim.size, counted.c.n, counted.c.whole)
    query = query.join(counted, counted.c.claim_id == DeliveryClaim.id).where(DeliveryClaim.id.in_(claim_ids))
    return {id_: (size, n) for id_, size, n, whole in db.session.execute(query) if whole < LOOKED_AT}
