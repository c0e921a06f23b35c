"""The law library and the filters of duties, for programs."""

from datetime import timedelta

import pytest

from incident import clock
from incident.domain import lawbook
from incident.domain.access import Role
from incident.store import obligations as rows
from tests.builders import an_incident


@pytest.fixture
def incident(app):
    return an_incident(
        facts={
            "personal_data": True,
            "residents": {"DE": 500, "US-WA": 900},
            "role": "controller",
            "aware_at": (clock.now() - timedelta(hours=1)).isoformat(),
            "risk_to_people": "high",
            "data_kinds": ["name", "ssn"],
            "properties": ["confidentiality"],
            "encryption": "none",
        }
    )


def test_every_law_is_told_with_its_duties_clocks_and_citations(client, token_for):
    reply = client.get("/api/v1/laws", headers=token_for(Role.AUDITOR)).json
    assert {law["id"] for law in reply["laws"]} == set(lawbook.library().laws)
    assert reply["digest"] == lawbook.library().digest
    assert all(duty["clocks"] and duty["cite"]["place"] for law in reply["laws"] for duty in law["duties"])


def test_one_law_is_told_whole_and_an_unknown_one_is_not_found(client, token_for):
    header = token_for(Role.LEAD)
    told = client.get("/api/v1/laws/US-WA", headers=header).json
    (people,) = (duty for duty in told["duties"] if duty["id"] == "tell-people")
    assert people["channels"]
    assert people["substitute"][0]["by"]
    assert people["unless"]
    assert client.get("/api/v1/laws/XX", headers=header).status_code == 404


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("law=EU-GDPR", lambda one: one["law"] == "EU-GDPR"),
        ("place=US", lambda one: one["law"].startswith("US-")),
        ("to=individuals", lambda one: one["to"] == "individuals"),
        ("confidence=verified", lambda one: one["cite"]["confidence"] == "verified"),
        ("q=washington", lambda one: "Washington" in one["title"] or one["law"] == "US-WA"),
    ],
)
def test_the_filters_of_the_page_are_those_of_programs(client, token_for, incident, asked, holds):
    found = client.get(f"/api/v1/incidents/{incident.ref}/duties?{asked}&limit=100", headers=token_for(Role.LEAD)).json
    assert found["findings"]
    assert all(holds(one) for one in found["findings"])


def test_a_duty_tells_its_ways_grounds_and_exceptions(client, token_for, incident):
    ref = rows.current(incident.id)["US-WA/tell-people"].ref
    told = client.get(f"/api/v1/incidents/{incident.ref}/duties/{ref}", headers=token_for(Role.LEAD)).json["details"]
    assert told["ways"]
    assert told["instead"][0]["truth"] == "open"
    assert told["instead"][0]["wants"]
    assert {one["truth"] for one in told["exceptions"]} <= {"no", "open"}
