"""Sending by programs: the same as on the board."""

import pytest

from incident.actions import reported
from incident.domain.access import Role
from incident.store import dispatches
from notifiers.contract import Channels, Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import SANDBOX, a_story, answering


@pytest.fixture
def real(app, monkeypatch):
    channels = {"email": Memory("email"), "sms": Memory("sms")}
    monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
    return channels


@pytest.fixture
def lead(token_for):
    return token_for(Role.LEAD)


def at(story, rest=""):
    return f"/api/v1/incidents/{story.incident.ref}/sendings{rest}"


def test_a_notice_is_sent_watched_and_listed(client, real, lead):
    story = a_story(4, only_phone=1, unreachable=1, real=real)
    begun = client.post(at(story), json={"notice": story.notice}, headers=lead)
    assert begun.status_code == 201
    story.dispatch = begun.json["ref"]
    assert client.post(at(story), json={"notice": story.notice}, headers=lead).json == begun.json
    story.work()
    shown = client.get(at(story, f"/{story.dispatch}"), headers=lead).json
    assert (shown["course"], shown["audience"], sum(shown["counts"].values())) == ("done", 4, 4)
    assert (shown["counts"]["accepted"], shown["unowned"], shown["complete"]) == (3, 0, False)
    sending = client.get(at(story), headers=lead).json["sendings"][0]
    assert (sending["still_open"], sending["complete"]) == (1, False)  # a text counts once it is delivered
    [text] = [row for row in story.rows() if row.channel == "sms"]
    delivered = Event("E-1", Status.DELIVERED, ref=text.ref)
    assert reported.take_in(text.provider, "sms", [delivered], now=story.clock()) == 1
    assert client.get(at(story), headers=lead).json["sendings"][0]["complete"] is True
    first = client.get(at(story, f"/{story.dispatch}/deliveries?limit=3"), headers=lead).json
    rest = client.get(at(story, f"/{story.dispatch}/deliveries?after={first['next']}"), headers=lead).json
    assert [one["person"] for one in first["deliveries"] + rest["deliveries"]] == ["P-1", "P-2", "P-3", "P-4"]


def test_pause_go_on_and_stop_with_the_number_of_now(client, real, lead):
    story = a_story(3, real=real)
    story.start()
    assert client.post(at(story, f"/{story.dispatch}/pause"), headers=lead).status_code == 204
    story.work()
    assert real["email"].sent == []
    assert client.post(at(story, f"/{story.dispatch}/go-on"), headers=lead).status_code == 204
    client.post(at(story, f"/{story.dispatch}/pause"), headers=lead)
    assert (
        client.post(at(story, f"/{story.dispatch}/stop"), json={"people": 3}, headers=lead).status_code == 409
    )  # the list is not whole
    client.post(at(story, f"/{story.dispatch}/go-on"), headers=lead)
    real["email"].answer = answering(Outcome.STOP, "credentials_refused")
    story.work()
    wrong = client.post(at(story, f"/{story.dispatch}/stop"), json={"people": 2}, headers=lead)
    assert (wrong.status_code, wrong.json["field"]) == (422, "typed")
    assert client.post(at(story, f"/{story.dispatch}/stop"), json={"people": 3}, headers=lead).json == {"people": 3}


def test_doubts_are_settled_with_a_reason(client, real, lead):
    real["email"].answer = answering(Outcome.UNKNOWN, "answer_lost")
    story = a_story(3, real=real)
    story.start()
    story.work()
    [one, *_] = client.get(at(story, f"/{story.dispatch}/deliveries?state=in_doubt"), headers=lead).json["deliveries"]
    attempt = at(story, f"/attempts/{one['attempt_ref']}")
    assert client.post(f"{attempt}/sent", json={}, headers=lead).status_code == 422
    assert client.post(f"{attempt}/sent", json={"reason": "in their log"}, headers=lead).status_code == 204
    assert client.get(attempt, headers=lead).json["attempts"][0]["state"] == "accepted"
    doubts = at(story, f"/{story.dispatch}/doubts")
    assert (
        client.post(doubts, json={"verdict": "again", "people": 9, "reason": "not there"}, headers=lead).status_code
        == 422
    )
    assert client.post(doubts, json={"verdict": "again", "people": 2, "reason": "not there"}, headers=lead).json == {
        "people": 2
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "notice"),
        ({"notice": "N-1", "canary": -1}, "canary"),
        ({"notice": "N-1", "most_back": "x"}, "most_back"),
        ({"notice": "N-1", "more": 1}, "more"),
    ],
)
def test_bad_input_names_its_field_and_starts_nothing(client, real, lead, body, field):
    story = a_story(1, real=real)
    answer = client.post(at(story), json=body, headers=lead)
    assert answer.status_code == 422
    assert field in answer.json["field"]
    assert not dispatches.of_incident(story.incident.id)


def test_reading_needs_the_right_to_read_and_acting_the_right_to_act(client, real, token_for):
    story = a_story(1, real=real)
    story.start()
    auditor = token_for(Role.AUDITOR)
    assert client.get(at(story, f"/{story.dispatch}"), headers=auditor).status_code == 200
    for act in ("pause", "go-on", "repeat"):
        assert client.post(at(story, f"/{story.dispatch}/{act}"), headers=auditor).status_code == 403
    assert client.get(at(story)).status_code == 401


def test_the_freeze_is_an_administrators_to_lift(client, real, token_for, lead):
    administrator = token_for(Role.ADMINISTRATOR)
    assert client.post("/api/v1/sending/freeze", headers=lead).status_code == 204
    assert client.get("/api/v1/sending", headers=administrator).json["frozen"] is True
    assert client.post("/api/v1/sending/release", headers=lead).status_code == 403
    assert client.post("/api/v1/sending/release", headers=administrator).status_code == 204
    assert client.get("/api/v1/sending", headers=administrator).json["frozen"] is False


def test_the_sandboxs_mailbox_can_be_listed_and_read_with_a_line_for_looking(client, app, lead, token_for):
    story = a_story(3, real={})
    story.start(only_sandbox=True)
    story.work()
    box = f"/api/v1/incidents/{story.incident.ref}/mailbox"
    first = client.get(f"{box}?limit=2", headers=lead).json
    rest = client.get(f"{box}?before={first['next']}", headers=lead).json
    assert [one["person"] for one in first["messages"] + rest["messages"]] == ["P-3", "P-2", "P-1"]
    mail = client.get(f"{box}/{rest['messages'][0]['ref']}", headers=lead).json
    assert mail["to"] == "person1@example.org"
    assert story.verbs()[-1] == "mailbox.read"
    assert client.get(f"{box}/{rest['messages'][0]['ref']}", headers=token_for(Role.AUDITOR)).status_code == 403
