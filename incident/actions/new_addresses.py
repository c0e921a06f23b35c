"""A new address that somebody gave with their own code: proved by a code sent there before it replaces anything."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from incident.actions import correcting, people
from incident.actions.enquiring import PUBLIC, Words, add, asker
from incident.actions.ledger import Ledger, transaction
from incident.domain import check_codes
from incident.domain.enquiries import Kind, State
from incident.domain.errors import Refused
from incident.domain.handovers import State as Going
from incident.domain.people import State as Standing
from incident.domain.people import guardian_reached
from incident.store import credentials, deliveries, dispatches, sealed
from incident.store import enquiries as rows
from incident.store import people as registry
from incident.store.db import CROCKFORD, new_secret_ref
from incident.store.enquiries import PROOF, Enquiry
from incident.store.incidents import Incident

LASTS: Final = timedelta(hours=24)
MOST_TRIES: Final = 5
LETTERS: Final = 8
CHANNEL: Final = "email"


def send_code(row: Enquiry, to: str, simulated: bool, ledger: Ledger) -> None:
    """Have a code sent to the new address, inside the caller's transaction; beside the sealed mail only its keyed hash is kept."""
    code = new_secret_ref()[:LETTERS]
    words = Words(f"{code[:4]}-{code[4:]}", to)
    message = add(row, PROOF, "mail", words, ledger, state=Going.WAITING, simulated=simulated)
    row.proof_key, row.proof_until = credentials.counting_key("proof", row.ref, code), ledger.now + LASTS
    ledger.soon("enquiries.mails", message.ref)


def prove(case: Incident, number: int, ref: str, given: str, *, now: datetime) -> bool:
    """Take the code that was sent to a new address: where it is right, the address replaces the old one. Whether it was."""
    code = "".join(letter for letter in given.upper().translate(check_codes.READ_AS) if letter in CROCKFORD)[:LETTERS]
    with transaction(PUBLIC, now) as ledger:
        row = rows.by_ref(case.id, ref, locked=True)
        if row is None or row.person_number != number or row.kind != Kind.NEW_ADDRESS or row.state != State.OPEN:
            ledger.unchanged()
            return False
        row.proof_tries += 1
        if not _is_right(row, code, now):
            ledger.write("enquiry.code_refused", row.ref, incident=case.ref, tries=row.proof_tries)
            return False
        _replace(case, row, ledger)
        row.proof_key, row.state, row.outcome = "", State.ANSWERED.value, "replaced"
        row.answered_at = row.changed_at = now
        ledger.write("enquiry.address_proved", row.ref, incident=case.ref, person=f"P-{number}")
    return True


def _is_right(row: Enquiry, code: str, now: datetime) -> bool:
    right = hmac.compare_digest(row.proof_key, credentials.counting_key("proof", row.ref, code))
    return right and row.proof_tries <= MOST_TRIES and row.proof_until is not None and row.proof_until >= now


def _replace(case: Incident, row: Enquiry, ledger: Ledger) -> None:
    """Put the proved address into the person's record, and send again what did not reach the old one. Raises Refused."""
    person = registry.by_number(case.id, row.person_number or 0)
    if person is None or person.state not in {Standing.ACTIVE, Standing.SUSPECT}:
        raise Refused("This record cannot be changed any more.")
    record = people.record_of(sealed.sealer(case.id), person)
    field = "guardian_email" if person.represented and guardian_reached(record) else "email"
    why = f"They gave a new address and proved it ({row.ref})."
    people.amend(case, person, {field: asker(row).email}, why, ledger)
    known = deliveries.attempt(case.id, row.delivery_ref) if row.delivery_ref else None
    sending = dispatches.by_id(known.dispatch_id) if known else None
    if known is not None and sending is not None:
        correcting.tell_there(case, sending, known, {CHANNEL}, why, ledger)
