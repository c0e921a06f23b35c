"""Reminders given, overtaken, acknowledged, handed over; to whom, and never twice."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import (
    alert_targets,
    deliveries,
    intake,
    members,
    obligations,
    reach,
    reminder_messages,
    reminders,
)
from incident.actions.ledger import transaction
from incident.actions.ways import Ways
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.reminders import NEVER, State
from incident.store import dispatches, incidents, mailbox, users
from incident.store import obligations as findings
from incident.store import reminders as rows
from incident.store.db import db
from incident.store.reminders import Reminder, ReminderMessage
from notifiers.contract import Answer, Channels, Event, Message, Outcome, Status
from notifiers.memory import Memory
from tests.builders import a_user, an_incident
from tests.record import lines

AWARE = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
DUE = AWARE + timedelta(hours=72)
HALF, MOST, NEARLY = (AWARE + timedelta(hours=72) * share / 100 for share in (50, 75, 90))
DUTY = "EU-GDPR/tell-authority"
OWED = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "risk_to_people": "risk",
    "aware_at": AWARE.isoformat(),
}
ALL = (50, 75, 90)


class Pager(Memory):
    """A target of alerts that remembers."""

    def kind(self, url: str) -> tuple[str, str]:
        return "JSON", ""


def ways(email: Memory | None = None, sms: Memory | None = None, alerts: Memory | None = None) -> Ways:
    real = {notifier.channel: notifier for notifier in (email, sms) if notifier}
    return Ways(Channels(real, {}), alerts or Pager("alert"), site="http://localhost", zone="Europe/Berlin")


def a_case(lead: str | None = None, *, kind: str = "incident", now: datetime = AWARE):
    case = an_incident(kind=kind, facts=OWED, now=now)
    only_the_authority(case)
    if lead:
        lead_is(case, lead)
    return incidents.by_ref(case.ref)


def only_the_authority(case):
    """Let one duty alone run, so that a test counts what it means to count."""
    with transaction("system", AWARE) as ledger:
        for row in rows.running(case.id):
            if row.duty != DUTY:
                row.state = "waived"
        ledger.write("findings.accepted", case.ref, incident=case.ref, count=1, digest="x")


def lead_is(case, ref):
    with transaction("system", AWARE) as ledger:
        held = incidents.by_ref(case.ref, locked=True)
        held.lead_id = users.by_ref(ref).id
        ledger.write("incident.lead_changed", case.ref, incident=case.ref, lead=ref)


def finding(case):
    return findings.current(case.id)[DUTY]


def tick(now: datetime, by: Ways) -> None:
    """What the worker does at one moment."""
    for ref in reminders.due(now):
        reminders.do(ref, now, by)
    while found := reminder_messages.due(now):
        for ref in found:
            reminder_messages.do(ref, by, clock=lambda: now)


def told(memory: Memory) -> list[str]:
    return [message.to for message in memory.sent]


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


# ---------------------------------------------------------------- crashes, two workers, answers


def lost(message: Message) -> Answer:
    raise ConnectionError("nobody knows")


def test_a_lost_answer_is_in_doubt_and_never_sent_again(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email", lost)
    tick(HALF, ways(email))
    tick(HALF + timedelta(hours=5), ways(email))
    [row] = db.session.query(ReminderMessage)
    assert (row.state, len(email.sent)) == (State.IN_DOUBT, 1)


def test_a_worker_killed_between_claim_and_call_lets_the_message_go_once(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    [ref] = reminder_messages.due(HALF)
    assert rows.claim(ref, lease=timedelta(seconds=60), now=HALF) == 1  # and here it dies
    tick(HALF + timedelta(seconds=59), ways(email))
    assert told(email) == []
    tick(HALF + timedelta(seconds=61), ways(email))
    assert told(email) == [lead.email]


def test_a_worker_killed_in_the_call_leaves_the_message_in_doubt(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    [ref] = reminder_messages.due(HALF)
    fence = rows.claim(ref, lease=timedelta(seconds=60), now=HALF)
    assert rows.begin_call(ref, fence, lease=timedelta(seconds=60), now=HALF)  # and here it dies
    tick(HALF + timedelta(seconds=61), ways(email))
    [row] = db.session.query(ReminderMessage)
    assert (told(email), row.state) == ([], State.IN_DOUBT)
    assert lines()[-1].verb == "reminder.settled"


def test_who_was_too_slow_hands_nothing_over(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    [ref] = reminder_messages.due(HALF)
    slow = rows.claim(ref, lease=timedelta(seconds=60), now=HALF)
    tick(HALF + timedelta(seconds=61), ways(email))
    assert not rows.begin_call(ref, slow, lease=timedelta(seconds=60), now=HALF + timedelta(seconds=62))
    assert told(email) == [lead.email]


def test_two_workers_at_once_give_and_send_each_reminder_once(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    together, failed = threading.Barrier(4), []

    def worker() -> None:
        with app.app_context():
            together.wait()
            try:
                tick(HALF, ways(email))
            except Exception as error:
                failed.append(error)
            db.session.remove()

    crew = [threading.Thread(target=worker) for _ in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    tick(HALF, ways(email))
    assert failed == []
    assert told(email) == [lead.email]
    assert [row.rung for row in rows.of_duty(case.id, DUTY)] == ["50%"]


def test_the_database_refuses_a_second_rung_of_the_same_due_time(app):
    lead = a_user(Role.LEAD)
    case = a_case(lead.ref)
    tick(HALF, ways(Memory("email")))
    [row] = rows.of_duty(case.id, DUTY)
    again = {column.name: getattr(row, column.name) for column in Reminder.__table__.columns if column.name != "id"}
    with pytest.raises(Exception, match=r"(?i)unique"), db.engine.begin() as connection:
        connection.execute(Reminder.__table__.insert().values(**again | {"ref": "R-ANOTHER"}))


def test_what_was_put_off_is_tried_again_later_and_then_failed(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email", lambda message: Answer(message.ref, Outcome.LATER, reason="server_says_later"))
    for minute in range(60):
        tick(HALF + timedelta(minutes=minute), ways(email))
    [row] = db.session.query(ReminderMessage).filter_by(user_id=lead.id)
    assert (row.state, row.tries, len(email.sent)) == (State.FAILED, 6, 6)


def test_when_the_owner_cannot_be_reached_the_lead_is_called_at_once(app):
    owner, lead = a_user(Role.RESPONDER), a_user(Role.LEAD)

    def refuse_owner(message: Message) -> Answer:
        if message.to == owner.email:
            return Answer(message.ref, Outcome.REFUSED, reason="address_refused")
        return Answer(message.ref, Outcome.ACCEPTED)

    case, email = a_case(lead.ref), Memory("email", refuse_owner)
    reminders.hand_over(case.ref, finding(case).ref, owner.ref, actor=lead.ref, now=AWARE)
    tick(HALF, ways(email))
    assert told(email) == [owner.email, lead.email]
    assert rows.of_duty(case.id, DUTY)[0].level == "lead"


def test_a_providers_report_says_that_it_arrived_and_is_no_stranger(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email")
    tick(HALF, ways(email))
    with transaction("provider:memory", HALF) as ledger:
        event = Event("e-1", Status.DELIVERED, ref=email.sent[0].ref)
        assert reminder_messages.take_in("memory", [event], ledger) == {email.sent[0].ref}
    [row] = db.session.query(ReminderMessage)
    assert row.state == State.DELIVERED


def test_reports_about_reminders_come_by_the_same_hook_as_all_others(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email")
    tick(HALF, ways(email))
    reports = [Event("e-1", Status.BOUNCED, ref=email.sent[0].ref), Event("e-2", Status.DELIVERED, ref="never-sent")]
    assert deliveries.take_in("memory", "email", reports, now=HALF) == 2
    assert deliveries.take_in("memory", "email", reports, now=HALF) == 0
    [row] = db.session.query(ReminderMessage)
    assert row.state == State.FAILED
    assert [line.verb for line in lines()[-2:]] == ["reminder.settled", "provider.unmatched"]
    assert '"count":1' in lines()[-1].details


def test_another_provider_cannot_speak_about_a_reminder(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email")
    tick(HALF, ways(email))
    deliveries.take_in("other", "email", [Event("e-1", Status.BOUNCED, ref=email.sent[0].ref)], now=HALF)
    [row] = db.session.query(ReminderMessage)
    assert row.state == State.ACCEPTED


def test_lines_name_staff_by_reference_and_hold_no_address(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    tick(HALF, ways(Memory("email")))
    settled = [line for line in lines() if line.verb == "reminder.settled"]
    assert [lead.ref in line.details for line in settled] == [True]
    assert not any(lead.email in line.details for line in lines())


# ---------------------------------------------------------------- channels and targets


def a_target(pager: Pager, *, level: str = "everybody", person: str = "", hears_restricted: bool = False) -> str:
    return alert_targets.set_up(
        "Pager",
        "jsons://alerts.example.org/secret",
        level=level,
        person=person,
        hears_restricted=hears_restricted,
        alerts=pager,
        actor="U-0ADMIN00",
        now=AWARE,
    )


def test_a_target_of_the_team_hears_from_its_level_on(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email, pager = Memory("email"), Pager("alert")
    a_target(pager, level="lead")
    tick(HALF, ways(email, alerts=pager))
    assert pager.sent == []
    tick(MOST, ways(email, alerts=pager))
    assert told(pager) == ["jsons://alerts.example.org/secret"]
    assert "Berlin" in pager.sent[0].text


def test_a_target_that_may_hear_of_restricted_incidents_does(app):
    lead = a_user(Role.LEAD)
    case, email, pager = a_case(lead.ref), Memory("email"), Pager("alert")
    a_target(pager, level="owner", hears_restricted=True)
    members.restrict(case.ref, actor=lead.ref, now=AWARE)
    tick(HALF, ways(email, alerts=pager))
    assert len(pager.sent) == 1
    assert case.title not in pager.sent[0].text


def test_a_target_of_a_person_gets_that_persons_reminders_and_can_be_the_only_channel(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email, pager = Memory("email"), Pager("alert")
    a_target(pager, person=lead.ref)
    reach.choose(email=False, sms=False, alert=True, ways=ways(email), actor=lead.ref, now=AWARE)
    tick(HALF, ways(email, alerts=pager))
    assert (told(email), len(pager.sent)) == ([], 1)


def test_a_removed_target_hears_nothing_more_and_its_address_is_gone(app):
    lead = a_user(Role.LEAD)
    case, email, pager = a_case(lead.ref), Memory("email"), Pager("alert")
    ref = a_target(pager, level="owner")
    reminders.do(case.ref, HALF, ways(email, alerts=pager))
    alert_targets.remove(ref, actor="U-0ADMIN00", now=HALF)
    tick(HALF, ways(email, alerts=pager))
    assert pager.sent == []
    with pytest.raises(Missing):
        alert_targets.try_out(ref, alerts=pager, actor="U-0ADMIN00", now=HALF)


def test_nobody_is_left_without_any_channel(app):
    lead = a_user(Role.LEAD)
    with pytest.raises(Invalid, match="at least one"):
        reach.choose(email=False, sms=False, alert=True, ways=ways(), actor=lead.ref, now=AWARE)


def test_texts_go_to_a_number_once_it_is_proved(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email, sms = Memory("email"), Memory("sms")
    with pytest.raises(Invalid, match="Prove"):
        reach.choose(email=True, sms=True, alert=True, ways=ways(email, sms), actor=lead.ref, now=AWARE)
    reach.offer_phone("+49 151 55501000", ways=ways(email, sms), actor=lead.ref, now=AWARE)
    code = sms.sent.pop().text.split()[1]
    with pytest.raises(Invalid, match="not right"):
        reach.prove_phone("000000" if code != "000000" else "111111", actor=lead.ref, now=AWARE)
    reach.prove_phone(code, actor=lead.ref, now=AWARE)
    tick(HALF, ways(email, sms))
    assert [message.to for message in sms.sent] == ["+4915155501000"]
    assert len(sms.sent[0].text) <= 300
    assert told(email) == [lead.email]


def test_a_code_is_good_for_ten_minutes(app):
    lead, sms = a_user(Role.LEAD), Memory("sms")
    reach.offer_phone("+49 151 55501000", ways=ways(sms=sms), actor=lead.ref, now=AWARE)
    code = sms.sent[0].text.split()[1]
    with pytest.raises(Invalid, match="too old"):
        reach.prove_phone(code, actor=lead.ref, now=AWARE + timedelta(minutes=11))


def test_codes_are_not_sent_without_end(app):
    lead, sms = a_user(Role.LEAD), Memory("sms")
    for _ in range(5):
        reach.offer_phone("+49 151 55501000", ways=ways(sms=sms), actor=lead.ref, now=AWARE)
    reach.offer_phone("+49 151 55501000", ways=ways(sms=sms), actor=lead.ref, now=AWARE)
    with pytest.raises(Refused, match="Too many"):
        reach.offer_phone("+49 151 55501000", ways=ways(sms=sms), actor=lead.ref, now=AWARE)
    assert len(sms.sent) == 6


def test_a_duty_is_given_only_to_who_may_see_the_incident(app):
    lead, other = a_user(Role.LEAD), a_user(Role.RESPONDER)
    case = a_case(lead.ref)
    members.restrict(case.ref, actor=lead.ref, now=AWARE)
    with pytest.raises(Invalid, match="may see"):
        reminders.hand_over(case.ref, finding(case).ref, other.ref, actor=lead.ref, now=AWARE)


def test_a_duty_given_back_is_the_leads_again(app):
    owner, lead = a_user(Role.RESPONDER), a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.hand_over(case.ref, finding(case).ref, owner.ref, actor=lead.ref, now=AWARE)
    reminders.hand_over(case.ref, finding(case).ref, "", actor=lead.ref, now=AWARE)
    tick(HALF, ways(email))
    assert told(email) == [lead.email]
