"""Hand over the messages of reminders: claim, call, settle. No transaction is open while a provider is called.

A message whose worker died before the call waits again; one whose worker died in the call is in doubt, and is never sent
again by itself: the next rung comes all the same.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incident.actions import alert_targets, page_alarms
from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, transaction
from incident.actions.reminders import ACTOR, call_wider
from incident.actions.settling import packed
from incident.actions.ways import Ways
from incident.domain import lawbook
from incident.domain import reminders as rules
from incident.domain.access import visible
from incident.domain.handovers import ANSWERED, HELD, State, again_at, reported
from incident.domain.reminder_texts import Case, Due, Words, words
from incident.domain.reminders import MAY_REACH
from incident.exports.catalogue import speaker
from incident.store import dispatches, handovers, incidents, mailbox, members, reach, sealed
from incident.store import reminders as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.store.reach import AlertTarget
from incident.store.reminders import MESSAGES, Reminder, ReminderMessage
from incident.store.users import User
from notifiers.contract import Answer, Event, Message, Notifier, Outcome

Clock = Callable[[], datetime]


class Ready(NamedTuple):
    """A message ready to go: its words for this reader, and to whom."""

    case: Incident
    said: Words
    to: str
    language: str


def due(now: datetime) -> list[str]:
    """References of messages to hand over, and of those whose worker died; only the latter while sending is frozen."""
    return handovers.due(MESSAGES, now, only_lost=dispatches.frozen())


def do(ref: str, ways: Ways, *, clock: Clock) -> None:
    """Hand one message over: safe to repeat, to kill, and to run twice at once."""
    _take_over(ref, clock())
    fence = None if dispatches.frozen() else handovers.claim(MESSAGES, ref, lease=ways.lease, now=clock())
    if fence is None:
        return
    ready = _ready(ref, ways, clock())
    if isinstance(ready, str):
        _settle(ref, fence, State.CANCELLED, ways, clock(), reason=ready)
        return
    row = rows.message(ref)
    if row is None or row.simulated:
        _keep(ref, fence, ready, ways, clock())
        return
    notifier = ways.notifier(row.channel, simulated=False)
    if notifier is None:
        _settle(ref, fence, State.FAILED, ways, clock(), reason="not_set_up")
    elif not dispatches.frozen() and handovers.begin_call(MESSAGES, ref, fence, lease=ways.lease, now=clock()):
        answer = answer_of(notifier, _message(row, ready), kind="reminder")
        _settle_answer(ref, fence, answer, notifier, ways, clock())


def _take_over(ref: str, now: datetime) -> None:
    """What a dead worker had claimed waits again; what it was handing over is in doubt."""
    handovers.give_back(MESSAGES, ref, now)
    row = rows.message(ref)
    if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
        return
    with transaction(ACTOR, now) as ledger:
        row = rows.message(ref, locked=True)
        if row is None or row.state != State.CALLING or (row.lease_until and row.lease_until > now):
            ledger.unchanged()
            return
        row.state, row.reason, row.changed_at = State.IN_DOUBT, "worker_died", now
        _write(row, ledger)


# ---------------------------------------------------------------- what it says, and whether it is still wanted


def _ready(ref: str, ways: Ways, now: datetime) -> Ready | str:
    """The message in words, or the reason why it is not wanted any more."""
    row = rows.message(ref)
    case = incidents.by_ids([row.incident_id]).get(row.incident_id) if row else None
    rungs = rows.rungs_of(row.id) if row else ()
    about_pages = page_alarms.is_about_pages(rungs)
    if row is None or case is None or (case.state != "open" and not about_pages):
        return "closed"
    if row.simulated and sealed.is_erased(case.id):
        return "erased"
    wanted = [] if about_pages else _wanted(case, rungs)
    target = reach.targets_by_id([row.target_id]).get(row.target_id) if row.target_id else None
    user = next(iter(reach.people([row.user_id] if row.user_id else [])), None)
    language = alert_targets.spoken(target, user)
    say = speaker(language)
    pages = page_alarms.said(_about(case, ways, "public"), rungs, say) if about_pages else None
    if not wanted and pages is None:
        return "settled"
    to = _to(row, case, user, target)
    if not to:
        return "no_access"
    zone = ZoneInfo(user.time_zone if user else ways.zone)
    about = _about(case, ways, "reminders", rows.undecided(case.id))
    return Ready(case, pages or words(about, wanted, zone=zone, now=now, say=say), to, language)


def _about(case: Incident, ways: Ways, room: str, undecided: int = 0) -> Case:
    """The incident as a message may name it, with the page of it where one answers."""
    return Case(case.ref, case.kind == "drill", f"{ways.site}/incidents/{case.ref}/{room}/", undecided)


def _wanted(case: Incident, rungs: Sequence[Reminder]) -> list[Due]:
    """The duties among these that are still owed at the same time, and that nobody acknowledged since."""
    running = {(row.key, row.due_at): row for row in rows.running(case.id)}
    said = rows.acknowledged(case.id)
    found = []
    for rung in rungs:
        key = (rung.duty, rung.due_at)
        answered = key in said and said[key].given_at >= rung.made_at
        if key in running and not answered:
            found.append(_due(running[key], rung))
    return found


def _due(row: FindingRow, rung: Reminder) -> Due:
    book = lawbook.library()
    return Due(
        row.title, book[row.law].short if row.law in book else row.law, rung.due_at, rung.moment, rung.known_since
    )


def _to(row: ReminderMessage, case: Incident, user: User | None, target: AlertTarget | None) -> str:
    """Where it goes; nothing where the person left, may not know of the incident any more, or the target was removed."""
    if row.user_id is not None:
        is_member = user is not None and members.has(case.id, user.id)
        if user is None or not user.active:
            return ""
        if not visible(restricted=case.restricted, roles=user.roles, is_member=is_member):
            return ""
    if row.channel == "alert":
        if (
            target is None
            or target.removed_at
            or (case.restricted and row.user_id is None and not target.hears_restricted)
        ):
            return ""
        return sealed.unseal(None, f"alert_target.sealed:{target.ref}", target.sealed).decode()
    if row.channel == "sms" and user is not None:
        chosen = reach.one(user.id)
        return (
            sealed.unseal(None, f"reach.sealed:{user.ref}", chosen.sealed).decode() if chosen and chosen.sealed else ""
        )
    return user.email if user is not None else ""


def _message(row: ReminderMessage, ready: Ready) -> Message:
    text = ready.said.short if row.channel == "sms" else ready.said.text
    return Message(
        ref=row.ref, to=ready.to, text=text, subject=ready.said.subject, language=ready.language, thread=row.ref
    )


# ---------------------------------------------------------------- what became of it


def _keep(ref: str, fence: int, ready: Ready, ways: Ways, now: datetime) -> None:
    """In a drill, or without a provider: into the sandbox's mailbox, where the team reads it."""
    with transaction(ACTOR, now) as ledger:
        row = _held(ref, fence)
        if row is None:
            ledger.unchanged()
            return
        row.state, row.tries, row.changed_at = State.SIMULATED, row.tries + 1, now
        row.lease_until = None
        to = "a target of the team" if row.channel == "alert" else ready.to
        message = _message(row, ready._replace(to=to))
        place = f"sandbox_message.sealed:{row.ref}"
        kept = sealed.sealer(ready.case.id).seal(place, packed(message))
        mailbox.keep_messages(
            [
                {
                    "incident_id": ready.case.id,
                    "ref": row.ref,
                    "channel": row.channel,
                    "person_number": None,
                    "notice_ref": "reminder",
                    "kept_at": now,
                    "sealed": kept,
                }
            ]
        )
        _write(row, ledger)


