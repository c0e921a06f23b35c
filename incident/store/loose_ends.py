"""What keeps sendings from being complete: who is in nobody's care, whose step may yet end, letters that nobody posted."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select

from incident.domain.letters import Stage
from incident.store.db import db
from incident.store.deliveries import HAS_NO_OWNER, NEEDS_CARE, Delivery
from incident.store.dispatches import Dispatch
from incident.store.letters import LetterBatch

MOST: Final = 10_001
"""So far they are counted; a page says that there are more, and no page counts a million rows."""


class Ends(NamedTuple):
    """How many of a dispatch are in nobody's care, wait for the end of their step, and are printed but not posted."""

    unowned: int = 0
    climbing: int = 0
    unposted: int = 0


def of(dispatch_ids: Iterable[int]) -> dict[int, Ends]:
    """The loose ends of each of these dispatches, in one query."""
    query = select(Dispatch.id, *_ends()).where(Dispatch.id.in_(list(dispatch_ids)))
    return {id_: Ends(unowned, climbing, unposted) for id_, unowned, climbing, unposted in db.session.execute(query)}


def found(incident_id: int, ref: str) -> tuple[Dispatch, Ends] | None:
    """The dispatch with this reference and its loose ends, if it belongs to this incident."""
    query = select(Dispatch, *_ends()).where(Dispatch.incident_id == incident_id, Dispatch.ref == ref)
    row = db.session.execute(query).first()
    if row is None:
        return None
    dispatch, unowned, climbing, unposted = row
    return dispatch, Ends(unowned, climbing, unposted)


def _ends() -> tuple[ScalarSelect[int], ScalarSelect[int], ScalarSelect[int]]:
    unposted = select(func.count()).where(
        LetterBatch.dispatch_id == Dispatch.id, LetterBatch.stage.in_([Stage.ASKED, Stage.MADE])
    )
    return (
        _deliveries(NEEDS_CARE, HAS_NO_OWNER),  # type: ignore[arg-type]
        _deliveries(Delivery.climb_at.is_not(None)),
        unposted.correlate(Dispatch).scalar_subquery(),
    )


def _deliveries(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Up to `MOST` deliveries of a dispatch that their own partial index holds."""
    held = select(literal(1)).select_from(Delivery).where(Delivery.dispatch_id == Dispatch.id, *conditions)
    return select(func.count()).select_from(held.correlate(Dispatch).limit(MOST).subquery()).scalar_subquery()
