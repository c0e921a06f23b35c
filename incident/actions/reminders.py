"""Give the reminders of duties whose moment has come; acknowledge a duty; say who looks after it.

A look at an incident is one transaction: the rungs, their messages and one line, or nothing. The rung of a due time is unique
in the database. After a sleep the latest rung is given, once, and the ones it overtook are kept as overtaken.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from incident.actions.ledger import Ledger, transaction
from incident.actions.ways import NO_CHANNEL, Address, Circle, Ways
from incident.domain import reminders as rules
from incident.domain.access import visible
from incident.domain.audit import canonical
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.domain.incidents import must_be_open
from incident.domain.reminders import Level, Rung, Turn
from incident.domain.stale import demand_seen
from incident.store import dispatches, incidents, members, obligations, reach, users
from incident.store import reminders as rows
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.store.reminders import Acknowledgement, DutyOwner, Reminder, ReminderMessage

ACTOR: Final = "system"
MOST_NAMED: Final = 20
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True)
class Look:
    """What a look at one duty found."""

    finding: FindingRow
    due_at: datetime
    known_since: datetime
    turn: Turn


def due(now: datetime) -> list[str]:
    """References of incidents to look at; none while all sending is frozen, for nothing may leave then."""
    return [] if dispatches.frozen() else rows.incidents_to_look_at(now)


def do(reference: str, now: datetime, ways: Ways) -> None:
    """Give what is due in this incident; repeating it changes nothing."""
    with transaction(ACTOR, now) as ledger:
        case = incidents.by_ref(reference, locked=True)
        looks = _looks(case, ways, now) if case is not None and case.state == "open" else []
        fires, moments = [look for look in looks if look.turn.fire is not None], _next(looks)
        if case is not None and fires:
            _give(case, fires, ways, ledger, now)
            rows.look_again(moments)
        else:
            ledger.unchanged()
    if not fires:
        rows.look_again_alone(moments)


def _looks(case: Incident, ways: Ways, now: datetime) -> list[Look]:
    given, acknowledged, known = rows.given(case.id), rows.acknowledged(case.id), rows.known_since(case.id)
    found = []
    for row in rows.running(case.id):
        if row.due_at is None or (row.remind_at is not None and row.remind_at > now):
            continue
        key = (row.key, row.due_at)
        since = known.get(key, row.made_at)
        rungs = rules.ladder(rules.begin(row.start, since, row.due_at), row.due_at, ways.steps)
        said = acknowledged.get(key)
        turn = rules.turn(
            rungs, row.due_at, now, given=given.get(key, ()), acknowledged_at=said.given_at if said else None
        )
        found.append(Look(row, row.due_at, since, turn))
    return found


def _next(looks: Iterable[Look]) -> dict[int, datetime]:
    return {look.finding.id: look.turn.next_at for look in looks}


def _give(case: Incident, fires: Sequence[Look], ways: Ways, ledger: Ledger, now: datetime) -> None:
    circle = Circle(case, ways)
    wanted: dict[Address, list[Reminder]] = {}
    overtaken = 0
    for look in fires:
        for rung in look.turn.overtaken:
            db.session.add(_rung(case, look, rung, rung.level, now, overtaken=True))
            overtaken += 1
        if look.turn.fire is not None:
            level, addresses = circle.called(look.finding.key, look.turn.fire.level)
            row = _rung(case, look, look.turn.fire, level, now, overtaken=False)
            db.session.add(row)
            for address in addresses:
                wanted.setdefault(address, []).append(row)
    made = add_messages(case, wanted, ways, now)
    names = sorted({look.turn.fire.name for look in fires if look.turn.fire})
    duties = [look.finding.duty for look in fires]
    ledger.write(
        "reminders.given",
        case.ref,
        incident=case.ref,
        count=len(fires),
        overtaken=overtaken,
        messages=made,
        rungs=names,
        duties=duties if len(duties) <= MOST_NAMED else [],
        digest=sha256(canonical(sorted(duties)).encode()).hexdigest(),
    )


def _rung(case: Incident, look: Look, rung: Rung, level: Level, now: datetime, *, overtaken: bool) -> Reminder:
    return Reminder(
        ref=new_ref("R"),
        incident_id=case.id,
        duty=look.finding.key,
        due_at=look.due_at,
        rung=rung.name,
        level=level.value,
        moment=rung.moment,
        known_since=look.known_since,
        made_at=now,
        overtaken=overtaken,
    )


def add_messages(case: Incident, wanted: Mapping[Address, Sequence[Reminder]], ways: Ways, now: datetime) -> int:
    """Put a message a way on the list, inside the caller's transaction; how many. Whom no channel reaches is noted as that."""
    pairs = [(_message(case, address, ways, now), about) for address, about in wanted.items()]
    db.session.add_all([message for message, _ in pairs])
    db.session.flush()
    for message, about in pairs:
        rows.link(message.id, [row.id for row in about])
    return len(pairs)


def _message(case: Incident, address: Address, ways: Ways, now: datetime) -> ReminderMessage:
    nowhere = address.channel == NO_CHANNEL
    return ReminderMessage(
        ref=new_secret_ref(),
        incident_id=case.id,
        user_id=address.user,
        target_id=address.target,
        channel=address.channel,
        state=State.UNREACHED if nowhere else State.WAITING,
        simulated=not nowhere and ways.is_simulated(address.channel, is_drill=case.kind == "drill"),
        next_at=now,
        changed_at=now,
    )


