"""The ladder at work: whom one channel did not reach is tried by the next, in batches, until none is left.

A batch is one transaction: it finds the approval unchanged, makes the new attempts and marks the old ones as followed, so
whoever dies in the middle has changed nothing, and whoever comes twice finds nothing more to do.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident.actions.deliveries import remark
from incident.actions.dispatch import FROZEN, halt
from incident.actions.ledger import Ledger, transaction
from incident.actions.preparing import ACTOR, approved, incident_ref, released_by
from incident.actions.untellable import NOBODY
from incident.domain import deliveries as rules
from incident.domain import ladders
from incident.domain.deliveries import Course, Happening, State, Turn
from incident.domain.errors import Missing, Refused
from incident.domain.ladders import Tried
from incident.store import climbs, deliveries, dispatches, incidents, moves, sealed, tallies
from incident.store.climbs import Spent
from incident.store.db import db
from incident.store.deliveries import Addressed, Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.tallies import Moves, Place

AT_ONCE = 1_000


@dataclass
class Sorted:
    """A batch of people whose step is over, by what becomes of each."""

    onward: list[tuple[Spent, Addressed]] = field(default_factory=list)
    told: list[tuple[Spent, Tried]] = field(default_factory=list)
    at_end: list[Spent] = field(default_factory=list)


def due(now: datetime) -> list[str]:
    """The dispatches in which somebody's next channel is due."""
    return [] if dispatches.frozen() else list(climbs.due(now))


def climb(ref: str, opened: Collection[str], *, now: datetime) -> bool:
    """Let the next of those whose step is over go on to their next channel; whether there may be more of them."""
    with transaction(ACTOR, now) as ledger:
        row = dispatches.locked(ref)
        if row is None or not _may(row):
            ledger.unchanged()
            return False
        found = climbs.over(row.id, now, AT_ONCE)
        if not found:
            ledger.unchanged()
            return False
        version = approved(row)
        if version is None:
            row.course = rules.turned(Course(row.course), Turn.REPEAT)
            halt(row, "approval_changed", ledger, incident_ref(row))
            return False
        _move(row, _sorted(row, found, opened), ledger, released_by(row, version))
    return len(found) == AT_ONCE


def go_to_next(incident: str, ref: str, *, reason: str, opened: Collection[str], actor: str, now: datetime) -> str:
    """Have one person tried by the next channel at once, and why; the new attempt's reference. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        one = deliveries.attempt(case.id, ref) if case else None
        if case is None or one is None:
            raise Missing()
        dispatches.lock([one.dispatch_id])
        db.session.refresh(one)
        row = db.session.get(Dispatch, one.dispatch_id, populate_existing=True)
        if row is None:
            raise Missing()
        [(fresh, channel)] = onward(case, row, [one], reason, opened, ledger).values()
        ledger.write("delivery.next_channel", one.ref, incident=incident, next=fresh, channel=channel)
    return fresh


def onward(
    case: Incident, row: Dispatch, chosen: Sequence[Delivery], reason: str, opened: Collection[str], ledger: Ledger
) -> dict[str, tuple[str, str]]:
    """Have these tried by their next channel at once, inside the caller's transaction, which holds the dispatch.

    For each attempt that is followed, the new one's reference and channel; those for whom no channel is left stay as they
    are. Raises Refused where that is so of all.
    """
    _demand_may_go(case, row, chosen)
    spent = [_spent(one, ledger) for one in chosen]
    batch = Sorted(onward=_sorted(row, spent, opened, even_if_told=True).onward)
    if not batch.onward:
        raise Refused("No other channel of this notice is left that reaches this person.")
    words, by_ref = rules.reason(reason), {one.ref: one for one in chosen}
    for old, _ in batch.onward:
        remark(case, by_ref[old.ref], "next_channel", words, ledger)
    fresh = _move(row, batch, ledger)
    return {old.ref: (ref, person.channel) for ref, (old, person) in zip(fresh, batch.onward, strict=True)}


def to_new_address(case: Incident, row: Dispatch, one: Delivery, channel: str, reason: str, ledger: Ledger) -> str:
    """Have one person tried at once by a channel in which they gave a new address, whatever of it was tried before.

    Inside the caller's transaction, which holds the dispatch; the new attempt's reference, empty where the ladder has no such
    channel, it does not reach them all the same, or it was tried too often. Raises Refused.
    """
    _demand_may_go(case, row, [one])
    before = [past.attempt for past in climbs.tried(row, [one.person_id])[one.person_id] if past.channel == channel]
    is_rung = any(step.channel == channel for step in row.steps)
    reached = deliveries.reach_of([one.person_id]).get(one.person_id, {})
    if not is_rung or not reached.get(channel, False) or max(before, default=0) >= rules.MOST_ATTEMPTS:
        return ""
    attempt, old = max(before) + 1 if before else row.first_attempt, _spent(one, ledger)
    onward = Addressed(one.person_id, one.person_number, channel, attempt, old.owner, old.language, old.channel)
    remark(case, one, "next_channel", rules.reason(reason), ledger)
    [fresh] = _move(row, Sorted(onward=[(old, onward)]), ledger)
    return fresh


def _spent(one: Delivery, ledger: Ledger) -> Spent:
    """A present attempt as one whose step is over, in the care of who asks."""
    owner = one.owner or ledger.actor
    return Spent(one.id, one.ref, one.person_id, one.person_number, owner=owner, **tallies.place(one)._asdict())


def _may(row: Dispatch) -> bool:
    case = db.session.get(Incident, row.incident_id)
    is_open = case is not None and case.state == "open"
    return is_open and rules.may_climb(Course(row.course), row.canary) and not dispatches.frozen()


def _demand_may_go(case: Incident, row: Dispatch, chosen: Sequence[Delivery]) -> None:
    if dispatches.frozen():
        raise Refused(FROZEN)
    if case.state != "open":
        raise Refused("This incident is closed. Reopen it before anything is sent.")
    if row.simulated:
        raise Refused("This is a rehearsal: nobody is told by it, so no other channel is tried.")
    rules.turned(Course(row.course), Turn.REPEAT)
    for one in chosen:
        ladders.demand_may_go_on(State(one.state), current=one.current)
    if approved(row) is None:
        raise Refused("What would be sent is no longer what was approved. Nothing of it is sent.")


def _sorted(row: Dispatch, found: Sequence[Spent], opened: Collection[str], *, even_if_told: bool = False) -> Sorted:
    """What becomes of each: told after all by an earlier attempt, on to the next channel, or at the ladder's end."""
    steps, ids = row.steps, [one.person_id for one in found]
    tried, reached = climbs.tried(row, ids), deliveries.reach_of(ids)
    result = Sorted()
    for one in found:
        attempts = tried[one.person_id]
        proof = None if even_if_told else ladders.told_by(steps, attempts)
        channel = "" if proof else ladders.next_channel(steps, attempts, reached.get(one.person_id, {}), opened)
        if proof is not None and proof.id != one.id:
            result.told.append((one, proof._replace(state=State.SIMULATED) if row.simulated else proof))
        elif channel:
            before = [past.attempt for past in attempts if past.channel == channel]
            attempt = max(before) + 1 if before else row.first_attempt
            onward = Addressed(one.person_id, one.number, channel, attempt, one.owner, one.language, one.channel)
            result.onward.append((one, onward))
        else:
            result.at_end.append(one)
    return result


