import json
from collections.abc import Iterator
from typing import Any

import pytest

from notifiers.contract import Message, Misconfigured, Outcome
from notifiers.fcm_push import FcmPush
from tests.fakes.faults import Fault
from tests.fakes.fcm import PROJECT, FakeFcm, device

CHECK = "https://us.example/notices/check"


@pytest.fixture
def server() -> Iterator[FakeFcm]:
    with FakeFcm() as fake:
        yield fake


@pytest.fixture
def push(server: FakeFcm) -> FcmPush:
    return FcmPush(server.key_file(), link=CHECK, url=server.url, token_url=server.token_url, seconds=5)


def a_message(number: int = 1, **values: Any) -> Message:
    usual = {
        "ref": f"R{number:04}",
        "to": device(number),
        "subject": "For you",
        "text": "Open the app.",
        "thread": "D-1.7",
    }
    return Message(**usual | values)


def test_a_telephone_gets_a_prompt_a_link_and_nothing_that_names_anybody(push: FcmPush, server: FakeFcm):
    push.send([a_message()])
    [asked] = server.requests
    tag = asked["message"]["android"]["notification"]["tag"]
    expires = asked["message"]["apns"]["headers"].pop("apns-expiration")
    assert expires.isdigit()
    assert asked == {
        "message": {
            "token": device(1),
            "notification": {"title": "For you", "body": "Open the app."},
            "data": {"link": CHECK},
            "android": {"priority": "HIGH", "ttl": "86400s", "notification": {"tag": tag, "visibility": "PRIVATE"}},
            "apns": {"headers": {"apns-priority": "10", "apns-collapse-id": tag}},
        }
    }
    assert "R0001" not in json.dumps(asked)
    assert "D-1" not in json.dumps(asked)


def test_a_repeat_takes_the_place_of_the_first_and_other_deliveries_do_not(push: FcmPush, server: FakeFcm):
    push.send([a_message(1, thread="D-1.7"), a_message(2, thread="D-1.7"), a_message(3, thread="D-1.8")])
    first, again, other = (shown.tag for shown in server.shown)
    assert first == again != other
    assert len(first) == 32  # APNs takes 64 bytes, a browser's service 32 letters


def test_one_sign_in_serves_many_messages(push: FcmPush, server: FakeFcm):
    push.send([a_message(number) for number in range(5)])
    push.send([a_message(number) for number in range(5)])
    assert server.sign_ins == 1
    assert len(server.shown) == 10


def test_a_sign_in_that_ended_early_is_made_anew_and_the_message_goes_out_once(push: FcmPush, server: FakeFcm):
    push.send([a_message(1)])
    server.signed_in.clear()
    [answer] = push.send([a_message(2)])
    assert answer.outcome is Outcome.ACCEPTED
    assert [shown.to for shown in server.shown] == [device(1), device(2)]
    assert server.sign_ins == 2


def test_a_service_account_that_is_refused_stops_the_wave(push: FcmPush, server: FakeFcm):
    server.refuse_sign_in = 400
    answers = push.send([a_message(1), a_message(2)])
    assert [(answer.outcome, answer.reason) for answer in answers] == [
        (Outcome.STOP, "credentials_refused"),
        (Outcome.LATER, "not_tried"),
    ]
    assert server.asked == 0


def test_a_key_that_signs_in_and_may_not_send_stops_the_wave_after_one_more_try(push: FcmPush, server: FakeFcm):
    server.errors = [(401, "UNAUTHENTICATED"), (401, "UNAUTHENTICATED")]
    [answer] = push.send([a_message()])
    assert (answer.outcome, answer.reason) == (Outcome.STOP, "credentials_refused")
    assert server.asked == 2


def test_a_sign_in_that_redirects_gets_no_key(push: FcmPush, server: FakeFcm):
    server.refuse_sign_in = 307
    [answer] = push.send([a_message()])
    assert answer.outcome is Outcome.STOP


def test_a_redirect_is_not_followed(push: FcmPush, server: FakeFcm):
    server.redirect_to = "https://elsewhere.example/"
    [answer] = push.send([a_message()])
    assert (answer.outcome, answer.reason) == (Outcome.STOP, "redirected")
    assert server.asked == 1


