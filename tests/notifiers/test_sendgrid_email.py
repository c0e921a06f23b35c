import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notifiers.contract import Callback, Despite, Forged, Frame, Message, Misconfigured, Outcome, Part, Status
from notifiers.sendgrid_email import SendgridEmail
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import KEY, FakeSendGrid

VECTORS = json.loads((Path(__file__).parent / "payloads/sendgrid_signatures.json").read_text())["vectors"]
HOOK = "https://us.example/hooks/sendgrid"


@pytest.fixture
def server() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as fake:
        yield fake


@pytest.fixture
def email(server: FakeSendGrid) -> SendgridEmail:
    return SendgridEmail(
        KEY, "notice@company.example", url=server.url, public_key=server.public_key, sender_name="Company", seconds=5
    )


FRAME = Frame(
    Part("Dear %s,\nread 100 %% of\nthis, %s", (0, 0)),
    Part("Notice %s", (0,)),
    Part("<p>Dear %s,</p>\n<p>read</p>", (0,)),
)


def a_message(number: int, word: str = "", **values: Any) -> Message:
    usual = {
        "ref": f"R{number:04}",
        "to": f"p{number}@example.org",
        "frame": FRAME,
        "words": (word or f"No. {number}",),
    }
    return Message(**usual | values)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_signature_vector_passes_or_fails_as_it_says(vector: dict[str, Any]):
    email = SendgridEmail(KEY, "notice@company.example", public_key=vector["public_key"])
    headers = {
        "x-twilio-email-event-webhook-signature": vector["signature"],
        "x-twilio-email-event-webhook-timestamp": vector["timestamp"],
    }
    callback = Callback(HOOK, headers, vector["payload"].encode())
    if vector["valid"]:
        assert email.events(callback)
    else:
        with pytest.raises(Forged):
            email.events(callback)


def test_there_are_vectors_of_both_kinds():
    assert {vector["valid"] for vector in VECTORS} == {True, False}


def test_without_a_public_key_every_event_is_forged(server: FakeSendGrid):
    deaf = SendgridEmail(KEY, "notice@company.example")
    with pytest.raises(Forged, match="No public key"):
        deaf.events(Callback(HOOK, {name.lower(): value for name, value in server.signed(b"[]").items()}, b"[]"))


def test_a_thousand_people_are_one_request_and_each_gets_exactly_their_text(email: SendgridEmail, server: FakeSendGrid):
    batch = [a_message(number) for number in range(1000)]
    answers = email.send(batch)
    assert server.asked == 1
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert [(letter.to, letter.subject, letter.text, letter.html, letter.ref) for letter in server.letters] == [
        (message.to, message.subject, message.text, message.html, message.ref) for message in batch
    ]


def test_each_frame_is_a_request_of_its_own(email: SendgridEmail, server: FakeSendGrid):
    frames = [FRAME, Frame(Part("您好，%s", (0,)), Part("通知")), Frame(Part("the same for everybody"), Part("Notice"))]
    batch = [a_message(number, frame=frames[number % 3]) for number in range(30)]
    email.send(batch)
    assert server.asked == 3
    assert {letter.ref: (letter.subject, letter.text, letter.html) for letter in server.letters} == {
        message.ref: (message.subject, message.text, message.html) for message in batch
    }


def test_words_are_escaped_in_html_and_nowhere_else(email: SendgridEmail, server: FakeSendGrid):
    email.send([a_message(1, "Tom & <b>Co</b> \"'"), a_message(2, "100 % {{ x }}")])
    tom, percent = sorted(server.letters, key=lambda letter: letter.ref)
    assert tom.subject == "Notice Tom & <b>Co</b> \"'"
    assert "Dear Tom & <b>Co</b> \"'," in tom.text
    assert "<p>Dear Tom &amp; &lt;b&gt;Co&lt;/b&gt; &quot;&#x27;,</p>" in tom.html
    assert "Dear 100 % {{ x }}," in percent.text
    assert "read 100 % of" in percent.text


def test_two_people_at_one_address_get_two_messages(email: SendgridEmail, server: FakeSendGrid):
    batch = [a_message(1, to="family@example.org"), a_message(2, to="Family@example.org")]
    assert {answer.outcome for answer in email.send(batch)} == {Outcome.ACCEPTED}
    assert sorted(letter.ref for letter in server.letters) == ["R0001", "R0002"]


@pytest.mark.parametrize("letter", ["长", "'", "😀"])
def test_words_too_long_for_values_go_alone_and_whole(email: SendgridEmail, server: FakeSendGrid, letter: str):
    for length in (695, 760, 1_000, 5_000):
        server.letters.clear()
        batch = [a_message(number, letter * length) for number in (1, 2)]
        assert {answer.outcome for answer in email.send(batch)} == {Outcome.ACCEPTED}
        assert {one.ref: one.text for one in server.letters} == {message.ref: message.text for message in batch}


