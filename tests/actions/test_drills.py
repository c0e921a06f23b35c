import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import current_app
from sqlalchemy import select

from incident import clock, work
from incident.actions import after_action, counts, drills, enquiries, intake, plans, what_if
from incident.actions.enquiring import Asker
from incident.domain.drills import Arrival, Course, Verdict
from incident.domain.enquiries import Kind as AboutKind
from incident.domain.enquiries import Terms, promised
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import audit, incidents
from incident.store import drills as rows
from incident.store import enquiries as enquiry_rows
from incident.store import obligations as findings
from incident.store import plans as plan_rows
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_user, an_incident

TERMS = Terms(10, 30, ZoneInfo("UTC"))
DUTY = "EU-GDPR/tell-authority"


@pytest.fixture
def lead(app):
    return a_user("lead", name="Lea Lead").ref


def begun(actor, *, scenario="lost_laptop", factor=24, now=None):
    folder = current_app.extensions["settings"].instance / "files"
    ref = drills.start(scenario, factor=factor, house=None, folder=folder, actor=actor, now=now or clock.now())
    return incidents.by_ref(ref)


def row_of(case):
    db.session.rollback()
    found = rows.of(case.id)
    assert found is not None
    return found


def inject(case, key):
    db.session.rollback()
    return next(one for one in rows.injects(case.id) if one.key == key)


def come(case, minute):
    """Let everything come in that is due by this minute of the drill; the real moment."""
    at = row_of(case).clock.moment(minute)
    for ref in drills.due(at):
        drills.do(ref, at)
    return at


def test_beginning_a_drill_opens_its_incident_with_facts_clock_and_made_up_people(app, lead):
    case = begun(lead)
    drill = row_of(case)
    assert (case.kind, drill.scenario, drill.factor, drill.facilitator) == ("drill", "lost_laptop", 24, lead)
    assert incidents.known(case.id)["category"] == "lost_device"
    work.once()
    assert counts.of(case.ref).active > 100
    assert [one.state for one in rows.injects(case.id)] == ["waiting"] * 4


def asked(case, lead, now):
    """An enquiry that a player notes at this moment."""
    given = {"source": "phone", "who": Asker("Kim One"), "text": "Which data?", "terms": TERMS}
    return enquiries.take_in(case.ref, kind="question", **given, actor=lead, now=now)


def due_of(case, ref):
    db.session.rollback()
    return enquiry_rows.by_ref(case.id, ref).due_at


def test_answer_times_of_enquiries_run_by_the_clock_of_the_drill(app, lead):
    now = clock.now()
    case = begun(lead, now=now, factor=60)
    real = promised(AboutKind.QUESTION, now, TERMS).due_at
    assert due_of(case, asked(case, lead, now)) - now == (real - now) / 60
    happened = an_incident()
    assert due_of(happened, asked(happened, lead, now)) == real


def test_a_pause_moves_what_people_asked_before_and_during_it_and_nothing_twice(app, lead):
    now = clock.now()
    case = begun(lead, now=now, factor=60)
    first = asked(case, lead, now)
    before = due_of(case, first)
    drills.pause(case.ref, actor=lead, now=now + timedelta(minutes=5))
    second = asked(case, lead, now + timedelta(minutes=10))
    during = due_of(case, second)
    drills.resume(case.ref, actor=lead, now=now + timedelta(minutes=15))
    assert due_of(case, first) - before == timedelta(minutes=10)
    assert due_of(case, second) - during == timedelta(minutes=5)


def test_a_request_and_its_longer_time_run_by_the_clock_of_the_drill(app, lead):
    now = clock.now()
    case = begun(lead, now=now, factor=60)
    ref = asked(case, lead, now)
    by = {"terms": TERMS, "actor": lead, "now": now + timedelta(minutes=1)}
    enquiries.hand_over(case.ref, ref, right="access", place="DE", **by)
    month = promised(AboutKind.REQUEST, now, TERMS, right="access", place="DE").due_at
    assert due_of(case, ref) - now == (month - now) / 60
    enquiries.take_longer(case.ref, ref, text="There is a lot of it.", way="phone", simulated=True, **by)
    assert timedelta(0) < due_of(case, ref) - now < timedelta(days=93) / 60
    assert due_of(case, ref) - now > (month - now) / 60


