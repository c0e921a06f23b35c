"""The end of a sending: nothing is left to send, and nobody is in doubt."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.actions.preparing import ACTOR, incident_ref, locked
from incident.domain import deliveries as rules
from incident.domain import notices as notice_rules
from incident.domain.deliveries import Course, State, Turn
from incident.domain.notices import Stage
from incident.store import dispatches, letters, notices
from incident.store.dispatches import Dispatch


def finish(ref: str, *, now: datetime) -> None:
    """When nobody waits and nothing is under way, the dispatch is done, and with it the notice; but not while somebody is in doubt."""
    row = dispatches.anywhere(ref)
    if row is None or not _may_end(row) or not row.prepared:
        return
    if letters.unposted(row.id):
        return
    with transaction(ACTOR, now) as ledger:
        row = locked(ref)
        if not _may_end(row):
            ledger.unchanged()
            return
        counts = {state.value: row.counts.of(state) for state in State if row.counts.of(state)}
        if row.in_doubt and not row.simulated:
            row.course, row.finished_at, row.changed_at = rules.turned(Course(row.course), Turn.DOUBT), None, now
            ledger.write("dispatch.in_doubt", row.ref, incident=incident_ref(row), counts=counts)
            return
        row.course, row.finished_at = rules.turned(Course(row.course), Turn.FINISH), now
        ledger.write("dispatch.finished", row.ref, incident=incident_ref(row), simulated=row.simulated, counts=counts)
        text = notices.anywhere(row.notice_ref)
        if text is not None and text.stage == Stage.SENDING:
            text.stage = notice_rules.after(Stage.SENDING, notice_rules.Event.FINISH)


def _may_end(row: Dispatch) -> bool:
    """Whether nothing is left to send, and that was not yet said of it."""
    if row.course == Course.IN_DOUBT:
        return not row.in_doubt
    if row.course == Course.DONE:  # said by a version that called it so with people in doubt
        return bool(row.in_doubt) and not row.simulated
    return row.course == Course.SENDING and not row.waiting and not row.sending