def test_nobodys_name_can_take_the_place_of_a_tag(email: SendgridEmail, server: FakeSendGrid):
    batch = [a_message(1, "~t0~ ~t1~ -t-"), a_message(2, "{{html}} -html- %name% %s")]
    email.send(batch)
    assert [letter.text for letter in server.letters] == [message.text for message in batch]


def test_a_sign_for_filling_in_what_all_share_is_a_sign_like_any_other(email: SendgridEmail, server: FakeSendGrid):
    frame = Frame(Part("Dear %s", (0,)), Part("100 %% sure: %(to)s".replace("%", "%%")))
    batch = [a_message(number, frame=frame) for number in (1, 2)]
    email.send(batch)
    assert [(one.subject, one.text) for one in server.letters] == [(one.subject, one.text) for one in batch]


def test_a_bad_address_among_good_ones_is_refused_alone(email: SendgridEmail, server: FakeSendGrid):
    batch = [a_message(1), a_message(2, to="no address"), a_message(3, to=f"{'a' * 320}@example.org"), a_message(4)]
    outcomes = [answer.outcome for answer in email.send(batch)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert [letter.ref for letter in server.letters] == ["R0001", "R0004"]


def test_tracking_and_footer_are_off_in_every_request(email: SendgridEmail, server: FakeSendGrid):
    email.send([a_message(1)])
    [payload] = server.payloads
    assert payload["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    }
    assert payload["mail_settings"] == {"footer": {"enable": False}}
    assert payload["personalizations"][0]["custom_args"] == {"tocsin_ref": "R0001"}
    assert not {"categories", "custom_args", "asm", "batch_id"} & payload.keys()


@pytest.mark.parametrize(
    ("despite", "passed_over"),
    [
        ((), set()),
        ((Despite.UNSUBSCRIBED,), {"bypass_unsubscribe_management"}),
        ((Despite.COMPLAINED,), {"bypass_spam_management"}),
        (tuple(Despite), {"bypass_unsubscribe_management", "bypass_spam_management"}),
    ],
)
def test_only_the_lists_that_a_notice_names_are_passed_over(
    email: SendgridEmail, server: FakeSendGrid, despite: tuple[Despite, ...], passed_over: set[str]
):
    email.send([a_message(1, frame=replace(FRAME, despite=despite)), a_message(2, frame=FRAME)])
    found = {payload["personalizations"][0]["custom_args"]["tocsin_ref"]: payload for payload in server.payloads}
    assert found["R0001"]["mail_settings"].keys() - {"footer"} == passed_over
    assert found["R0002"]["mail_settings"].keys() == {"footer"}


def test_replies_go_to_the_desk_for_enquiries(server: FakeSendGrid):
    email = SendgridEmail(KEY, "notice@company.example", url=server.url, reply_to="privacy@company.example")
    email.send([a_message(1)])
    assert server.payloads[0]["reply_to"] == {"email": "privacy@company.example"}


def test_only_the_rows_that_a_refusal_names_are_left_out(email: SendgridEmail, server: FakeSendGrid):
    server.bad_addresses = {"p3@example.org", "p7@example.org"}
    answers = email.send([a_message(number) for number in range(10)])
    refused = [answer.ref for answer in answers if answer.outcome is Outcome.REFUSED]
    assert refused == ["R0003", "R0007"]
    assert sum(answer.outcome is Outcome.ACCEPTED for answer in answers) == 8
    assert len(server.letters) == 8


def test_wrong_credentials_stop_the_wave(server: FakeSendGrid):
    email = SendgridEmail("SG.wrong", "notice@company.example", url=server.url)
    answers = email.send([a_message(number) for number in range(3)])
    assert {(answer.outcome, answer.reason) for answer in answers} == {(Outcome.STOP, "credentials_refused")}


def test_the_wait_that_was_asked_for_is_handed_on(email: SendgridEmail, server: FakeSendGrid):
    server.faults.first = [Fault.BUSY]
    [answer] = email.send([a_message(1)])
    assert answer.outcome is Outcome.LATER
    assert answer.wait == 0.05


def test_a_silent_server_is_not_waited_for_longer_than_the_limit(server: FakeSendGrid):
    server.answer_seconds = 3
    email = SendgridEmail(KEY, "notice@company.example", url=server.url, seconds=0.3)
    before = time.monotonic()
    [answer] = email.send([a_message(1)])
    assert time.monotonic() - before < 2
    assert answer.outcome is Outcome.UNKNOWN


def test_the_sender_is_an_address_in_plain_letters(server: FakeSendGrid):
    with pytest.raises(Misconfigured, match="TOCSIN_SENDGRID_FROM"):
        SendgridEmail(KEY, "")
    email = SendgridEmail(KEY, "notice@company.example", url=server.url, sender_name="公司")
    email.send([a_message(1)])
    assert server.payloads[0]["from"] == {"email": "notice@company.example"}


def test_a_wrong_public_key_is_named_at_the_start():
    with pytest.raises(Misconfigured, match="WEBHOOK_PUBLIC_KEY"):
        SendgridEmail(KEY, "notice@company.example", public_key="not a key")


def said_by(email: SendgridEmail, server: FakeSendGrid, events: object) -> list[Any]:
    body = json.dumps(events).encode()
    return email.events(Callback(HOOK, {name.lower(): value for name, value in server.signed(body).items()}, body))


@pytest.mark.parametrize(
    ("report", "status", "reason"),
    [
        ({"event": "processed"}, Status.ACCEPTED, "processed"),
        ({"event": "deferred", "response": "450 later"}, Status.DEFERRED, "deferred"),
        ({"event": "delivered"}, Status.DELIVERED, "delivered"),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, Status.BOUNCED, "bounce"),
        ({"event": "bounce", "type": "blocked", "status": "5.2.2"}, Status.BLOCKED, "bounce"),
        ({"event": "dropped", "reason": "Bounced Address"}, Status.FAILED, "on_bounce_list"),
        ({"event": "dropped", "reason": "Spam Content"}, Status.FAILED, "content_refused"),
        ({"event": "dropped", "reason": "a new reason"}, Status.FAILED, "dropped"),
        ({"event": "spamreport"}, Status.COMPLAINED, "spamreport"),
        ({"event": "group_unsubscribe"}, Status.UNSUBSCRIBED, "group_unsubscribe"),
        ({"event": "open"}, Status.TRACKED, "open"),
        ({"event": "click"}, Status.TRACKED, "click"),
        ({"event": "account_status_change", "type": "suspended"}, Status.ALARM, "account_status_change"),
        ({"event": "something_new"}, Status.UNKNOWN, "something_new"),
        ({}, Status.UNKNOWN, ""),
    ],
)
def test_sendgrids_word_in_ours(
    email: SendgridEmail, server: FakeSendGrid, report: dict[str, str], status: Status, reason: str
):
    [event] = said_by(
        email,
        server,
        [report | {"sg_event_id": "E1", "tocsin_ref": "R1", "sg_message_id": "abc.filter-1", "timestamp": 1600112492}],
    )
    assert (event.id, event.status, event.reason, event.ref, event.provider_id) == ("E1", status, reason, "R1", "abc")
    assert event.at is not None
    assert event.at.isoformat() == "2020-09-14T19:41:32+00:00"


def test_an_event_keeps_nothing_about_the_person(email: SendgridEmail, server: FakeSendGrid):
    report = {
        "event": "bounce",
        "email": "jane@example.org",
        "ip": "203.0.113.9",
        "useragent": "Mozilla",
        "url": "https://example.org/x",
        "reason": "550 <jane@example.org> unknown, call +49 151 0000000 or see https://mx.example/jane",
        "status": "5.1.1",
    }
    [event] = said_by(email, server, [report])
    for trace in ("jane", "203.0.113", "Mozilla", "0000000", "mx.example"):
        assert trace not in repr(event)
    assert "unknown" in event.fields["said"]


@pytest.mark.parametrize(
    "events",
    [
        {"not": "a list"},
        "text",
        7,
        None,
        [1, None, "x", [], {}],
        [{"event": ["list"], "timestamp": "soon", "sg_event_id": {"a": 1}}],
        [{"timestamp": 1e300}],
    ],
)
def test_odd_reports_with_a_good_signature_are_kept_as_unknown(
    email: SendgridEmail, server: FakeSendGrid, events: object
):
    said = said_by(email, server, events)
    assert said
    assert {event.status for event in said} == {Status.UNKNOWN}
    assert all(event.id for event in said)


def test_deep_nesting_with_a_good_signature_does_not_break_us(email: SendgridEmail, server: FakeSendGrid):
    body = b"[" * 100_000
    [event] = email.events(Callback(HOOK, {name.lower(): value for name, value in server.signed(body).items()}, body))
    assert event.status is Status.UNKNOWN


def test_letters_that_no_database_keeps_are_left_out(email: SendgridEmail, server: FakeSendGrid):
    odd = "a\x00b\ud800c"
    body = json.dumps(
        [
            {
                "event": odd,
                "sg_event_id": odd,
                "tocsin_ref": odd,
                "sg_message_id": odd,
                "reason": odd,
                "status": odd,
                "type": odd,
            }
        ]
    ).encode()
    [event] = email.events(Callback(HOOK, {name.lower(): value for name, value in server.signed(body).items()}, body))
    assert (event.reason, event.ref, event.provider_id, event.code) == ("abc", "abc", "abc", "abc")
    assert event.id.startswith("made:")
    "".join((event.id, *event.fields, *event.fields.values())).encode("utf-8", "strict")
    assert "\x00" not in "".join(event.fields.values())
