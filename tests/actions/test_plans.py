"""Plans and their steps, saved with their lines."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from incident import clock
from incident.actions import intake, members, plans
from incident.domain.access import Role
from incident.domain.clauses import Truth
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.plans import State
from incident.store import incidents, standings
from incident.store import plans as rows
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.plans import Step
from tests.builders import a_user

NOW = clock.now()


def an_incident_with(playbook="ransomware", **facts):
    """A logged incident with a plan, and the reference of the person who did it."""
    actor = a_user(Role.LEAD).ref
    ref = intake.log(
        kind="incident",
        title="A test",
        facts={"category": playbook, **facts},
        source="test",
        confidence="",
        actor=actor,
        now=NOW,
    )
    plans.activate(ref, playbook, actor=actor, now=NOW)
    return ref, actor


def step_of(ref, key):
    return next(row for row in rows.steps(incidents.by_ref(ref).id) if row.key == key)


def verbs(ref):
    return list(db.session.scalars(select(AuditLine.verb).where(AuditLine.incident == ref).order_by(AuditLine.seq)))


def test_activating_copies_the_steps_and_pins_the_wording(app):
    ref, _ = an_incident_with("phishing")
    plan = rows.of(incidents.by_ref(ref).id)[0]
    steps = rows.steps(plan.incident_id)
    assert len(plan.digest) == 64
    assert {step.phase for step in steps} == {
        "stop_loss",
        "analyse",
        "locate",
        "remedy",
        "trace_and_refer",
        "tell",
        "review",
    }
    assert [step.position for step in steps] == sorted(step.position for step in steps)
    assert verbs(ref).count("plan.activated") == 1


def test_a_plan_is_activated_once(app):
    ref, actor = an_incident_with()
    with pytest.raises(Refused, match="already"):
        plans.activate(ref, "ransomware", actor=actor, now=NOW)
    with pytest.raises(Invalid):
        plans.activate(ref, "flood", actor=actor, now=NOW)
    with pytest.raises(Missing):
        plans.activate("INC-1999-0001", "ransomware", actor=actor, now=NOW)


def test_a_second_plan_brings_its_own_steps_but_not_the_shared_ones_again(app):
    ref, actor = an_incident_with()
    plans.activate(ref, "data_leak", actor=actor, now=NOW)
    keys = [step.key for step in rows.steps(incidents.by_ref(ref).id)]
    assert len(keys) == len(set(keys))
    assert {"isolate", "access_log", "police"} <= set(keys)


def test_new_facts_start_clocks_and_settle_which_steps_are_needed(app):
    ref, actor = an_incident_with()
    assert (step_of(ref, "police").need, step_of(ref, "police").due_at) == ("open", None)
    assert step_of(ref, "police").need_open == ["malicious", "suspected_crime"]
    aware = NOW - timedelta(hours=2)
    intake.record_facts(
        ref, {"malicious": True, "aware_at": aware.isoformat()}, source="", confidence="", actor=actor, now=NOW
    )
    step = step_of(ref, "police")
    assert (step.need, step.due_at) == ("yes", aware + timedelta(hours=24))
    assert verbs(ref)[-1] == "plan.worked_out_again"


def test_facts_that_change_no_step_leave_no_line_about_steps(app):
    ref, actor = an_incident_with()
    before = verbs(ref).count("plan.worked_out_again")
    intake.record_facts(ref, {"found_by": "Night shift"}, source="", confidence="", actor=actor, now=NOW)
    assert verbs(ref).count("plan.worked_out_again") == before


def test_a_step_goes_from_hand_to_hand_and_is_finished_with_what_shows_it(app):
    ref, actor = an_incident_with()
    other = a_user(Role.RESPONDER)
    step = step_of(ref, "save_backups").ref
    plans.take(ref, step, actor=actor, now=NOW)
    plans.hand_over(ref, step, to=other.ref, actor=actor, now=NOW)
    with pytest.raises(Invalid, match="needs to be shown"):
        plans.finish(ref, step, actor=other.ref, now=NOW)
    plans.finish(ref, step, note="Copy of 3 March, mounted and read.", actor=other.ref, now=NOW)
    row = step_of(ref, "save_backups")
    assert (row.state, row.owner_id) == ("done", other.id)
    assert [event.did for event in rows.events([row.id])[row.id]] == ["finished", "handed_over", "taken"]
    assert verbs(ref)[-3:] == ["step.taken", "step.handed_over", "step.finished"]


def test_what_was_said_about_a_step_cannot_be_overwritten(app):
    ref, actor = an_incident_with()
    step = step_of(ref, "isolate").ref
    plans.finish(ref, step, note="Pulled the cable.", actor=actor, now=NOW)
    plans.reopen(ref, step, reason="A second host.", actor=actor, now=NOW)
    plans.finish(ref, step, note="Pulled that one too.", actor=actor, now=NOW)
    row = step_of(ref, "isolate")
    assert [event.text for event in rows.events([row.id])[row.id]] == [
        "Pulled that one too.",
        "A second host.",
        "Pulled the cable.",
    ]
    with pytest.raises(DatabaseError):
        db.session.execute(rows.StepEvent.__table__.update().values(text="Nothing."))


def test_a_refusal_changes_nothing_and_writes_nothing(app):
    ref, actor = an_incident_with()
    step, lines = step_of(ref, "isolate"), len(verbs(ref))
    with pytest.raises(Refused):
        plans.skip(ref, step.ref, reason="No time.", by_lead=False, actor=actor, now=NOW)
    with pytest.raises(Invalid):
        plans.finish(ref, step.ref, evidence=["E-00000000"], actor=actor, now=NOW)
    with pytest.raises(Invalid):
        plans.hand_over(ref, step.ref, to="U-NOBODY", actor=actor, now=NOW)
    assert (step_of(ref, "isolate").state, len(verbs(ref))) == ("open", lines)


def test_a_step_of_another_incident_is_not_there(app):
    ref, actor = an_incident_with()
    elsewhere, _ = an_incident_with()
    with pytest.raises(Missing):
        plans.take(elsewhere, step_of(ref, "isolate").ref, actor=actor, now=NOW)


def test_a_finished_step_keeps_the_due_time_it_had(app):
    ref, actor = an_incident_with(aware_at=(NOW - timedelta(hours=1)).isoformat())
    due = step_of(ref, "reach").due_at
    plans.finish(ref, step_of(ref, "outflow").ref, note="Logs of all days.", actor=actor, now=NOW)
    before = step_of(ref, "outflow").due_at
    intake.record_facts(ref, {"aware_at": NOW.isoformat()}, source="", confidence="", actor=actor, now=NOW)
    assert step_of(ref, "outflow").due_at == before
    assert step_of(ref, "reach").due_at == due
    assert step_of(ref, "insurer").due_at == NOW + timedelta(hours=24)


def test_progress_counts_only_steps_that_are_needed(app):
    ref, actor = an_incident_with("misdirected", malicious=False, suspected_crime=False, personal_data=True)
    incident_id = incidents.by_ref(ref).id
    done, needed = rows.progress(incident_id)
    steps = rows.steps(incident_id)
    assert (done, needed) == (0, sum(step.need == "yes" for step in steps))
    plans.take(ref, step_of(ref, "recall").ref, actor=actor, now=NOW)
    plans.finish(ref, step_of(ref, "recall").ref, actor=actor, now=NOW)
    assert rows.progress(incident_id) == (1, needed)
    assert "police" not in set(db.session.scalars(select(Step.key).where(rows.blocks())))


def test_a_step_goes_only_to_somebody_who_may_work_on_this_incident(app):
    ref, actor = an_incident_with()
    step, auditor, outsider = step_of(ref, "isolate").ref, a_user(Role.AUDITOR), a_user(Role.RESPONDER)
    with pytest.raises(Invalid, match="may work on this incident"):
        plans.hand_over(ref, step, to=auditor.ref, actor=actor, now=NOW)
    members.restrict(ref, actor=actor, now=NOW)
    with pytest.raises(Invalid, match="may work on this incident"):
        plans.hand_over(ref, step, to=outsider.ref, actor=actor, now=NOW)
    plans.hand_over(ref, step, to=actor, actor=actor, now=NOW)
    assert step_of(ref, "isolate").state == "taken"


@pytest.mark.parametrize(
    ("state", "mandatory", "need", "blocks"),
    [
        (State.OPEN, True, Truth.YES, True),
        (State.TAKEN, True, Truth.YES, True),
        (State.OPEN, True, Truth.OPEN, True),
        (State.OPEN, True, Truth.NO, False),
        (State.DONE, True, Truth.YES, False),
        (State.SKIPPED, True, Truth.YES, False),
        (State.OPEN, False, Truth.YES, False),
    ],
)
def test_mandatory_steps_block_closing_until_they_are_dealt_with_or_certainly_not_needed(
    app, state, mandatory, need, blocks
):
    ref, _ = an_incident_with()
    number = incidents.by_ref(ref).id
    db.session.execute(update(Step).values(mandatory=False))
    of_one = update(Step).where(Step.id == rows.steps(number)[0].id)
    db.session.execute(of_one.values(state=state, mandatory=mandatory, need=need))
    assert standings.counted(number).blocking == int(blocks)
