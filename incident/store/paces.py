"""How fast a sending goes just now, by channel: from the batches that were handed over in the last minute."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from incident.store.claims import DeliveryClaim
from incident.store.db import db

MINUTE: Final = timedelta(minutes=1)
LOOKED_AT: Final = 2_000
"""How many of the newest claims are looked at."""


def of_last_minute(dispatch_id: int, now: datetime) -> dict[str, float]:
    """How many a second each channel handed over."""
    newest = select(func.coalesce(func.max(DeliveryClaim.id), 0) - LOOKED_AT).scalar_subquery()
    query = select(DeliveryClaim.channel, func.sum(DeliveryClaim.size), func.min(DeliveryClaim.claimed_at))
    query = query.where(
        DeliveryClaim.id > newest,
        DeliveryClaim.dispatch_id == dispatch_id,
        DeliveryClaim.state == "settled",
        DeliveryClaim.claimed_at > now - MINUTE,
    )
    rows = db.session.execute(query.group_by(DeliveryClaim.channel))
    return {channel: size / max(1.0, (now - first).total_seconds()) for channel, size, first in rows}
