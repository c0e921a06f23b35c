"""Activate a plan, and take, finish, skip, reopen and hand over its steps."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from incident.actions.ledger import Ledger, transaction
from incident.domain import drills
from incident.domain import incidents as incident_rules
from incident.domain import plans as rules
from incident.domain.access import may
from incident.domain.clauses import Truth
from incident.domain.drills import Clockwork
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import Facts
from incident.domain.plans import Due, State
from incident.domain.stale import demand_seen
from incident.domain.texts import storable
from incident.store import drills as drill_rows
from incident.store import incidents, members, users
from incident.store import plans as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.plans import Plan, Step, StepEvent
from incident.store.users import User


def activate(ref: str, playbook: str, *, actor: str, now: datetime) -> str:
    """Add the steps of a playbook, in its wording of today; the plan's reference. Raises Invalid, Refused, Missing."""
    book = rules.playbooks().get(playbook)
    if book is None:
        raise Invalid("playbook", f"The playbooks are {', '.join(rules.playbooks())}.")
    with transaction(actor, now) as ledger:
        incident = _open(ref)
        db.session.refresh(incident, with_for_update=True)  # two people at once: the second finds the first one's plan
        if any(plan.playbook == playbook for plan in rows.of(incident.id)):
            raise Refused("This plan is active already.")
        plan = Plan(ref=new_ref("P"), incident_id=incident.id, playbook=playbook, title=book.title)
        plan.digest, plan.activated_at, plan.activated_by = book.digest, now, actor
        db.session.add(plan)
        db.session.flush()
        added = _add_steps(incident, plan, book, incidents.known(incident.id), now)
        ledger.write("plan.activated", plan.ref, incident=ref, playbook=playbook, digest=book.digest, steps=added)
    return plan.ref


def plan_again(incident: Incident, facts: Facts, ledger: Ledger, now: datetime) -> None:
    """Work out again which steps are needed and by when; part of the caller's transaction."""
    changed, work = 0, drill_rows.clock_of(incident)
    for step in rows.steps(incident.id):
        before = (step.need, step.need_open, step.due_at)
        _work_out(step, facts, incident.opened_at, work, now)
        changed += (step.need, step.need_open, step.due_at) != before
    if changed:
        ledger.write("plan.worked_out_again", incident.ref, incident=incident.ref, steps=changed)


def take(ref: str, step: str, *, actor: str, now: datetime) -> None:
    """Take a step on oneself. Raises Refused, Missing."""

    def change(row: Step) -> tuple[str, dict[str, Any]]:
        row.state = rules.taken(State(row.state), need=Truth(row.need))
        row.owner_id = _person(actor).id
        return "taken", {}

    _do(ref, step, change, actor=actor, now=now)


def finish(ref: str, step: str, *, note: str = "", evidence: Sequence[str] = (), actor: str, now: datetime) -> None:
    """Say that a step is done, with what shows it. Raises Refused, Invalid, Missing."""

    def change(row: Step) -> tuple[str, dict[str, Any]]:
        known = {piece.ref for piece in incidents.evidence(row.incident_id)} if evidence else set()
        strange = [piece for piece in evidence if piece not in known]
        if strange:
            raise Invalid("evidence", "Choose among the evidence of this incident.")
        row.state = rules.finished(State(row.state), need=Truth(row.need), asks=row.asks, note=note, evidence=evidence)
        row.finished_at = now
        row.owner_id = row.owner_id or _person(actor).id
        return "finished", {"evidence": sorted(evidence)}

    _do(ref, step, change, actor=actor, now=now, text=note, evidence=evidence)


def skip(ref: str, step: str, *, reason: str, by_lead: bool, actor: str, now: datetime) -> None:
    """Leave a step out, with a reason. Raises Refused, Invalid, Missing."""

    def change(row: Step) -> tuple[str, dict[str, Any]]:
        row.state = rules.skipped(State(row.state), mandatory=row.mandatory, reason=reason, by_lead=by_lead)
        row.finished_at = now
        return "skipped", {"mandatory": row.mandatory}

    _do(ref, step, change, actor=actor, now=now, text=reason)


def reopen(ref: str, step: str, *, reason: str, actor: str, now: datetime) -> None:
    """Take a finished or skipped step up again, with a reason. Raises Refused, Invalid, Missing."""

    def change(row: Step) -> tuple[str, dict[str, Any]]:
        row.state = rules.reopened(State(row.state), reason=reason)
        row.finished_at = None
        return "reopened", {}

    _do(ref, step, change, actor=actor, now=now, text=reason)


