"""People who can no longer be told, since their data was erased: what waits for them ends, and nobody has to look after it.

What became of them until then stays as it is: whoever was not told was not told.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from incident.actions.giving_back import give_all_back
from incident.actions.ledger import Ledger
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, Happening, State, Turn
from incident.store import dispatches, tallies, untellable
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.tallies import Moves, Place

NOBODY: Final = "system"
RUNNING: Final = (Course.PREPARING, Course.SENDING, Course.PAUSED)


def end_for_person(incident: Incident, person_id: int, ledger: Ledger) -> None:
    """Cancel what waits for one person in every sending of the incident, inside the caller's transaction."""
    ids = untellable.dispatches_with(incident.id, person_id)
    dispatches.lock(ids)
    for row in untellable.current_of(ids, person_id):
        waited = rules.after(State(row.state), Happening.GONE) is not State(row.state)
        row.climb_at = None
        if waited and row.state == State.WAITING:
            _cancel(row, ledger, incident.ref)
        elif row.state in rules.NEEDS_OWNER:
            row.owner = row.owner or NOBODY
    db.session.flush()


def _cancel(row: Delivery, ledger: Ledger, incident: str) -> None:
    moved: Moves = Counter({tallies.place(row): -1})
    row.state, row.reason, row.owner = rules.after(State.WAITING, Happening.GONE), rules.ERASED, row.owner or NOBODY
    row.changed_at = ledger.now
    moved[tallies.place(row)] += 1
    db.session.flush()
    tallies.count(row.dispatch_id, moved, ledger.now)
    dispatch = dispatches.by_id(row.dispatch_id)
    if dispatch is not None:
        _write(dispatch, [(row.ref, row.state)], ledger, incident)


def end_for_all(incident: Incident, ledger: Ledger) -> None:
    """Stop every sending of an incident whose people were erased; whoever waited is cancelled, and nobody looks after anybody."""
    for known in dispatches.of_incident(incident.id, limit=1_000):
        row = dispatches.locked(known.ref)
        if row is None:
            continue
        if row.course in RUNNING:
            give_all_back(row, ledger, incident.ref)
            _cancel_all(row, ledger.now)
            row.course = rules.turned(Course(row.course), Turn.STOP)
            row.finished_at = row.changed_at = ledger.now
            db.session.flush()
            db.session.refresh(row)
            ledger.write("dispatch.erased", row.ref, incident=incident.ref, counts=_counts(row))
        untellable.care_for_nobody(row.id, NOBODY)


def _cancel_all(row: Dispatch, now: datetime) -> None:
    moved: Moves = Counter()
    for where, n in tallies.of(row.id).items():
        if where.state is State.WAITING:
            moved[where] -= n
            moved[Place(where.channel, where.language, State.CANCELLED, rules.ERASED)] += n
    untellable.cancel_waiting(row.id, rules.ERASED, NOBODY, now)
    tallies.count(row.id, moved, now)


def _counts(row: Dispatch) -> dict[str, int]:
    return {state.value: row.counts.of(state) for state in State if row.counts.of(state)}


def _write(row: Dispatch, states: Sequence[tuple[str, str]], ledger: Ledger, incident: str) -> None:
    ledger.write(
        "deliveries.cancelled",
        row.ref,
        incident=incident,
        reason=rules.ERASED,
        count=len(states),
        digest=rules.batch_digest(states),
    )
