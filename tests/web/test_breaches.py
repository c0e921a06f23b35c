"""What browsers tell of a broken content policy: noted in the log without an address, and no way to fill it."""

import json

import pytest
from structlog.testing import capture_logs

from incident.web import breaches

REPORT = {
    "document-uri": "http://localhost/incidents/INC-2026-0001/",
    "effective-directive": "script-src-elem",
    "blocked-uri": "https://attacker.example/steal.js?of=INC-2026-0001",
    "script-sample": "alert(document.cookie)",
}


@pytest.fixture(autouse=True)
def fresh():
    breaches._noted.clear()
    yield
    breaches._noted.clear()


def told(client, body, kind="application/csp-report"):
    with capture_logs() as found:
        answer = client.post("/policy-breaches", data=body, content_type=kind)
    assert (answer.status_code, answer.data) == (204, b"")
    return [line for line in found if line["event"] == "policy.broken"]


def test_pages_say_where_breaches_of_their_policy_go(client):
    assert "report-uri /policy-breaches" in client.get("/sign-in").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("blocked", "word"),
    [
        ("https://attacker.example/a.js", "another host"),
        ("http://localhost/static/x.js", "own host"),
        ("inline", "inline"),
        ("eval", "eval"),
        ("javascript:alert(1)//localhost", "another host"),
        ("http://[broken", "another host"),
        (None, "another host"),
        ({"a": 1}, "another host"),
    ],
    ids=str,
)
def test_what_was_kept_out_is_noted_in_one_word(client, blocked, word):
    [line] = told(client, json.dumps({"csp-report": REPORT | {"blocked-uri": blocked}}))
    assert (line["directive"], line["blocked"]) == ("script-src-elem", word)


def test_nothing_that_the_sender_can_choose_freely_is_kept(client):
    [line] = told(client, json.dumps({"csp-report": REPORT | {"effective-directive": "x\nINC-2026-0001 " * 9}}))
    assert line["directive"] == "unknown"
    for part in ("INC", "steal", "cookie", "attacker"):
        assert part not in json.dumps(line)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 5_000, b'{"csp-report": 7}', b'{"csp-report": {"x": "' + b"y" * 9_000 + b'"}}'], ids=lambda body: repr(body[:20])
)  # fmt: skip
def test_what_is_no_report_is_answered_alike_and_not_noted(client, body):
    assert told(client, body) == []


def test_nobody_fills_the_log_with_them(client):
    assert sum(len(told(client, json.dumps({"csp-report": REPORT}))) for _ in range(30)) == breaches.MOST
