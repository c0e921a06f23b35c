"""Hand notices to newsrooms by e-mail: claim, call, settle. No transaction is open while a provider is called.

What a dead worker had claimed waits again; what it was handing over is in doubt, and goes out again only if a person says so.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.media_copies import message, settled
from incident.actions.notices import approved_version
from incident.actions.settling import packed
from incident.domain import outlets as rules
from incident.domain.errors import Refused
from incident.domain.handovers import ANSWERED, HELD, State, again_at, reported
from incident.store import dispatches, handovers, incidents, mailbox, sealed
from incident.store import outlets as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeVersion
from incident.store.outlets import COPIES, MediaCopy
from notifiers.contract import Answer, Channels, Event, Message, Notifier, Outcome

ACTOR: Final = "system"
Clock = Callable[[], datetime]


def due(now: datetime) -> list[str]:
    """References of e-mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return handovers.due(COPIES, now, only_lost=dispatches.frozen())


def do(ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one e-mail over: safe to repeat, to kill, and to run twice at once."""
    _take_over(ref, clock())
    fence = None if dispatches.frozen() else handovers.claim(COPIES, ref, lease=lease, now=clock())
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
    elif not dispatches.frozen() and handovers.begin_call(COPIES, ref, fence, lease=lease, now=clock()):
        notifier = channels.real["email"]
        _settle_answer(ref, fence, answer_of(notifier, ready, kind="media"), notifier, clock())


def _take_over(ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    handovers.give_back(COPIES, ref, now)
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


def _settle_answer(ref: str, fence: int, answer: Answer, notifier: Notifier, now: datetime) -> None:
    row = rows.copy(ref)
    tries = row.tries if row else 0
    again = again_at(rules.RETRIES, tries, now, answer.wait) if answer.outcome is Outcome.LATER else None
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
        row = found.get(event.ref)
        then = reported(State(row.state), event.status) if row is not None else None
        if row is None or row.simulated or then is None or row.provider not in {"", provider}:
            continue
        row.state, row.reason, row.changed_at = then, event.reason[:40], ledger.now
        row.provider, row.lease_until = provider[:20], None
        settled(row, incidents.by_ids([row.incident_id])[row.incident_id], ledger)
    return set(found)