def test_an_unknown_scenario_or_speed_begins_nothing(app, tmp_path, lead):
    for scenario, factor in (("nothing", 24), ("ransomware", 7)):
        with pytest.raises(Invalid):
            drills.start(scenario, factor=factor, house=None, folder=tmp_path, actor=lead, now=clock.now())
    assert db.session.scalars(select(Incident)).all() == []


def test_duties_of_a_drill_are_due_sooner_by_its_factor_and_say_so(app, lead):
    now = clock.now()
    case = begun(lead, now=now, scenario="leaked_list")
    duty = findings.current(case.id)[DUTY]
    aware = incidents.known(case.id)["aware_at"]
    assert duty.due_at is not None
    assert duty.due_at - aware == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=1))
    assert "24 minutes pass in one" in duty.clock_words


def test_steps_of_the_plan_are_due_sooner_too(app, lead):
    now = clock.now()
    case = begun(lead, now=now, scenario="leaked_list")
    plans.activate(case.ref, "data_leak", actor=lead, now=now)
    timed = [step for step in plan_rows.steps(case.id) if step.due_at and step.due_from == "opened_at"]
    assert timed
    for step in timed:
        assert step.due_at == now + timedelta(hours=step.due_hours) / 24


def test_supposing_in_a_drill_keeps_its_clock(app, lead):
    case = begun(lead, scenario="leaked_list")
    [told] = [
        one for one in what_if.what_if(case.id, {"risk_to_people": "high"}, clock.now()).duties if one.duty == DUTY
    ]
    assert told.after[1] == told.before[1] == findings.current(case.id)[DUTY].due_at


def test_the_clocks_of_incidents_that_happened_are_left_alone(app, lead):
    now = clock.now()
    facts = {"personal_data": "yes", "aware_at": now.isoformat(), "establishments": ["DE"], "role": "controller"}
    real = an_incident(facts=facts, now=now)
    before = {key: (row.id, row.due_at) for key, row in findings.current(real.id).items()}
    case = begun(lead)
    drills.pause(case.ref, actor=lead, now=now + timedelta(minutes=1))
    drills.resume(case.ref, actor=lead, now=now + timedelta(minutes=9))
    db.session.rollback()
    assert {key: (row.id, row.due_at) for key, row in findings.current(real.id).items()} == before
    assert before[DUTY][1] == now + timedelta(hours=72)


def test_injects_come_by_the_clock_and_bring_their_facts(app, lead):
    case = begun(lead)
    come(case, 50)
    assert inject(case, "wipe_unsure").state == Arrival.ARRIVED
    assert inject(case, "not_encrypted").state == Arrival.WAITING
    assert "ssn" in incidents.known(case.id)["data_kinds"]
    come(case, 250)
    assert incidents.known(case.id)["encryption"] == "none"


def test_an_inject_comes_once_however_often_it_is_looked_for(app, lead):
    case = begun(lead)
    ref = inject(case, "wipe_unsure").ref
    at = come(case, 50)
    drills.do(ref, at)
    assert [line.subject for line in audit.search(verb="drill.inject_arrived")] == [ref]
    with pytest.raises(Refused):
        drills.let_in(case.ref, ref, actor=lead, now=at)


def test_the_facilitator_lets_in_skips_and_writes_what_comes(app, lead):
    now = clock.now()
    case = begun(lead, now=now)
    drills.let_in(case.ref, inject(case, "not_encrypted").ref, actor=lead, now=now + timedelta(seconds=9))
    drills.skip(case.ref, inject(case, "wipe_unsure").ref, actor=lead, now=now + timedelta(seconds=10))
    own = drills.add_inject(
        case.ref, kind="press", sender="A reporter", title="Well?", text="Is it true?", after=60, wants_answer=True,
        actor=lead, now=now + timedelta(minutes=1),
    )  # fmt: skip
    come(case, 83)
    assert rows.inject(own).state == "waiting"
    come(case, 84)
    db.session.rollback()
    assert [one.state for one in rows.injects(case.id) if one.key in ("not_encrypted", "wipe_unsure")] == [
        "skipped",
        "arrived",
    ]
    assert (rows.inject(own).state, rows.inject(own).text) == ("arrived", "Is it true?")


def test_an_inject_without_a_time_comes_by_hand_alone(app, lead):
    case = begun(lead)
    own = drills.add_inject(
        case.ref, kind="message", sender="Board", title="Well?", text="How bad?", after=None, wants_answer=False,
        actor=lead, now=clock.now(),
    )  # fmt: skip
    come(case, 1400)
    assert rows.inject(own).state == "waiting"


