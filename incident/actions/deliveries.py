"""Settle what is in doubt by a person's evidence; have one sent again; read the sandbox's mail."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from json import loads
from zlib import decompress

from incident.actions.dispatch import demand_open
from incident.actions.ledger import Ledger, transaction
from incident.domain import deliveries as rules
from incident.domain import ladders
from incident.domain.deliveries import Course, Happening, State, Turn
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import deliveries, dispatches, incidents, mailbox, moves, sealed, tallies
from incident.store.db import db, new_secret_ref
from incident.store.deliveries import Delivery, DeliveryRemark
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.tallies import Moves

SETTLED_AT_ONCE = 1_000


def take_back_repeats(row: Delivery, moved: Moves, now: datetime) -> None:
    """An earlier attempt did arrive: a repeat, or the next channel, that still waits must not go out as a second copy."""
    for repeat in deliveries.later_attempts(row):
        if repeat.state == State.WAITING and repeat.current:
            stood = tallies.place(repeat)
            repeat.state, repeat.reason, repeat.current, repeat.changed_at = (
                State.CANCELLED,
                ladders.WITHDRAWN,
                False,
                now,
            )
            repeat.owner, row.current = repeat.owner or "system", True
            moved[stood] -= 1
            moved[tallies.place(row)] += 1
            moves.count(row.dispatch_id, {(repeat.channel, row.channel): 1})


def _refreshed(dispatch_id: int) -> Dispatch:
    row = db.session.get(Dispatch, dispatch_id, populate_existing=True)
    if row is None:
        raise Missing()
    return row


# What a person settles --------------------------------------------------------------------------------------------------


def found_sent(incident: str, ref: str, *, evidence: str, actor: str, now: datetime) -> None:
    """A delivery in doubt did go out, says this person, and how they know. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        case, row = _delivery(incident, ref)
        rules.demand_doubt(State(row.state))
        mark_sent(case, [row], evidence, ledger)
        ledger.write("delivery.found_sent", row.ref, incident=incident)


def send_again(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> str:
    """Make another attempt beside this one, with the reason; its reference. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        case, row = _delivery(incident, ref)
        rules.demand_repeatable(State(row.state), row.attempt, current=row.current)
        before = row.state
        [fresh] = attempt_again(case, [row], reason, ledger)
        ledger.write(
            "delivery.sent_again", row.ref, incident=incident, next=fresh.ref, attempt=fresh.attempt, before=before
        )
    return fresh.ref


def settle_doubts(
    incident: str, dispatch: str, *, verdict: str, typed: str, reason: str, actor: str, now: datetime
) -> int:
    """Settle all in doubt of a dispatch at once, as `sent` or `again`; how many. `typed` is that number. Raises as above."""
    if verdict not in ("sent", "again"):
        raise Invalid("verdict", "Say whether they were sent, or are to be sent again.")
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        row = dispatches.locked(dispatch)
        if case is None or row is None or row.incident_id != case.id:
            raise Missing()
        doubtful = list(deliveries.page(row.id, state=State.IN_DOUBT, limit=SETTLED_AT_ONCE))
        if not doubtful:
            raise Refused("Nothing here is in doubt.")
        if typed.replace(",", "").replace(" ", "") != str(len(doubtful)):
            raise Invalid("typed", f"Type how many this settles: {len(doubtful):,}.")
        digest = rules.batch_digest([(one.ref, one.state) for one in doubtful])
        if verdict == "sent":
            mark_sent(case, doubtful, reason, ledger)
        else:
            attempt_again(case, doubtful, reason, ledger)
        ledger.write(
            "deliveries.doubts_settled", row.ref, incident=incident, verdict=verdict, count=len(doubtful), digest=digest
        )
    return len(doubtful)


def mark_sent(case: Incident, rows: Sequence[Delivery], evidence: str, ledger: Ledger) -> None:
    """These deliveries in doubt did go out, inside the caller's transaction."""
    words, ids = rules.reason(evidence), sorted({row.dispatch_id for row in rows})
    dispatches.lock(ids)
    steps = dispatches.steps_of(ids)
    changes: dict[int, Moves] = {id_: Counter() for id_ in ids}
    for row in rows:
        remark(case, row, "found_sent", words, ledger)
        _mark_sent(row, changes[row.dispatch_id], ledger)
        if row.current:
            row.climb_at = ladders.look_at(steps[row.dispatch_id], row.channel, State.ACCEPTED, ledger.now)
    for id_, moved in changes.items():
        tallies.count(id_, moved, ledger.now)


def _mark_sent(row: Delivery, moved: Moves, ledger: Ledger) -> None:
    stood = tallies.place(row)
    row.state = rules.after(State(row.state), Happening.FOUND_SENT)
    row.reason, row.settled_by, row.changed_at = "found_by_person", ledger.actor, ledger.now
    if row.current:
        moved[stood] -= 1
        moved[tallies.place(row)] += 1
    else:
        take_back_repeats(row, moved, ledger.now)


def attempt_again(case: Incident, rows: Sequence[Delivery], reason: str, ledger: Ledger) -> list[Delivery]:
    """Another attempt beside each of these, all of one dispatch, inside the caller's transaction."""
    words = rules.reason(reason)
    dispatches.lock([rows[0].dispatch_id])
    dispatch = _refreshed(rows[0].dispatch_id)
    if dispatch.simulated:
        raise Refused("This is a rehearsal: nobody is told by it, so nothing is sent again.")
    demand_open(dispatch)
    course = rules.turned(Course(dispatch.course), Turn.REPEAT)
    made = []
    for row in rows:
        remark(case, row, "sent_again", words, ledger)
        made.append(deliveries.again(row, ledger.actor, ledger.now))
    moved: Moves = Counter(map(tallies.place, made))
    moved.subtract(map(tallies.place, rows))
    tallies.count(dispatch.id, moved, ledger.now)
    dispatch.course, dispatch.finished_at = course, None
    db.session.flush()
    return made


def remark(case: Incident, row: Delivery, what: str, words: str, ledger: Ledger) -> None:
    """Keep what a person wrote about a delivery, sealed."""
    ref = new_secret_ref()
    box = sealed.seal(case.id, _place(ref), words.encode())
    db.session.add(DeliveryRemark(ref=ref, delivery_id=row.id, what=what, by=ledger.actor, at=ledger.now, sealed=box))


def remarks(incident_id: int, found: Sequence[DeliveryRemark]) -> list[str]:
    """The words of these remarks, opened."""
    key = sealed.sealer(incident_id) if found else None
    return [key.unseal(_place(remark.ref), remark.sealed).decode() for remark in found] if key else []


def _place(ref: str) -> str:
    return f"delivery_remark.sealed:{ref}"


def _delivery(incident: str, ref: str) -> tuple[Incident, Delivery]:
    case = incidents.by_ref(incident)
    row = deliveries.attempt(case.id, ref) if case else None
    if case is None or row is None:
        raise Missing()
    dispatches.lock([row.dispatch_id])
    db.session.refresh(row)
    return case, row


# The sandbox's mailbox ------------------------------------------------------------------------------------------------


def read_message(incident: str, ref: str, *, actor: str, now: datetime) -> dict[str, str]:
    """One message that the sandbox took, opened; looking leaves a line. Raises Missing, Erased."""
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        kept = mailbox.kept_message(case.id, ref) if case else None
        if case is None or kept is None:
            raise Missing()
        opened: dict[str, str] = loads(decompress(sealed.unseal(case.id, f"sandbox_message.sealed:{ref}", kept.sealed)))
        ledger.write("mailbox.read", ref, incident=incident)
    return opened
