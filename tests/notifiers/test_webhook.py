"""Events are signed as the specification's own example is, reach only where they may, and follow nothing."""

import json
from collections.abc import Iterator

import pytest

from notifiers.contract import Answer, Callback, Forged, Message, Notifier, Outcome
from notifiers.webhook import Webhooks, signature
from tests.fakes.webhooks import FakeReceiver


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    with FakeReceiver() as fake:
        yield fake


@pytest.fixture
def near() -> Webhooks:
    return Webhooks(allow="loopback", seconds=5)


def a_message(url: str, *secrets: str, text: str = '{"type":"notice.approved"}') -> Message:
    return Message("msg_1", json.dumps({"url": url, "secrets": secrets}), text)


def test_the_example_of_the_specification_is_signed_as_it_says():
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_arrives_signed_by_both_secrets_while_one_is_changed(near: Webhooks, receiver: FakeReceiver):
    old, new = near.new_secret(), near.new_secret()
    for known in (old, new):
        receiver.secrets = [known]
        assert near.send([a_message(f"{receiver.url}/in", new, old)]) == [Answer("msg_1", Outcome.ACCEPTED, code="204")]
    receiver.secrets = [near.new_secret()]
    assert near.send([a_message(f"{receiver.url}/in", new, old)])[0].code == "401"


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [(200, "accepted", ""), (400, "later", "said_no"), (410, "stop", "gone"), (500, "later", "said_no")],
)
def test_what_an_endpoint_answers_is_read_by_its_number(near, receiver, status, outcome, reason):
    receiver.secrets, receiver.statuses = [secret := near.new_secret()], [status]
    [answer] = near.send([a_message(receiver.url, secret)])
    assert (answer.outcome, answer.reason, answer.code) == (outcome, reason, str(status))


def test_a_busy_endpoint_says_how_long_to_wait(near, receiver):
    receiver.statuses, receiver.headers_of_answers = [429], {"Retry_After": "90"}
    assert near.send([a_message(receiver.url, near.new_secret())])[0].wait == 90


def test_a_redirect_is_not_followed(near, receiver):
    receiver.statuses, receiver.headers_of_answers = [307], {"Location": "/elsewhere"}
    [answer] = near.send([a_message(f"{receiver.url}/in", near.new_secret())])
    assert (answer.outcome, answer.reason, answer.code) == (Outcome.LATER, "redirected", "307")
    assert [path for path, _ in receiver.requests] == ["/in"]


def test_a_broken_connection_is_an_answer_lost_and_nobody_there_is_not_reached(near, receiver):
    receiver.cuts = 1
    assert near.send([a_message(receiver.url, near.new_secret())])[0].reason == "answer_lost"
    assert near.send([a_message("http://127.0.0.1:1", near.new_secret())])[0].reason == "not_reached"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://hooks.example.org/in?key=1", ""),
        ("https://hooks.example.org:8443/in", ""),
        ("http://hooks.example.org/in", "address_not_encrypted"),
        ("https://127.0.0.1/", "address_inside"),
        ("https://127.1/", "address_inside"),
        ("https://2130706433/", "address_inside"),
        ("https://0x7f000001/", "address_inside"),
        ("https://0/", "address_inside"),
        ("https://[::1]/", "address_inside"),
        ("https://[::ffff:10.0.0.1]/", "address_inside"),
        ("https://localhost/", "address_inside"),
        ("https://localhost./", "address_inside"),
        ("https://10.1.2.3/", "address_inside"),
        ("https://169.254.169.254/latest/meta-data", "address_inside"),
        ("https://100.64.0.1/", "address_inside"),
        ("https://224.0.0.1/", "address_inside"),
        ("https://user:secret@hooks.example.org/", "address_unreadable"),
        ("https://hooks.example.org@127.0.0.1/", "address_unreadable"),
        ("https://hooks.example.org/#x", "address_unreadable"),
        ("https://hooks.example.org\\@127.0.0.1/", "address_unreadable"),
        ("https://hooks.example.org/\r\nX: y", "address_unreadable"),
        ("https://höoks.example.org/", "address_unreadable"),
        ("https://hooks.example.org:99999/", "address_unreadable"),
        ("https://hooks.example.org:x/", "address_unreadable"),
        ("https:///in", "address_unreadable"),
        ("https://[::1/", "address_unreadable"),
        ("file:///etc/passwd", "address_unreadable"),
        ("gopher://hooks.example.org/", "address_unreadable"),
        ("", "address_unreadable"),
        ("https://hooks.example.org/" + "x" * 1_000, "address_unreadable"),
    ],
)
def test_an_address_is_used_only_where_it_may_be(url, reason):
    assert Webhooks().trouble(url) == reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_outside_a_test_nothing_on_this_machine_is_reached_whatever_was_kept(receiver, host):
    port = receiver.server_address[1]
    for scheme in ("https", "http"):
        [answer] = Webhooks(seconds=2).send([a_message(f"{scheme}://{host}:{port}/", Webhooks().new_secret())])
        assert answer.outcome is Outcome.REFUSED
    assert receiver.requests == []


def test_a_name_that_leads_inside_is_not_connected_to(receiver, monkeypatch):
    """What the resolver says decides, not what the name looks like: here it is made to say 127.0.0.1."""
    found = [(2, 1, 6, "", ("127.0.0.1", receiver.server_address[1]))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    [answer] = Webhooks(seconds=2).send([a_message("https://hooks.example.org/", Webhooks().new_secret())])
    assert (answer.outcome, answer.reason) == (Outcome.LATER, "address_inside")
    assert receiver.requests == []


def test_an_installation_may_allow_its_own_network(receiver):
    inside = Webhooks(allow="inside", seconds=5)
    receiver.secrets = [secret := inside.new_secret()]
    assert inside.send([a_message(receiver.url, secret)])[0].outcome is Outcome.ACCEPTED


def test_it_is_a_notifier_that_nobody_reports_to(near):
    assert isinstance(near, Notifier)
    with pytest.raises(Forged):
        near.events(Callback("http://localhost/hooks/webhook", {}, b""))
