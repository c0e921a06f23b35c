"""A provider that refuses our credentials is asked by what is under way, and then by nothing more; one pause, one line."""

import pytest

from incident.actions import dispatch
from notifiers.sendgrid_email import SendgridEmail
from notifiers.smtp_email import SmtpEmail
from notifiers.twilio_sms import TwilioSms
from notifiers.twilio_voice import TwilioVoice
from tests.actions.waves import LEAD, a_story
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import FakeSmtp
from tests.fakes.twilio import ACCOUNT, FakeTwilio
from tests.fakes.twilio_voice import FakeVoice

pytestmark = pytest.mark.usefixtures("app")
PEOPLE = 90
VOICE = {"sender": "+15005550006", "company": "Company", "callback": "https://us.example/hooks/twilio_voice"}


def email(server):
    return SendgridEmail("SG.wrong", "notice@company.example", url=server.url, seconds=5)


def sms(server):
    return TwilioSms(ACCOUNT, "wrong", sender="+15005550006", url=server.url, seconds=5)


def call(server):
    return TwilioVoice(ACCOUNT, "wrong", url=server.url, seconds=5, rate=100, **VOICE)


def smtp(server):
    wrong = server.url.replace("right:right@", "right:wrong@")
    return SmtpEmail(wrong, "notice@company.example", seconds=5, encrypted=False)


@pytest.fixture(params=["email", "sms", "call", "smtp"])
def case(request):
    """A sending to many people by one channel whose provider knows other credentials, and that provider."""
    servers = {
        "email": FakeSendGrid,
        "sms": FakeTwilio,
        "call": FakeVoice,
        "smtp": lambda: FakeSmtp(login=("right", "right")),
    }
    with servers[request.param]() as server:
        channel = {"email": email, "sms": sms, "call": call, "smtp": smtp}[request.param](server)
        channels = (channel.channel, "letter")
        phones = PEOPLE if channel.channel in ("sms", "call") else 0
        story = a_story(PEOPLE, channels=channels, only_phone=phones, real={channel.channel: channel})
        yield story, server, channel


def logins(server):
    return server.connections if isinstance(server, FakeSmtp) else server.asked


def test_wrong_credentials_pause_the_sending_once_and_ask_no_more(case):
    story, server, channel = case
    story.start()
    story.work()
    assert story.row().paused_for == "credentials_refused"
    assert story.verbs().count("dispatch.paused") == 1
    assert story.counts() == {"waiting": PEOPLE}
    asked = logins(server)
    assert 1 <= asked <= channel.calls
    for hours in (1, 12, 48):
        story.clock.move(hours=hours)
        story.work()
    assert logins(server) == asked
    assert story.verbs().count("dispatch.paused") == 1


def test_whoever_goes_on_with_the_same_credentials_is_stopped_the_same_way(case):
    story, server, channel = case
    story.start()
    story.work()
    asked = logins(server)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    story.work()
    assert story.row().paused_for == "credentials_refused"
    assert story.verbs().count("dispatch.paused") == 2
    assert logins(server) <= asked + channel.calls
    assert story.counts() == {"waiting": PEOPLE}
