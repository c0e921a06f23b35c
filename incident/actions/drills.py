"""Hold a drill: begin it by a scenario, stop its clock and let it go on, throw things in, answer them, end it, say what it taught."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from incident.actions import after_action, assessment, closing, intake, lessons, sample_people
from incident.actions.ledger import Ledger, transaction
from incident.domain import drills as rules
from incident.domain import scenarios
from incident.domain.drills import Arrival, Clockwork, Course, Kind, Remark
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.pretences import Life
from incident.domain.scenarios import Scenario
from incident.store import drills as rows
from incident.store import enquiries, incidents, users
from incident.store.db import db, new_ref
from incident.store.drills import Drill, DrillInject, DrillRemark
from incident.store.incidents import Incident

SYSTEM: Final = "system"
SOURCE: Final = "the drill"
MOST_INJECTS: Final = 200
MOST_REMARKS: Final = 200
OVER: Final = "This drill is over."


# ---------------------------------------------------------------- from beginning to end


def start(
    scenario: str, *, factor: int | str, house: intake.Own | None, folder: Path, actor: str, now: datetime
) -> str:
    """Begin a drill: its incident, what is known, what will be thrown in, made-up people; its reference. Raises Invalid.

    Who begins it facilitates it.
    """
    made, speed = scenarios.named(scenario), rules.factor(factor)
    with transaction(actor, now) as ledger:
        case = intake.opened(
            ledger, kind="drill", title=made.title, facts={}, house=house, source=SOURCE, confidence="high"
        )
        row = _drill(case, made, speed, actor, now)
        db.session.add_all([row, *_injects(case, made, row.clock)])
        db.session.flush()
        ledger.write(
            "drill.started", case.ref, incident=case.ref, scenario=made.id, digest=made.digest, factor=speed,
            injects=len(made.injects), expected=len(made.expected),
        )  # fmt: skip
        known = scenarios.facts_at(made.facts, row.clock)
        intake.add_learnt(ledger, case.ref, known, source=SOURCE, confidence="high", learnt_at=now)
    if made.people:
        sample_people.bring(case.ref, made.people, folder=folder, now=now)
    return case.ref


def _drill(case: Incident, made: Scenario, factor: int, actor: str, now: datetime) -> Drill:
    script = {
        "title": made.title,
        "summary": made.summary,
        "brief": made.brief,
        "playbook": made.playbook,
        "minutes": made.minutes,
        "expected": [scenarios.pinned(one) for one in made.expected],
    }
    return Drill(
        incident_id=case.id,
        scenario=made.id,
        digest=made.digest,
        script=script,
        factor=factor,
        facilitator=actor,
        began_at=now,
        pauses=[],
        life=_life(made.life),
        outcome={},
    )


def _life(raw: Mapping[str, int]) -> dict[str, int]:
    return Life(**raw).checked().as_json() if raw else {}


def _injects(case: Incident, made: Scenario, work: Clockwork) -> list[DrillInject]:
    return [
        DrillInject(
            ref=new_ref("J"),
            incident_id=case.id,
            key=one.key,
            minute=one.minute,
            kind=one.kind.value,
            sender=one.sender,
            title=one.title,
            text=one.text,
            facts=dict(one.facts),
            life=_life(one.life),
            wants_answer=one.wants_answer,
            due_at=work.moment(one.minute),
        )
        for one in made.injects
    ]


def pause(incident: str, *, actor: str, now: datetime) -> None:
    """Stop the clock: nothing comes in, and deadlines wait. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        row.keep_clock(rules.paused(row.clock, now))
        for one in rows.injects(case.id, (Arrival.WAITING,)):
            one.due_at = None
        ledger.write("drill.paused", case.ref, incident=case.ref, minute=row.clock.minute(now))