def _move(row: Dispatch, batch: Sorted, ledger: Ledger, owner: str = "") -> list[str]:
    """Write it all down with its counts and lines; the references of the new attempts. At the end `owner` answers for them."""
    moved: Moves = Counter()
    incident = incident_ref(row)
    refs = _go_on(row, batch, moved, ledger, incident)
    _find_told(row, batch, moved, ledger, incident)
    _end(row, batch, moved, ledger, incident, owner)
    tallies.count(row.id, moved, ledger.now)
    outcomes = sum(n for where, n in moved.items() if where.state in rules.OUTCOMES)
    row.seen += outcomes  # who left an outcome behind still weighs in the share that came back
    row.seen_bad += sum(n for where, n in moved.items() if where.state in (State.FAILED, State.BOUNCED))
    if refs:
        row.course, row.finished_at = rules.turned(Course(row.course), Turn.REPEAT), None
    db.session.flush()
    return refs


def _go_on(row: Dispatch, batch: Sorted, moved: Moves, ledger: Ledger, incident: str) -> list[str]:
    if not batch.onward:
        return []
    climbs.followed([one.id for one, _ in batch.onward], ledger.actor, ledger.now)
    refs = deliveries.add(row, [person for _, person in batch.onward], ledger.now)
    moved.subtract(one.place for one, _ in batch.onward)
    moved.update(Place(person.channel, person.language, State.WAITING) for _, person in batch.onward)
    moves.count(row.id, Counter((one.channel, person.channel) for one, person in batch.onward))
    ledger.write(
        "deliveries.climbed",
        row.ref,
        incident=incident,
        count=len(refs),
        channels=dict(Counter(person.channel for _, person in batch.onward)),
        digest=rules.batch_digest((ref, f"after {one.ref}") for ref, (one, _) in zip(refs, batch.onward, strict=True)),
    )
    return refs


def _find_told(row: Dispatch, batch: Sorted, moved: Moves, ledger: Ledger, incident: str) -> None:
    if not batch.told:
        return
    climbs.followed([one.id for one, _ in batch.told], ledger.actor, ledger.now)
    climbs.made_current([proof.id for _, proof in batch.told], ledger.now)
    moved.subtract(one.place for one, _ in batch.told)
    moved.update(Place(proof.channel, proof.language, proof.state, proof.reason) for _, proof in batch.told)
    moves.count(row.id, Counter((one.channel, proof.channel) for one, proof in batch.told))
    told = rules.batch_digest((one.ref, f"told by {proof.channel}") for one, proof in batch.told)
    ledger.write("deliveries.told_before", row.ref, incident=incident, count=len(batch.told), digest=told)


def _end(row: Dispatch, batch: Sorted, moved: Moves, ledger: Ledger, incident: str, owner: str) -> None:
    if not batch.at_end:
        return
    ends: dict[State, list[int]] = {}
    for one in batch.at_end:
        ends.setdefault(rules.after(one.state, Happening.GIVEN_UP), []).append(one.id)
    climbs.spent(ends, ladders.TOO_LATE, ledger.now)
    gone = sealed.erased_people(row.incident_id)
    climbs.owned([one.id for one in batch.at_end if one.number in gone], NOBODY)
    climbs.owned([one.id for one in batch.at_end], owner)
    moved.subtract(one.place for one in batch.at_end)
    moved.update(_given_up(one.place) for one in batch.at_end)
    digest = rules.batch_digest((one.ref, rules.after(one.state, Happening.GIVEN_UP)) for one in batch.at_end)
    ledger.write("deliveries.no_channel_left", row.ref, incident=incident, count=len(batch.at_end), digest=digest)


def _given_up(place: Place) -> Place:
    """Where somebody is counted for whom no channel is left."""
    state = rules.after(place.state, Happening.GIVEN_UP)
    return place._replace(state=state, reason=ladders.TOO_LATE if state is State.UNREACHED else place.reason)
