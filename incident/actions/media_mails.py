"""Hand notices to newsrooms by e-mail: claim, call, settle. No transaction is open while a provider is called.

What a dead worker had claimed waits again; what it was handing over is in doubt, and goes out again only if a person says so.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from incident.actions.ledger import Ledger, transaction
from incident.actions.media_copies import message, settled
from incident.actions.notices import approved_version
from incident.actions.settling import packed
from incident.domain import outlets as rules
from incident.domain.errors import Refused
from incident.domain.outlets import State
from incident.store import dispatches, incidents, mailbox, sealed
from incident.store import outlets as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeVersion
from incident.store.outlets import MediaCopy
from notifiers.contract import Answer, Channels, Event, Message, Notifier, Outcome, Status

log = structlog.get_logger()

ACTOR: Final = "system"
Clock = Callable[[], datetime]
STATES: Final = {
    Outcome.ACCEPTED: State.ACCEPTED,
    Outcome.REFUSED: State.FAILED,
    Outcome.STOP: State.FAILED,
    Outcome.UNKNOWN: State.IN_DOUBT,
}
REPORTED: Final = {
    Status.ACCEPTED: State.ACCEPTED,
    Status.DELIVERED: State.DELIVERED,
    Status.BOUNCED: State.FAILED,
    Status.BLOCKED: State.FAILED,
    Status.FAILED: State.FAILED,
}
HELD: Final = frozenset({State.CLAIMED, State.CALLING, State.IN_DOUBT})


def due(now: datetime) -> list[str]:
    """References of e-mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return list(rows.to_hand_over(now, only_lost=dispatches.frozen()))


def do(ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one e-mail over: safe to repeat, to kill, and to run twice at once."""
    _take_over(ref, clock())
    fence = None if dispatches.frozen() else rows.claim(ref, lease=lease, now=clock())
    row = rows.copy(ref) if fence is not None else None
    if fence is None or row is None:
        return
    ready = _ready(row)
    if ready is None:
        _settle(ref, fence, State.CANCELLED, clock(), reason="approval_gone")
    elif row.simulated:
        _settle(ref, fence, State.SIMULATED, clock(), keep=ready)
    elif "email" not in channels.real:
        _settle(ref, fence, State.FAILED, clock(), reason="not_set_up")
    elif not dispatches.frozen() and rows.begin_call(ref, fence, lease=lease, now=clock()):
        notifier = channels.real["email"]
        _settle_answer(ref, fence, _call(notifier, ready), notifier, clock())


def _take_over(ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    rows.give_back(ref, now)
    row = rows.copy(ref)
    if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
        return
    _settle(ref, row.fence, State.IN_DOUBT, now, reason="worker_died")


def _ready(row: MediaCopy) -> Message | None:
    """The message, while its version is still the approved one and the newsroom is on the list."""
    outlet = rows.by_ids([row.outlet_id])[row.outlet_id]
    version = db.session.get(NoticeVersion, row.notice_version_id)
    notice = db.session.get(Notice, version.notice_id) if version else None
    if version is None or notice is None or outlet.removed_at or not outlet.email:
        return None
    try:
        standing = approved_version(notice.ref)
    except Refused:
        return None
    return message(row, outlet, version) if standing.id == version.id else None


def _call(notifier: Notifier, message: Message) -> Answer:
    try:
        [answer] = notifier.send([message])
    except Exception as error:  # the contract: an exception means that nobody knows what happened
        log.warning("media.answer_lost", provider=notifier.provider, reason=type(error).__name__)
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
    return answer


def _settle_answer(ref: str, fence: int, answer: Answer, notifier: Notifier, now: datetime) -> None:
    row = rows.copy(ref)
    tries = row.tries if row else 0
    if answer.outcome is Outcome.LATER and tries <= len(rules.RETRIES):
        wait = max(rules.RETRIES[tries - 1], timedelta(seconds=min(answer.wait or 0, 3600)))
        _settle(ref, fence, State.WAITING, now, reason=answer.reason, again=now + wait)
        return
    state = STATES.get(answer.outcome, State.FAILED)
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
        row = rows.copy(ref, locked=True)
        if row is None or row.fence != fence or row.state not in HELD:
            ledger.unchanged()
            return
        case = incidents.by_ids([row.incident_id])[row.incident_id]
        row.state, row.reason, row.changed_at, row.lease_until = state, reason[:40], now, None
        row.next_at, row.provider, row.provider_id = again or row.next_at, provider[:20], provider_id[:100]
        if keep is not None:
            _keep(case, keep, now)
        settled(row, case, ledger)


def _keep(case: Incident, message: Message, now: datetime) -> None:
    """Put the message into the sandbox's mailbox, where the team reads it."""
    place = f"sandbox_message.sealed:{message.ref}"
    row = {
        "incident_id": case.id,
        "ref": message.ref,
        "channel": "email",
        "person_number": None,
        "notice_ref": "newsroom",
        "kept_at": now,
        "sealed": sealed.sealer(case.id).seal(place, packed(message)),
    }
    mailbox.keep_messages([row])


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about newsrooms' e-mails, inside the caller's transaction; the references that were ours."""
    found = {row.ref: row for row in rows.copies_by_refs({event.ref for event in events if event.ref})}
    for event in events:
        row, then = found.get(event.ref), REPORTED.get(event.status)
        if row is None or row.simulated or then is None or row.provider not in {"", provider}:
            continue
        if row.state == then or (row.state, then) in {
            (State.DELIVERED, State.ACCEPTED),
            (State.FAILED, State.ACCEPTED),
        }:
            continue
        row.state, row.reason, row.changed_at = then, event.reason[:40], ledger.now
        row.provider, row.lease_until = provider[:20], None
        settled(row, incidents.by_ids([row.incident_id])[row.incident_id], ledger)
    return set(found)
