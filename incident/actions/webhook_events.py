"""Make events of lines of the record and hand them to their endpoints: claim, call, settle.

An endpoint knows a repeat by the event's id, so what may have left goes out once more: at least once, never in doubt.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Final

from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.webhooks import Sender, new_message_ref, off, to
from incident.domain import webhooks as rules
from incident.domain.audit import Line
from incident.domain.handovers import HELD, State, again_at
from incident.store import audit, dispatches, handovers
from incident.store import webhooks as rows
from incident.store.audit import AuditLine
from incident.store.webhooks import EVENTS, WebhookEndpoint, WebhookEvent
from notifiers.contract import Answer, Message, Outcome

ACTOR: Final = "system"
AT_ONCE: Final = 500
Clock = Callable[[], datetime]


def behind(_now: datetime) -> list[str]:
    """References of the endpoints that have not been told of all the record yet; none while all sending is frozen."""
    return [] if dispatches.frozen() else rows.behind()


def gather(ref: str, now: datetime) -> None:
    """Make events of the next lines for one endpoint: safe to repeat and to run twice at once."""
    row = rows.endpoint(ref)
    if row is None or row.off_at is not None:
        return
    found = rows.lines(row.told_to, AT_ONCE)
    start, then = row.told_to, (found[-1].seq + 1 if found else row.told_to)
    if not _for(row, found):
        if found:
            rows.go_past(ref, start, then)
        return
    with transaction(ACTOR, now) as ledger:
        row = rows.endpoint(ref, locked=True)
        if row is None or row.told_to != start or row.off_at is not None:
            ledger.unchanged()
            return
        heard = _for(row, found)
        row.told_to = then
        if not heard:
            ledger.unchanged()
            return
        rows.add_events([_event(row, line, now) for line in heard])
        ledger.write("webhooks.gathered", ref, events=len(heard), since=start, until=then)


def _for(row: WebhookEndpoint, found: Sequence[AuditLine]) -> list[AuditLine]:
    """The lines that this endpoint is told of: of the types it wants, and of no restricted incident unless it may hear."""
    heard = [line for line in found if rules.hears(row.types, line.verb)]
    known = rows.incidents_of({line.incident for line in heard if line.incident})
    return [
        line
        for line in heard
        if row.hears_restricted or line.incident is None or not known.get(line.incident, ("", True))[1]
    ]


def _event(row: WebhookEndpoint, line: AuditLine, now: datetime) -> dict[str, object]:
    moments = {"next_at": now, "made_at": now, "changed_at": now}
    return {"ref": new_message_ref(), "endpoint_id": row.id, "line": line.seq, "verb": line.verb, **moments}


def due(now: datetime) -> list[str]:
    """References of events to hand over, and of those whose worker died; only the latter while sending is frozen."""
    return rows.due(now, only_lost=dispatches.frozen())


def do(ref: str, sender: Sender, *, clock: Clock, lease: timedelta) -> None:
    """Hand one event over: safe to repeat, to kill, and to run twice at once."""
    handovers.give_back(EVENTS, ref, clock(), begun=True)
    if dispatches.frozen() or ref not in due(clock()):  # its endpoint may have begun to rest since it was looked for
        return
    fence = handovers.claim(EVENTS, ref, lease=lease, now=clock())
    message = _message(ref, clock()) if fence is not None else None
    if fence is None:
        return
    if message is None:
        _settle(ref, fence, Answer(ref, Outcome.REFUSED, reason="removed"), clock())
    elif handovers.begin_call(EVENTS, ref, fence, lease=lease, now=clock()):
        _settle(ref, fence, answer_of(sender, message, kind="webhook"), clock())


def _message(ref: str, now: datetime) -> Message | None:
    """The event in words, while its endpoint is in use."""
    event = rows.event(ref)
    endpoint = rows.endpoint_of(event) if event is not None else None
    line = rows.line(event.line) if event is not None else None
    if event is None or endpoint is None or line is None:
        return None
    return Message(ref, to(endpoint, now), text_of(line))


def text_of(line: AuditLine) -> str:
    """What an endpoint is told of a line."""
    kind, _ = rows.incidents_of({line.incident} if line.incident else set()).get(line.incident or "", ("", False))
    spoken = Line(line.actor, line.at, line.verb, line.subject, line.incident, line.details)
    return rules.body(line.seq, spoken, log=audit.identity(), drill=kind == "drill")


def _settle(ref: str, fence: int, answer: Answer, now: datetime) -> None:
    with transaction(ACTOR, now) as ledger:
        event = rows.event(ref, locked=True)
        if event is None or event.fence != fence or event.state not in HELD:
            ledger.unchanged()
            return
        again = _again(event, answer, now)
        event.state = _state(answer, again)
        event.reason, event.code, event.changed_at = answer.reason[:40], answer.code[:20], now
        event.next_at, event.lease_until = again or event.next_at, None
        endpoint = rows.endpoint_of(event, locked=True)
        name = endpoint.ref if endpoint is not None else "removed"
        told = {"state": State(event.state).value, "reason": event.reason, "code": event.code}
        ledger.write("webhook.settled", name, line=event.line, verb=event.verb, tries=event.tries, **told)
        if endpoint is not None:
            _note(endpoint, event, answer, ledger)


def _again(event: WebhookEvent, answer: Answer, now: datetime) -> datetime | None:
    """When it is tried again, if it is; an answer that was lost says nothing, and a repeat does no harm here."""
    if answer.outcome not in {Outcome.LATER, Outcome.UNKNOWN}:
        return None
    waits = rules.spread(rules.RETRIES, SystemRandom().random())
    return again_at(waits, event.tries, now, answer.wait)


def _state(answer: Answer, again: datetime | None) -> State:
    if answer.reason == "removed":
        return State.CANCELLED
    if again is not None:
        return State.WAITING
    return State.ACCEPTED if answer.outcome is Outcome.ACCEPTED else State.FAILED


def _note(endpoint: WebhookEndpoint, event: WebhookEvent, answer: Answer, ledger: Ledger) -> None:
    """How the endpoint does: it rests after a try that was not taken, and is switched off when it takes nothing for days."""
    if event.state == State.ACCEPTED:
        endpoint.taken_at, endpoint.failing_since, endpoint.rests_until = ledger.now, None, None
        return
    endpoint.failing_since = endpoint.failing_since or ledger.now
    if event.state == State.WAITING:
        endpoint.rests_until = rules.rests_until(event.next_at, ledger.now)
    if endpoint.off_at is not None:
        return
    if answer.outcome is Outcome.STOP:
        off(endpoint, "gone", ledger)
    elif event.state == State.FAILED and rules.has_given_up(endpoint.failing_since, ledger.now):
        off(endpoint, "failing", ledger)


def old(now: datetime) -> list[str]:
    """A word where the log has more than it keeps."""
    return ["old"] if rows.settled_before(now - rules.LOG_KEPT) else []


def tidy(_ref: str, now: datetime) -> None:
    """Take what was settled long ago out of the log; the record keeps its lines."""
    with transaction(ACTOR, now) as ledger:
        ids = rows.settled_before(now - rules.LOG_KEPT, limit=AT_ONCE)
        if not ids:
            ledger.unchanged()
            return
        ledger.write("webhooks.tidied", "log", events=rows.forget(ids))
