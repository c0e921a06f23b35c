"""Reminders given, overtaken, acknowledged, handed over; to whom, and never twice."""

from datetime import timedelta

from incident.actions import (
    intake,
    members,
    obligations,
    reminder_messages,
    reminders,
)
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.domain.handovers import State
from incident.domain.reminders import NEVER
from incident.store import dispatches, mailbox, users
from incident.store import reminders as rows
from incident.store.db import db
from incident.store.reminders import ReminderMessage
from notifiers.memory import Memory
from tests.actions.reminding import (
    AWARE,
    DUE,
    DUTY,
    HALF,
    MOST,
    NEARLY,
    OWED,
    Pager,
    a_case,
    a_target,
    finding,
    lead_is,
    only_the_authority,
    tick,
    told,
    ways,
)
from tests.builders import a_user, an_incident
from tests.record import lines


def test_first_the_owner_then_the_lead_too_then_everybody_on_the_case(app):
    owner, lead, helper = (a_user(Role.RESPONDER), a_user(Role.LEAD), a_user(Role.PRIVACY))
    case, email = a_case(lead.ref), Memory("email")
    members.add(case.ref, helper.ref, actor=lead.ref, now=AWARE)
    reminders.hand_over(case.ref, finding(case).ref, owner.ref, actor=lead.ref, now=AWARE)
    found = []
    for moment in (HALF, MOST, NEARLY):
        email.sent.clear()
        tick(moment, ways(email))
        found.append(sorted(told(email)))
    assert found == [[owner.email], sorted([owner.email, lead.email]), sorted([owner.email, lead.email, helper.email])]


