"""What whoever asked sees of their enquiry by its code, and what they add to it: our answers, never our notes.

A wrong code and one of nothing at all are looked up in the same steps. The first look at an answer leaves a line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from incident.actions.enquiring import PUBLIC, Words, add, words
from incident.actions.ledger import transaction
from incident.domain import answer_codes
from incident.domain import enquiries as rules
from incident.domain.answer_codes import PURPOSE
from incident.domain.enquiries import Source, State, Turn
from incident.domain.errors import Refused
from incident.store import credentials, incidents, sealed
from incident.store import enquiries as rows
from incident.store.enquiries import IN, OUT, Enquiry, EnquiryMessage
from incident.store.incidents import Incident

MOST_MESSAGES = 50
Fits = Callable[[str], bool]
"""Whether the right letters of a code are those that somebody has."""


@dataclass(frozen=True)
class Shown:
    """One message as who asked sees it; an answer that was given by telephone or post has no words here."""

    by_us: bool
    way: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Asked:
    """An enquiry as who asked sees it."""

    row: Enquiry
    case: Incident
    messages: Sequence[Shown]
    unread: bool
    full: bool


def code_of(row: Enquiry) -> str:
    """The code by which the answer to this enquiry is read. Raises Erased."""
    return answer_codes.written(row.ref, sealed.mark(row.incident_id, PURPOSE, row.ref))


def opened(ref: str, fits: Fits) -> Asked | None:
    """The enquiry with this reference, if the code fits; in the same steps whatever is wrong with it."""
    incident_id, stand_in = sealed.owner_or_stand_in(rows.incident_of(ref))
    owner = stand_in if incident_id is None else incident_id
    keyed = sealed.mark_if_kept(owner, PURPOSE, ref) if owner is not None else None
    right = fits(answer_codes.letters(keyed or bytes(answer_codes.BYTES))) and keyed is not None
    row = rows.anywhere(ref) if right and incident_id is not None else None
    if row is None or not row.sealed:
        return None
    found = [one for one in rows.messages([row.id]) if one.direction in (IN, OUT)]
    shown = [_shown(one, said) for one, said in zip(found, words(found), strict=True)]
    unread = any(one.direction == OUT and one.read_at is None for one in found)
    case = incidents.by_ids([row.incident_id])[row.incident_id]
    return Asked(row, case, shown, unread, len(found) >= MOST_MESSAGES)


def _shown(one: EnquiryMessage, said: Words) -> Shown:
    told_here = one.direction == IN or one.way in ("mail", "page")
    return Shown(one.direction == OUT, one.way, said.text if told_here else "", one.at)


def note_read(found: Asked, *, now: datetime) -> None:
    """Keep that they have seen our answers; once for each."""
    with transaction(PUBLIC, now) as ledger:
        rows.note_read(found.row.id, now)
        ledger.write("enquiry.read", found.row.ref, incident=found.case.ref)


def write_again(found: Asked, text: str, *, nonce: str, now: datetime) -> None:
    """Add what they wrote, once for each form: the enquiry is open again. Raises Invalid, Refused where there is very much."""
    said = rules.text(text)
    key = credentials.counting_key("enquiry_form", found.row.ref, nonce)
    with transaction(PUBLIC, now) as ledger:
        row = rows.anywhere(found.row.ref, locked=True)
        if row is None or not row.sealed or rows.mail_taken(key):
            ledger.unchanged()
            return
        if found.full or row.state == State.MERGED:
            raise Refused("No more can be added here. Please ask anew.")
        row.state, row.changed_at = rules.turned(State(row.state), Turn.WRITTEN_AGAIN), now
        add(row, IN, Source.PAGE, Words(said), ledger, mail_key=key)
        ledger.write("enquiry.asked_again", row.ref, incident=found.case.ref)
