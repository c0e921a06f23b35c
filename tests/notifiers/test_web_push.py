import json
from collections.abc import Iterator
from typing import Any

import pytest

from notifiers.contract import Message, Misconfigured, Outcome
from notifiers.web_push import SERVICES, WebPush, subscription
from tests.fakes.web_push import VAPID_KEY, Browser, FakePushService, private, read, written

CHECK = "https://us.example/notices/check"
KEYS = {"p256dh": written(b"\4" + b"k" * 64), "auth": written(b"s" * 16)}

# RFC 8291, appendix A
RFC_BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95"
    "bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


@pytest.fixture
def server() -> Iterator[FakePushService]:
    with FakePushService() as fake:
        yield fake


@pytest.fixture
def push() -> WebPush:
    return WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK, loopback=True, seconds=5)


def a_message(browser: Browser, number: int = 1, **values: Any) -> Message:
    usual = {"ref": f"R{number:04}", "to": browser.subscription, "subject": "For you", "text": "Open the app."}
    return Message(**usual | {"thread": "D-1.7", "language": "de"} | values)


def given(endpoint: str, **values: Any) -> str:
    return json.dumps({"endpoint": endpoint, "keys": KEYS} | values)


def test_the_fake_browser_opens_the_example_of_the_standard():
    browser = Browser("", private(read("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), read("BTBZMqHH6r4Tts7J_aSIgg"))
    assert browser.opened(read(RFC_BODY)) == b"When I grow up, I want to be a watermelon"


def test_a_browser_gets_a_prompt_a_link_and_nothing_that_names_anybody(push: WebPush, server: FakePushService):
    browser = server.subscribe(1)
    push.send([a_message(browser)])
    [shown] = browser.shown
    tag = shown["notification"]["tag"]
    assert shown == {
        "web_push": 8030,
        "notification": {"title": "For you", "body": "Open the app.", "lang": "de", "tag": tag, "navigate": CHECK},
    }
    [headers] = server.requests
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("86400", "high", tag)
    assert "R0001" not in json.dumps([shown, headers])
    assert "D-1" not in json.dumps([shown, headers])


def test_what_is_for_one_browser_opens_in_no_other(push: WebPush, server: FakePushService):
    one, other = server.subscribe(1), server.subscribe(2)
    mixed = json.loads(one.subscription) | {"keys": json.loads(other.subscription)["keys"]}
    [answer] = push.send([a_message(one, to=json.dumps(mixed))])
    assert one.shown == []
    assert answer.outcome is Outcome.UNKNOWN  # the fake breaks off at what it cannot open


def test_one_signature_serves_one_service_for_hours(push: WebPush, server: FakePushService):
    push.send([a_message(server.subscribe(number), number) for number in range(4)])
    assert len({headers["authorization"] for headers in server.requests}) == 1
    with FakePushService() as another:
        push.send([a_message(another.subscribe(1))])
        assert another.requests[0]["authorization"] != server.requests[0]["authorization"]
        assert len(another.subscribe(1).shown) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_is_gone_is_dead(push: WebPush, server: FakePushService, status: int):
    server.errors = [status]
    answers = push.send([a_message(server.subscribe(1)), a_message(server.subscribe(2), 2)])
    assert [(answer.outcome, answer.reason) for answer in answers] == [
        (Outcome.REFUSED, "token_dead"),
        (Outcome.ACCEPTED, ""),
    ]


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (400, Outcome.REFUSED, "message_refused"),
        (401, Outcome.STOP, "credentials_refused"),
        (403, Outcome.REFUSED, "token_of_another_app"),
        (413, Outcome.REFUSED, "message_refused"),
        (429, Outcome.LATER, "too_many_requests"),
        (500, Outcome.LATER, "provider_trouble"),
        (502, Outcome.UNKNOWN, "answer_unclear"),
        (503, Outcome.LATER, "provider_trouble"),
        (204, Outcome.UNKNOWN, "answer_unclear"),
    ],
)
def test_each_answer_has_its_outcome(
    push: WebPush, server: FakePushService, status: int, outcome: Outcome, reason: str
):
    server.errors = [status]
    [answer] = push.send([a_message(server.subscribe(1))])
    assert (answer.outcome, answer.reason) == (outcome, reason)
    assert server.subscribe(1).shown == []


def test_a_subscription_made_for_another_key_is_refused_but_not_called_dead(server: FakePushService):
    push = WebPush(written(b"o" * 32), contact="desk@us.example", link=CHECK, loopback=True)
    [answer] = push.send([a_message(server.subscribe(1))])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "token_of_another_app")


