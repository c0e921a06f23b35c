"""Calls through the whole house: what is said after a key, and what the reports make of the deliveries."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import func, select

from incident import clock
from incident.actions import telling
from incident.domain.access import Role
from incident.store.db import db
from incident.store.deliveries import Delivery
from notifiers.contract import Channels
from notifiers.twilio_voice import TwilioVoice
from tests.actions.waves import NOW, SANDBOX, a_story
from tests.fakes.twilio import ACCOUNT, TOKEN
from tests.fakes.twilio_voice import FakeVoice
from tests.web.test_channels import NUMBER, with_a_number

HOOK = "http://localhost/hooks/twilio_voice"


@pytest.fixture
def server():
    with FakeVoice() as fake:
        yield fake


@pytest.fixture
def voice(app, monkeypatch, server):
    made = TwilioVoice(
        ACCOUNT, TOKEN, sender="+15005550006", company="Example", phone="110", callback=HOOK, url=server.url, rate=100
    )
    monkeypatch.setitem(app.extensions, "channels", Channels({"call": made}, SANDBOX))
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=5))
    return made


@pytest.fixture
def ask(client):
    """Posts to our own hook, as Twilio would."""

    def post(url, body, headers):
        answer = client.post(url.removeprefix("http://localhost"), data=body, headers=headers)
        return answer.status_code, answer.get_data(as_text=True)

    return post


def called(voice, count):
    story = a_story(count, channels=("call",), only_phone=count, real={"call": voice})
    story.start()
    for _ in range(count):
        story.work()
        story.clock.move(seconds=5)
    return story


def number(person):
    return f"+4915112345{person:03}"


def test_everybody_hears_their_own_message_and_is_confirmed(voice, server, ask):
    story = called(voice, 2)
    assert set(server.play(send=ask)) <= {200, 204}
    assert story.counts() == {"confirmed": 2}
    said = {call.to: "\n".join(call.said) for call in server.calls}
    assert "Call Person 1." in said[number(1)]
    assert "Call Person 2." not in said[number(1)]
    assert [row.reason for row in story.rows()] == ["asked_to_hear", "asked_to_hear"]


def test_who_was_not_told_does_not_count_as_told(voice, server, ask):
    people = {
        1: "machine",
        2: "silent",
        3: "busy",
        4: "no-answer",
        5: "failed 404",
        6: "failed 480",
        7: "call_back_first",
    }
    story = called(voice, 7)
    server.picks_up = {number(person): who for person, who in people.items()}
    server.play(send=ask)
    assert story.counts() == {"bounced": 7}
    found = {row.person_number: (row.reason, row.may_pass) for row in story.rows()}
    assert found == {
        1: ("voice_mail", True),
        2: ("no_key_pressed", True),
        3: ("busy", True),
        4: ("no_answer", True),
        5: ("number_unknown", False),
        6: ("not_reachable_now", True),
        7: ("no_key_pressed", True),
    }


def test_reports_that_come_again_and_mixed_up_change_nothing(voice, server, ask):
    story, taken = called(voice, 1), []
    server.play(send=lambda url, body, headers: (taken.append((url, body, headers)), ask(url, body, headers))[1])
    assert len(taken) == 3
    for order in permutations(taken):
        for one in order:
            assert ask(*one)[0] in (200, 204)
    assert story.counts() == {"confirmed": 1}


def test_a_key_before_or_after_the_end_of_the_call_ends_in_the_same_state(app, voice, server, ask):
    for first in (True, False):
        story = called(voice, 1)
        taken = []
        server.play(send=lambda *one, taken=taken: (taken.append(one), (200, "<Response/>"))[1])
        key, end = taken[1], taken[-1]
        for one in (key, end) if first else (end, key):
            ask(*one)
        assert story.counts() == {"confirmed": 1}
        server.calls.clear()


@pytest.mark.parametrize("body", [b"Digits=1&CallSid=CA1", b""])
def test_without_a_signature_nothing_is_told(voice, server, ask, body):
    story = called(voice, 1)
    [row] = story.rows()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"}
    status, said = ask(f"{HOOK}?ref={row.ref}&step=opening.en", body, headers)
    assert status == 403
    assert "Person" not in said
    assert story.counts() == {"accepted": 1}


def test_words_are_given_out_for_a_day_and_to_the_provider_that_calls_alone(voice, server):
    story = called(voice, 1)
    [row] = story.rows()
    soon, late = story.clock(), story.clock() + timedelta(hours=25)
    assert telling.message_for(row.ref, "call", "twilio_voice", now=soon).text == "Call Person 1."
    assert telling.message_for(row.ref, "call", "twilio_voice", now=late) is None
    assert telling.message_for(row.ref, "call", "another", now=soon) is None
    assert telling.message_for(row.ref, "sms", "twilio_voice", now=soon) is None
    assert telling.message_for("nothing", "call", "twilio_voice", now=soon) is None


def test_a_rehearsal_is_told_to_nobody(voice, server):
    story = a_story(1, kind="drill", channels=("call",), only_phone=1, real={"call": voice})
    story.start()
    story.work()
    [row] = story.rows()
    assert row.state == "simulated"
    assert telling.message_for(row.ref, "call", "sandbox", now=story.clock()) is None
    assert server.calls == []


def test_a_call_that_tries_the_channel_says_so_after_the_key_and_counts_for_nobody(app, as_, voice, server, ask):
    admin = as_(Role.ADMINISTRATOR)
    with_a_number(admin.ref)
    assert admin.post("/channels/call/test").status_code == 302
    assert set(server.play(send=ask)) <= {200, 204}
    [call] = server.calls
    said = "\n".join(call.said)
    assert call.to == NUMBER
    assert "Nothing has happened. Nobody else got it." in said
    assert said.index("press 1") < said.index("This is a test")
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
