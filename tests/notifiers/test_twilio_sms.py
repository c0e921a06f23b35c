import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from notifiers.contract import Callback, Forged, Message, Misconfigured, Outcome, Status
from notifiers.twilio_account import Made
from notifiers.twilio_sms import CODES, TwilioSms
from tests.fakes.faults import Fault
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio

VECTORS = json.loads((Path(__file__).parent / "payloads/twilio_signatures.json").read_text())["vectors"]
INFORMATIVE = {"tw-apostrophe-in-query"}  # the official Python validator refuses it, the Node one takes it
CALLBACK = "https://us.example/hooks/twilio"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def sms(server: FakeTwilio) -> TwilioSms:
    return TwilioSms(ACCOUNT, TOKEN, sender="+15005550006", url=server.url, callback=CALLBACK, seconds=5)


def a_message(number: int = 1, **values: Any) -> Message:
    return Message(**{"ref": f"R{number:04}", "to": f"+4915100000{number:03}", "text": "Please read."} | values)


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if vector["id"] not in INFORMATIVE], ids=lambda vector: vector["id"]
)
def test_a_signature_vector_passes_or_fails_as_it_says(vector: dict[str, Any]):
    sms = TwilioSms(ACCOUNT, vector["auth_token"], sender="+15005550006")
    is_json = vector["json_body"] is not None
    body = vector["json_body"] if is_json else urlencode([tuple(pair) for pair in vector["params"]])
    headers = {"content-type": "application/json; charset=utf-8"} if is_json else FORM
    callback = Callback(vector["url"], headers | {"x-twilio-signature": vector["signature"]}, body.encode())
    if vector["valid"]:
        assert sms.events(callback)
    else:
        with pytest.raises(Forged):
            sms.events(callback)


def test_there_are_vectors_of_both_kinds():
    assert {vector["valid"] for vector in VECTORS} == {True, False}


def test_a_json_body_without_its_hash_is_refused(sms: TwilioSms, server: FakeTwilio):
    headers = {"content-type": "application/json", "x-twilio-signature": server.signature(CALLBACK, {})}
    with pytest.raises(Forged, match="hash"):
        sms.events(Callback(CALLBACK, headers, b"{}"))


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"no form at all", b"&".join(b"a%d=1" % n for n in range(500))])
def test_a_body_that_is_no_form_is_refused(sms: TwilioSms, body: bytes):
    with pytest.raises(Forged):
        sms.events(Callback(CALLBACK, FORM | {"x-twilio-signature": "x"}, body))


def test_a_text_goes_out_with_our_reference_in_the_callback_alone(sms: TwilioSms, server: FakeTwilio):
    [answer] = sms.send([a_message()])
    [text] = server.texts
    assert (text.to, text.body, text.sid) == ("+4915100000001", "Please read.", answer.provider_id)
    assert text.callback == f"{CALLBACK}?ref=R0001"


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        (21211, Outcome.REFUSED, "number_invalid"),
        (21610, Outcome.REFUSED, "person_said_stop"),
        (21614, Outcome.REFUSED, "number_takes_no_texts"),
        (21606, Outcome.STOP, "sender_invalid"),
        (20003, Outcome.STOP, "credentials_refused"),
        (21611, Outcome.LATER, "queue_full"),
        (20429, Outcome.LATER, "too_many_requests"),
        (29999, Outcome.REFUSED, "message_refused"),
    ],
)
def test_twilios_code_in_our_words(sms: TwilioSms, server: FakeTwilio, code: int, outcome: Outcome, reason: str):
    server.refuse["+4915100000001"] = code
    [answer] = sms.send([a_message()])
    assert (answer.outcome, answer.reason, answer.code) == (outcome, reason, str(code))
    assert server.texts == []


def test_every_code_that_ends_the_wave_or_waits_is_marked_so():
    assert {code for code, (outcome, _) in CODES.items() if outcome is Outcome.STOP} >= {
        20003,
        21606,
        30002,
        30032,
        30034,
    }
    assert {code for code, (outcome, _) in CODES.items() if outcome is Outcome.LATER} == {20429, 21611, 30001}


def test_an_error_of_theirs_may_have_been_carried_out(sms: TwilioSms, server: FakeTwilio):
    server.faults.first = [Fault.TROUBLE]
    assert sms.send([a_message()])[0].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("garbage", [b"<html>", b"[" * 100_000, b'{"sid": null}', b"[]", b"7"])
