"""Two people who may be one: a person decides, pair by pair, for all pairs whose records are equal, or for all that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from incident.actions import people
from incident.actions.ledger import transaction
from incident.domain import people as rules
from incident.domain.errors import Missing
from incident.domain.people import Plain, Record, State
from incident.store import incidents, remedies, sweeps
from incident.store import people as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.people import Pair, Person
from incident.store.sealed import Sealer, sealer

PAGE: Final = 25
AT_ONCE: Final = 500


@dataclass(frozen=True)
class Two:
    """A pair to decide: both people, masked, and what they share."""

    id: int
    later: people.Shown
    earlier: people.Shown
    by: tuple[str, ...]
    identical: bool


def to_decide(ref: str, *, after: int = 0, limit: int = PAGE) -> list[Two]:
    """Pairs that nobody has decided yet, oldest first. Raises Missing, Erased."""
    incident = _incident(ref)
    pairs = rows.open_pairs(incident.id, after=after, limit=limit)
    numbers = sorted({number for pair in pairs for number in (pair.number, pair.twin)})
    shown = people.of_numbers(incident.id, numbers)
    return [
        Two(pair.id, shown[pair.number], shown[pair.twin], tuple(pair.by.split()), pair.identical) for pair in pairs
    ]


def decide(ref: str, pair_id: int, *, same: bool, actor: str, now: datetime) -> None:
    """Say that the two are the same person, or two people. Raises Refused when it was decided, Missing."""
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        pair = rows.pair_by_id(incident.id, pair_id)
        if pair is None:
            raise Missing
        rules.must_be_open_pair(pair.state)
        found = rows.by_numbers(incident.id, [pair.number, pair.twin])
        later, earlier = found[pair.number], found[pair.twin]
        _settle(pair, "same" if same else "different", actor, now)
        if same:
            _join(later, earlier, sealer(incident.id), actor, now)
        else:
            _let_stand(later)
        verb = "person.joined" if same else "person.kept_apart"
        ledger.write(verb, later.ref, incident=ref, twin=earlier.ref)


def join_identical(ref: str, *, actor: str, now: datetime, sweep: str = "") -> int:
    """Join pairs whose records are equal in every field, five hundred at most; how many were settled (0: none are left).

    `sweep` is the decision about all of them that this carries out a part of.
    """
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        pairs = rows.open_pairs(incident.id, after=0, limit=AT_ONCE, identical=True)
        found = rows.by_numbers(incident.id, sorted({number for pair in pairs for number in (pair.number, pair.twin)}))
        key, joined = sealer(incident.id), 0
        for pair in pairs:
            later, earlier = found[pair.number], found[pair.twin]
            if later.state == State.SUSPECT and earlier.state in {State.ACTIVE, State.SUSPECT}:
                _settle(pair, "same", actor, now)
                _join(later, earlier, key, actor, now)
                joined += 1
            elif pair.state == "open":
                _settle(pair, "settled", actor, now)
        if not pairs:
            ledger.unchanged()
            return 0
        _count(sweep, len(pairs))
        ledger.write("people.identical_joined", ref, incident=ref, pairs=joined)
    return len(pairs)


def keep_apart(ref: str, *, actor: str, now: datetime, sweep: str = "") -> int:
    """Let people stand whose record differs from that of whom they share a contact with, such as a household on one number.

    Five hundred pairs at most; how many were settled (0: none are left). Identical ones still wait for somebody.
    """
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        pairs = rows.open_pairs(incident.id, after=0, limit=AT_ONCE, identical=False)
        if not pairs:
            ledger.unchanged()
            return 0
        for pair in pairs:
            _settle(pair, "different", actor, now)
        stood = sum(_let_stand(later) for later in _later(incident.id, pairs))
        _count(sweep, len(pairs))
        ledger.write("people.kept_apart", ref, incident=ref, pairs=len(pairs), people=stood)
    return len(pairs)


def _count(sweep: str, settled: int) -> None:
    row = sweeps.by_ref(sweep, locked=True) if sweep else None
    if row is not None:
        row.settled += settled


def _later(incident_id: int, pairs: Sequence[Pair]) -> list[Person]:
    found = rows.by_numbers(incident_id, sorted({pair.number for pair in pairs}))
    return [person for _, person in sorted(found.items())]


def _settle(pair: Pair, state: str, actor: str, now: datetime) -> None:
    pair.state, pair.decided_by, pair.decided_at = state, actor, now


def _let_stand(later: Person) -> bool:
    """Two people: the later one is on the list as soon as no other pair is open for it; whether it is now."""
    db.session.flush()
    if later.state != State.SUSPECT or rows.waits(later.incident_id, later.number):
        return False
    rows.move(later, state=State.ACTIVE)
    return True


def _join(later: Person, earlier: Person, key: Sealer, actor: str, now: datetime) -> None:
    """One person: the earlier record stays and takes what only the later one knows; nothing points to the later one."""
    rules.must_be_live(earlier.state)
    rules.must_be_live(later.state)
    theirs = people.record_of(key, later)
    if later.whole != earlier.whole or later.exposed != earlier.exposed:
        _complete(earlier, later.plain, theirs, f"Joined with {later.ref}.", key, actor, now)
    rows.pass_marks(later.incident_id, later.number, earlier.number, people.marks_of(key, theirs))
    if later.state == State.ACTIVE:  # who is only suspected was never given one
        remedies.pass_on(later.incident_id, later.number, earlier.number)
    rows.move(later, state=State.SAME)
    _turn_pairs(later.incident_id, later.number, earlier.number, actor, now)


def _complete(
    earlier: Person, other: Plain, theirs: Record, reason: str, key: Sealer, actor: str, now: datetime
) -> None:
    mine = people.record_of(key, earlier)
    record = rules.completed(mine, theirs)
    plain = _united(record, earlier.plain, other)
    if record != mine or plain != earlier.plain:
        people.rewrite(earlier, key, record, plain, reason=reason, changed=["joined"], actor=actor, now=now)


def _united(record: Record, mine: Plain, theirs: Plain) -> Plain:
    return Plain(
        mine.place or theirs.place,
        mine.language or theirs.language,
        rules.united(mine.exposed, theirs.exposed),
        mine.age or theirs.age,
        *rules.ways(record),
        doubts=mine.doubts,
    )


def _turn_pairs(incident_id: int, gone: int, stays: int, actor: str, now: datetime) -> None:
    """Open pairs of the one who is gone ask about the one who stays, unless that is asked or answered already."""
    db.session.flush()
    turning = [pair for pair in rows.pairs_of(incident_id, gone) if pair.state == "open"]
    if not turning:
        return
    known = {frozenset((pair.number, pair.twin)) for pair in rows.pairs_of(incident_id, stays)}
    for pair in turning:
        other = pair.twin if pair.number == gone else pair.number
        if other == stays or frozenset((other, stays)) in known:
            _settle(pair, "settled", actor, now)
            continue
        pair.number, pair.twin, pair.identical = max(other, stays), min(other, stays), False
        known.add(frozenset((other, stays)))
    others = {number for pair in turning for number in (pair.number, pair.twin)} - {gone}
    for person in rows.by_numbers(incident_id, sorted(others)).values():
        _let_stand(person)


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return incident
