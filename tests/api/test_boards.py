"""The board in numbers and the desks, for programs."""

import pytest

from incident.domain.access import Role
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from tests.actions.test_climbing import QUIET
from tests.actions.waves import SANDBOX, a_story, answering
from tests.builders import a_user
from tests.store.test_moves import a_fall


@pytest.fixture
def lead(token_for):
    return token_for(Role.LEAD)


def at(story, rest=""):
    return f"/api/v1/incidents/{story.incident.ref}/sendings/{rest}"


def test_the_board_says_who_stands_where_and_how_they_came_there(client, lead):
    story = a_fall()
    shown = client.get(at(story, f"{story.dispatch}/board"), headers=lead).json
    assert shown["moves"] == [
        {"origin": "email", "target": "sms", "people": 2},
        {"origin": "sms", "target": "letter", "people": 1},
    ]
    assert sum(one["people"] for one in shown["tally"]) == 3
    assert shown["setbacks"] == [
        {"channel": "email", "state": "failed", "reason": "address_refused", "attempts": 2},
        {"channel": "sms", "state": "failed", "reason": "number_invalid", "attempts": 1},
    ]
    assert shown["setbacks_whole"]
    assert [one["people"] for one in shown["ahead"]] == [0, 0, 0, 0, 0, 0, 0] or shown["first_step"]


def test_every_number_of_the_board_has_its_list(client, lead):
    story = a_fall()
    path = at(story, f"{story.dispatch}/deliveries")
    board = client.get(at(story, f"{story.dispatch}/board"), headers=lead).json
    for one in board["tally"]:
        asked = {name: one[name] for name in ("state", "channel", "language", "reason")}
        assert len(client.get(path, query_string=asked, headers=lead).json["deliveries"]) == one["people"], one
    for one in board["moves"]:
        asked = {"came_from": one["origin"], "channel": one["target"]}
        assert len(client.get(path, query_string=asked, headers=lead).json["deliveries"]) == one["people"], one
    for one in board["setbacks"]:
        asked = {"state": one["state"], "channel": one["channel"], "reason": one["reason"], "every": "true"}
        assert len(client.get(path, query_string=asked, headers=lead).json["deliveries"]) == one["attempts"], one


def test_those_in_doubt_are_decided_on_and_handed_over(client, app, monkeypatch, lead):
    channels = {"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost")), "sms": Memory("sms")}
    monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
    story, colleague = a_story(3, real=channels), a_user(Role.RESPONDER)
    story.start(pace=QUIET)
    story.work()
    care = {"to": colleague.ref, "people": 3}
    assert client.post(at(story, "desk/in_doubt/care"), json=care, headers=lead).json == {"people": 3}
    wrong = {"verdict": "sent", "people": 2, "reason": "it is in their log"}
    assert client.post(at(story, "desk/in_doubt/decide"), json=wrong, headers=lead).status_code == 422
    one = {"verdict": "sent", "people": 1, "reason": "it is in their log", "attempts": [story.rows()[0].ref]}
    assert client.post(at(story, "desk/in_doubt/decide"), json=one, headers=lead).json == {"people": 1, "left": 0}
    others = {"verdict": "again", "people": 2, "reason": "it is not in their log", "owner": colleague.ref}
    assert client.post(at(story, "desk/in_doubt/decide"), json=others, headers=lead).json == {"people": 2, "left": 0}
    assert story.counts() == {"accepted": 1, "waiting": 2}


def test_there_is_no_desk_for_those_who_were_told(client, lead):
    story = a_fall()
    given = {"verdict": "sent", "people": 1, "reason": "because"}
    assert client.post(at(story, "desk/accepted/decide"), json=given, headers=lead).status_code == 404