def test_nothing_goes_before_its_moment_and_nothing_twice(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    tick(HALF - timedelta(seconds=1), ways(email))
    assert told(email) == []
    for _ in range(3):
        tick(HALF, ways(email))
    assert told(email) == [lead.email]
    assert finding(case).remind_at == MOST


def test_a_reminder_says_what_is_due_when_in_the_readers_zone_and_where_to_answer(app):
    lead = a_user(Role.LEAD, zone="America/New_York")
    case, email = a_case(lead.ref), Memory("email")
    tick(HALF, ways(email))
    [message] = email.sent
    assert "due 9 Mar 2026, 05:00 New York" in message.text
    assert f"http://localhost/incidents/{case.ref}/reminders/" in message.text
    assert case.title not in message.text + message.subject
    assert lead.name not in message.text + message.subject


def test_a_machine_that_slept_gives_the_latest_rung_once_late_and_says_so(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    tick(AWARE, ways(email))
    woke = NEARLY + timedelta(hours=1)
    tick(woke, ways(email))
    tick(woke, ways(email))
    assert len(email.sent) == 1
    assert "should have gone at 9 Mar 2026, 01:48 UTC" in email.sent[0].text
    assert {(row.rung, row.overtaken) for row in rows.of_duty(case.id, DUTY)} == {
        ("50%", True),
        ("75%", True),
        ("90%", False),
    }


def test_late_duties_are_reminded_of_at_growing_steps(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email, hours = Memory("email"), []
    for hour in range(72, 72 + 100):
        email.sent.clear()
        tick(AWARE + timedelta(hours=hour), ways(email))
        hours += [hour - 72] * len(email.sent)
    assert hours == [0, 1, 4, 12, 24, 48, 96]


def test_an_acknowledgement_quiets_the_ladder_until_the_duty_falls_due(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    tick(HALF, ways(email))
    reminders.acknowledge(case.ref, [finding(case).ref], actor=lead.ref, now=HALF + timedelta(minutes=1))
    email.sent.clear()
    for moment in (MOST, NEARLY, DUE - timedelta(seconds=1)):
        tick(moment, ways(email))
    assert told(email) == []
    tick(DUE, ways(email))
    assert told(email) == [lead.email]
    reminders.acknowledge(case.ref, [finding(case).ref], actor=lead.ref, now=DUE + timedelta(minutes=1))
    tick(DUE + timedelta(days=30), ways(email))
    assert told(email) == [lead.email]
    assert finding(case).remind_at == NEVER


def test_an_acknowledgement_takes_back_what_still_waits(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    reminders.acknowledge(case.ref, [finding(case).ref], actor=lead.ref, now=HALF)
    assert reminder_messages.due(HALF) == []
    assert [row.state for row in db.session.query(ReminderMessage)] == [State.CANCELLED]


def test_what_was_acknowledged_leaves_a_line_by_reference(app):
    lead = a_user(Role.LEAD)
    case = a_case(lead.ref)
    reminders.acknowledge(case.ref, [finding(case).ref], actor=lead.ref, now=HALF)
    line = lines()[-1]
    assert (line.actor, line.verb, line.subject, line.incident) == (
        lead.ref,
        "duty.acknowledged",
        finding(case).ref,
        case.ref,
    )


def test_another_due_time_is_another_ladder(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    tick(HALF, ways(email))
    reminders.acknowledge(case.ref, [finding(case).ref], actor=lead.ref, now=HALF)
    earlier = AWARE - timedelta(hours=20)
    intake.record_facts(
        case.ref, {"aware_at": earlier.isoformat()}, source="log", confidence="high", actor=lead.ref, now=HALF
    )
    only_the_authority(case)
    email.sent.clear()
    tick(HALF, ways(email))
    assert told(email) == [lead.email]
    assert "became known" in email.sent[0].text


def test_a_met_duty_is_no_longer_reminded_of(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    obligations.mark_met(case.ref, finding(case).ref, met_at=AWARE, actor=lead.ref, now=AWARE + timedelta(hours=1))
    only_the_authority(case)
    tick(DUE + timedelta(days=1), ways(email))
    assert told(email) == []


def test_a_duty_met_between_giving_and_sending_sends_nothing(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    obligations.mark_met(case.ref, finding(case).ref, met_at=AWARE, actor=lead.ref, now=HALF)
    tick(HALF, ways(email))
    [row] = db.session.query(ReminderMessage)
    assert (told(email), row.state, row.reason) == ([], State.CANCELLED, "settled")


def test_several_duties_of_an_incident_go_in_one_message(app):
    lead = a_user(Role.LEAD)
    case, email = an_incident(facts=OWED | {"residents": {"GB": 10}}, now=AWARE), Memory("email")
    lead_is(case, lead.ref)
    assert len(rows.running(case.id)) > 1
    tick(DUE + timedelta(days=1), ways(email))
    assert told(email) == [lead.email]


def test_of_a_restricted_incident_nobody_else_hears(app):
    lead, other = a_user(Role.LEAD), a_user(Role.PRIVACY)
    case, email, pager = a_case(lead.ref), Memory("email"), Pager("alert")
    a_target(pager, level="owner")
    members.restrict(case.ref, actor=lead.ref, now=AWARE)
    tick(DUE, ways(email, alerts=pager))
    assert told(email) == [lead.email]
    assert pager.sent == []
    assert other.email not in told(email)


def test_who_lost_sight_of_the_incident_before_the_sending_hears_nothing(app):
    lead, helper = a_user(Role.LEAD), a_user(Role.RESPONDER)
    case, email = a_case(lead.ref), Memory("email")
    members.add(case.ref, helper.ref, actor=lead.ref, now=AWARE)
    reminders.do(case.ref, DUE, ways(email))
    members.restrict(case.ref, actor=lead.ref, now=DUE)
    members.remove(case.ref, helper.ref, actor=lead.ref, now=DUE)
    tick(DUE, ways(email))
    assert told(email) == [lead.email]


def test_a_locked_owner_gives_way_to_the_lead(app):
    owner, lead = a_user(Role.RESPONDER), a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.hand_over(case.ref, finding(case).ref, owner.ref, actor=lead.ref, now=AWARE)
    with transaction("system", AWARE) as ledger:
        users.by_ref(owner.ref, locked=True).active = False
        ledger.write("account.locked", owner.ref)
    tick(HALF, ways(email))
    assert told(email) == [lead.email]


def test_without_anybody_on_the_case_those_who_decide_duties_are_called(app):
    privacy, responder = a_user(Role.PRIVACY), a_user(Role.RESPONDER)
    a_case()
    email = Memory("email")
    tick(HALF, ways(email))
    assert told(email) == [privacy.email]
    assert responder.email not in told(email)


# ---------------------------------------------------------------- drills, the sandbox, the freeze


def test_a_drill_reaches_nobody_and_stays_where_the_team_reads_it(app):
    lead = a_user(Role.LEAD)
    email, pager = Memory("email"), Pager("alert")
    a_target(pager, level="owner")
    case = a_case(lead.ref, kind="drill")
    tick(DUE, ways(email, alerts=pager))
    assert (email.sent, pager.sent) == ([], [])
    assert {row.state for row in db.session.query(ReminderMessage)} == {State.SIMULATED}
    kept = mailbox.mailbox(case.id, before=None, limit=10)
    assert {row.channel for row in kept} == {"email", "alert"}


def test_without_a_provider_a_reminder_is_kept_in_the_sandbox(app):
    lead = a_user(Role.LEAD)
    case = a_case(lead.ref)
    tick(HALF, ways())
    [row] = db.session.query(ReminderMessage)
    assert (row.state, len(mailbox.mailbox(case.id, before=None, limit=10))) == (State.SIMULATED, 1)


def test_while_all_sending_is_frozen_nothing_leaves_and_after_it_the_latest_goes_once(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email")
    freeze(frozen=True)
    tick(HALF, ways(email))
    assert told(email) == []
    freeze(frozen=False)
    tick(MOST + timedelta(hours=1), ways(email))
    assert told(email) == [lead.email]
    assert "should have gone" in email.sent[0].text


def test_a_freeze_holds_back_what_was_given_already_and_leaves_no_work_to_find(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    freeze(frozen=True)
    assert (reminders.due(HALF), reminder_messages.due(HALF)) == ([], [])
    [row] = db.session.query(ReminderMessage)
    reminder_messages.do(row.ref, ways(email), clock=lambda: HALF)
    assert told(email) == []
    freeze(frozen=False)
    tick(HALF, ways(email))
    assert told(email) == [lead.email]


def freeze(*, frozen: bool):
    with transaction("system", AWARE) as ledger:
        dispatches.set_frozen(frozen, "system", AWARE)
        ledger.write("sending.frozen" if frozen else "sending.released", "sending")