def resume(incident: str, *, actor: str, now: datetime) -> None:
    """Let the clock go on: what is due later is due later by the pause. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        work = rules.resumed(row.clock, now)
        enquiries.wait(case.id, since=row.clock.paused_at or now, now=now)
        row.keep_clock(work)
        for one in rows.injects(case.id, (Arrival.WAITING,)):
            one.due_at = work.moment(one.minute)
        db.session.flush()
        ledger.write("drill.resumed", case.ref, incident=case.ref, minute=work.minute(now))
        assessment.refresh(case, ledger, now)


def end(incident: str, *, actor: str, now: datetime) -> None:
    """End it for good, with its score, and close its incident, whatever is left undone: that is what it shows.

    Raises Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        row.keep_clock(rules.ended(row.clock, now))
        for one in rows.injects(case.id, (Arrival.WAITING,)):
            one.due_at = None
        db.session.flush()
        found = after_action.judged(case, row, now)
        score, minute = rules.score(found), row.clock.minute(now)
        row.outcome = {"score": score, "minute": minute, **rules.tally(found)}
        told = {name: row.outcome[name] for name in ("met", "late", "missed")}
        ledger.write("drill.ended", case.ref, incident=case.ref, minute=minute, score=score or 0, **told)
        if case.state == "open":
            closing.shut(case, OVER, ledger)


