"""Answers that time out after the provider took the message, over real sockets: looked up, settled, and never sent twice."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import lookups
from notifiers.sendgrid_email import SendgridEmail
from notifiers.twilio_sms import TwilioSms
from tests.actions.waves import a_story
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

pytestmark = pytest.mark.usefixtures("app")
LOST = [Fault.DRIP, Fault.CUT_AFTER, Fault.GARBAGE]


def look(story):
    story.clock.move(minutes=2)
    for ref in lookups.due(story.channels, story.clock()):
        lookups.look_up(ref, story.channels, now=story.clock())
    story.work()


def started(story):
    story.clock.at = datetime.now(UTC)  # the provider's list goes by its own clock
    story.start(pace=None)
    story.work()


def texts(server, count):
    channel = TwilioSms(ACCOUNT, TOKEN, sender="+15005550006", url=server.url, seconds=0.5, calls=2)
    return a_story(count, channels=("sms", "email"), only_phone=count, real={"sms": channel})


@pytest.mark.parametrize("fault", LOST)
def test_a_text_that_was_taken_while_we_gave_up_is_found_and_not_sent_again(fault, monkeypatch):
    monkeypatch.setattr("incident.actions.quieting.CHANNELS", frozenset())  # whatever the hour of this test
    with FakeTwilio() as server:
        server.drip_seconds = 3.0
        server.faults.first = [fault]
        story = texts(server, 3)
        started(story)
        assert story.counts() == {"in_doubt": 1, "accepted": 2}
        look(story)
        assert story.counts() == {"delivered": 1, "accepted": 2}
        assert len(server.texts) == 3


def test_a_text_that_never_arrived_there_stays_in_doubt(monkeypatch):
    monkeypatch.setattr("incident.actions.quieting.CHANNELS", frozenset())
    with FakeTwilio() as server:
        server.faults.first = [Fault.CUT_BEFORE]
        story = texts(server, 2)
        started(story)
        look(story)
        assert story.counts() == {"in_doubt": 1, "accepted": 1}
        assert len(server.texts) == 1
        look(story)
        assert server.listed == 1


@pytest.mark.parametrize("fault", LOST)
def test_a_batch_of_mails_whose_answer_was_lost_is_found_person_by_person(fault):
    with FakeSendGrid() as server:
        server.keeps_activity, server.drip_seconds = True, 3.0
        server.faults.first = [fault]
        server.bounces = {"person2@example.org"}
        channel = SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=0.5, activity=True)
        story = a_story(30, channels=("email",), real={"email": channel})
        started(story)
        assert story.counts() == {"in_doubt": 30}
        look(story)
        assert story.counts() == {"delivered": 19, "bounced": 1, "in_doubt": 10}
        look(story)
        assert story.counts() == {"delivered": 29, "bounced": 1}
        assert (len(server.letters), server.asked) == (30, 1)
        assert server.listed == 2


def test_a_provider_in_trouble_while_it_is_asked_is_asked_again_and_settles_then():
    with FakeSendGrid() as server:
        server.keeps_activity = True
        server.faults.first, server.lists = [Fault.CUT_AFTER], [Fault.TROUBLE, Fault.BUSY]
        channel = SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=2, activity=True)
        story = a_story(2, channels=("email",), real={"email": channel})
        started(story)
        for _ in range(2):
            look(story)
            assert story.counts() == {"in_doubt": 2}
            story.clock.at += timedelta(minutes=10)
        look(story)
        assert story.counts() == {"delivered": 2}
