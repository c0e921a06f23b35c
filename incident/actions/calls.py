"""Call people by hand: take a call, see number and script, say what became of it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident.actions import people
from incident.actions.called import answer_by_call
from incident.actions.deliveries import take_back_repeats
from incident.actions.dispatch import FROZEN
from incident.actions.ledger import Ledger, transaction
from incident.actions.merging import messages
from incident.actions.preparing import approved
from incident.domain import calls as rules
from incident.domain import deliveries as delivery_rules
from incident.domain import hours, ladders, starters
from incident.domain.calls import Next, Outcome, Why
from incident.domain.deliveries import State
from incident.domain.errors import Missing, Refused
from incident.domain.people import MACHINE, Addressee
from incident.domain.wording import Unfilled
from incident.store import calls as rows
from incident.store import dispatches, incidents, notices, sealed, tallies
from incident.store.calls import CallAttempt, CallTask
from incident.store.db import db, new_secret_ref
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.tallies import Moves
from notifiers.contract import Message

LOOKED_AT_ONCE = 20
NO_MESSAGE = "Leave no message and hang up: this person may be at risk at home."
NO_WORD = "Say that you have the wrong number, and hang up: this person may be at risk at home."
NOBODY_LEFT = "There is nobody to call just now."


@dataclass(frozen=True)
class Opened:
    """A call in one's hands: whom to call and what to say, in clear."""

    ref: str
    person: str
    name: str
    phone: str
    language: str
    script: str
    around: tuple[tuple[str, str], ...]
    held_until: datetime


def take(incident: str, ref: str, *, actor: str, now: datetime) -> Opened:
    """Take this call in hand, and see number and script; that leaves a line. Raises Missing, Refused, Erased."""
    with transaction(actor, now) as ledger:
        case = _case(incident)
        found = rows.of_attempt(case.id, ref)
        if found is None:
            raise Missing()
        rules.demand_free(found[0].holder, found[0].held_until, actor=actor, now=now)
        return _taken(case, found, ledger)


def take_next(incident: str, *, language: str = "", actor: str, now: datetime) -> Opened:
    """Take the next call whose time has come, where it is not too early or too late, or where they agreed to it. Raises Missing, Refused, Erased."""
    with transaction(actor, now) as ledger:
        case = _case(incident)
        found = _next(case.id, language, actor, now)
        if found is None:
            raise Refused(NOBODY_LEFT)
        return _taken(case, found, ledger)


def _next(incident_id: int, language: str, actor: str, now: datetime) -> Any:
    """The first of those who are free where people may be called now; whole pages of sleepers are passed over."""
    passed = 0
    while found := rows.next_free(
        incident_id, language=language, actor=actor, now=now, after=passed, limit=LOOKED_AT_ONCE
    ):
        for one in found:
            if one[0].agreed or not hours.is_quiet(one[0].place, now):
                return one
        passed += len(found)
    return None


def _taken(case: Incident, found: Any, ledger: Ledger) -> Opened:
    task, row, told = found
    until = ledger.now + rules.LEASE
    message, person = _message(case, task, row, told)
    if not rows.take(task, ledger.actor, until, ledger.now):
        raise Refused("Somebody else is making this call just now. Take the next one.")
    ledger.write("call.taken", row.ref, incident=case.ref, person=person.ref)
    return Opened(
        row.ref,
        person.ref,
        person.name,
        person.phone,
        message.language,
        message.text,
        _around(message, person, told),
        until,
    )


def _message(case: Incident, task: CallTask, row: Delivery, told: Dispatch) -> tuple[Message, Addressee]:
    """The approved text for this person, and who it is. Raises Refused where nobody may be told it now."""
    if case.state != "open":
        raise Refused("This incident is closed. Reopen it before anybody is called.")
    if dispatches.frozen():
        raise Refused(FROZEN)
    version = notices.version(told.notice_id, told.version_number)
    if version is None or (task.why == Why.FIRST and approved(told) is None):
        raise Refused("What would be told is no longer what was approved.")
    person = people.addressees(case.id, [row.person_id], with_codes=True).get(row.person_id)
    if person is None:
        raise Missing()
    made = messages(version, [(row.ref, row.ref, person)], "call")[0]
    if isinstance(made, Unfilled):
        raise Refused(f"The text has no value for {made.field} of {person.ref}. Add it to the record of this person.")
    return made, person


