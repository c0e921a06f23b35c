"""Answers to enquiries, on their way by e-mail. One that did not leave, or of which nobody knows, opens its enquiry again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from incident.actions import single_mails
from incident.actions.enquiring import words as opened
from incident.actions.ledger import Ledger
from incident.actions.single_mails import Clock, Room
from incident.domain import check_words
from incident.domain.enquiries import State as Standing
from incident.domain.handovers import State
from incident.domain.wording import for_header
from incident.store import enquiries as rows
from incident.store import incidents
from incident.store.db import db
from incident.store.enquiries import MESSAGES, OUT, PROOF, Enquiry, EnquiryMessage
from notifiers.contract import Channels, Event, Message

RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
REFERENCE: Final = "enquiry"
"""What the sandbox's mailbox calls these in place of a notice."""
UNSURE: Final = {
    str(State.FAILED): "answer_failed",
    str(State.IN_DOUBT): "answer_in_doubt",
    str(State.CANCELLED): "answer_failed",
}


def due(now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return single_mails.due(ROOM, now)


def do(ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    single_mails.do(ROOM, ref, channels, clock=clock, lease=lease)


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about these mails, inside the caller's transaction; the references that were ours."""
    return single_mails.take_in(ROOM, provider, events, ledger)


def message(row: EnquiryMessage) -> Message | None:
    """The mail as it goes out, in the language of its enquiry; None once what it says was erased."""
    enquiry = db.session.get(Enquiry, row.enquiry_id)
    [said] = opened([row])
    if enquiry is None or not said.to:
        return None
    language = check_words.fitting([enquiry.language])
    spoken = check_words.words(language)["mail"]
    subject = spoken["proof_subject" if row.direction == PROOF else "answer_subject"].format(ref=enquiry.ref)
    text = spoken["proof"].format(code=said.text) if row.direction == PROOF else said.text
    text = f"{text}\n\n-- \n{spoken['footer'].format(ref=enquiry.ref)}\n"
    return Message(row.ref, said.to, text, for_header(subject), "", language, enquiry.ref)


def _settled(row: EnquiryMessage, ledger: Ledger) -> None:
    """A line; a word to who asked that did not leave for sure is pointed out, and an answer opens its enquiry again."""
    enquiry = db.session.get(Enquiry, row.enquiry_id)
    if enquiry is None:
        return
    if row.direction == OUT and row.state in UNSURE:
        enquiry.outcome, enquiry.changed_at = UNSURE[row.state], ledger.now
        if enquiry.state == Standing.ANSWERED:
            enquiry.state, enquiry.answered_at = Standing.OPEN, None
    case = incidents.by_ids([row.incident_id])[row.incident_id]
    details = {"message": row.ref, "state": row.state, "reason": row.reason or None}
    ledger.write("enquiry.mail_settled", enquiry.ref, incident=case.ref, **details)


ROOM: Final = Room(
    kind=REFERENCE,
    rows=MESSAGES,
    retries=RETRIES,
    gone="erased",
    read=rows.message,
    by_refs=rows.messages_by_refs,
    ready=message,
    settled=_settled,
    simulated=lambda row: row.simulated,
    incident_id=lambda row: row.incident_id,
    box=REFERENCE,
)