def test_a_redirect_is_not_followed_and_stops_nobody_else(push: WebPush, server: FakePushService):
    with FakePushService() as elsewhere:
        server.redirect_to = elsewhere.url
        answers = push.send([a_message(server.subscribe(1)), a_message(elsewhere.subscribe(2), 2)])
        assert [(answer.outcome, answer.reason) for answer in answers] == [
            (Outcome.REFUSED, "redirected"),
            (Outcome.ACCEPTED, ""),
        ]
        assert elsewhere.asked == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://updates.push.services.mozilla.com/wpush/v2/x",
        "https://updates.push.services.mozilla.com:8443/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://intranet/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://push.services.mozilla.com.evil.example/x",
        "ftp://fcm.googleapis.com/x",
    ],
)
def test_only_known_push_services_are_spoken_to(endpoint: str):
    push = WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK)
    [answer] = push.send([Message("R1", given(endpoint), "Open", "For you")])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "push_service_unknown")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        "null",
        given("https://fcm.googleapis.com/x", keys={}),
        given("https://fcm.googleapis.com/x", keys=KEYS | {"auth": written(b"s" * 15)}),
        given("https://fcm.googleapis.com/x", keys=KEYS | {"p256dh": written(b"\3" + b"k" * 64)}),
        given("https://fcm.googleapis.com/x", keys=KEYS | {"p256dh": "no base64 !"}),
        given("https://us:them@fcm.googleapis.com/x"),
        given("https://fcm.googleapis.com/a b"),
        given("https://fcm.googleapis.com/x\r\nX-Forged: y"),
        given("https://fcm.googleapis.com:99999/x"),
        given("https:///x"),
        given("https://fcm.googleapis.com/" + "x" * 2_000),
        json.dumps({"endpoint": 7, "keys": KEYS}),
    ],
)
def test_what_is_no_subscription_is_refused(text: str):
    assert subscription(text) is None
    push = WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK)
    assert push.send([Message("R1", text, "Open", "For you")])[0].reason == "token_invalid"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_of_the_usual_list_is_known(name: str):
    push = WebPush(VAPID_KEY, contact="desk@us.example", link=CHECK)
    read_ = subscription(given(f"https://{name.replace('*', 'a.b')}/x"))
    assert read_ is not None
    assert push._is_known(read_)


def test_a_key_that_is_no_point_of_the_curve_is_refused(push: WebPush, server: FakePushService):
    [answer] = push.send([Message("R1", given(server.subscribe(1).endpoint), "Open", "For you")])
    assert (answer.outcome, answer.reason, server.asked) == (Outcome.REFUSED, "token_invalid", 0)


def test_a_message_beyond_the_limit_is_not_handed_over(push: WebPush, server: FakePushService):
    browser = server.subscribe(1)
    answers = push.send([a_message(browser, text="x" * 3_700), a_message(browser, 2, text="x" * 3_900)])
    assert [answer.reason for answer in answers] == ["", "text_too_long"]
    assert len(browser.shown) == 1


@pytest.mark.parametrize("key", ["short", "", "ä" * 43, written(b"x" * 31)])
def test_a_key_that_is_none_is_named_at_the_start(key: str):
    with pytest.raises(Misconfigured, match="TOCSIN_WEB_PUSH_KEY"):
        WebPush(key, contact="desk@us.example", link=CHECK)


def test_without_an_address_for_push_services_it_does_not_start():
    with pytest.raises(Misconfigured, match="TOCSIN_CONTACT_EMAIL"):
        WebPush(VAPID_KEY, contact="", link=CHECK)