def test_an_answer_nobody_understands_leaves_that_one_in_doubt_and_no_other(
    sms: TwilioSms, server: FakeTwilio, garbage: bytes
):
    server.faults.first, server.garbage = [Fault.NONE, Fault.GARBAGE], garbage
    answers = sms.send([a_message(number) for number in range(1, 4)])
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.ACCEPTED]


def test_told_to_wait_the_rest_of_the_batch_is_not_tried(sms: TwilioSms, server: FakeTwilio):
    server.faults.first = [Fault.NONE, Fault.BUSY]
    answers = sms.send([a_message(number) for number in range(1, 6)])
    assert [answer.reason for answer in answers] == ["", "too_many_requests", "not_tried", "not_tried", "not_tried"]
    assert answers[1].wait == 0.05
    assert server.asked == 2


def test_credentials_do_not_follow_a_redirect(sms: TwilioSms, server: FakeTwilio):
    with FakeTwilio() as elsewhere:
        server.redirect_to = f"{elsewhere.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        [answer] = sms.send([a_message()])
        assert (answer.outcome, answer.reason) == (Outcome.STOP, "redirected")
        assert elsewhere.asked == 0


def test_a_text_over_the_limit_is_not_handed_over(sms: TwilioSms, server: FakeTwilio):
    [answer] = sms.send([a_message(text="x" * 1601)])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "text_too_long")
    assert server.asked == 0


def test_somebody_must_be_the_sender():
    with pytest.raises(Misconfigured, match="TOCSIN_TWILIO_FROM"):
        TwilioSms(ACCOUNT, TOKEN)


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ({"MessageStatus": "queued"}, Status.ACCEPTED, "queued"),
        ({"MessageStatus": "sent"}, Status.ACCEPTED, "sent"),
        ({"MessageStatus": "delivered"}, Status.DELIVERED, "delivered"),
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, Status.BLOCKED, "handset_unreachable"),
        ({"MessageStatus": "undelivered", "ErrorCode": "30005"}, Status.BOUNCED, "handset_unknown"),
        ({"MessageStatus": "undelivered", "ErrorCode": "39999"}, Status.BOUNCED, "undelivered"),
        ({"MessageStatus": "failed", "ErrorCode": "30002"}, Status.FAILED, "account_suspended"),
        ({"MessageStatus": "failed"}, Status.FAILED, "failed"),
        ({"MessageStatus": "something_new"}, Status.UNKNOWN, "something_new"),
        ({"SmsStatus": "delivered"}, Status.DELIVERED, "delivered"),
    ],
)
def test_twilios_status_in_our_words(
    sms: TwilioSms, server: FakeTwilio, said: dict[str, str], status: Status, reason: str
):
    form = {"MessageSid": "SM1", "To": "+4915100000001", "From": "+15005550006", "Body": "Please read."} | said
    url = f"{CALLBACK}?ref=R0001"
    [event] = sms.events(
        Callback(url, FORM | {"x-twilio-signature": server.signature(url, form)}, urlencode(form).encode())
    )
    assert (event.status, event.reason, event.ref, event.provider_id) == (status, reason, "R0001", "SM1")
    assert "49151" not in repr(event)
    assert "Please" not in repr(event)


def test_the_reference_in_the_address_is_signed_too(sms: TwilioSms, server: FakeTwilio):
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = server.signature(f"{CALLBACK}?ref=R0001", form)
    with pytest.raises(Forged):
        sms.events(
            Callback(f"{CALLBACK}?ref=R0002", FORM | {"x-twilio-signature": signature}, urlencode(form).encode())
        )


def test_the_same_status_twice_has_the_same_id(sms: TwilioSms, server: FakeTwilio):
    ids = set()
    for extra in ({}, {"NewParameter": "1"}):
        form = {"MessageSid": "SM1", "MessageStatus": "delivered"} | extra
        [event] = sms.events(
            Callback(
                CALLBACK, FORM | {"x-twilio-signature": server.signature(CALLBACK, form)}, urlencode(form).encode()
            )
        )
        ids.add(event.id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("said", "outcome", "number"), [("SM1\x00\ud800", Outcome.ACCEPTED, "SM1"), ("\ud800", Outcome.UNKNOWN, "")]
)
def test_a_number_that_no_database_can_keep_loses_its_odd_letters(
    sms: TwilioSms, said: str, outcome: Outcome, number: str
):
    answer = sms._account.answer("R1", lambda: Made(said), CODES)
    assert (answer.outcome, answer.provider_id) == (outcome, number)