def _around(message: Message, person: Addressee, told: Dispatch) -> tuple[tuple[str, str], ...]:
    """What to say before, to somebody else, and at the end, in the language of the text."""
    version = notices.version(told.notice_id, told.version_number)
    shared = version.contents["values"].get(message.language, {}) if version else {}
    words = {"company": shared.get("company.name", ""), "phone": shared.get("contact.phone", "")}
    spoken = starters.words(message.language).by_hand
    known = words | {"person": person.name, "reference": person.ref}
    said = {name: spoken[name].format(**known) for name in ("opening", "somebody_else", "voice_mail", "end")}
    if MACHINE in person.unsafe:
        said["voice_mail"] = NO_MESSAGE
        said["somebody_else"] = NO_WORD
    return tuple(said.items())


def record(
    incident: str, ref: str, *, outcome: str, note: str = "", back_at: datetime | None = None, actor: str, now: datetime
) -> Next:
    """Say what became of the call; what follows from it. Raises Missing, Refused, Invalid."""
    said, words = rules.outcome(outcome), rules.note(note)
    with transaction(actor, now) as ledger:
        case = _case(incident)
        task, row = _ours(case, ref, ledger)
        then = rules.followed(said, task.tries, now, place=task.place, back_at=back_at)
        _keep(case, row, said, words, back_at, ledger)
        if then.happening is not None:
            _settle(row, then, ledger)
        if said is Outcome.TOLD:
            answer_by_call(case, row.person_number, ledger)
        task.tries, task.due_at, task.is_open = then.tries, then.due_at, not then.is_done
        task.agreed = said is Outcome.CALL_BACK
        task.holder, task.held_until, task.changed_at = "", None, now
        ledger.write(
            "call.recorded", row.ref, incident=incident, outcome=said.value, attempt=task.tries, state=row.state
        )
    return then


def let_go(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Give a call back that was taken and not made. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        task, row = _ours(_case(incident), ref, ledger)
        task.holder, task.held_until, task.changed_at = "", None, now
        ledger.write("call.given_back", row.ref, incident=incident)


def notes(incident_id: int, found: list[CallAttempt]) -> list[str]:
    """What callers noted, opened; empty where they wrote nothing."""
    key = sealed.sealer(incident_id) if any(one.sealed for one in found) else None
    return [key.unseal(_place(one.ref), one.sealed).decode() if key and one.sealed else "" for one in found]


def _case(incident: str) -> Incident:
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    return case


def _ours(case: Incident, ref: str, ledger: Ledger) -> tuple[CallTask, Delivery]:
    """The call that this person has taken, held against other writers. Raises Missing, Refused."""
    found = rows.of_attempt(case.id, ref)
    if found is None:
        raise Missing()
    task, row, told = found
    dispatches.lock([told.id])
    db.session.refresh(task)
    db.session.refresh(row)
    if not task.is_open:
        raise Refused("Somebody has said already what became of this call.")
    rules.demand_ours(task.holder, task.held_until, actor=ledger.actor, now=ledger.now)
    return task, row


def _keep(case: Incident, row: Delivery, said: Outcome, words: str, back_at: datetime | None, ledger: Ledger) -> None:
    ref = new_secret_ref()
    box = sealed.seal(case.id, _place(ref), words.encode()) if words else None
    db.session.add(
        CallAttempt(
            ref=ref, delivery_id=row.id, outcome=said, by=ledger.actor, at=ledger.now, back_at=back_at, sealed=box
        )
    )


def _place(ref: str) -> str:
    return f"call_attempt.sealed:{ref}"


def _settle(row: Delivery, then: Next, ledger: Ledger) -> None:
    """What the call makes of the delivery, and of the counts of its sending."""
    before, stood = State(row.state), tallies.place(row)
    state = delivery_rules.after(before, then.happening) if then.happening else before
    row.called_at = row.called_at or ledger.now
    if state is before:
        return
    row.state, row.reason, row.code = state, then.reason, ""
    row.settled_by, row.changed_at, row.due_at = ledger.actor, ledger.now, None
    changes: Moves = Counter()
    if row.current:
        changes[stood] -= 1
        changes[tallies.place(row)] += 1
    elif state is State.CONFIRMED:
        take_back_repeats(row, changes, ledger.now)
    if row.current:
        steps = dispatches.steps_of([row.dispatch_id])[row.dispatch_id]
        row.climb_at = ladders.look_at(steps, row.channel, state, ledger.now, reason=then.reason)
    db.session.flush()
    tallies.count(row.dispatch_id, changes, ledger.now)
