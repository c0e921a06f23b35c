"""The bar at the top of every page says where in the program one is."""

import re

import pytest

from incident.domain.access import Role
from incident.web import frame
from tests.builders import an_incident

CURRENT = re.compile(r'<a href="([^"]+)"(?: data-go="\w")? aria-current="(\w+)">')


def marked(page: str) -> set[tuple[str, str]]:
    """Addresses in the bar that are said to be current, and as what."""
    return set(CURRENT.findall(page.split("<main")[0]))


@pytest.mark.parametrize(
    ("address", "entry", "as_what"),
    [
        ("/drills/", "/drills/", "page"),
        ("/team/alerts/", "/team/", "true"),
        ("/retention/", "/administration/", "true"),
        ("/lessons/", "/measures/", "true"),
        ("/enquiries/", "/", "true"),
        ("/vulnerabilities/new", "/vulnerabilities/", "true"),
    ],
)
def test_a_room_without_an_entry_of_its_own_is_marked_under_the_one_it_belongs_to(as_, address, entry, as_what):
    page = as_(Role.LEAD, Role.ADMINISTRATOR, Role.PRIVACY, Role.APPROVER, Role.RESPONDER).get(address).text
    assert marked(page) == {(entry, as_what)}


def test_every_page_of_an_incident_is_under_the_incidents(as_):
    lead = as_(Role.LEAD)
    ref = an_incident().ref
    for room in ("", "/duties/", "/record/", "/enquiries/"):
        assert marked(lead.get(f"/incidents/{ref}{room}").text) == {("/incidents/", "true")}


def test_every_room_that_belongs_to_an_entry_is_a_room(app):
    entries = {entry.room for entry in frame.NAVIGATION}
    assert entries >= set(frame.BELONGS.values())
    assert set(app.blueprints) >= set(frame.BELONGS)
