"""Decide about all possible duplicates of a kind at once: some at once, many in the background, five hundred at a time.

What was decided stands with the first five hundred; the rest is carried out part by part, each in a transaction of its own
with its line, so that it can be interrupted anywhere, and goes on.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from incident.actions import duplicates
from incident.actions.ledger import transaction
from incident.domain.errors import Missing
from incident.store import incidents, sealed
from incident.store import sweeps as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.sweeps import PairSweep


class What(StrEnum):
    """What was decided about all pairs of a kind."""

    JOIN = "identical"  # those that are equal in every field become one person each
    APART = "apart"  # those that differ are two people each


SETTLE: Final = {What.JOIN: duplicates.join_identical, What.APART: duplicates.keep_apart}


class Swept(NamedTuple):
    """How many pairs were settled at once, and how many are left for the background."""

    settled: int
    left: int


def decide_all(ref: str, what: What, *, actor: str, now: datetime) -> Swept:
    """Settle all pairs of a kind, five hundred of them at once. Raises Missing."""
    settled = 0 if _under_way(ref, what) else SETTLE[what](ref, actor=actor, now=now)
    return Swept(settled, _leave_the_rest(ref, what, actor=actor, now=now))


def under_way(incident_id: int) -> list[PairSweep]:
    """What is still being carried out in an incident."""
    return list(rows.open_of(incident_id))


def due(_now: datetime) -> list[str]:
    """The decisions that are not carried out to their end."""
    return list(rows.due())


def do(ref: str, *, clock: Callable[[], datetime], going: Callable[[], bool] = lambda: True) -> None:
    """Carry one out: safe to repeat and to kill. It ends where the people's data was erased meanwhile."""
    row = rows.by_ref(ref)
    case = db.session.get(Incident, row.incident_id) if row else None
    if row is None or case is None or row.ended_at is not None:
        return
    incident, what, by = case.ref, What(row.what), row.asked_by
    while going():
        settled = 0 if sealed.is_erased(case.id) else SETTLE[what](incident, actor=by, now=clock(), sweep=ref)
        if not settled:
            _end(ref, incident, now=clock())
            return


def _leave_the_rest(ref: str, what: What, *, actor: str, now: datetime) -> int:
    with transaction(actor, now) as ledger:
        case = _incident(ref)
        left = rows.waiting(case.id, identical=what is What.JOIN)
        running = next((row for row in rows.open_of(case.id) if row.what == what), None)
        if not left or running is not None:
            ledger.unchanged()
            return left
        row = PairSweep(
            ref=new_ref("W"), incident_id=case.id, what=what.value, whole=left, asked_by=actor, asked_at=now
        )
        db.session.add(row)
        db.session.flush()
        ledger.write("people.pairs_decided", row.ref, incident=ref, what=what.value, pairs=left)
        ledger.soon("people.pairs", row.ref)
    return left


def _end(ref: str, incident: str, *, now: datetime) -> None:
    with transaction("system", now) as ledger:
        row = rows.by_ref(ref, locked=True)
        if row is None or row.ended_at is not None:
            ledger.unchanged()
            return
        row.ended_at = now
        ledger.write("people.pairs_settled", ref, incident=incident, pairs=row.settled)


def _under_way(ref: str, what: What) -> bool:
    return any(row.what == what for row in rows.open_of(_incident(ref).id))


def _incident(ref: str) -> Incident:
    case = incidents.by_ref(ref)
    if case is None:
        raise Missing
    return case
