"""What if: both sides stand beside each other, nothing is kept, and what holds is recorded after a confirmation."""

import html
import re
from datetime import timedelta

import pytest

from incident import clock
from incident.domain.access import Role
from incident.store import audit, incidents
from incident.store import obligations as rows
from tests.builders import an_incident

ART33 = "EU-GDPR/tell-authority"


@pytest.fixture
def incident(app):
    aware = (clock.now() - timedelta(hours=2)).isoformat()
    return an_incident(
        facts={
            "personal_data": True,
            "residents": {"DE": 500},
            "role": "controller",
            "aware_at": aware,
            "risk_to_people": "high",
        }
    )


def suppose(browser, incident, *keys, **form):
    return browser.post(f"/incidents/{incident.ref}/duties/what-if/", data={"fact": list(keys), **form})


def passed(text):
    return html.unescape(re.search(r'name="facts" value="([^"]*)"', text)[1])


def test_the_page_starts_with_the_questions_that_decide_most(as_, incident):
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/duties/what-if/").text
    assert 'name="fact"' in text
    assert "nothing is kept" in text


def test_the_page_takes_the_facts_that_the_address_names(as_, incident):
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/duties/what-if/?fact=risk_to_people&fact=nonsense").text
    assert 'name="fact" value="risk_to_people"' in text
    assert "nonsense" not in text


def test_both_sides_stand_beside_each_other_and_nothing_is_kept(as_, incident):
    browser, lines = as_(Role.LEAD), len(audit.timeline(incident.ref, limit=500))
    reply = suppose(browser, incident, "risk_to_people", risk_to_people="unlikely")
    difference = reply.text.split('id="difference"')[1]
    assert "Would no longer be owed" in difference
    assert "Report to the supervisory authority" in difference
    assert "not owed" in difference
    assert rows.current(incident.id)[ART33].standing == "owed"
    assert incidents.current_facts(incident.id)["risk_to_people"].value == "high"
    assert len(audit.timeline(incident.ref, limit=500)) == lines


def test_a_fact_may_be_supposed_to_be_unknown(as_, incident):
    reply = suppose(as_(Role.LEAD), incident, "risk_to_people", risk_to_people="unknown")
    assert "Would be open" in reply.text


def test_what_is_known_already_changes_nothing(as_, incident):
    reply = suppose(as_(Role.LEAD), incident, "risk_to_people", risk_to_people="high")
    assert "This is what is known already" in reply.text
    assert "Record these as facts" not in reply.text


def test_more_facts_are_added_and_left_out_and_what_was_typed_stays(as_, incident):
    browser = as_(Role.LEAD)
    text = suppose(browser, incident, "risk_to_people", risk_to_people="risk", more="minors", add="1").text
    assert 'name="fact" value="minors"' in text
    assert re.search(r'value="risk" checked', text)
    text = suppose(browser, incident, "risk_to_people", "minors", drop="minors").text
    assert 'name="fact" value="minors"' not in text


def test_a_mistake_is_said_at_its_field(as_, incident):
    reply = suppose(as_(Role.LEAD), incident, "people_count", people_count="lots")
    assert reply.status_code == 422
    assert "whole number" in reply.text
    assert suppose(as_(Role.LEAD), incident, "minors").status_code == 422


def test_what_was_supposed_is_recorded_after_a_confirmation(as_, incident):
    browser = as_(Role.LEAD)
    text = suppose(browser, incident, "risk_to_people", "role", risk_to_people="unlikely", role="controller").text
    assert passed(text) == '{"risk_to_people": "unlikely"}'
    reply = browser.post(
        f"/incidents/{incident.ref}/duties/what-if/record",
        data={"facts": passed(text), "source": "counsel", "confidence": "high"},
        follow_redirects=True,
    )
    assert "no longer owed" in reply.text
    assert rows.current(incident.id)[ART33].standing == "not_owed"
    assert incidents.current_facts(incident.id)["risk_to_people"].source == "counsel"
    assert incidents.current_facts(incident.id)["role"].source == "a test"


@pytest.mark.parametrize("broken", ["", "{", "[]", '"x"', '{"no_such_fact": 1}', '{"minors": "perhaps"}'])
def test_what_does_not_arrive_whole_is_refused(as_, incident, broken):
    reply = as_(Role.LEAD).post(f"/incidents/{incident.ref}/duties/what-if/record", data={"facts": broken})
    assert reply.status_code == 422
    assert incidents.current_facts(incident.id)["risk_to_people"].value == "high"


def test_an_auditor_supposes_and_records_nothing(as_, incident):
    browser = as_(Role.AUDITOR)
    reply = suppose(browser, incident, "risk_to_people", risk_to_people="unlikely")
    assert reply.status_code == 200
    assert "Record these as facts" not in reply.text
    assert browser.post(f"/incidents/{incident.ref}/duties/what-if/record", data={"facts": "{}"}).status_code == 403
