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


def calls(claim_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """For each of these claims how many messages it held, and how many of them are still in doubt."""
    query = select(DeliveryClaim.id, DeliveryClaim.dispatch_id, DeliveryClaim.size)
    held = db.session.execute(query.where(DeliveryClaim.id.in_(claim_ids))).all() if claim_ids else []
    doubt: dict[int, int] = {}
    for dispatch_id in {row.dispatch_id for row in held}:
        found = _in_doubt(dispatch_id)
        if sum(found.values()) >= LOOKED_AT:
            return {}
        doubt |= found
    return {row.id: (row.size, doubt.get(row.id, 0)) for row in held}


def _in_doubt(dispatch_id: int) -> dict[int, int]:
    query = select(Delivery.claim_id).where(Delivery.dispatch_id == dispatch_id, NEEDS_CARE)
    held = query.where(Delivery.state == State.IN_DOUBT).order_by(Delivery.id).limit(LOOKED_AT).subquery()
    rows = db.session.execute(select(held.c.claim_id, func.count()).group_by(held.c.claim_id))
    return {claim: count for claim, count in rows if claim is not None}
