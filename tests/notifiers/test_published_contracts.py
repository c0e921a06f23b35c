"""Every request of ours is one that the provider's published contract takes: caught on the wire, held against our tables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from notifiers.contract import Despite, Frame, Message, Part, Sought
from notifiers.sendgrid_email import SendgridEmail
from notifiers.twilio_sms import TwilioSms
from notifiers.twilio_voice import TwilioVoice
from tests.fakes.http import Handler, Server
from tests.fakes.published import (
    SENDGRID_ACTIVITY,
    SENDGRID_MAIL,
    TWILIO_CALL,
    TWILIO_LIST,
    TWILIO_MESSAGE,
    Several,
    Thing,
    Words,
    broken,
)

ACCOUNT = "AC" + "0" * 32
NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LETTER = Frame(
    Part("Dear %s,\nsee %s", (0, 1)),
    Part("For %s", (0,)),
    Part("<p>Dear %s,</p><p>see %s</p>", (0, 1)),
    despite=tuple(Despite),
)
ODD = ['Anne "Quote" \\ Back', "尊敬的用户", "<b>&amp;</b>", "é😟", "100 %s"]


@dataclass
class Caught:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, Any]:
        """A form with its repeated names as lists."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        return {name: values if name == "StatusCallbackEvent" else values[0] for name, values in fields.items()}