def hand_over(ref: str, step: str, *, to: str, actor: str, now: datetime, seen: str | None = None) -> None:
    """Give a step to somebody who works here; `seen` is the mark of who had it. Raises Refused, Invalid, Missing."""

    def change(row: Step) -> tuple[str, dict[str, Any]]:
        person = users.by_ref(to)
        if person is None or person.id not in {one.id for one in able(row.incident_id)}:
            raise Invalid("to", "Choose somebody who may work on this incident.")
        row.state = rules.handed_over(State(row.state))
        if row.owner_id != person.id:
            before = users.names([row.owner_id]).get(row.owner_id, "nobody")
            demand_seen(seen, row.owner_id, versions={"With": (before, person.name)})
        row.owner_id = person.id
        return "handed_over", {"to": person.ref}

    _do(ref, step, change, actor=actor, now=now, handed_to=to)


def able(incident_id: int) -> list[User]:
    """Those who may do steps of this incident: of the team, active, and on it where it is restricted."""
    incident = db.session.get(Incident, incident_id)
    inside = {row.user_id for row in members.of(incident_id)} if incident and incident.restricted else None
    return [
        user
        for user in users.every()
        if user.active and may("step.change", user.roles) and (inside is None or user.id in inside)
    ]


Change = Callable[[Step], tuple[str, dict[str, Any]]]


def _do(
    ref: str,
    step_ref: str,
    change: Change,
    *,
    actor: str,
    now: datetime,
    text: str = "",
    evidence: Sequence[str] = (),
    handed_to: str = "",
) -> None:
    """Change one step, keep what was said, and leave a line."""
    with transaction(actor, now) as ledger:
        incident = _open(ref)
        row = rows.step(incident.id, step_ref, locked=True)
        if row is None:
            raise Missing()
        before = row.state
        did, details = change(row)
        event = StepEvent(step_id=row.id, did=did, text=storable(text), evidence=list(evidence), handed_to=handed_to)
        event.done_at, event.done_by = now, actor
        db.session.add(event)
        ledger.write(f"step.{did}", row.ref, incident=ref, step=row.key, before=before, after=row.state, **details)


def _open(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    incident_rules.must_be_open(incident.state)
    return incident


def _person(ref: str) -> User:
    person = users.by_ref(ref)
    if person is None:
        raise Refused("Only somebody with an account can take a step.")
    return person


def _add_steps(incident: Incident, plan: Plan, book: rules.Playbook, facts: Facts, now: datetime) -> int:
    """Add the playbook's steps but for shared ones that another plan brought already; how many were added."""
    there = rows.keys(incident.id)
    new = [step for step in book.steps if not (step.shared and step.key in there)]
    phases, work = list(rules.Phase), drill_rows.clock_of(incident)
    for number, step in enumerate(new):
        row = _row(step, incident_id=incident.id, plan_id=plan.id)
        row.position = phases.index(step.phase) * 1000 + (500 if step.shared else 0) + number
        _work_out(row, facts, incident.opened_at, work, now)
        db.session.add(row)
    return len(new)


def _row(step: rules.Step, *, incident_id: int, plan_id: int) -> Step:
    return Step(
        ref=new_ref("S"),
        incident_id=incident_id,
        plan_id=plan_id,
        key=step.key,
        phase=step.phase.value,
        title=step.title,
        detail=step.detail,
        role=step.role.value,
        mandatory=step.mandatory,
        asks=step.evidence,
        due_from=step.due.from_ if step.due else "",
        due_hours=step.due.hours if step.due else 0,
        condition=_plain(step.when),
        state=State.OPEN.value,
    )


def _plain(condition: Mapping[str, Any]) -> dict[str, Any]:
    return dict(condition)


def _work_out(row: Step, facts: Facts, opened_at: datetime, work: Clockwork | None, now: datetime) -> None:
    """Whether the step is needed, and by when. What is dealt with keeps the time it had."""
    need, open_ = rules.needed(row.condition, facts)
    row.need, row.need_open = need.value, list(open_)
    if row.state in rows.UNDONE:
        found = rules.deadline(Due(row.due_from, row.due_hours) if row.due_from else None, facts, opened_at)
        found = drills.paced_step(found, row.due_hours, work, now)
        row.due_at, row.due_words = found.at, found.words
