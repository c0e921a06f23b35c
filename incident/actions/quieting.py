"""Texts and calls wait for a fit hour where each person lives, unless the approval says "at any hour".

When people are listed, whoever would be disturbed just then is given the time at which their night ends. When a batch is
about to go out, it is asked again, for hours may have passed: those for whom it has become night go back to waiting.
Rehearsals disturb nobody and wait for nothing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from incident.actions.ledger import transaction
from incident.domain import deliveries as rules
from incident.domain import hours
from incident.domain.deliveries import Course, State
from incident.store import claims, dispatches, quiet, tallies
from incident.store.claims import Held, Member
from incident.store.db import db
from incident.store.deliveries import Addressed
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.tallies import Place

ACTOR = "system"
CHANNELS = frozenset(hours.QUIET_CHANNELS)
MANY = 10_000
LOOK_AGAIN = timedelta(seconds=30)
_next_look: dict[tuple[int, str], datetime] = {}
"""When this process asks again who is due, by sending and channel."""


def keeps_hours(row: Dispatch, channel: str) -> bool:
    """Whether messages of this sending by this channel wait for a fit hour."""
    return channel in CHANNELS and not row.at_any_hour and not row.simulated


def is_worth_a_look(row: Dispatch, channel: str, now: datetime) -> bool:
    """Whether to ask who is due by this channel: not again at once where nobody was and many wait for their morning."""
    return not keeps_hours(row, channel) or _next_look.get((row.id, channel), now) <= now


def found_nobody(row: Dispatch, channel: str, now: datetime) -> None:
    """Remember that nobody was due: to find that out, the database looks at everybody who waits for a later time."""
    if keeps_hours(row, channel) and row.waiting >= MANY:
        _next_look[row.id, channel] = now + LOOK_AGAIN


def timed(row: Dispatch, people: Sequence[Addressed], now: datetime) -> list[Addressed]:
    """These people, those whom a message would disturb now with the time from which it would not."""
    asked = [one.person_id for one in people if keeps_hours(row, one.channel)]
    if not asked:
        return list(people)
    places = quiet.places_of(asked)
    fit = {place: hours.next_fit(place, now, row.pace.day) for place in set(places.values())}
    return [
        one._replace(due_at=fit[places[one.person_id]])
        if one.person_id in places and keeps_hours(row, one.channel) and fit[places[one.person_id]] > now
        else one
        for one in people
    ]


def awake(row: Dispatch, held: Held, now: datetime) -> Held | None:
    """A claimed batch without those for whom it is night: they wait again. None when nobody is left, or it is no longer ours."""
    if not keeps_hours(row, held.channel):
        return held
    places = quiet.places_of([member.person_id for member in held.rows])
    fit = {place: hours.next_fit(place, now, row.pace.day) for place in set(places.values())}
    asleep = [member for member in held.rows if fit.get(places.get(member.person_id, ""), now) > now]
    if not asleep:
        return held
    until: dict[datetime, list[int]] = {}
    for member in asleep:
        until.setdefault(fit[places[member.person_id]], []).append(member.id)
    if not _put_off(row.ref, held, asleep, until, now):
        return None
    left = [member for member in held.rows if fit.get(places.get(member.person_id, ""), now) <= now]
    return held._replace(rows=left) if left else None


def _put_off(ref: str, held: Held, asleep: Sequence[Member], until: dict[datetime, list[int]], now: datetime) -> bool:
    with transaction(ACTOR, now) as ledger:
        row = dispatches.locked(ref)
        if row is None or not quiet.is_claimed(held.fence, now):
            ledger.unchanged()
            return False
        state = rules.waits_or_not(Course(row.course))
        quiet.put_back(held.fence, state, until, now)
        moved: Counter[Place] = Counter()
        for member in asleep:
            moved[Place(held.channel, member.language, State.SENDING)] -= 1
            moved[Place(held.channel, member.language, state)] += 1
        tallies.count(row.id, moved, now)
        if len(asleep) == len(held.rows):
            claims.turn_claim(held.fence, "claimed", "returned", now)
        case = db.session.get(Incident, row.incident_id)
        ledger.write(
            "deliveries.put_off",
            row.ref,
            incident=case.ref if case else "none",
            claim=held.fence,
            channel=held.channel,
            count=len(asleep),
            digest=rules.batch_digest([(member.ref, state.value) for member in asleep]),
        )
    return True
