"""Reminders in crashes and with two workers, what providers report of them, and the ways they go."""

import threading
from datetime import timedelta

import pytest

from incident.actions import (
    alert_targets,
    members,
    reach,
    reminder_messages,
    reminders,
    reported,
)
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.store import handovers
from incident.store import reach as reach_rows
from incident.store import reminders as rows
from incident.store.db import db
from incident.store.reminders import Reminder, ReminderMessage
from notifiers.contract import Answer, Event, Message, Outcome, Status
from notifiers.memory import Memory
from tests.actions.reminding import (
    AWARE,
    DUTY,
    HALF,
    MOST,
    Pager,
    a_case,
    a_target,
    finding,
    tick,
    told,
    ways,
)
from tests.builders import a_user
from tests.record import lines

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
    assert handovers.claim(rows.MESSAGES, ref, lease=timedelta(seconds=60), now=HALF) == 1  # and here it dies
    tick(HALF + timedelta(seconds=59), ways(email))
    assert told(email) == []
    tick(HALF + timedelta(seconds=61), ways(email))
    assert told(email) == [lead.email]


def test_a_worker_killed_in_the_call_leaves_the_message_in_doubt(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    [ref] = reminder_messages.due(HALF)
    fence = handovers.claim(rows.MESSAGES, ref, lease=timedelta(seconds=60), now=HALF)
    assert handovers.begin_call(rows.MESSAGES, ref, fence, lease=timedelta(seconds=60), now=HALF)  # and here it dies
    tick(HALF + timedelta(seconds=61), ways(email))
    [row] = db.session.query(ReminderMessage)
    assert (told(email), row.state) == ([], State.IN_DOUBT)
    assert lines()[-1].verb == "reminder.settled"


def test_who_was_too_slow_hands_nothing_over(app):
    lead = a_user(Role.LEAD)
    case, email = a_case(lead.ref), Memory("email")
    reminders.do(case.ref, HALF, ways(email))
    [ref] = reminder_messages.due(HALF)
    slow = handovers.claim(rows.MESSAGES, ref, lease=timedelta(seconds=60), now=HALF)
    tick(HALF + timedelta(seconds=61), ways(email))
    assert not handovers.begin_call(
        rows.MESSAGES, ref, slow, lease=timedelta(seconds=60), now=HALF + timedelta(seconds=62)
    )
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
    assert reported.take_in("memory", "email", reports, now=HALF) == 2
    assert reported.take_in("memory", "email", reports, now=HALF) == 0
    [row] = db.session.query(ReminderMessage)
    assert row.state == State.FAILED
    assert [line.verb for line in lines()[-2:]] == ["reminder.settled", "provider.unmatched"]
    assert '"count":1' in lines()[-1].details


def test_another_provider_cannot_speak_about_a_reminder(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email = Memory("email")
    tick(HALF, ways(email))
    reported.take_in("other", "email", [Event("e-1", Status.BOUNCED, ref=email.sent[0].ref)], now=HALF)
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


def test_a_target_of_the_team_is_told_in_its_own_language(app):
    lead = a_user(Role.LEAD)
    a_case(lead.ref)
    email, pager = Memory("email"), Pager("alert")
    a_target(pager, level="owner", language="zh-Hans")
    tick(HALF, ways(email, alerts=pager))
    [alert] = pager.sent
    assert alert.language == "zh-Hans"
    assert "柏林" in alert.text
    assert "后到期" in alert.subject
    assert "due in" not in alert.text + alert.subject
    assert "：向监管机构报告" in alert.subject
    assert [message.language for message in email.sent] == ["en"]


def test_a_target_of_a_person_speaks_that_persons_language(app):
    lead = a_user(Role.LEAD)
    lead.language = "zh-Hans"
    db.session.commit()
    pager = Pager("alert")
    ref = a_target(pager, person=lead.ref)
    alert_targets.try_out(ref, alerts=pager, actor="U-0ADMIN00", now=AWARE)
    assert pager.sent[0].language == "zh-Hans"
    assert "没有任何事项到期" in pager.sent[0].text


def test_a_language_that_the_interface_has_not_is_refused(app):
    with pytest.raises(Invalid, match="Choose a language"):
        a_target(Pager("alert"), language="tlh")
    assert reach_rows.targets() == []


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
