"""The pages say who fell out of a correction, before it begins and after."""

import pytest

from incident.domain.access import Role
from incident.store import dispatches
from incident.store.db import db
from tests.actions.test_followups import comes_back, corrected, sending_of, sent

pytestmark = pytest.mark.usefixtures("app")


def test_who_was_left_out_is_said_before_and_named_after(as_, client, token_for):
    story = sent(3)
    ref = corrected(story)
    comes_back(story, 2)
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/sending"
    assert "1 of the people this was approved for" in lead.get(f"{place}/new/{ref}").get_data(as_text=True)
    other = sending_of(story, ref).dispatch
    assert "left out" in lead.get(f"{place}/{other}").get_data(as_text=True)
    page = lead.get(f"{place}/{other}/left-out").get_data(as_text=True)
    assert "Person P-2" in page
    assert "Person P-1" not in page
    assert lead.get(f"{place}/{other}/left-out.csv").get_data(as_text=True).split() == ["person", "P-2"]
    api = f"/api/v1/incidents/{story.incident.ref}/sendings/{other}/left-out"
    assert client.get(api, headers=token_for(Role.LEAD)).json == {"people": ["P-2"]}


def test_of_any_other_sending_nobody_was_left_out(as_):
    story = sent(1)
    place = f"/incidents/{story.incident.ref}/sending"
    assert "Nobody was left out" in as_(Role.LEAD).get(f"{place}/{story.dispatch}/left-out").get_data(as_text=True)
    assert "left out" not in as_(Role.LEAD).get(f"{place}/{story.dispatch}").get_data(as_text=True)
    db.session.rollback()
    assert dispatches.anywhere(story.dispatch).left_out == 0
    assert as_(Role.LEAD).get(f"{place}/S-NOTHERE0/left-out").status_code == 404
