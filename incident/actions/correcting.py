"""Correct what is on record of one person; where that gives a new address, who was not reached is told there, once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from incident.actions import climbing, people
from incident.actions.deliveries import attempt_again
from incident.actions.ledger import Ledger, transaction
from incident.actions.preparing import approved
from incident.actions.texts import ADDRESS
from incident.domain import columns
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, State
from incident.domain.errors import Invalid, Missing
from incident.domain.people import Addressee, addressed
from incident.store import deliveries, dispatches, incidents, sealed
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.people import Person

GOING_ON: Final = frozenset({Course.SENDING, Course.IN_DOUBT, Course.DONE})
NOT_REACHED: Final = frozenset({State.FAILED, State.BOUNCED, State.UNREACHED})


class Corrected(NamedTuple):
    """The fields that changed, and the references of the attempts that follow because of it."""

    changed: list[str]
    sent: list[str]


class Untold(NamedTuple):
    """A sending that did not reach somebody and would try a new address: its reference, what became of it last, its ladder."""

    sending: str
    attempt: str
    channel: str
    state: State
    ladder: tuple[str, ...]


def correct(
    ref: str,
    person_ref: str,
    changes: Mapping[str, str],
    *,
    reason: str,
    version: int,
    opened: Collection[str] = (),
    actor: str,
    now: datetime,
) -> Corrected:
    """Correct one person; what it said before is kept, sealed. Raises Invalid, Refused, Missing, Stale.

    What did not reach them goes out once more where the correction gives them another address, by the first rung of its
    ladder that has one and is among the channels `opened`; with none of these the record alone is corrected.
    """
    reason = columns.cleaned(reason)
    if not reason or len(reason) > 500:
        raise Invalid("reason", "Say in a few words why this is corrected.")
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        person = people.by_person_ref(incident, person_ref)
        before = _whom(incident, person)
        changed = people.amend(incident, person, changes, reason, ledger, version=version)
        if not changed:
            ledger.unchanged()
            return Corrected([], [])
        channels = gained(before, _whom(incident, person)) & set(opened)
        sent = _tell(incident, person, channels, f"Corrected: {reason}"[:500], ledger) if channels else []
    return Corrected(changed, sent)


def gained(before: Addressee, after: Addressee) -> set[str]:
    """The channels that lead to another address than before; a name alone is none."""
    was, is_now = before._replace(name=""), after._replace(name="")
    return {channel.value for channel, to in ADDRESS.items() if to(is_now) and to(is_now) != to(was)}


def untold(ref: str, person_ref: str) -> list[Untold]:
    """The sendings that did not reach this person and would try a new address, oldest first. Raises Missing."""
    incident = _incident(ref)
    found = _not_reached(incident, people.by_person_ref(incident, person_ref))
    return [
        Untold(sending.ref, one.ref, one.channel, State(one.state), tuple(step.channel for step in sending.steps))
        for sending, one in found
    ]


def tell_there(
    case: Incident, sending: Dispatch, known: Delivery, channels: Collection[str], why: str, ledger: Ledger
) -> str:
    """Another attempt in one of these channels, where a new address was given; its reference, empty where none follows.

    Inside the caller's transaction. Whatever came back last, a letter say, and whatever of the channel was tried before:
    the notice goes there once, if its ladder has such a rung and nothing else reached the person. Raises Refused.
    """
    dispatches.lock([sending.id])
    one = next((later for later in deliveries.later_attempts(known) if later.current), known)
    db.session.refresh(one)
    if not _may_follow(case, sending, one):
        return ""
    reached = deliveries.reach_of([one.person_id]).get(one.person_id, {})
    rungs = (step.channel for step in sending.steps if step.channel in channels and reached.get(step.channel, False))
    for channel in rungs:
        if fresh := _follow(case, sending, one, channel, why, ledger):
            return fresh
    return ""


def _tell(case: Incident, person: Person, channels: Collection[str], why: str, ledger: Ledger) -> list[str]:
    found = _not_reached(case, person)
    return [fresh for sending, one in found if (fresh := tell_there(case, sending, one, channels, why, ledger))]


def _follow(case: Incident, sending: Dispatch, one: Delivery, channel: str, why: str, ledger: Ledger) -> str:
    if channel != one.channel:
        if fresh_ref := climbing.to_new_address(case, sending, one, channel, why, ledger):
            ledger.write("delivery.next_channel", one.ref, incident=case.ref, next=fresh_ref, channel=channel)
        return fresh_ref
    if one.attempt >= rules.MOST_ATTEMPTS:
        return ""
    before = one.state
    [fresh] = attempt_again(case, [one], why, ledger)
    ledger.write(
        "delivery.sent_again", one.ref, incident=case.ref, next=fresh.ref, attempt=fresh.attempt, before=before
    )
    return fresh.ref


def _may_follow(case: Incident, sending: Dispatch, one: Delivery) -> bool:
    if case.state != "open" or dispatches.frozen() or sending.simulated or sending.course not in GOING_ON:
        return False
    return one.current and one.state in NOT_REACHED and approved(sending) is not None


def _not_reached(case: Incident, person: Person) -> Sequence[tuple[Dispatch, Delivery]]:
    found = deliveries.current_of(case.id, person.id)
    return [(sending, one) for sending, one in found if _may_follow(case, sending, one)]


def _whom(incident: Incident, person: Person) -> Addressee:
    return addressed(person.number, people.record_of(sealed.sealer(incident.id), person), person.plain)


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return incident
