"""A new address that somebody gave with their own code: proved by a code sent there before it replaces anything."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from incident.actions import climbing, people
from incident.actions.deliveries import attempt_again
from incident.actions.enquiring import PUBLIC, Words, add, asker
from incident.actions.ledger import Ledger, transaction
from incident.actions.preparing import approved
from incident.domain import check_codes
from incident.domain import deliveries as delivery_rules
from incident.domain.deliveries import Course
from incident.domain.deliveries import State as Sent
from incident.domain.enquiries import Kind, State
from incident.domain.errors import Refused
from incident.domain.handovers import State as Going
from incident.domain.people import State as Standing
from incident.domain.people import guardian_reached
from incident.store import credentials, deliveries, dispatches, sealed
from incident.store import enquiries as rows
from incident.store import people as registry
from incident.store.db import CROCKFORD, db, new_secret_ref
from incident.store.enquiries import PROOF, Enquiry
from incident.store.incidents import Incident

LASTS: Final = timedelta(hours=24)
MOST_TRIES: Final = 5
LETTERS: Final = 8
CHANNEL: Final = "email"
GOING_ON: Final = frozenset({Course.SENDING, Course.IN_DOUBT, Course.DONE})
NOT_REACHED: Final = frozenset({Sent.FAILED, Sent.BOUNCED, Sent.UNREACHED})


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
    _send_again(case, row, why, ledger)


def _send_again(case: Incident, row: Enquiry, why: str, ledger: Ledger) -> None:
    """Another attempt, to the new address, where nothing has reached them and the sending of their notice may go on.

    Whatever came back last, a letter say, the notice goes to the new address once, if e-mail is a rung of its ladder.
    """
    known = deliveries.attempt(case.id, row.delivery_ref) if row.delivery_ref else None
    sending = dispatches.by_id(known.dispatch_id) if known else None
    if known is None or sending is None or case.state != "open" or dispatches.frozen() or sending.simulated:
        return
    dispatches.lock([sending.id])
    one = next((later for later in deliveries.later_attempts(known) if later.current), known)
    db.session.refresh(one)
    if not one.current or one.state not in NOT_REACHED or sending.course not in GOING_ON or approved(sending) is None:
        return
    if one.channel != CHANNEL:
        if fresh_ref := climbing.to_new_address(case, sending, one, CHANNEL, why, ledger):
            ledger.write("delivery.next_channel", one.ref, incident=case.ref, next=fresh_ref, channel=CHANNEL)
    elif one.attempt < delivery_rules.MOST_ATTEMPTS:
        before = one.state
        [fresh] = attempt_again(case, [one], why, ledger)
        ledger.write(
            "delivery.sent_again", one.ref, incident=case.ref, next=fresh.ref, attempt=fresh.attempt, before=before
        )