def test_words_of_injects_answers_and_remarks_are_sealed(app, lead):
    case = begun(lead)
    kept = db.session.execute(select(db.metadata.tables["drill_inject"])).mappings().first()
    assert (kept["title"], kept["text"], kept["sender"]) == ("", "", "")
    assert kept["sealed"]
    assert rows.injects(case.id)[0].title == "The order to wipe was not confirmed"


def test_nobody_but_the_facilitator_leads_a_drill(app, lead):
    case, other, now = begun(lead), a_user("lead").ref, clock.now()
    ref = inject(case, "wipe_unsure").ref
    acts = {
        "pause": lambda: drills.pause(case.ref, actor=other, now=now),
        "resume": lambda: drills.resume(case.ref, actor=other, now=now),
        "end": lambda: drills.end(case.ref, actor=other, now=now),
        "let_in": lambda: drills.let_in(case.ref, ref, actor=other, now=now),
        "skip": lambda: drills.skip(case.ref, ref, actor=other, now=now),
        "add": lambda: drills.add_inject(
            case.ref, kind="press", sender="a", title="b", text="c", after=1, wants_answer=False, actor=other, now=now
        ),
    }
    before = audit.head().size
    for act in acts.values():
        with pytest.raises(Refused, match="facilitates"):
            act()
    assert audit.head().size == before


def test_a_drill_can_be_taken_over(app, lead):
    case, other, now = begun(lead), a_user("lead").ref, clock.now()
    drills.take_over(case.ref, actor=other, now=now)
    drills.pause(case.ref, actor=other, now=now)
    assert row_of(case).clock.course is Course.PAUSED
    with pytest.raises(Refused):
        drills.resume(case.ref, actor=lead, now=now)


def test_in_a_pause_nothing_comes_in_and_afterwards_everything_is_later_by_it(app, lead):
    now = clock.now()
    case = begun(lead, now=now, scenario="leaked_list")
    before, coming = findings.current(case.id)[DUTY].due_at, inject(case, "thanks_wanted").due_at
    drills.pause(case.ref, actor=lead, now=now + timedelta(minutes=1))
    assert drills.due(now + timedelta(hours=5)) == []
    with pytest.raises(Refused, match="paused"):
        drills.let_in(case.ref, inject(case, "thanks_wanted").ref, actor=lead, now=now + timedelta(minutes=2))
    drills.resume(case.ref, actor=lead, now=now + timedelta(minutes=31))
    assert inject(case, "thanks_wanted").due_at == coming + timedelta(minutes=30)
    assert findings.current(case.id)[DUTY].due_at == before + timedelta(minutes=30)


def test_what_came_in_is_answered_once_and_only_after_it_came(app, lead):
    case, player = begun(lead), a_user("responder").ref
    ref = inject(case, "works_council").ref
    with pytest.raises(Missing):
        drills.answer(case.ref, ref, "Too soon", actor=player, now=clock.now())
    at = come(case, 400)
    drills.answer(case.ref, ref, "Bank accounts of 120 people; tomorrow at nine.", actor=player, now=at)
    with pytest.raises(Refused):
        drills.answer(case.ref, ref, "Again", actor=player, now=at)
    found = inject(case, "works_council")
    assert (found.answer, found.answered_by) == ("Bank accounts of 120 people; tomorrow at nine.", player)


def test_the_score_is_what_people_did_held_against_what_was_expected(app, lead):
    case, player = begun(lead), a_user("lead", "privacy").ref
    at = row_of(case).clock.moment
    plans.activate(case.ref, "lost_device", actor=player, now=at(30))
    come(case, 250)
    intake.add_note(case.ref, "It was not encrypted after all.", actor=player, now=at(500))
    come(case, 400)
    drills.answer(case.ref, inject(case, "works_council").ref, "Tomorrow", actor=player, now=at(420))
    drills.end(case.ref, actor=lead, now=at(1000))
    found = {one.expected.key: one for one in after_action.of(case.ref, now=clock.now()).judged}
    assert {key: one.verdict for key, one in found.items()} == {
        "planned": Verdict.MET,
        "corrected": Verdict.LATE,
        "council_answered": Verdict.MET,
        "approved": Verdict.MISSED,
        "sent": Verdict.MISSED,
    }
    assert (found["planned"].done, found["corrected"].late_by) == (30, 130)
    outcome = row_of(case).outcome
    assert (outcome["score"], outcome["met"], outcome["late"], outcome["missed"]) == (50, 2, 1, 2)


