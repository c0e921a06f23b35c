"""Somebody says that a message was not meant for them: a person decides, and then the address is set aside."""

from datetime import datetime
from typing import Final

from incident.actions import checks, people
from incident.actions.enquiring import Words, add, held, open_case
from incident.actions.ledger import Ledger, transaction
from incident.domain import enquiries as rules
from incident.domain.enquiries import Kind, State, Turn, Verdict
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.people import State as Standing
from incident.domain.people import guardian_reached
from incident.store import deliveries, sealed
from incident.store import people as registry
from incident.store.enquiries import NOTE, Enquiry
from incident.store.incidents import Incident

FIELDS: Final = {"email": "email", "sms": "phone", "call": "phone", "letter": "address", "push": "push_token"}
"""Which part of a record a channel goes by."""
CHANNELS: Final = ("email", "sms", "letter", "push")


def decide(incident: str, ref: str, *, verdict: str, channel: str = "", reason: str, actor: str, now: datetime) -> None:
    """Set the address of a channel aside, so that the ladder goes on without it, or let it stay; and why.

    Raises Invalid, Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        case = open_case(incident)
        row = held(case, ref)
        decided, words = rules.verdict(verdict), rules.text(reason, "reason")
        if decided is Verdict.ASIDE and channel not in CHANNELS:
            raise Invalid("channel", "Choose which address is set aside.")
        if row.kind != Kind.NOT_ME:
            raise Refused("Nobody says here that a message was not meant for them.")
        row.state, row.changed_at = rules.turned(State(row.state), Turn.ANSWER), now
        row.answered_at, row.outcome, row.owner = row.answered_at or now, decided.value, row.owner or actor
        if decided is Verdict.ASIDE:
            _set_aside(case, row, channel, words, ledger)
        message = add(row, NOTE, "desk", Words(words), ledger)
        told = channel if decided is Verdict.ASIDE else "none"
        ledger.write(
            "enquiry.decided", row.ref, incident=incident, verdict=decided.value, channel=told, message=message.ref
        )


def _set_aside(case: Incident, row: Enquiry, channel: str, words: str, ledger: Ledger) -> None:
    """Take the address out of the person's record, and count what went there as come back."""
    person = registry.by_number(case.id, row.person_number or 0)
    if person is None:
        raise Missing()
    if person.state in {Standing.ACTIVE, Standing.SUSPECT}:
        people.amend(case, person, {_field(case, person, channel): ""}, f"{words} ({row.ref})", ledger)
    one = deliveries.attempt(case.id, row.delivery_ref) if row.delivery_ref else None
    if one is not None and one.channel == channel:
        checks.set_aside(one, ledger)


def _field(case: Incident, person: registry.Person, channel: str) -> str:
    field = FIELDS[channel]
    record = people.record_of(sealed.sealer(case.id), person)
    by_guardian = person.represented and guardian_reached(record) and field in {"email", "phone"}
    return f"guardian_{field}" if by_guardian else field
