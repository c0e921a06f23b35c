"""Throw away a form that arrived after its sender's session had ended."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.domain.errors import Missing
from incident.store import unsent as rows
from incident.store import users
from incident.store.db import db


def drop(ref: str, *, actor: str, now: datetime) -> None:
    """Throw one's own form away. Raises Missing."""
    with transaction(actor, now) as ledger:
        user = users.by_ref(actor)
        row = rows.by_ref(user.id, ref, now) if user else None
        if row is None:
            raise Missing()
        db.session.delete(row)
        ledger.write("form.dropped", ref)
