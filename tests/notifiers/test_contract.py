"""What every adapter must do, whoever the provider is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from notifiers.contract import Callback, Forged, Message, Notifier, Outcome
from notifiers.fcm_push import FcmPush
from notifiers.memory import Memory
from notifiers.push import Push
from notifiers.sandbox import Sandbox
from notifiers.sendgrid_email import SendgridEmail
from notifiers.smtp_email import SmtpEmail
from notifiers.spoken import pieces
from notifiers.twilio_sms import TwilioSms
from notifiers.twilio_voice import TwilioVoice
from notifiers.web_push import WebPush
from tests.fakes.faults import Fault, Faults
from tests.fakes.fcm import FakeFcm, device
from tests.fakes.sendgrid import KEY, FakeSendGrid
from tests.fakes.smtp import FakeSmtp
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.fakes.twilio_voice import FakeVoice
from tests.fakes.web_push import VAPID_KEY, FakePushService

CHECK = "https://us.example/notices/check"


@dataclass
class Case:
    """An adapter with the server it talks to, and what that server took."""

    notifier: Notifier
    server: Any
    made: dict[str, Message] = field(default_factory=dict)

    def taken(self) -> list[tuple[str, str]]:
        """Address and text of everything that went out."""
        if isinstance(self.server, FakeSendGrid):
            return [(letter.to, letter.text) for letter in self.server.letters]
        if isinstance(self.server, FakeVoice):
            return self.told()
        if isinstance(self.server, FakeTwilio):
            return [(text.to, text.body) for text in self.server.texts]
        if isinstance(self.server, FakeFcm):
            return [(shown.to, shown.body) for shown in self.server.shown]
        if isinstance(self.server, FakePushService):
            return [
                (browser.subscription, shown["notification"]["body"])
                for browser in self.server.browsers.values()
                for shown in browser.shown
            ]
        return [
            (mail.to[0], mail.parsed.get_body(("plain",)).get_content().replace("\r\n", "\n").removesuffix("\n"))
            for mail in self.server.mails
        ]

    def reached(self) -> Counter[str]:
        """How often each address was taken by the provider, whatever it said."""
        if isinstance(self.server, FakeVoice):
            return Counter(call.to for call in self.server.calls)
        return Counter(to for to, _ in self.taken())

    def told(self) -> list[tuple[str, str]]:
        """Number and text of every call in which the whole text of one message was spoken, once a key was pressed."""

        def answer(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
            callback = Callback(url, {name.lower(): value for name, value in headers.items()}, body)
            assert self.notifier.events(callback)
            reply = self.notifier.reply(callback, self.made.get(self.notifier.wants(callback)))
            return (200, reply.body.decode()) if reply else (204, "")

        self.server.play(send=answer)
        return [
            (call.to, message.text)
            for call in self.server.calls
            for message in self.made.values()
            if "\n".join(pieces(message.text)) in "\n".join(call.said)
        ]

    def address(self, number: int) -> str:
        """Where person `number` is reached."""
        if isinstance(self.server, FakeFcm):
            return device(number)
        if isinstance(self.server, FakePushService):
            return self.server.subscribe(number).subscription
        return f"+4915100000{number:03}" if self.notifier.channel in ("sms", "call") else f"person{number}@example.org"

    def message(self, number: int, **values: Any) -> Message:
        """One message for person `number`."""
        usual = {
            "ref": f"R{number:04}",
            "to": self.address(number),
            "subject": "Notice",
            "text": f"Dear person {number},\nplease read this.",
        }
        made = Message(**usual | values)
        self.made[made.ref] = made
        return made


@pytest.fixture(
    params=["sendgrid", "twilio", "twilio_voice", "smtp", "fcm", "web_push", "push_to_apps", "push_to_browsers"]
)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    with ExitStack() as open_:
        if request.param == "sendgrid":
            server: Any = open_.enter_context(FakeSendGrid())
            notifier: Notifier = SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=5)
        elif request.param == "twilio":
            server = open_.enter_context(FakeTwilio())
            notifier = TwilioSms(ACCOUNT, TOKEN, sender="+15005550006", url=server.url, seconds=5)
        elif request.param == "twilio_voice":
            server = open_.enter_context(FakeVoice())
            about = {
                "sender": "+15005550006",
                "company": "Company",
                "callback": "https://us.example/hooks/twilio_voice",
            }
            notifier = TwilioVoice(ACCOUNT, TOKEN, url=server.url, seconds=5, **about)
        elif request.param in ("fcm", "web_push", "push_to_apps", "push_to_browsers"):
            apps, browsers = open_.enter_context(FakeFcm()), open_.enter_context(FakePushService())
            to_apps = FcmPush(apps.key_file(), link=CHECK, url=apps.url, token_url=apps.token_url, seconds=5)
            to_browsers = WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK, loopback=True, seconds=5)
            server = apps if request.param in ("fcm", "push_to_apps") else browsers
            alone = {"fcm": to_apps, "web_push": to_browsers}
            notifier = alone.get(request.param) or Push([to_apps, to_browsers])
        else:
            server = open_.enter_context(FakeSmtp())
            notifier = SmtpEmail(server.url, "notice@company.example", seconds=5, encrypted=False)
        yield Case(notifier, server)


def test_an_adapter_is_a_notifier(case: Case):
    assert isinstance(case.notifier, Notifier)
    assert not case.notifier.simulated


def test_each_person_gets_their_own_text_and_nobody_elses(case: Case):
    batch = [case.message(number) for number in range(1, 8)]
    answers = case.notifier.send(batch)
    assert [(answer.ref, answer.outcome) for answer in answers] == [
        (message.ref, Outcome.ACCEPTED) for message in batch
    ]
    assert sorted(case.taken()) == sorted((message.to, message.text) for message in batch)
    assert all(answer.provider_id for answer in answers)


def test_chinese_and_emoji_arrive_as_written(case: Case):
    text = "尊敬的用户：\n您的信息可能泄露。😟 “é” <b>&amp;\n.\n..end"
    case.notifier.send([case.message(1, text=text, subject="关于您的信息")])
    assert case.taken() == [(case.message(1).to, text)]


def test_one_bad_address_does_not_keep_the_others_back(case: Case):
    batch = [case.message(1), case.message(2, to="nobody at all"), case.message(3)]
    answers = case.notifier.send(batch)
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert {to for to, _ in case.taken()} == {batch[0].to, batch[2].to}


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "a@b.example c@d.example", "", "<a@b.example>"],
)
def test_an_address_cannot_smuggle_in_a_second_one(case: Case, address: str):
    answers = case.notifier.send([case.message(1, to=address)])
    assert [answer.outcome for answer in answers] == [Outcome.REFUSED]
    assert case.taken() == []


def test_told_to_wait_means_certainly_not_sent(case: Case):
    case.server.faults.first = [Fault.BUSY]
    [answer] = case.notifier.send([case.message(1)])
    assert answer.outcome is Outcome.LATER
    assert case.taken() == []


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_lost_answer_is_never_called_refused_or_accepted(case: Case, fault: Fault):
    case.server.faults.first = [fault]
    [answer] = case.notifier.send([case.message(1)])
    if isinstance(case.server, FakeSmtp) and fault is Fault.CUT_BEFORE:
        assert answer.outcome is Outcome.LATER  # cut before the text was handed over: certainly not sent
    else:
        assert answer.outcome is Outcome.UNKNOWN


def test_a_server_that_is_not_there_means_certainly_not_sent(case: Case):
    case.server.__exit__()
    [answer] = case.notifier.send([case.message(1)])
    assert (answer.outcome, answer.reason) == (Outcome.LATER, "not_reached")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_never_contradicts_what_the_provider_took(case: Case, seed: int):
    shares = {"busy": 0.1, "cut_before": 0.1, "cut_after": 0.1, "trouble": 0.1, "garbage": 0.1, "forbidden": 0.05}
    case.server.faults = Faults(seed, **shares)
    people = [case.message(number) for number in range(120)]
    answers = [answer for start in range(0, 120, 4) for answer in case.notifier.send(people[start : start + 4])]
    took = case.reached()
    for message, answer in zip(people, answers, strict=True):
        possible = {Outcome.ACCEPTED: {1}, Outcome.UNKNOWN: {0, 1}}.get(answer.outcome, {0})
        assert took[message.to] in possible, f"{answer.outcome}: {answer.reason}"
    assert {Outcome.ACCEPTED, Outcome.LATER, Outcome.UNKNOWN} <= {answer.outcome for answer in answers}
    assert sum(took.values()) < 120, "the faults of this seed kept nobody back"


def test_answers_hold_no_address_and_no_text(case: Case):
    message = case.message(1)
    for fault in (Fault.NONE, Fault.BUSY, Fault.CUT_AFTER):
        case.server.faults.first = [fault]
        [answer] = case.notifier.send([message])
        assert message.to not in repr(answer)
        assert "please read" not in repr(answer)


def test_an_unsigned_callback_is_forged(case: Case):
    with pytest.raises(Forged):
        case.notifier.events(Callback("https://us.example/hooks/x", {}, b"[]"))


def test_the_sandbox_takes_everything_sends_nothing_and_says_so():
    sandbox = Sandbox("email")
    assert isinstance(sandbox, Notifier)
    assert sandbox.simulated
    [answer] = sandbox.send([Message("R1", "a@b.example", "text")])
    assert answer.outcome is Outcome.ACCEPTED
    with pytest.raises(Forged):
        sandbox.events(Callback("https://us.example/hooks/sandbox", {}, b""))


def test_memory_keeps_what_it_was_given():
    memory = Memory()
    assert isinstance(memory, Notifier)
    message = Message("R1", "a@b.example", "text")
    assert memory.send([message])[0].outcome is Outcome.ACCEPTED
    assert memory.sent == [message]
    assert memory.events(Callback("", {}, b"genuine")) == []
    with pytest.raises(Forged):
        memory.events(Callback("", {}, b"forged"))
