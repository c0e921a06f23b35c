"""A call that was made answers whoever asked for one."""

from typing import Final

from incident.actions.enquiring import Words, add
from incident.actions.ledger import Ledger
from incident.domain import enquiries as rules
from incident.domain.enquiries import Kind, State, Turn
from incident.store import enquiries as rows
from incident.store.enquiries import KEPT, OUT
from incident.store.incidents import Incident

TOLD: Final = "(told by telephone)"


def answer_by_call(case: Incident, person_number: int, ledger: Ledger) -> None:
    """Count every open wish of this person for a call as answered, each with its line; inside the caller's transaction."""
    for row in rows.of_person(case.id, person_number):
        if row.kind != Kind.CALL or row.state != State.OPEN:
            continue
        row.state, row.outcome = rules.turned(State(row.state), Turn.ANSWER), "called"
        row.answered_at = row.changed_at = ledger.now
        row.owner = row.owner or ledger.actor
        message = add(row, OUT, "phone", Words(TOLD), ledger, state=KEPT)
        ledger.write("enquiry.answered", row.ref, incident=case.ref, way="phone", message=message.ref)
