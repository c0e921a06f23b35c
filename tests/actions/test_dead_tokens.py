"""A push token that belongs to no device any more: its person goes on to the next channel, and is not tried there again."""

import pytest
from sqlalchemy import select, text

from incident.actions import correcting, people
from incident.domain.deliveries import Pace
from incident.store.db import db
from incident.store.people import Person
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story, answering
from tests.builders import a_notice, an_incident

pytestmark = pytest.mark.usefixtures("app")

TOKEN = "dEv0000000{}_ice:APA91b" + "Ab3-_" * 26


def a_story(reason: str):
    """Three people with a telephone and a mailbox; the second one's push is refused for this reason."""
    incident = an_incident(now=NOW)
    for number in (1, 2, 3):
        record = {"name": f"Person {number}", "place": "DE", "exposed": "email"}
        record |= {"email": f"person{number}@example.org", "push_token": TOKEN.format(number)}
        people.add(incident.ref, record, actor=LEAD, now=NOW)
    push = Memory("push", answering(Outcome.REFUSED, reason, to=TOKEN.format(2)))
    ref = a_notice(incident, channels=("push", "email"), stage="approved", now=NOW)
    story = Story(incident, ref, real={"push": push, "email": Memory("email")})
    story.start(pace=Pace(most_back=100))
    story.work()
    return story


def with_push():
    db.session.rollback()
    return list(db.session.scalars(select(Person.number).where(Person.has_push).order_by(Person.number)))


def lines():
    return list(db.session.scalars(text("SELECT details FROM audit_line WHERE verb = 'people.push_lost'")))


def test_a_dead_token_is_noted_with_a_line_and_its_person_is_told_by_the_next_channel():
    story = a_story("token_dead")
    assert with_push() == [1, 3]
    assert [message.to for message in story.real["email"].sent] == ["person2@example.org"]
    [line] = lines()
    assert '"count":1' in str(line).replace(" ", "")


def test_the_next_notice_does_not_try_that_token_again():
    story = a_story("token_dead")
    story.real["push"].sent.clear()
    other = Story(
        story.incident, a_notice(story.incident, channels=("push", "email"), stage="approved", now=NOW), real=story.real
    )
    other.start(pace=Pace(most_back=100))
    other.work()
    assert [message.to for message in story.real["push"].sent] == [TOKEN.format(1), TOKEN.format(3)]


def test_a_corrected_record_brings_push_back():
    story = a_story("token_dead")
    version = db.session.scalars(select(Person.version).where(Person.number == 2)).one()
    changes = {"push_token": TOKEN.format(9)}
    correcting.correct(story.incident.ref, "P-2", changes, reason="New phone", version=version, actor=LEAD, now=NOW)
    assert with_push() == [1, 2, 3]


@pytest.mark.parametrize("reason", ["token_of_another_app", "push_service_unknown", "message_refused"])
def test_a_refusal_for_any_other_reason_says_nothing_of_the_token(reason):
    a_story(reason)
    assert with_push() == [1, 2, 3]
    assert lines() == []


def test_a_push_that_was_taken_is_no_proof_and_the_next_channel_follows_after_a_day():
    story = a_story("token_dead")
    assert {row.state for row in story.rows() if row.channel == "push" and row.current} == {"accepted"}
    story.clock.move(hours=23)
    story.work()
    assert len(story.real["email"].sent) == 1
    story.clock.move(hours=2)
    story.work()
    assert len(story.real["email"].sent) == 3
