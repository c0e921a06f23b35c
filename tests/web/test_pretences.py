"""Where a drill is begun, what the sandbox pretends is asked for; where it shows, everybody stays simulated."""

import pytest

from incident.actions import pretending
from incident.domain.access import Role
from tests.actions.test_pretending import a_life, drill, live
from tests.actions.waves import a_story

pytestmark = pytest.mark.usefixtures("app")


def test_a_drill_can_be_begun_with_what_its_sandbox_pretends(as_):
    story = a_story(2, kind="drill", real={})
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/new/{story.notice}"
    page = lead.get(place).get_data(as_text=True)
    assert "Let the sandbox pretend" in page
    assert 'name="pretend" value="1" checked' not in page
    made = lead.post(
        place, data={"pretend": "1", "bounced": "100", "blocked": "0", "late_bounced": "0", "answered": "0"}
    )
    story.dispatch = made.location.rsplit("/", 1)[1]
    assert story.row().life["bounced"] == 100


def test_without_the_tick_nothing_is_pretended_and_wrong_shares_are_named_at_their_field(as_):
    story = a_story(2, kind="drill", real={})
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/new/{story.notice}"
    refused = lead.post(place, data={"pretend": "1", "bounced": "60", "answered": "60"})
    assert (refused.status_code, "more than 100 together" in refused.get_data(as_text=True)) == (422, True)
    made = lead.post(place, data={"bounced": "100"})
    story.dispatch = made.location.rsplit("/", 1)[1]
    assert story.row().life == {}


def test_a_real_incident_never_offers_it(as_):
    story = a_story(2, real={})
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/new/{story.notice}"
    assert "pretend" not in lead.get(place).get_data(as_text=True)
    made = lead.post(place, data={"pretend": "1", "bounced": "100"})
    story.dispatch = made.location.rsplit("/", 1)[1]
    assert story.row().life == {}


def test_board_mailbox_and_person_say_what_is_pretended_and_that_nobody_was_told(as_):
    story = drill(3, a_life(bounced=100), channels=("email",))
    live(story, minutes=15)
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending"
    board = lead.get(f"{place}/{story.dispatch}").get_data(as_text=True)
    assert "In this drill the sandbox pretends: 3 came back." in board
    assert "Nobody was told by this" in board
    assert "pretended: came back" in lead.get(f"{place}/mailbox/").get_data(as_text=True)
    one = lead.get(f"{place}/attempts/{story.rows()[0].ref}").get_data(as_text=True)
    assert "pretended: came back" in one
    assert "simulated" in one
    assert pretending.due(story.clock()) == []


def test_programs_ask_for_the_same_and_for_drills_alone(client, token_for):
    lead = token_for(Role.LEAD)
    story = a_story(1, kind="drill", real={})
    body = {"notice": story.notice, "life": {"seed": 5, "bounced": 50, "minutes": 1}}
    made = client.post(f"/api/v1/incidents/{story.incident.ref}/sendings", json=body, headers=lead)
    story.dispatch = made.json["ref"]
    assert (story.row().life["seed"], story.row().life["bounced"]) == (5, 50)
    real = a_story(1, real={})
    refused = client.post(
        f"/api/v1/incidents/{real.incident.ref}/sendings", json={"notice": real.notice, "life": {}}, headers=lead
    )
    assert refused.status_code == 409