def take_over(incident: str, *, actor: str, now: datetime) -> None:
    """Facilitate it in place of who does now. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _there(incident, locked=True)
        if row.facilitator == actor:
            ledger.unchanged()
            return
        before, row.facilitator = row.facilitator, actor
        ledger.write("drill.taken_over", case.ref, incident=case.ref, before=before)


# ---------------------------------------------------------------- what is thrown in


def due(now: datetime) -> list[str]:
    """Injects whose time has come, by reference."""
    return list(rows.due(now))


def do(ref: str, now: datetime) -> None:
    """Let one come in whose time has come; nothing happens where it came, was skipped, or the clock stands by now."""
    with transaction(SYSTEM, now) as ledger:
        one = rows.inject(ref)
        drill = rows.of(one.incident_id, locked=True) if one is not None else None
        one = rows.inject(ref, locked=True)
        if one is None or drill is None or drill.clock.course is not Course.RUNNING:
            ledger.unchanged()
            return
        if one.state != Arrival.WAITING or one.due_at is None or one.due_at > now:
            ledger.unchanged()
            return
        _arrive(drill, one, ledger)


def let_in(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Let one come in now, before its time. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        rules.demand_course(row.clock, Course.RUNNING)
        _arrive(row, _inject(case, ref), ledger)


def skip(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Leave one out. What would be expected after it is not expected then. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        rules.demand_course(row.clock, Course.RUNNING, Course.PAUSED)
        one = _inject(case, ref)
        one.state, one.due_at = rules.skipped(Arrival(one.state)).value, None
        ledger.write("drill.inject_skipped", one.ref, incident=case.ref, key=one.key)


def add_inject(
    incident: str,
    *,
    kind: str,
    sender: str,
    title: str,
    text: str,
    after: int | None,
    wants_answer: bool,
    actor: str,
    now: datetime,
) -> str:
    """Write an inject of one's own, to come so many minutes of the drill from now; None: only by hand. Its reference.

    Raises Invalid, Refused, Missing.
    """
    if kind not in set(Kind):
        raise Invalid("kind", "Choose what it is.")
    if after is not None and not 0 <= after <= 100_000:
        raise Invalid("after", "Give minutes from 0 to 100,000.")
    said = (
        rules.text(sender, "sender", rules.LONGEST_TITLE),
        rules.text(title, "title", rules.LONGEST_TITLE),
        rules.text(text),
    )
    with transaction(actor, now) as ledger:
        case, row = _led(incident, actor)
        rules.demand_course(row.clock, Course.RUNNING, Course.PAUSED)
        known = len(rows.injects(case.id))
        if known >= MOST_INJECTS:
            raise Refused(f"A drill has at most {MOST_INJECTS} injects.")
        minute = row.clock.minute(now) + (after or 0)
        comes = row.clock.moment(minute) if after is not None and row.clock.course is Course.RUNNING else None
        one = DrillInject(
            ref=new_ref("J"), incident_id=case.id, key=f"own_{known + 1}", minute=minute, kind=kind, facts={}, life={},
            wants_answer=wants_answer, due_at=comes, written_by=actor,
        )  # fmt: skip
        one.sender, one.title, one.text = said
        db.session.add(one)
        ledger.write("drill.inject_added", one.ref, incident=case.ref, minute=minute, digest=_digest(*said))
    return one.ref


def answer(incident: str, ref: str, text: str, *, actor: str, now: datetime) -> None:
    """Answer what came in; the first answer stands. Raises Invalid, Refused, Missing."""
    said = rules.text(text)
    with transaction(actor, now) as ledger:
        case, row = _there(incident, locked=True)
        rules.demand_course(row.clock, Course.RUNNING)
        one = _inject(case, ref)
        if one.state != Arrival.ARRIVED:
            raise Missing()
        if one.answered_at is not None:
            raise Refused("Somebody answered this already.")
        one.answer, one.answered_at, one.answered_by = said, now, actor
        ledger.write("drill.inject_answered", one.ref, incident=case.ref, key=one.key, digest=_digest(said))


def _arrive(row: Drill, one: DrillInject, ledger: Ledger) -> None:
    """It comes in: the players see it, its facts are recorded, and the sandbox pretends what it says from now on."""
    one.state, one.arrived_at, one.due_at = rules.arrived(Arrival(one.state)).value, ledger.now, None
    if one.life:
        row.life = dict(one.life)
    case = db.session.get(Incident, row.incident_id)
    assert case is not None
    minute = row.clock.minute(ledger.now)
    ledger.write("drill.inject_arrived", one.ref, incident=case.ref, key=one.key, minute=minute)
    if one.facts and case.state == "open":
        told = scenarios.facts_at(one.facts, row.clock)
        intake.add_learnt(ledger, case.ref, told, source=SOURCE, confidence="high", learnt_at=ledger.now)


# ---------------------------------------------------------------- what it taught


def remark(incident: str, kind: str, text: str, *, actor: str, now: datetime) -> str:
    """Say what helped, what hurt, or what is to be learnt; its reference. Raises Invalid, Refused, Missing."""
    if kind not in set(Remark):
        raise Invalid("kind", "Choose what it says.")
    said = rules.text(text)
    with transaction(actor, now) as ledger:
        case, row = _there(incident, locked=True)
        rules.demand_course(row.clock, Course.ENDED)
        if len(rows.remarks(case.id)) >= MOST_REMARKS:
            raise Refused(f"A drill has at most {MOST_REMARKS} remarks.")
        one = DrillRemark(ref=new_ref("K"), incident_id=case.id, kind=kind, written_at=now, written_by=actor)
        one.text = said
        db.session.add(one)
        ledger.write("drill.remarked", one.ref, incident=case.ref, kind=kind, digest=_digest(said))
    return one.ref


def propose(incident: str, ref: str, *, actor: str, now: datetime) -> str:
    """Propose a lesson of the drill for decision, where all lessons are tracked; its reference. Raises Refused, Missing."""
    case, _ = _there(incident)
    one = _lesson(case, ref)
    if one.lesson:
        return one.lesson
    given = {"title": _short(one.text), "why": one.text, "kind": "practice"}
    made = lessons.propose(case.ref, given, source="drill", actor=actor, now=now)
    with transaction(actor, now) as ledger:
        one = _lesson(case, ref)
        one.lesson = made
        ledger.write("drill.lesson_proposed", one.ref, incident=case.ref, lesson=made)
    return made


def _lesson(case: Incident, ref: str) -> DrillRemark:
    one = rows.remark(case.id, ref)
    if one is None or one.kind != Remark.LESSON:
        raise Missing()
    return one


def _short(text: str) -> str:
    line = text.splitlines()[0]
    return line if len(line) <= rules.LONGEST_TITLE else line[: rules.LONGEST_TITLE - 1] + "…"


# ---------------------------------------------------------------- shared


def _there(incident: str, *, locked: bool = False) -> tuple[Incident, Drill]:
    case = incidents.by_ref(incident)
    row = rows.of(case.id, locked=locked) if case is not None else None
    if case is None or row is None:
        raise Missing()
    return case, row


def _led(incident: str, actor: str) -> tuple[Incident, Drill]:
    """The drill, held, for who facilitates it. Raises Refused, Missing."""
    case, row = _there(incident, locked=True)
    rules.demand_facilitator(row.facilitator, actor)
    return case, row


def _inject(case: Incident, ref: str) -> DrillInject:
    one = rows.inject(ref, locked=True)
    if one is None or one.incident_id != case.id:
        raise Missing()
    return one


def _digest(*texts: str) -> str:
    return sha256("\x1f".join(texts).encode()).hexdigest()


def names(refs: Sequence[str]) -> dict[str, str]:
    """The names of these people, by reference."""
    return {ref: user.name for ref, user in users.by_refs({ref for ref in refs if ref}).items()}