class Recorder(Server):
    """Takes whatever comes."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.caught: list[Caught] = []


class _Handler(Handler):
    server: Recorder

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.caught.append(Caught(self.path, headers, self.body()))
        mail = self.path == "/v3/mail/send"
        self.answer(202 if mail else 201, b"" if mail else b'{"sid":"SM1","status":"queued"}')

    def do_GET(self) -> None:
        path, _, asked = self.path.partition("?")
        self.server.caught.append(Caught(path, dict(self.headers.items()), asked.encode()))
        self.answer(200, b'{"messages":[],"end":0,"page":0,"page_size":50,"start":0,"uri":"/x","next_page_uri":null}')


@pytest.fixture
def wire() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


def people(count: int, frame: Frame = LETTER) -> list[Message]:
    return [
        Message(f"R{number}", f"p{number}@example.org", frame=frame, words=(ODD[number % 5], f"№ {number}"))
        for number in range(count)
    ]


@pytest.mark.parametrize("despite", [(), (Despite.UNSUBSCRIBED,), tuple(Despite)])
@pytest.mark.parametrize("count", [1, 2, 1_000])
def test_mail_by_sendgrid(wire: Recorder, count: int, despite: tuple[Despite, ...]):
    email = SendgridEmail(
        "SG.x", "notice@us.example", url=wire.url, sender_name="Sample Shop", reply_to="desk@us.example"
    )
    email.send(people(count, replace(LETTER, despite=despite)))
    [request] = wire.caught
    asked = json.loads(request.body)
    assert broken(asked, SENDGRID_MAIL) == []
    assert request.path == "/v3/mail/send"
    assert request.headers["authorization"] == "Bearer SG.x"
    assert request.headers["content-type"] == "application/json"
    assert [part["type"] for part in asked["content"]] == ["text/plain", "text/html"]


def test_limits_of_mail_by_sendgrid_hold_for_a_crowd_with_doubles_and_long_words(wire: Recorder):
    crowd = people(2_300)
    crowd += [Message(f"D{number}", "p1@example.org", frame=LETTER, words=("Twin", "2")) for number in range(3)]
    crowd += [Message("L1", "long@example.org", frame=LETTER, words=("字" * 4_000, "1"))]
    SendgridEmail("SG.x", "notice@us.example", url=wire.url).send(crowd)
    seen: list[str] = []
    for request in wire.caught:
        asked = json.loads(request.body)
        assert broken(asked, SENDGRID_MAIL) == []
        addresses = [person["to"][0]["email"].casefold() for person in asked["personalizations"]]
        assert len(addresses) == len(set(addresses)), "an address stands in a request once"
        for person in asked["personalizations"]:
            assert len(json.dumps(person.get("substitutions", {}), ensure_ascii=False).encode()) < 10_000
            assert len(person["to"]) == 1, "nobody sees another's address"
        assert sum(len(json.dumps(person["custom_args"])) for person in asked["personalizations"]) < 10_000 * len(
            addresses
        )
        assert len(request.body) < 30_000_000
        seen += [person["custom_args"]["tocsin_ref"] for person in asked["personalizations"]]
    assert sorted(seen) == sorted(message.ref for message in crowd)


def test_mail_without_html_and_sender_name(wire: Recorder):
    SendgridEmail("SG.x", "notice@us.example", url=wire.url, sender_name="公司").send(
        [Message("R1", "a@example.org", "Text", "Subject")]
    )
    asked = json.loads(wire.caught[0].body)
    assert broken(asked, SENDGRID_MAIL) == []
    assert asked["from"] == {"email": "notice@us.example"}


@pytest.mark.parametrize(
    "settings",
    [
        {"sender": "+15005550006"},
        {"service": "MG" + "a" * 32},
        {"sender": "+15005550006", "callback": "https://us.example/hooks/twilio"},
        {"sender": "+15005550006", "validity": 600, "discard_text": True, "obfuscate_number": True},
    ],
)
def test_texts_by_twilio(wire: Recorder, settings: dict[str, Any]):
    sms = TwilioSms(ACCOUNT, "token", url=wire.url, **settings)
    sms.send([Message("R 1&2", "+4915112345678", "请阅读 & read: https://us.example/notices/check?a=1%20")])
    [request] = wire.caught
    assert broken(request.form, TWILIO_MESSAGE) == []
    assert ("From" in request.form) != ("MessagingServiceSid" in request.form)
    assert request.form["Body"] == "请阅读 & read: https://us.example/notices/check?a=1%20"
    assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_calls_by_twilio(wire: Recorder, language: str):
    voice = TwilioVoice(
        ACCOUNT,
        "token",
        sender="+15005550006",
        company="Sample & Sons",
        phone="+4930555010",
        callback="https://us.example/hooks/twilio_voice",
        url=wire.url,
    )
    voice.send([Message("R1", "+4915112345678", "尊敬的用户。" if language != "en" else "Hello.", language=language)])
    [request] = wire.caught
    assert broken(request.form, TWILIO_CALL) == []
    assert request.form["Record"] == "false"
    assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"


SOUGHT = [
    Sought(Message(f"R{number}", "+4915112345678", "Text"), NOW - timedelta(minutes=5), NOW) for number in range(3)
]


def test_look_ups_at_twilio(wire: Recorder):
    TwilioSms(ACCOUNT, "token", sender="+15005550006", url=wire.url).find(SOUGHT)
    assert wire.caught
    for request in wire.caught:
        assert broken(request.form, TWILIO_LIST) == []
        assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def test_look_ups_at_sendgrid(wire: Recorder):
    SendgridEmail("SG.x", "notice@us.example", url=wire.url, activity=True).find(SOUGHT)
    assert wire.caught
    for request in wire.caught:
        assert broken(request.form, SENDGRID_ACTIVITY) == []
        assert request.path == "/v3/messages"


# The tables themselves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rule", "found"),
    [
        ({"a": "x"}, Thing({"a": Words()}), []),
        ({"b": "x"}, Thing({"a": Words()}), ["b"]),
        ({}, Thing({"a": Words()}, needs=("a",)), ["a"]),
        ({"a": 1}, Thing({"a": Words()}), ["a"]),
        ({"a": True}, Thing({"a": int}), ["a"]),
        ({"a": "1"}, Thing({"a": int}), ["a"]),
        ({"a": ""}, Thing({"a": Words(1)}), ["a"]),
        ({"a": "xy"}, Thing({"a": Words(most=1)}), ["a"]),
        ({"a": "x"}, Thing({"a": Words(among=("y",))}), ["a"]),
        ({"a": "x1"}, Thing({"a": Words(form="x")}), ["a"]),
        ({"a": [1, "x"]}, Thing({"a": Several(int)}), ["a.1"]),
        ({"a": [1]}, Thing({"a": Several(int, least=2)}), ["a"]),
        ({"a": {"b": {}}}, Thing({"a": Thing({"b": Thing(needs=("c",))})}), ["a.b.c"]),
        ({"a": {"x": 1}}, Thing({"a": Thing(further=Words())}), ["a.x"]),
        ([], Thing(), [""]),
    ],
)
def test_a_table_names_the_place_that_is_wrong(value: Any, rule: Any, found: list[str]):
    assert broken(value, rule) == found


@pytest.mark.parametrize(
    "change",
    [
        {"custom_args": {"a": "b"}},
        {"mail_settings": {"bypass_list_management": {"enable": True}}},
        {"tracking_settings": {"open_tracking": {"enable": "no"}}},
        {"content": [{"type": "text/plain", "value": ""}]},
        {"personalizations": []},
    ],
)
def test_a_mail_that_sendgrid_would_refuse_is_refused(wire: Recorder, change: dict[str, Any]):
    SendgridEmail("SG.x", "notice@us.example", url=wire.url).send(people(1))
    asked = json.loads(wire.caught[0].body)
    assert broken(asked, SENDGRID_MAIL) == []
    assert broken(asked | change, SENDGRID_MAIL) != []


# What the bytes of an e-mail say --------------------------------------------------------------------------------------


def test_the_bytes_hold_no_tracking_no_unsubscribing_and_no_name_in_what_the_provider_keeps(wire: Recorder):
    email = SendgridEmail("SG.x", "notice@us.example", url=wire.url, reply_to="desk@us.example")
    email.send([Message("Rsecret", "kim@example.org", frame=LETTER, words=("Kim One", "7"))])
    body = wire.caught[0].body.decode()
    asked = json.loads(body)
    assert asked["headers"] == {"Auto-Submitted": "auto-generated"}
    assert asked["reply_to"] == {"email": "desk@us.example"}
    assert not re.search(
        r"list-unsubscribe|precedence|\"categories\"|\"asm\"|\"attachments\"|template_id|utm_", body, re.I
    )
    assert set(asked["tracking_settings"]) == {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
    assert not re.search(r'"enable(_text)?":\s*true', json.dumps(asked["tracking_settings"]))
    assert asked["personalizations"][0]["custom_args"] == {"tocsin_ref": "Rsecret"}
    kept = json.dumps([asked["personalizations"][0]["custom_args"], asked["headers"], asked["mail_settings"]])
    assert "Kim" not in kept
    assert "kim@" not in kept
