"""Webhooks by page and by program: for administrators, with the secret shown once and the address never again."""

import re

import pytest

from incident import work
from incident.domain.access import Role
from incident.store import webhooks as rows
from incident.store.db import db
from tests.builders import an_incident
from tests.fakes.webhooks import FakeReceiver

GIVEN = {"name": "Tickets", "address": "http://127.0.0.1:9/in/very-secret", "types": "incident.*\nnotice.approved"}


@pytest.fixture
def browser(as_):
    return as_(Role.ADMINISTRATOR)


def the_endpoint():
    db.session.rollback()
    [row] = rows.endpoints()
    return row


def test_an_administrator_sets_an_endpoint_up_and_sees_its_secret_once(browser):
    answer = browser.post("/team/webhooks/", data=GIVEN)
    assert answer.status_code == 200
    assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)
    row = the_endpoint()
    for page in ("/team/webhooks/", f"/team/webhooks/{row.ref}/", "/team/webhooks/endpoints.csv"):
        text = browser.get(page).text
        assert "127.0.0.1:9" in text
        assert "very-secret" not in text
        assert "whsec_" not in text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("address", "https://user:x@hooks.example.org/", "without a password"),
        ("address", "http://hooks.example.org/", "https://"),
        ("types", "notice.aproved", "There is no type of event called notice.aproved."),
        ("types", "<script>", "One of them is no type."),
        ("name", "   ", "Say in a word or two"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_kept(browser, field, value, said):
    answer = browser.post("/team/webhooks/", data=GIVEN | {field: value})
    assert answer.status_code == 422
    assert said in answer.text or (field == "name" and "This field is required" in answer.text)
    assert rows.endpoints() == []


def test_nobody_but_an_administrator_comes_near(as_):
    for role in set(Role) - {Role.ADMINISTRATOR}:
        assert as_(role).get("/team/webhooks/").status_code == 403


def test_the_page_changes_switches_tries_and_removes(browser):
    with FakeReceiver() as receiver:
        browser.post("/team/webhooks/", data=GIVEN | {"address": f"{receiver.url}/in"})
        ref = the_endpoint().ref
        base = f"/team/webhooks/{ref}"
        changed = GIVEN | {"address": "", "types": "*", "revision": "1"}
        assert browser.post(f"{base}/", data=changed).status_code == 302
        assert browser.post(f"{base}/", data=changed).status_code == 409
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", browser.post(f"{base}/secret").text)[0]
        receiver.secrets = [secret]
        assert browser.post(f"{base}/test").status_code == 302
        assert "The endpoint took the test." in browser.get(f"{base}/").text
        assert receiver.types == ["webhook.test"]
        assert browser.post(f"{base}/off").status_code == 302
        assert browser.post(f"{base}/off").status_code == 409
        assert "switched off by hand" in browser.get(f"{base}/").text
        assert browser.post(f"{base}/on", data={"skip": "1"}).status_code == 302
        assert browser.post(f"{base}/events/again").status_code == 409
        assert browser.post(f"{base}/events/msg_none/again").status_code == 404
        assert browser.post(f"{base}/remove").status_code == 302
        assert browser.get(f"{base}/").status_code == 404


def test_a_program_does_all_of_it_too(client, token_for):
    key = token_for(Role.ADMINISTRATOR)
    base = "/api/v1/webhooks"
    given = GIVEN | {"types": ["*"], "hears_restricted": False}
    made = client.post(base, json=given, headers=key)
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    one = f"{base}/{made.json['ref']}"
    assert client.get(base, headers=key).json["endpoints"][0]["host"] == "127.0.0.1:9"
    change = given | {"address": "", "name": "Board", "revision": 1}
    assert client.put(one, json=change, headers=key).json["name"] == "Board"
    assert client.put(one, json=change, headers=key).status_code == 409
    assert client.post(f"{one}/secret", headers=key).json["secret"] != made.json["secret"]
    assert "could not be reached" in client.post(f"{one}/test", headers=key).json["said"]
    assert client.post(f"{one}/off", headers=key).status_code == 204
    assert client.post(f"{one}/on", json={"skip": True}, headers=key).status_code == 204
    assert client.get(f"{one}/events", headers=key).json == {"events": [], "before": None}
    assert client.post(f"{one}/events/again", headers=key).status_code == 409
    assert client.get(f"{one}/events/msg_none", headers=key).status_code == 404
    assert "notice.approved" in client.get(f"{base}/types", headers=key).json["notice"]
    assert client.delete(one, headers=key).status_code == 204
    assert client.get(one, headers=key).status_code == 404
    assert client.get(base, headers=token_for(Role.LEAD)).status_code == 403


def test_the_log_shows_each_event_with_what_is_sent(client, token_for, app, browser):
    key = token_for(Role.ADMINISTRATOR)
    made = client.post("/api/v1/webhooks", json=GIVEN | {"types": ["incident.*"]}, headers=key).json
    incident = an_incident().ref
    work.do("webhooks.gather", made["ref"])
    [event] = client.get(f"/api/v1/webhooks/{made['ref']}/events", headers=key).json["events"]
    assert (event["type"], event["state"]) == ("incident.opened", "waiting")
    body = client.get(f"/api/v1/webhooks/{made['ref']}/events/{event['ref']}", headers=key).json["body"]
    assert incident in body
    page = browser.get(f"/team/webhooks/{made['ref']}/").text
    assert event["ref"] in page
    assert event["ref"] in browser.get(f"/team/webhooks/{made['ref']}/events.csv").text
