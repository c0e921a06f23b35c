from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from notifiers.contract import Callback, Conversation, Event, Forged, Message, Misconfigured, Outcome, Status
from notifiers.twilio_voice import CODES, TwilioVoice
from tests.fakes.faults import Fault
from tests.fakes.twilio import ACCOUNT, TOKEN
from tests.fakes.twilio_voice import FakeVoice, checked

CALLBACK = "https://us.example/hooks/twilio_voice"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = "We have to tell you of an incident.\n- Affected: your e-mail address & <name>."


@pytest.fixture
def server() -> Iterator[FakeVoice]:
    with FakeVoice() as fake:
        yield fake


@pytest.fixture
def voice(server: FakeVoice) -> TwilioVoice:
    return a_voice(url=server.url)


def a_voice(**values: Any) -> TwilioVoice:
    usual = {"sender": "+15005550006", "company": "Sample Shop", "phone": "110", "callback": CALLBACK, "seconds": 5}
    return TwilioVoice(ACCOUNT, TOKEN, **{**usual, **values})


def a_message(number: int = 1, **values: Any) -> Message:
    return Message(**{"ref": f"R{number:04}", "to": f"+4915100000{number:03}", "text": TEXT} | values)


class Ours:
    """Our side of the calls, without a web server: keeps the events, answers what is to be said."""

    def __init__(self, voice: TwilioVoice, message: Message | None) -> None:
        self.voice, self.message = voice, message
        self.events: list[Event] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        callback = Callback(url, {name.lower(): value for name, value in headers.items()}, body)
        self.events += self.voice.events(callback)
        wanted = self.voice.wants(callback)
        assert wanted in ("", "R0001")
        reply = self.voice.reply(callback, self.message if wanted else None)
        return (200, reply.body.decode()) if reply else (204, "")


def played(server: FakeVoice, voice: TwilioVoice, who: str, message: Message | None = None) -> tuple[str, list[Event]]:
    """Everything said in a call to somebody who picks up like this, and what was reported of it."""
    message = message or a_message()
    server.picks_up[message.to] = who
    [answer] = voice.send([message])
    assert answer.outcome is Outcome.ACCEPTED, server.wrong
    ours = Ours(voice, message)
    server.play(send=ours)
    return "\n".join(server.calls[0].said), ours.events


def best(events: list[Event]) -> tuple[Status, str]:
    """What stands above the rest."""
    order = (Status.ACKNOWLEDGED, Status.BOUNCED, Status.BLOCKED, Status.FAILED, Status.ACCEPTED)
    found = min(events, key=lambda event: order.index(event.status))
    return found.status, found.reason


def test_a_call_is_asked_for_as_the_contract_says(voice: TwilioVoice, server: FakeVoice):
    [answer] = voice.send([a_message()])
    [call] = server.calls
    assert (call.to, call.sid) == ("+4915100000001", answer.provider_id)
    assert call.events == ["answered", "completed"]
    assert call.form["StatusCallback"] == f"{CALLBACK}?ref=R0001"
    assert call.form["Record"].lower() == "false"
    assert (call.form["MachineDetection"], call.form["TimeLimit"]) == ("DetectMessageEnd", "600")
    assert server.wrong == []


@pytest.mark.parametrize(
    "pairs",
    [
        [("To", "+491510000000"), ("From", "+15005550006")],
        [("To", "+491510000000"), ("Twiml", "<Response/>")],
        [("To", "+4915"), ("From", "+1500"), ("Twiml", "<Response/>"), ("Body", "x")],
        [("To", "+4915"), ("From", "+1500"), ("Twiml", "<Response/>"), ("Timeout", "soon")],
        [("To", "+4915"), ("From", "+1500"), ("Twiml", "<Response/>"), ("StatusCallback", "https://us_.example")],
    ],
)
def test_the_fake_takes_nothing_that_the_contract_does_not_take(pairs: list[tuple[str, str]]):
    assert checked(pairs)


def test_whoever_presses_one_hears_the_message(voice: TwilioVoice, server: FakeVoice):
    said, events = played(server, voice, "hears")
    assert "This is Sample Shop, with an important message for you." in said
    assert "We have to tell you of an incident.\nAffected: your e-mail address & <name>." in said
    assert best(events) == (Status.ACKNOWLEDGED, "asked_to_hear")


@pytest.mark.parametrize("who", ["machine", "silent", "call_back_first"])
def test_nobody_is_told_of_the_breach_without_a_key(voice: TwilioVoice, server: FakeVoice, who: str):
    said, _ = played(server, voice, who)
    assert "incident" not in said
    assert "Sample Shop" in said
    if who != "call_back_first":
        assert "1 1 0" in said


