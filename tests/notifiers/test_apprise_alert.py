"""Alerts by apprise, to a target on a real socket; and what a target's address may not make this machine do."""

import json

import pytest

from notifiers.apprise_alert import AppriseAlert
from notifiers.contract import Answer, Callback, Forged, Message, Outcome
from tests.fakes.http import Handler, Server


class Target(Handler):
    """Takes what it is given and answers as the server was told to."""

    def do_POST(self) -> None:
        body = self.body()
        self.server.taken.append(json.loads(body))
        if self.server.status == 0:
            self.cut()
            return
        self.answer(self.server.status, Location=self.server.elsewhere)


@pytest.fixture
def target():
    with Server(Target) as server:
        server.taken, server.status, server.elsewhere = [], 200, f"{server.url}/elsewhere"
        yield server


def ask(url, *, allow="loopback", seconds=25.0):
    [answer] = AppriseAlert(allow=allow, seconds=seconds).send(
        [Message("R-1", url, "INC-2026-0007: due in 4 h", "Due")]
    )
    return answer


def test_a_target_gets_title_and_text_and_nothing_else_of_this_machine(target):
    assert ask(f"json://127.0.0.1:{target.server_address[1]}/hook") == Answer("R-1", Outcome.ACCEPTED)
    assert target.taken == [
        {"version": "1.0", "title": "Due", "message": "INC-2026-0007: due in 4 h", "attachments": [], "type": "warning"}
    ]


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (400, Outcome.REFUSED, "target_says_no"),
        (429, Outcome.LATER, "target_says_no"),
        (503, Outcome.LATER, "target_says_no"),
        (0, Outcome.UNKNOWN, "answer_lost"),
    ],
)
def test_what_a_target_answers_in_our_words(target, status, outcome, reason):
    target.status = status
    answer = ask(f"json://127.0.0.1:{target.server_address[1]}/hook")
    assert (answer.outcome, answer.reason) == (outcome, reason)


def test_a_redirect_is_not_followed(target):
    target.status = 302
    assert ask(f"json://127.0.0.1:{target.server_address[1]}/hook").outcome is Outcome.REFUSED
    assert len(target.taken) == 1


def test_a_target_that_answers_too_late_may_have_taken_it(target):
    target.answer_seconds = 3.0
    assert ask(f"json://127.0.0.1:{target.server_address[1]}/hook", seconds=1.5).outcome is Outcome.UNKNOWN


def test_a_port_where_nobody_listens_took_nothing():
    assert ask("json://127.0.0.1:1/hook").outcome is Outcome.LATER


@pytest.mark.parametrize(
    "url",
    [
        "jsons://127.0.0.1:{port}/hook",
        "jsons://localhost:{port}/hook",
        "mailtos://name:secret@gmail.com?smtp=127.0.0.1&port={port}",
    ],
)
def test_no_target_reaches_into_the_own_network(target, url):
    answer = ask(url.format(port=target.server_address[1]), allow="outside")
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "address_inside")
    assert target.asked == 0


def test_an_address_of_four_bytes_written_in_sixteen_is_still_inside(target):
    answer = ask(f"jsons://[::ffff:127.0.0.1]:{target.server_address[1]}/hook", allow="outside")
    assert (answer.outcome, target.asked) == (Outcome.REFUSED, 0)


def test_a_test_installation_reaches_this_machine_and_no_other_inside():
    assert ask("json://10.255.255.1/hook").reason == "address_inside"


def test_in_the_clear_nothing_goes_outside():
    assert ask("json://example.org/hook", allow="outside").reason == "target_not_encrypted"
    assert ask("jsons://example.org/hook?verify=no", allow="outside").reason == "target_not_encrypted"


@pytest.mark.parametrize("url", ["syslog://", "dbus://", "nonsense://x", "file:///etc/passwd", "", "json://"])
def test_what_is_no_target_elsewhere_is_refused(url):
    assert ask(url).outcome is Outcome.REFUSED


def test_a_target_cannot_have_a_file_of_this_machine_sent(target, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    kind, reason = AppriseAlert(allow="loopback").kind(f"fcm://project@key/device?keyfile={secret}")
    answer = ask(f"fcm://project@key/device?keyfile={secret}")
    assert answer.outcome is not Outcome.ACCEPTED
    assert (kind, reason) != ("", "")
    assert target.taken == []


def test_a_kind_is_known_without_sending(target):
    assert AppriseAlert(allow="loopback").kind(f"json://127.0.0.1:{target.server_address[1]}/hook") == ("JSON", "")
    assert AppriseAlert().kind("nonsense://x") == ("", "target_unknown")
    assert target.taken == []


def test_whatever_claims_to_come_from_a_target_is_forged():
    with pytest.raises(Forged):
        AppriseAlert().events(Callback("http://x/", {}, b""))
