"""Start the sending of an approved notice, pause it, go on, stop it for good, have the failed sent again."""

from collections import Counter
from dataclasses import asdict
from datetime import datetime

from incident.actions import releases, remedies, rolls
from incident.actions.giving_back import give_all_back
from incident.actions.ledger import Ledger, transaction
from incident.actions.notices import approved_version
from incident.domain import deliveries as rules
from incident.domain import notices as notice_rules
from incident.domain.deliveries import Counts, Course, Pace, State, Turn
from incident.domain.digits import counted
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Stage
from incident.domain.people import Audience
from incident.domain.pretences import Life
from incident.domain.rolls import Roll, digest, packed
from incident.store import deliveries, dispatches, drills, incidents, notices, tallies
from incident.store.db import db, new_ref
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeVersion

REPEATED_AT_ONCE = 1_000
CLOSED = "This incident is closed. Reopen it before anything is sent."
FROZEN = "All sending is frozen. An administrator releases it on the sending page once what went out is reconciled."


def start(
    incident: str,
    notice: str,
    *,
    only_sandbox: bool,
    pace: Pace | None,
    life: Life | None = None,
    actor: str,
    now: datetime,
) -> str:
    """Begin to send an approved notice to its frozen audience; the reference of the dispatch, also when begun before.

    `pace` may be more careful than what the approval set; None: as it was approved. `life` is what the sandbox of a drill
    pretends; None: nothing.

    In a drill and without providers it goes to the sandbox. A rehearsal in a real incident leaves the notice approved,
    for nobody was told. Raises Refused where it is not approved, not due yet, or its people are others now; Invalid.
    """
    with transaction(actor, now) as ledger:
        case, text = _found(incident, notice)
        version = approved_version(notice)
        simulated = only_sandbox or case.kind == "drill"
        begun = dispatches.of_version(version.id, simulated=simulated)
        if begun is not None:
            ledger.unchanged()
            return begun.ref
        notice_rules.demand_to_each(version.contents["channels"])
        roll = _demand_ready(case, text, version, now)
        counts_as_sent = not simulated or case.kind == "drill"
        if counts_as_sent:
            remedies.demand_codes(case.id, Audience.from_json(text.audience), version, now)
            releases.demand_releaser(actor, text, version)
            text.stage = notice_rules.after(Stage(text.stage), notice_rules.Event.START)
        limit = Pace.from_json(version.pace)
        chosen = (pace or limit or Pace()).within(limit)
        row = _new(case, text, version, chosen, simulated=simulated, actor=actor, now=now)
        row.first_attempt = 1 if counts_as_sent else 0
        row.life = _life(case, life)
        if roll is not None:
            row.audience, row.audience_digest = len(roll.going), roll.digest
            row.fell_out = packed(roll.fell_out)
        ledger.write(
            "dispatch.started",
            row.ref,
            incident=case.ref,
            notice=text.ref,
            version=version.number,
            digest=version.digest,
            people=row.audience,
            simulated=simulated,
            **_fallen(roll),
            **({"life": row.life} if row.life else {}),
        )
        ledger.soon("sending", row.ref)
        return row.ref