def _settle_answer(ref: str, fence: int, answer: Answer, notifier: Notifier, ways: Ways, now: datetime) -> None:
    row = rows.message(ref)
    again = again_at(rules.RETRIES, row.tries, now, answer.wait) if row and answer.outcome is Outcome.LATER else None
    state = State.WAITING if again else ANSWERED.get(answer.outcome, State.FAILED)
    _settle(ref, fence, state, ways, now, reason=answer.reason, again=again, answer=answer, provider=notifier.provider)


def _settle(
    ref: str,
    fence: int,
    state: State,
    ways: Ways,
    now: datetime,
    *,
    reason: str = "",
    again: datetime | None = None,
    answer: Answer | None = None,
    provider: str = "",
) -> None:
    with transaction(ACTOR, now) as ledger:
        row = _held(ref, fence)
        if row is None:
            ledger.unchanged()
            return
        row.state, row.reason, row.changed_at, row.lease_until = state, reason[:40], now, None
        row.next_at = again or row.next_at
        row.provider = provider[:20]
        if answer is not None:
            row.code, row.provider_id = answer.code[:20], answer.provider_id[:100]
        _write(row, ledger)
        if state is State.FAILED:
            _call_wider_where_stuck(row, ways, ledger, now)


def _held(ref: str, fence: int) -> ReminderMessage | None:
    """The message while it is still under this fence: held, or found in doubt meanwhile."""
    row = rows.message(ref, locked=True)
    if row is None or row.fence != fence or row.state not in HELD:
        return None
    return row


def _call_wider_where_stuck(row: ReminderMessage, ways: Ways, ledger: Ledger, now: datetime) -> None:
    """When nothing that was sent about a rung can have reached anybody, the next wider circle is called at once."""
    db.session.flush()
    rungs = rows.rungs_of(row.id)
    sent = rows.messages_of([rung.id for rung in rungs])
    stuck = [rung for rung in rungs if not any(one.state in MAY_REACH for one in sent.get(rung.id, []))]
    case = incidents.by_ids([row.incident_id]).get(row.incident_id)
    if stuck and case is not None and case.state == "open":
        call_wider(case, stuck, ways, ledger, now)


def _write(row: ReminderMessage, ledger: Ledger) -> None:
    """A line for what became of one message: to whom of the team, by what, and how it stands."""
    case = incidents.by_ids([row.incident_id])[row.incident_id]
    user = next(iter(reach.people([row.user_id] if row.user_id else [])), None)
    target = reach.targets_by_id([row.target_id]).get(row.target_id) if row.target_id else None
    to = user.ref if user else target.ref if target else "nobody"
    state = State(row.state)
    ledger.write(
        "reminder.settled",
        row.ref,
        incident=case.ref,
        to=to,
        channel=row.channel,
        state=state.value,
        reason=row.reason,
        reminders=[rung.ref for rung in rows.rungs_of(row.id)][:50],
    )


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about reminders, inside the caller's transaction; the references that were ours."""
    found = rows.by_refs({event.ref for event in events if event.ref})
    for event in events:
        row = found.get(event.ref)
        then = reported(State(row.state), event.status) if row is not None else None
        if row is None or row.simulated or then is None or row.provider not in {"", provider}:
            continue
        row.state, row.reason, row.changed_at = then, event.reason[:40], ledger.now
        row.provider, row.lease_until = provider[:20], None
    for row in found.values():
        _write(row, ledger)
    return set(found)