def call_wider(case: Incident, stuck: Sequence[Reminder], ways: Ways, ledger: Ledger, now: datetime) -> int:
    """Call the next wider circle about rungs whose messages all failed, inside the caller's transaction; how many messages."""
    circle = Circle(case, ways)
    sent = rows.messages_of([row.id for row in stuck])
    wanted: dict[Address, list[Reminder]] = {}
    for row in stuck:
        wider = rules.wider(Level(row.level))
        if wider is None:
            continue
        level, addresses = circle.called(row.duty, wider)
        row.level = level.value
        had = {(one.channel, one.user_id, one.target_id) for one in sent.get(row.id, [])}
        for address in addresses:
            if (address.channel, address.user, address.target) not in had:
                wanted.setdefault(address, []).append(row)
    made = add_messages(case, wanted, ways, now) if wanted else 0
    if made:
        ledger.write("reminders.widened", case.ref, incident=case.ref, count=len(stuck), messages=made)
    return made


# ---------------------------------------------------------------- what people say


def acknowledge(incident: str, refs: Collection[str], *, actor: str, now: datetime) -> int:
    """Say that one has these duties (references of findings); how many. What still waits about them is taken back.

    Raises Missing, Refused, Invalid. It holds for the due time they have now.
    """
    if len(refs) > MOST_AT_ONCE:
        raise Invalid("duties", f"At most {MOST_AT_ONCE} duties at once.")
    with transaction(actor, now) as ledger:
        case = _open(incident)
        found = [_running(case, ref) for ref in dict.fromkeys(refs)]
        if not found:
            ledger.unchanged()
            return 0
        for row in found:
            _acknowledge(case, row, ledger, now)
    return len(found)


def _acknowledge(case: Incident, row: FindingRow, ledger: Ledger, now: datetime) -> None:
    if row.due_at is None:
        raise Refused("This duty has no due time, so there is nothing to be reminded of.")
    said = Acknowledgement(incident_id=case.id, duty=row.key, due_at=row.due_at, given_at=now)
    said.given_by = ledger.actor
    db.session.add(said)
    row.remind_at = None
    about = [one.id for one in rows.of_duty(case.id, row.key) if one.due_at == row.due_at]
    taken_back = rows.cancel_waiting(case.id, about, now, "acknowledged")
    ledger.write(
        "duty.acknowledged",
        row.ref,
        incident=case.ref,
        duty=row.duty,
        wave=row.wave,
        due_at=_told(row.due_at),
        taken_back=taken_back,
    )


def waiting_for_an_answer(incident_id: int) -> list[FindingRow]:
    """The duties that somebody was reminded of and nobody acknowledged since, soonest first."""
    given, said = rows.given(incident_id), rows.acknowledged(incident_id)
    return [row for row in rows.running(incident_id) if row.due_at and _is_unanswered(row, row.due_at, given, said)]


def _is_unanswered(
    row: FindingRow,
    due_at: datetime,
    given: Mapping[tuple[str, datetime], set[str]],
    said: Mapping[tuple[str, datetime], Acknowledgement],
) -> bool:
    names, answer = given.get((row.key, due_at), set()), said.get((row.key, due_at))
    if answer is None:
        return bool(names)
    return answer.given_at < due_at and rules.DUE in names


def hand_over(incident: str, ref: str, to: str, *, actor: str, now: datetime, seen: str | None = None) -> None:
    """Say who looks after a duty; an empty `to` gives it back to the lead. Raises Missing, Refused, Invalid.

    `seen` is the mark of whom the page showed as its owner by name, None for the lead.
    """
    with transaction(actor, now) as ledger:
        case = _open(incident)
        row = _standing(case, ref)
        before = rows.owners(case.id).get(row.key)
        number = _colleague(case, to) if to else None
        owned_by = before.user_id if before else None
        if owned_by == number:
            ledger.unchanged()
            return
        people = {one.id: one for one in reach.people([id_ for id_ in (owned_by, number) if id_ is not None])}
        called = [people[id_].name if id_ in people else "the lead" for id_ in (owned_by, number)]
        ref_before = people[owned_by].ref if owned_by in people else ""
        demand_seen(seen, ref_before, versions={"Owner": (called[0], called[1])})
        if before is not None:
            db.session.delete(before)
            db.session.flush()
        if number is not None:
            owner = DutyOwner(incident_id=case.id, duty=row.key, user_id=number, given_at=now, given_by=actor)
            db.session.add(owner)
        ledger.write("duty.handed_over", ref, incident=incident, duty=row.duty, wave=row.wave, to=to or "lead")


def _colleague(case: Incident, ref: str) -> int:
    user = users.by_ref(ref)
    is_member = user is not None and members.has(case.id, user.id)
    if (
        user is None
        or not user.active
        or not visible(restricted=case.restricted, roles=user.roles, is_member=is_member)
    ):
        raise Invalid("owner", "Choose somebody who works here and may see this incident.")
    return user.id


def _open(ref: str) -> Incident:
    case = incidents.by_ref(ref)
    if case is None:
        raise Missing()
    must_be_open(case.state)
    return case


def _standing(case: Incident, ref: str) -> FindingRow:
    row = obligations.by_ref(case.id, ref)
    if row is None:
        raise Missing()
    if row.superseded_at is not None:
        raise Refused("This finding was replaced by a newer one. Look at the duties again.")
    return row


def _running(case: Incident, ref: str) -> FindingRow:
    row = _standing(case, ref)
    if row.standing != "owed" or row.state not in obligations.UNSETTLED:
        raise Refused("This duty is not owed, or it is met or waived already: nobody is reminded of it.")
    return row


def _told(moment: datetime) -> str:
    return moment.isoformat()