def test_facts_that_an_inject_brought_are_nobodys_merit(app, lead):
    now = clock.now()
    case = begun(lead, now=now)
    drills.let_in(case.ref, inject(case, "not_encrypted").ref, actor=lead, now=now + timedelta(minutes=1))
    told = after_action.of(case.ref, now=now + timedelta(minutes=2))
    assert [one.verb for one in told.done] == []
    intake.record_facts(
        case.ref, {"systems": ["two laptops"]}, source="a call", confidence="low", actor=lead,
        now=now + timedelta(minutes=3),
    )  # fmt: skip
    assert [one.verb for one in after_action.of(case.ref, now=now + timedelta(minutes=4)).done] == ["facts.recorded"]


def test_an_ended_drill_is_closed_and_changes_no_more(app, lead):
    now = clock.now()
    case = begun(lead, now=now)
    drills.end(case.ref, actor=lead, now=now + timedelta(minutes=5))
    db.session.rollback()
    assert incidents.by_ref(case.ref).state == "closed"
    assert drills.due(now + timedelta(days=9)) == []
    for act in (drills.pause, drills.resume, drills.end):
        with pytest.raises(Refused, match="over"):
            act(case.ref, actor=lead, now=now + timedelta(minutes=6))
    with pytest.raises(Refused):
        drills.add_inject(
            case.ref, kind="press", sender="a", title="b", text="c", after=1, wants_answer=False, actor=lead,
            now=now + timedelta(minutes=6),
        )  # fmt: skip


def test_remarks_are_made_when_it_is_over_and_lessons_become_proposals(app, lead):
    now = clock.now()
    case = begun(lead, now=now)
    with pytest.raises(Refused, match="running"):
        drills.remark(case.ref, "helped", "The list of numbers", actor=lead, now=now)
    drills.end(case.ref, actor=lead, now=now + timedelta(minutes=5))
    drills.remark(case.ref, "helped", "The list of numbers", actor=lead, now=now + timedelta(minutes=6))
    lesson = drills.remark(
        case.ref, "lesson", "Encrypt every laptop first.", actor=lead, now=now + timedelta(minutes=6)
    )
    made = drills.propose(case.ref, lesson, actor=lead, now=now + timedelta(minutes=7))
    assert drills.propose(case.ref, lesson, actor=lead, now=now + timedelta(minutes=8)) == made
    assert [line.subject for line in audit.search(verb="lesson.proposed")] == [made]
    told = after_action.of(case.ref, now=now + timedelta(minutes=9))
    assert [(one.kind, one.lesson) for one in told.remarks] == [("helped", ""), ("lesson", made)]
    with pytest.raises(Missing):
        drills.propose(case.ref, "K-NOTHING1", actor=lead, now=now)


def test_the_report_is_a_file_whose_digest_is_in_the_record(app, lead):
    now = clock.now()
    case = begun(lead, now=now)
    drills.end(case.ref, actor=lead, now=now + timedelta(minutes=5))
    for kind, starts in {"pdf": b"%PDF", "json": b"{", "csv": b"expected,why"}.items():
        made = after_action.export(
            case.ref,
            kind,
            company="Example",
            zone=ZoneInfo("UTC"),
            names={},
            actor=lead,
            now=now + timedelta(minutes=6),
        )
        assert starts in made.content[:20]
        assert json.loads(audit.search(verb="drill.exported", limit=1)[0].details)["sha256"] == made.sha256


def test_an_incident_that_is_no_exercise_has_no_drill(app, lead):
    for case in (an_incident(), an_incident(kind="drill")):
        with pytest.raises(Missing):
            drills.pause(case.ref, actor=lead, now=clock.now())
        with pytest.raises(Missing):
            after_action.of(case.ref, now=clock.now())


def test_the_line_of_an_inject_tells_no_words(app, lead):
    case = begun(lead)
    drills.add_inject(
        case.ref, kind="press", sender="Somebody Unspoken", title="Unspoken", text="Unspoken", after=1,
        wants_answer=False, actor=lead, now=clock.now(),
    )  # fmt: skip
    assert all("nspoken" not in line.details for line in audit.search(incident=case.ref))