def test_a_dead_token_is_refused_as_dead_and_the_next_person_is_told(push: FcmPush, server: FakeFcm):
    server.dead = {device(1)}
    answers = push.send([a_message(1), a_message(2)])
    assert [(answer.outcome, answer.reason, answer.code) for answer in answers] == [
        (Outcome.REFUSED, "token_dead", "UNREGISTERED"),
        (Outcome.ACCEPTED, "", ""),
    ]


def test_a_token_that_fcm_cannot_read_is_dead_too(push: FcmPush):
    [answer] = push.send([a_message(to="A" * 40)])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "token_dead")


def test_a_token_of_another_app_is_refused_but_not_called_dead(push: FcmPush, server: FakeFcm):
    server.foreign = {device(1)}
    [answer] = push.send([a_message(1)])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "token_of_another_app")


@pytest.mark.parametrize(
    ("status", "word", "outcome", "reason"),
    [
        (401, "THIRD_PARTY_AUTH_ERROR", Outcome.STOP, "credentials_refused"),
        (403, "", Outcome.STOP, "credentials_refused"),
        (404, "", Outcome.STOP, "account_unknown"),
        (429, "", Outcome.LATER, "too_many_requests"),
        (500, "INTERNAL", Outcome.LATER, "provider_trouble"),
        (503, "UNAVAILABLE", Outcome.LATER, "provider_trouble"),
        (400, "INVALID_ARGUMENT", Outcome.REFUSED, "message_refused"),
        (409, "", Outcome.STOP, "request_refused"),
        (502, "", Outcome.UNKNOWN, "answer_unclear"),
        (204, "", Outcome.UNKNOWN, "answer_unclear"),
    ],
)
def test_each_answer_has_its_outcome(
    push: FcmPush, server: FakeFcm, status: int, word: str, outcome: Outcome, reason: str
):
    server.errors = [(status, "X", word)]
    [answer] = push.send([a_message()])
    assert (answer.outcome, answer.reason) == (outcome, reason)
    assert server.shown == []


def test_too_many_requests_rest_a_minute_where_no_time_is_named(push: FcmPush, server: FakeFcm):
    server.errors = [(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")]
    answers = push.send([a_message(1), a_message(2)])
    assert (answers[0].wait, answers[1].reason) == (60.0, "not_tried")


def test_an_answer_that_says_nothing_readable_after_taking_it_counts_as_taken(push: FcmPush, server: FakeFcm):
    server.faults.first = [Fault.GARBAGE]
    [answer] = push.send([a_message()])
    assert (answer.outcome, answer.provider_id) == (Outcome.ACCEPTED, "")


def test_a_payload_beyond_the_limit_is_not_handed_over(push: FcmPush, server: FakeFcm):
    fits = 4_096 - len(json.dumps("").encode())
    answers = push.send(
        [a_message(1, text="x" * 3_500), a_message(2, text="x" * fits), a_message(3, text="信" * 1_300)]
    )
    assert [answer.reason for answer in answers] == ["", "text_too_long", "text_too_long"]
    assert server.asked == 1


@pytest.mark.parametrize("address", ["{}", "short", "with space " * 5, "a" * 2_001, "a/b" * 20])
def test_what_is_no_token_is_never_handed_over(push: FcmPush, server: FakeFcm, address: str):
    [answer] = push.send([a_message(to=address)])
    assert (answer.outcome, answer.reason, server.asked) == (Outcome.REFUSED, "token_invalid", 0)


@pytest.mark.parametrize(
    "values",
    [
        {"type": "authorized_user"},
        {"project_id": "../other"},
        {"client_email": ""},
        {"private_key": "none"},
        {"project_id": 7},
    ],
)
def test_a_key_file_that_is_none_is_named_at_the_start(server: FakeFcm, values: dict[str, Any]):
    with pytest.raises(Misconfigured, match="TOCSIN_FCM_KEY_FILE"):
        FcmPush(server.key_file(**values), link=CHECK)
    with pytest.raises(Misconfigured, match="TOCSIN_FCM_KEY_FILE"):
        FcmPush("not JSON", link=CHECK)


def test_the_messages_go_to_the_project_of_the_key_file(push: FcmPush, server: FakeFcm):
    other = FcmPush(server.key_file(project_id="another-1"), link=CHECK, url=server.url, token_url=server.token_url)
    assert other.send([a_message()])[0].reason == "account_unknown"
    [answer] = push.send([a_message()])
    assert PROJECT not in answer.provider_id
    assert answer.provider_id.startswith("0:")
