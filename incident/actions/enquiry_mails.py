"""Hand answers to enquiries over by e-mail: claim, call, settle. No transaction is open while a provider is called.

What a dead worker had claimed waits again; what it was handing over is in doubt. An answer that did not leave, or of which
nobody knows, opens its enquiry again: nobody counts as answered by it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident.actions.enquiring import words as opened
from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.settling import packed
from incident.domain import check_words
from incident.domain.enquiries import State as Standing
from incident.domain.handovers import ANSWERED, HELD, State, again_at, reported
from incident.domain.wording import for_header
from incident.store import dispatches, handovers, incidents, mailbox, sealed
from incident.store import enquiries as rows
from incident.store.db import db
from incident.store.enquiries import MESSAGES, OUT, PROOF, Enquiry, EnquiryMessage
from incident.store.incidents import Incident
from notifiers.contract import Answer, Channels, Event, Message, Notifier, Outcome

ACTOR: Final = "system"
RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
REFERENCE: Final = "enquiry"
"""What the sandbox's mailbox calls these in place of a notice."""
UNSURE: Final = {State.FAILED: "answer_failed", State.IN_DOUBT: "answer_in_doubt", State.CANCELLED: "answer_failed"}
Clock = Callable[[], datetime]


def due(now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return handovers.due(MESSAGES, now, only_lost=dispatches.frozen())


def do(ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    _take_over(ref, clock())
    fence = None if dispatches.frozen() else handovers.claim(MESSAGES, ref, lease=lease, now=clock())
    row = rows.message(ref) if fence is not None else None
    if fence is None or row is None:
        return
    ready = message(row)
    if ready is None:
        _settle(ref, fence, State.CANCELLED, clock(), reason="erased")
    elif row.simulated:
        _settle(ref, fence, State.SIMULATED, clock(), keep=ready)
    elif "email" not in channels.real:
        _settle(ref, fence, State.FAILED, clock(), reason="not_set_up")
    elif not dispatches.frozen() and handovers.begin_call(MESSAGES, ref, fence, lease=lease, now=clock()):
        notifier = channels.real["email"]
        _settle_answer(ref, fence, answer_of(notifier, ready, kind="enquiry"), notifier, clock())


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


def _take_over(ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    handovers.give_back(MESSAGES, ref, now)
    row = rows.message(ref)
    if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
        return
    _settle(ref, row.fence, State.IN_DOUBT, now, reason="worker_died")


def _settle_answer(ref: str, fence: int, answer: Answer, notifier: Notifier, now: datetime) -> None:
    row = rows.message(ref)
    again = again_at(RETRIES, row.tries if row else 0, now, answer.wait) if answer.outcome is Outcome.LATER else None
    if again is not None:
        _settle(ref, fence, State.WAITING, now, reason=answer.reason, again=again)
        return
    state = ANSWERED.get(answer.outcome, State.FAILED)
    _settle(ref, fence, state, now, reason=answer.reason, provider=notifier.provider, provider_id=answer.provider_id)


def _settle(
    ref: str,
    fence: int,
    state: State,
    now: datetime,
    *,
    reason: str = "",
    again: datetime | None = None,
    provider: str = "",
    provider_id: str = "",
    keep: Message | None = None,
) -> None:
    with transaction(ACTOR, now) as ledger:
        row = rows.message(ref, locked=True)
        if row is None or row.fence != fence or row.state not in HELD:
            ledger.unchanged()
            return
        row.next_at, row.provider, row.provider_id = again or row.next_at, provider[:20], provider_id[:100]
        case = incidents.by_ids([row.incident_id])[row.incident_id]
        if keep is not None:
            _keep(case, keep, now)
        _settled(row, state, reason, case, ledger)


def _settled(row: EnquiryMessage, state: State, reason: str, case: Incident, ledger: Ledger) -> None:
    """Note what became of a mail, with its line; one that did not leave for sure opens its enquiry again."""
    row.state, row.reason, row.changed_at, row.lease_until = state, reason[:40], ledger.now, None
    enquiry = db.session.get(Enquiry, row.enquiry_id)
    if enquiry is None:
        return
    if row.direction == OUT and state in UNSURE:
        enquiry.outcome, enquiry.changed_at = UNSURE[state], ledger.now
        if enquiry.state == Standing.ANSWERED:
            enquiry.state, enquiry.answered_at = Standing.OPEN, None
    ledger.write(
        "enquiry.mail_settled",
        enquiry.ref,
        incident=case.ref,
        message=row.ref,
        state=state.value,
        reason=row.reason or None,
    )


def _keep(case: Incident, message: Message, now: datetime) -> None:
    """Put the message into the sandbox's mailbox, where the team reads it."""
    place = f"sandbox_message.sealed:{message.ref}"
    row = {
        "incident_id": case.id,
        "ref": message.ref,
        "channel": "email",
        "person_number": None,
        "notice_ref": REFERENCE,
        "kept_at": now,
        "sealed": sealed.sealer(case.id).seal(place, packed(message)),
    }
    mailbox.keep_messages([row])


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about these mails, inside the caller's transaction; the references that were ours."""
    found = {row.ref: row for row in rows.messages_by_refs({event.ref for event in events if event.ref})}
    for event in events:
        row = found.get(event.ref)
        then = reported(State(row.state), event.status) if row is not None and row.state != rows.KEPT else None
        if row is None or row.simulated or then is None or row.provider not in {"", provider}:
            continue
        row.provider = provider[:20]
        _settled(row, then, event.reason, incidents.by_ids([row.incident_id])[row.incident_id], ledger)
    return set(found)
