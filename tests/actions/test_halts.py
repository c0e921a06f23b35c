"""What halts a sending by itself beyond the share that came back: complaints, lost answers; and how fast it goes."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import dispatch, people, reported
from incident.domain.deliveries import Course
from incident.domain.pace import Pace
from notifiers.contract import Answer, Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story, Ticking, a_story
from tests.builders import a_notice, an_incident

pytestmark = pytest.mark.usefixtures("app")

NIGHT = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)


def losing(times):
    """Answers of which the first so many calls are lost, and all further ones taken."""
    left = [times]

    def answer(message):
        if left[0]:
            left[0] -= 1
            raise TimeoutError
        return Answer(message.ref, Outcome.ACCEPTED, f"memory-{message.ref}")

    return answer


def test_a_provider_that_never_answers_halts_it_before_everybody_is_in_doubt():
    story = a_story(12, real={"email": Memory("email", answer=losing(99)), "sms": Memory("sms")})
    story.real["email"].batch = 1
    story.start()
    story.work()
    row = story.row()
    assert (row.course, row.paused_for) == (Course.PAUSED, "answers_lost")
    counts = story.counts()
    assert counts["in_doubt"] <= 5 + story.real["email"].calls
    assert counts["waiting"] >= 12 - counts["in_doubt"]


def test_an_answer_now_and_then_keeps_it_going():
    story = a_story(9, real={"email": Memory("email", answer=losing(4)), "sms": Memory("sms")})
    story.real["email"].batch = story.real["email"].calls = 1
    story.start()
    story.work()
    assert story.row().course == Course.IN_DOUBT
    assert story.counts() == {"in_doubt": 4, "accepted": 5}


def test_after_go_on_lost_answers_are_counted_anew():
    story = a_story(12, real={"email": Memory("email", answer=losing(5)), "sms": Memory("sms")})
    story.real["email"].batch = story.real["email"].calls = 1
    story.start()
    story.work()
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    story.work()
    assert story.row().course == Course.IN_DOUBT
    assert story.counts() == {"in_doubt": 5, "accepted": 7}


def a_night_with_mail(mails):
    """E-mails that went out, and one text that waits for the morning, so that the sending still runs."""
    incident = an_incident(now=NOW)
    for number in range(mails + 1):
        way = {"email": f"p{number}@example.org"} if number < mails else {"phone": "+4915112345001"}
        given = {"name": f"Person {number}", "place": "DE", "exposed": "email"} | way
        people.add(incident.ref, given, actor=LEAD, now=NOW)
    ref = a_notice(incident, stage="approved", now=NOW)
    return Story(incident, ref, Ticking(NIGHT), {"email": Memory("email"), "sms": Memory("sms")})


def complain(story, count):
    for message in story.real["email"].sent[:count]:
        event = Event(f"c-{message.ref}", Status.COMPLAINED, message.ref, at=NIGHT)
        reported.take_in(story.real["email"].provider, "email", [event], now=NIGHT + timedelta(minutes=1))


@pytest.mark.parametrize(("complaints", "halts"), [(2, False), (3, True)])
def test_complaints_above_what_was_approved_halt_it(complaints, halts):
    story = a_night_with_mail(8)
    story.start(pace=Pace(sample=4, most_complaints=300))
    story.work()
    assert story.row().course == Course.SENDING
    complain(story, complaints)
    row = story.row()
    assert row.complained == complaints
    assert row.paused_for == ("too_many_complaints" if halts else "")


def test_after_go_on_the_same_complaints_do_not_halt_it_again():
    story = a_night_with_mail(8)
    story.start(pace=Pace(sample=4, most_complaints=300))
    story.work()
    complain(story, 3)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NIGHT)
    complain(story, 4)
    assert story.row().course == Course.SENDING


def test_a_complaint_that_is_repeated_counts_once():
    story = a_night_with_mail(8)
    story.start()
    story.work()
    [message] = story.real["email"].sent[:1]
    for number in range(3):
        event = Event(f"c-{number}", Status.COMPLAINED, message.ref, at=NIGHT)
        reported.take_in(story.real["email"].provider, "email", [event], now=NIGHT)
    assert story.row().complained == 1


def test_a_sending_goes_no_faster_than_it_was_approved(monkeypatch):
    story = a_story(4)
    story.start(pace=Pace(rates={"email": 2.0}))
    calls, send = [], story.real["email"].send
    monkeypatch.setattr(
        story.real["email"], "send", lambda batch: calls.append((time.monotonic(), len(batch))) or send(batch)
    )
    story.work()
    [(first, size), (second, rest)] = calls
    assert (size, rest) == (2, 2)
    assert second - first >= 0.9
    assert story.counts() == {"accepted": 4}


def test_whoever_is_taken_off_the_list_meanwhile_is_not_written_to_and_named():
    story = a_story(4)
    story.start(pace=Pace(canary=1))
    story.work()
    people.remove(story.incident.ref, "P-3", actor=LEAD, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    story.work()
    assert sorted(m.to for m in story.real["email"].sent) == [
        "person1@example.org",
        "person2@example.org",
        "person4@example.org",
    ]
    assert [(row.state, row.reason) for row in story.rows() if row.person_number == 3] == [("cancelled", "taken_off")]
