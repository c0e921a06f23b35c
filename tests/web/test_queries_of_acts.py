"""What is done most asks the database no more than twelve times, with all that stands around a form: its key and its session."""

import pytest

from incident import clock
from incident.actions import people
from incident.domain.access import CASE_TEAM
from incident.store import incidents
from tests.builders import an_incident
from tests.record import verbs, verifies
from tests.statements import statements

MOST = 12
LOGGED = {
    "csrf_token": "of the page",
    "kind": "incident",
    "what_happened": "A list was sent to a stranger",
    "category": "misdirected",
    "personal_data": "yes",
    "aware_at": "2026-03-06T16:00",
    "zone": "UTC",
}


@pytest.fixture
def lead(as_):
    """Somebody who logs; what is made at first sight, such as the edition of the laws, is there."""
    browser = as_(*CASE_TEAM)
    assert browser.post("/incidents/log", data=LOGGED | {"title": "The first"}).status_code == 302
    return browser


def test_logging_an_incident_asks_no_more_than_twelve_times(lead):
    with statements() as asked:
        answer = lead.post("/incidents/log", data=LOGGED | {"title": "The second", "lead": lead.ref})
    assert answer.status_code == 302
    assert len(asked) <= MOST, asked
    logged = incidents.by_ref(answer.headers["Location"].rsplit("/", 1)[1])
    assert (logged.title, logged.category, logged.lead_id is None) == ("The second", "misdirected", False)
    assert verbs(logged.ref) == ["incident.opened", "facts.recorded", "grade.suggested", "findings.assessed"]
    assert verifies()


@pytest.mark.parametrize("sought", ["person@example.org", "nobody@example.org"])
def test_searching_for_a_person_in_every_incident_asks_no_more_than_twelve_times(lead, sought):
    for _ in range(3):
        ref = an_incident().ref
        for _ in range(2):
            people.add(ref, {"name": "Sam", "email": "person@example.org"}, actor=lead.ref, now=clock.now())
    with statements() as asked:
        answer = lead.post("/search/", data={"csrf_token": "of the page", "q": sought})
    assert answer.status_code == 200
    assert len(asked) <= MOST, asked
    assert verbs()[-4:].count("person.found") == (3 if sought == "person@example.org" else 0)
    assert "people.sought" in verbs()[-4:]
    assert verifies()
