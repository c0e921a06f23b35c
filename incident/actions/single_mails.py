"""Hand single e-mails over: claim, call, settle. What answers to askers and reporters and copies for newsrooms have in common.

No transaction is open while a provider is called. What a dead worker had claimed waits again; what it was handing over is in
doubt, and goes out again only if a person says so.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import Table

from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.settling import packed
from incident.domain.handovers import ANSWERED, HELD, State, again_at, reported
from incident.store import dispatches, handovers, mailbox, sealed
from notifiers.contract import Answer, Channels, Event, Message, Notifier, Outcome

ACTOR: Final = "system"
Clock = Callable[[], datetime]


class Single(Protocol):
    """A row of one message on its way; each table types its columns itself."""

    ref: Any
    state: Any
    reason: Any
    provider: Any
    provider_id: Any
    fence: Any
    tries: Any
    next_at: Any
    lease_until: Any
    changed_at: Any


Row = TypeVar("Row", bound=Single)
Row_co = TypeVar("Row_co", bound=Single, covariant=True)


class Read(Protocol[Row_co]):
    """Reads one row, held against other writers if asked."""

    def __call__(self, ref: str, *, locked: bool = False) -> Row_co | None:
        """The row with this reference."""


@dataclass(frozen=True)
class Room(Generic[Row]):
    """One kind of single e-mails: where its rows stand, and what is special about it.

    `ready` gives the message, or nothing where it may not go any more, for which `gone` is the reason; `settled` notes what became
    of it, with its line, inside the transaction; `simulated` says of a row that it stays in the sandbox, and `incident_id` whose.
    """

    kind: str
    rows: Table
    retries: Sequence[timedelta]
    gone: str
    read: Read[Row]
    by_refs: Callable[[Collection[str]], Sequence[Row]]
    ready: Callable[[Row], Message | None]
    settled: Callable[[Row, Ledger], None]
    simulated: Callable[[Row], bool] = lambda _row: False
    incident_id: Callable[[Row], int] = lambda _row: 0
    box: str = ""


@dataclass(frozen=True)
class Became:
    """What became of one message."""

    state: State
    reason: str = ""
    again: datetime | None = None
    provider: str = ""
    provider_id: str = ""
    keep: Message | None = None


def due(room: Room[Row], now: datetime) -> list[str]:
    """References of mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return handovers.due(room.rows, now, only_lost=dispatches.frozen())


def do(room: Room[Row], ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one mail over: safe to repeat, to kill, and to run twice at once."""
    _take_over(room, ref, clock())
    fence = None if dispatches.frozen() else handovers.claim(room.rows, ref, lease=lease, now=clock())
    row = room.read(ref) if fence is not None else None
    if fence is None or row is None:
        return
    message = room.ready(row)
    if message is None:
        _settle(room, ref, fence, Became(State.CANCELLED, room.gone), clock())
    elif room.simulated(row):
        _settle(room, ref, fence, Became(State.SIMULATED, keep=message), clock())
    elif "email" not in channels.real:
        _settle(room, ref, fence, Became(State.FAILED, "not_set_up"), clock())
    elif not dispatches.frozen() and handovers.begin_call(room.rows, ref, fence, lease=lease, now=clock()):
        notifier = channels.real["email"]
        answer = answer_of(notifier, message, kind=room.kind)
        _settle(room, ref, fence, _became(room, ref, answer, notifier, clock()), clock())


def _take_over(room: Room[Row], ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    handovers.give_back(room.rows, ref, now)
    row = room.read(ref)
    if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
        return
    _settle(room, ref, row.fence, Became(State.IN_DOUBT, "worker_died"), now)


def _became(room: Room[Row], ref: str, answer: Answer, notifier: Notifier, now: datetime) -> Became:
    """What a provider's answer makes of a message: put off, it waits again until it was tried often enough."""
    row = room.read(ref)
    tries = row.tries if row else 0
    again = again_at(room.retries, tries, now, answer.wait) if answer.outcome is Outcome.LATER else None
    if again is not None:
        return Became(State.WAITING, answer.reason, again)
    state = ANSWERED.get(answer.outcome, State.FAILED)
    return Became(state, answer.reason, provider=notifier.provider, provider_id=answer.provider_id)


def _settle(room: Room[Row], ref: str, fence: int, became: Became, now: datetime) -> None:
    with transaction(ACTOR, now) as ledger:
        row = room.read(ref, locked=True)
        if row is None or row.fence != fence or row.state not in HELD:
            ledger.unchanged()
            return
        row.next_at = became.again or row.next_at
        row.provider, row.provider_id = became.provider[:20], became.provider_id[:100]
        if became.keep is not None:
            _keep(room.incident_id(row), room.box, became.keep, now)
        _note(room, row, became.state, became.reason, ledger)


def _note(room: Room[Row], row: Row, state: State, reason: str, ledger: Ledger) -> None:
    row.state, row.reason, row.changed_at, row.lease_until = state, reason[:40], ledger.now, None
    room.settled(row, ledger)


def _keep(incident_id: int, box: str, message: Message, now: datetime) -> None:
    """Put the message into the sandbox's mailbox, where the team reads it."""
    place = f"sandbox_message.sealed:{message.ref}"
    row = {
        "incident_id": incident_id,
        "ref": message.ref,
        "channel": "email",
        "person_number": None,
        "notice_ref": box,
        "kept_at": now,
        "sealed": sealed.sealer(incident_id).seal(place, packed(message)),
    }
    mailbox.keep_messages([row])


def take_in(room: Room[Row], provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about these mails, inside the caller's transaction; the references that were ours."""
    found = {row.ref: row for row in room.by_refs({event.ref for event in events if event.ref})}
    for event in events:
        row = found.get(event.ref)
        if row is None or row.state not in set(State) or room.simulated(row) or row.provider not in {"", provider}:
            continue
        then = reported(State(row.state), event.status)
        if then is not None:
            row.provider = provider[:20]
            _note(room, row, then, event.reason, ledger)
    return set(found)