def pause(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Let no further batch go out until somebody says "go on". Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _dispatch(incident, ref)
        if row.course == Course.PAUSED:
            ledger.unchanged()
            return
        halt(row, "by_person", ledger, incident)


def halt(row: Dispatch, reason: str, ledger: Ledger, incident: str) -> None:
    """Pause a dispatch inside the caller's transaction, for a reason of the list in the rules.

    What workers hold and have not begun to hand over waits again from here on.
    """
    row.course = rules.turned(Course(row.course), Turn.PAUSE)
    row.paused_for, row.changed_at = reason, ledger.now
    ledger.write("dispatch.paused", row.ref, incident=incident, reason=reason)
    give_all_back(row, ledger, incident)


def go_on(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Take a paused sending up again; what came back before is not held against it twice. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _dispatch(incident, ref)
        if row.course != Course.PAUSED:
            rules.turned(Course(row.course), Turn.GO_ON)
            ledger.unchanged()
            return
        if dispatches.frozen():
            raise Refused(FROZEN)
        if row.paused_for == "people_changed":
            raise Refused(
                "The people on the list are not those that were approved. Stop this sending, and submit the notice again."
            )
        row.course = rules.turned(Course.PAUSED, Turn.GO_ON)
        if row.prepared:
            row.course = rules.turned(Course(row.course), Turn.PREPARED)
        if row.paused_for == "canary":
            row.canary = 0
        row.seen, row.seen_bad, row.seen_complained = row.counts.with_outcome, row.counts.bad, row.complained
        row.paused_for, row.holds, row.changed_at = "", {}, now
        ledger.write("dispatch.resumed", row.ref, incident=incident)
        ledger.soon("sending", row.ref)


def stop(incident: str, ref: str, *, typed: str, actor: str, now: datetime) -> int:
    """Stop for good: all that waits is cancelled; how many that were. `typed` is that number. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        row = _dispatch(incident, ref)
        if row.course == Course.STOPPED:
            ledger.unchanged()
            return 0
        course = rules.turned(Course(row.course), Turn.STOP)
        if not row.prepared and not row.simulated:
            raise Refused("People are still being put on the list. Pause it, and stop it when the list is whole.")
        give_all_back(row, ledger, incident)
        _demand_number(typed, row.waiting)
        cancelled = _cancel(row, now)
        row.course, row.finished_at, row.changed_at = course, now, now
        db.session.flush()
        db.session.refresh(row)
        ledger.write("dispatch.stopped", row.ref, incident=incident, cancelled=cancelled, counts=_told(row.counts))
    return cancelled


def _cancel(row: Dispatch, now: datetime) -> int:
    waiting = {where: n for where, n in tallies.of(row.id).items() if where.state is State.WAITING}
    cancelled = deliveries.cancel_waiting(row.id, now)
    if cancelled != sum(waiting.values()):
        raise RuntimeError(f"The tally of {row.ref} does not fit its deliveries: run tocsin check.")
    moved: tallies.Moves = Counter(
        {where._replace(state=State.CANCELLED, reason="stopped"): n for where, n in waiting.items()}
    )
    moved.subtract(waiting)
    tallies.count(row.id, moved, now)
    return cancelled


def repeat_failed(incident: str, ref: str, *, actor: str, now: datetime) -> int:
    """Have the failed sent again, and those that came back for that time only; nobody else. How many. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _dispatch(incident, ref)
        demand_open(row)
        course = rules.turned(Course(row.course), Turn.REPEAT)
        again = [old for old in deliveries.repeatable(row.id, REPEATED_AT_ONCE) if old.attempt < rules.MOST_ATTEMPTS]
        if not again or row.simulated:
            raise Refused("There is nobody here whose message failed and may be sent again.")
        moved: tallies.Moves = Counter(tallies.place(deliveries.again(old, actor, now)) for old in again)
        moved.subtract(tallies.place(old) for old in again)
        db.session.flush()
        tallies.count(row.id, moved, now)
        row.course, row.finished_at, row.changed_at = course, None, now
        refs = rules.batch_digest([(old.ref, old.state) for old in again])
        ledger.write("deliveries.repeated", row.ref, incident=incident, count=len(again), digest=refs)
    return len(again)


def demand_open(row: Dispatch) -> None:
    """Raises Refused where the incident of this sending is closed: nobody is told anything by it then."""
    if db.session.get_one(Incident, row.incident_id).state != "open":
        raise Refused(CLOSED)


def take_care(incident: str, ref: str, state: str, *, actor: str, now: datetime) -> int:
    """Take all of this state that nobody looks after into one's own care; how many. Raises Missing, Invalid."""
    if state not in rules.NEEDS_OWNER:
        raise Invalid("state", "Choose one of: " + ", ".join(rules.WORDS[word] for word in rules.NEEDS_OWNER) + ".")
    with transaction(actor, now) as ledger:
        row = _dispatch(incident, ref)
        taken = deliveries.take_care(row.id, State(state), actor, now)
        if not taken:
            ledger.unchanged()
            return 0
        ledger.write("deliveries.taken_in_care", row.ref, incident=incident, state=state, count=taken)
    return taken


def freeze(*, actor: str, now: datetime) -> None:
    """Let nothing more go out of this installation until it is released."""
    with transaction(actor, now) as ledger:
        if not dispatches.set_frozen(True, actor, now):
            ledger.unchanged()
            return
        ledger.write("sending.frozen", "sending")
        for found in dispatches.under_way():
            row = dispatches.locked(found.ref)
            case = db.session.get(Incident, found.incident_id)
            if row is not None and case is not None:
                give_all_back(row, ledger, case.ref)


def release(*, actor: str, now: datetime) -> None:
    """Let sending go on after a freeze."""
    with transaction(actor, now) as ledger:
        if not dispatches.set_frozen(False, actor, now):
            ledger.unchanged()
            return
        ledger.write("sending.released", "sending")


def _found(incident: str, notice: str) -> tuple[Incident, Notice]:
    case = incidents.by_ref(incident)
    text = notices.by_ref(case.id, notice) if case else None
    if case is None or text is None:
        raise Missing()
    return case, text


def _dispatch(incident: str, ref: str) -> Dispatch:
    case = incidents.by_ref(incident)
    row = dispatches.locked(ref)
    if case is None or row is None or row.incident_id != case.id:
        raise Missing()
    return row


def _demand_ready(case: Incident, text: Notice, version: NoticeVersion, now: datetime) -> Roll | None:
    """Raises Refused unless it may begin; who gets it where that is not everybody it was approved for."""
    if dispatches.frozen():
        raise Refused(FROZEN)
    if case.state != "open":
        raise Refused(CLOSED)
    if text.stage != Stage.APPROVED:
        raise Refused(notice_rules.NO_APPROVAL)
    if text.send_at is not None and text.send_at > now:
        raise Refused(
            "This notice was approved to go out at a later time, and it will. To send it sooner, change the time and have it approved again."
        )
    if not version.people:
        raise Refused("There is nobody in this audience.")
    return rolls.of_start(case.id, version)


def _life(case: Incident, life: Life | None) -> dict[str, int]:
    """What the sandbox is to pretend, as it is kept; in an exercise as its scenario says. Raises Refused elsewhere, Invalid."""
    if ours := drills.life_of(case):
        return ours
    if life is None:
        return {}
    if case.kind != "drill":
        raise Refused("Only a drill can pretend that people were reached.")
    return life.checked().as_json()


def _fallen(roll: Roll | None) -> dict[str, object]:
    """What the line says of those who fell out, if somebody did."""
    return {"fell_out": len(roll.fell_out), "without": digest(roll.fell_out)} if roll and roll.fell_out else {}


def _new(
    case: Incident, text: Notice, version: NoticeVersion, pace: Pace, *, simulated: bool, actor: str, now: datetime
) -> Dispatch:
    row = Dispatch(
        ref=new_ref("S"),
        incident_id=case.id,
        notice_id=text.id,
        notice_version_id=version.id,
        notice_ref=text.ref,
        version_number=version.number,
        digest=version.digest,
        audience=version.people,
        audience_digest=version.contents["audience"]["digest"],
        channels=list(version.contents["channels"]),
        ladder=list(version.contents.get("ladder", [])),
        simulated=simulated,
        course=Course.PREPARING,
        canary=pace.canary,
        most_back=pace.most_back,
        sample=pace.sample,
        most_complaints=pace.most_complaints,
        rates=dict(pace.rates),
        at_any_hour=pace.at_any_hour,
        hours=asdict(pace.day),
        started_by=actor,
        started_at=now,
        changed_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _demand_number(typed: str, waiting: int) -> None:
    if counted(typed) != waiting:
        raise Invalid(
            "typed",
            f"Type the number of people who will not be told: {waiting:,}. If it changed meanwhile, look again first.",
        )


def _told(counts: Counts) -> dict[str, int]:
    return {state.value: counts.of(state) for state in State if counts.of(state)}
