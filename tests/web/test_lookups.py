"""The button that asks a provider, and what it said, on the pages and for programs."""

import pytest

from incident.domain.access import Role
from notifiers.contract import Channels, Status
from tests.actions.test_lookups import in_doubt

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def opened(app, monkeypatch):
    """Opens the channels of a story for the pages, for one test."""

    def open_(story):
        monkeypatch.setitem(app.extensions, "channels", Channels(story.real, story.channels.sandbox))

    return open_


def test_the_button_settles_what_the_provider_has_and_says_what_it_lacks(opened, as_):
    story, phone = in_doubt(2)
    opened(story)
    phone.holds(phone.sent[0], "SM1", Status.ACCEPTED)
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/{story.dispatch}"
    assert "Ask the provider" in lead.get(f"{place}/people?state=in_doubt").get_data(as_text=True)
    said = lead.post(f"{place}/look-up", follow_redirects=True).get_data(as_text=True)
    assert "The provider has it: 1; the provider has nothing that fits: 1." in said
    assert story.counts() == {"accepted": 1, "in_doubt": 1}


def test_the_page_of_one_in_doubt_shows_every_answer(opened, as_):
    story, phone = in_doubt(1)
    opened(story)
    phone.trouble = "not_reached"
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/attempts/{story.rows()[0].ref}"
    lead.post(f"{place}/look-up")
    phone.trouble = ""
    lead.post(f"{place}/look-up")
    page = lead.get(place).get_data(as_text=True)
    assert "The provider could not say: it could not be reached" in page
    assert "The provider has nothing that fits" in page
    assert "no proof" in page


def test_who_may_not_settle_may_not_ask(opened, as_):
    story, phone = in_doubt(1)
    opened(story)
    place = f"/incidents/{story.incident.ref}/sending"
    for role in (Role.RESPONDER, Role.AUDITOR):
        assert as_(role).post(f"{place}/{story.dispatch}/look-up").status_code == 403
        assert as_(role).post(f"{place}/attempts/{story.rows()[0].ref}/look-up").status_code == 403
    assert phone.asked == []


def test_programs_ask_the_same(opened, client, token_for):
    story, phone = in_doubt(2)
    opened(story)
    phone.holds(phone.sent[0], "SM1")
    lead = token_for(Role.LEAD)
    place = f"/api/v1/incidents/{story.incident.ref}/sendings"
    asked = client.post(f"{place}/{story.dispatch}/look-up", headers=lead)
    assert asked.json == {"found": 1, "none": 1, "unclear": 0, "unanswered": 0}
    told, left = story.rows()
    [one] = client.get(f"{place}/attempts/{told.ref}/look-ups", headers=lead).json["lookups"]
    assert (one["verdict"], one["provider_id"], one["status"]) == ("found", "SM1", "delivered")
    assert client.post(f"{place}/attempts/{told.ref}/look-up", headers=lead).status_code == 409
    assert client.post(f"{place}/attempts/{left.ref}/look-up", headers=lead).json["none"] == 1


def test_where_nobody_can_be_asked_there_is_no_button(opened, as_):
    story, _ = in_doubt(1)
    story.real.clear()
    opened(story)
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending/{story.dispatch}"
    assert "Ask the provider" not in lead.get(f"{place}/people?state=in_doubt").get_data(as_text=True)
    assert lead.post(f"{place}/look-up").status_code == 409