@pytest.mark.parametrize(
    ("who", "status", "reason"),
    [
        ("again", Status.ACKNOWLEDGED, "asked_to_hear"),
        ("confirms", Status.ACKNOWLEDGED, "asked_to_hear"),
        ("other_key", Status.ACKNOWLEDGED, "asked_to_hear"),
        ("silent", Status.BLOCKED, "no_key_pressed"),
        ("machine", Status.BLOCKED, "voice_mail"),
        ("busy", Status.BLOCKED, "busy"),
        ("no-answer", Status.BLOCKED, "no_answer"),
        ("failed 404", Status.BOUNCED, "number_unknown"),
        ("failed 480", Status.BLOCKED, "not_reachable_now"),
        ("failed 503", Status.BLOCKED, "not_reachable_now"),
        ("failed 499", Status.BLOCKED, "call_failed"),
        ("canceled", Status.FAILED, "canceled"),
        ("call_back_first", Status.BLOCKED, "no_key_pressed"),
    ],
)
def test_what_became_of_a_call_in_our_words(
    voice: TwilioVoice, server: FakeVoice, who: str, status: Status, reason: str
):
    _, events = played(server, voice, who)
    assert best(events) == (status, reason)
    assert all(event.ref == "R0001" and event.provider_id == server.calls[0].sid for event in events)
    assert "49151" not in repr(events)


@pytest.mark.parametrize("who", ["call_back", "call_back_first"])
def test_who_wants_to_be_called_back_says_so(voice: TwilioVoice, server: FakeVoice, who: str):
    said, events = played(server, voice, who)
    assert "call_back_wanted" in [event.reason for event in events]
    assert "A member of our staff will call you back." in said


def test_the_message_is_said_again_as_often_as_asked(voice: TwilioVoice, server: FakeVoice):
    said, _ = played(server, voice, "again")
    assert said.count("We have to tell you of an incident.") == 2


def test_a_message_that_must_not_be_told_any_more_is_not(voice: TwilioVoice, server: FakeVoice):
    [_] = voice.send([a_message()])
    server.play(send=Ours(voice, None))
    said = "\n".join(server.calls[0].said)
    assert "incident" not in said
    assert "We cannot read the message to you just now." in said


def test_a_call_in_chinese_speaks_chinese_throughout(voice: TwilioVoice, server: FakeVoice):
    said, _ = played(server, voice, "confirms", a_message(text="您的信息可能泄露。", language="zh-Hans"))
    assert said.startswith("您好，这里是Sample Shop，有一条重要消息要告知您。")
    assert "您的信息可能泄露。" in said
    assert server.wrong == []


def test_a_text_of_any_length_is_told_whole(voice: TwilioVoice, server: FakeVoice):
    text = "这是一句很长的话，为了凑够长度。" * 200
    said, _ = played(server, voice, "hears", a_message(text=text, language="zh-Hans"))
    assert text in said.replace("\n", "")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"to": "030 123"}, "number_invalid"),
        ({"language": "tlh"}, "language_not_spoken"),
        ({"text": " "}, "nothing_to_say"),
    ],
)
def test_a_message_that_cannot_be_told_by_telephone_is_not_handed_over(
    voice: TwilioVoice, server: FakeVoice, values: dict[str, str], reason: str
):
    [answer] = voice.send([a_message(**values)])
    assert (answer.outcome, answer.reason, server.asked) == (Outcome.REFUSED, reason, 0)


@pytest.mark.parametrize("code", sorted(CODES))
def test_twilios_codes_in_our_words(voice: TwilioVoice, server: FakeVoice, code: int):
    server.refuse["+4915100000001"] = code
    [answer] = voice.send([a_message()])
    assert (answer.outcome, answer.reason, answer.code) == (*CODES[code], str(code))
    assert server.calls == []


def test_told_to_wait_the_rest_of_the_batch_is_not_tried(voice: TwilioVoice, server: FakeVoice):
    server.faults.first = [Fault.NONE, Fault.BUSY]
    answers = voice.send([a_message(number) for number in range(1, 5)])
    assert [answer.reason for answer in answers] == ["", "too_many_requests", "not_tried", "not_tried"]
    assert server.asked == 2


def test_an_error_of_theirs_may_have_been_carried_out(voice: TwilioVoice, server: FakeVoice):
    server.faults.first = [Fault.TROUBLE]
    assert voice.send([a_message()])[0].outcome is Outcome.UNKNOWN


def test_it_can_be_asked_in_the_middle_of_a_call(voice: TwilioVoice):
    assert isinstance(voice, Conversation)


@pytest.mark.parametrize("said", [{"Digits": "1"}, {"CallStatus": "completed"}])
def test_step_and_reference_in_the_address_are_signed(voice: TwilioVoice, server: FakeVoice, said: dict[str, str]):
    form = {"CallSid": "CA1", **said}
    for signed, called in (("ref=R0001", "ref=R0002"), ("ref=R0001", "ref=R0001&step=opening.en")):
        headers = FORM | {"x-twilio-signature": server.signature(f"{CALLBACK}?{signed}", form)}
        with pytest.raises(Forged):
            voice.events(Callback(f"{CALLBACK}?{called}", headers, urlencode(form).encode()))


def test_the_same_report_twice_has_the_same_id_and_keys_have_their_own(voice: TwilioVoice, server: FakeVoice):
    _, events = played(server, voice, "again")
    _, repeated = played(server, voice, "again")
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {event.id for event in repeated}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"sender": "030"}, "TOCSIN_TWILIO_VOICE_FROM"),
        ({"company": " "}, "TOCSIN_COMPANY_NAME"),
        ({"callback": ""}, "TOCSIN_BASE_URL"),
    ],
)
def test_what_is_missing_is_named_at_the_start(values: dict[str, str], named: str):
    with pytest.raises(Misconfigured, match=named):
        a_voice(**values)
