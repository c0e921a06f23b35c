"""Which sendings somebody reconciles before all sending is released: those that would go on, and those with people in doubt."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from incident.domain.deliveries import Course
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident


def to_reconcile(incidents: Select[Any], *, limit: int) -> Sequence[tuple[Dispatch, str]]:
    """The newest so many in these incidents (a query of ids), each with the incident's reference. Rehearsals tell nobody."""
    goes_on = Dispatch.course.in_([Course.PREPARING, Course.SENDING])
    query = select(Dispatch, Incident.ref).join(Incident, Incident.id == Dispatch.incident_id)
    query = query.where(Dispatch.simulated.is_(False), goes_on | (Dispatch.in_doubt > 0), Incident.id.in_(incidents))
    return [(row, ref) for row, ref in db.session.execute(query.order_by(Dispatch.id.desc()).limit(limit))]
