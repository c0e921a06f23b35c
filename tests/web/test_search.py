"""The field in the bar finds what its reader may know of, people by an exact address alone, and tells nothing of the rest."""

import pytest

from incident import clock
from incident.actions import members, people
from incident.domain import search as rules
from incident.domain.access import Role
from incident.store import audit
from tests.builders import a_notice, an_incident

JO = {"name": "Jo Example", "email": "jo@example.org", "place": "DE", "exposed": "email"}


def a_person(incident, given=JO):
    return people.add(incident.ref, given, actor="U-1", now=clock.now())


def page(browser, text, **more):
    return browser.post("/search/", data={"q": text} | more, follow_redirects=True)


def test_words_of_a_title_lead_to_the_incident(as_):
    found, other = an_incident(title="Lost backup tape"), an_incident(title="Phished mailbox")
    said = page(as_(Role.LEAD), "backup").text
    assert found.ref in said
    assert other.ref not in said


def test_an_exact_reference_opens_the_thing_itself(as_):
    incident = an_incident()
    notice = a_notice(incident)
    lead = as_(Role.LEAD)
    assert lead.post("/search/", data={"q": incident.ref.lower()}).location == f"/incidents/{incident.ref}"
    assert lead.post("/search/", data={"q": notice}).location == f"/incidents/{incident.ref}/notices/{notice}"


def test_a_duty_and_a_notice_are_found_by_their_titles(as_):
    facts = {"personal_data": True, "role": "controller", "establishments": ["DE"], "residents": {"DE": 10},
             "risk_to_people": "high", "aware_at": "2026-01-02T08:00:00Z"}  # fmt: skip
    incident = an_incident(title="Tape", facts=facts)
    a_notice(incident)
    reader = as_(Role.PRIVACY)
    assert "Report to the supervisory authority" in page(reader, "supervisory").text
    assert "Account holders, first wave" in page(reader, "first wave").text


def test_a_restricted_incident_is_found_by_its_members_alone(as_):
    lead, stranger = as_(Role.LEAD), as_(Role.LEAD)
    incident = an_incident(title="Unspoken")
    a_person(incident)
    members.restrict(incident.ref, actor=lead.ref, now=clock.now())
    for text in ("unspoken", incident.ref, "jo@example.org"):
        assert f"/incidents/{incident.ref}" in page(lead, text).text + str(
            lead.post("/search/", data={"q": text}).location
        )
        answer = page(stranger, text)
        assert f"/incidents/{incident.ref}" not in answer.text


def test_a_person_is_found_by_a_whole_address_in_every_incident_and_shown_masked(as_):
    refs = []
    for _ in range(2):
        incident = an_incident()
        a_person(incident)
        refs.append(incident.ref)
    said = page(as_(Role.PRIVACY), " JO@example.org ").text
    assert all(ref in said for ref in refs)
    assert "Jo Example" not in said
    assert "jo@example.org" not in said.lower()


@pytest.mark.parametrize("near", ["jo@example.com", "o@example.org", "jo@example.or"])
def test_an_address_that_is_nearly_right_finds_nobody(as_, near):
    a_person(an_incident())
    assert "Nobody on a list you may see has exactly this." in page(as_(Role.PRIVACY), near).text


def test_an_address_goes_into_no_address_of_a_page_and_no_line(as_):
    incident = an_incident()
    a_person(incident)
    answer = as_(Role.PRIVACY).post("/search/", data={"q": "jo@example.org"})
    assert answer.location is None
    lines = audit.search(verb="people.sought", limit=5) + audit.search(verb="person.found", limit=5)
    assert [(line.verb, line.incident) for line in lines] == [("people.sought", None), ("person.found", incident.ref)]
    assert all("example" not in line.details for line in lines)


def test_an_address_in_the_address_of_a_page_is_searched_for_by_nobody(as_):
    a_person(an_incident())
    said = as_(Role.PRIVACY).get("/search/?q=jo@example.org").text
    assert "from the field alone" in said
    assert audit.search(verb="people.sought", limit=1) == []


def test_a_reference_of_our_own_is_looked_for_among_people_when_that_is_asked_for(as_):
    incident = an_incident()
    a_person(incident, JO | {"reference": "C-1024"})
    reader = as_(Role.PRIVACY)
    assert "Nobody was looked for among the people" in page(reader, "C-1024").text
    assert f"/incidents/{incident.ref}/people/P-1" in page(reader, "C-1024", people="yes").text


def test_an_administrator_finds_no_incident(as_):
    an_incident(title="Lost tape")
    assert as_(Role.ADMINISTRATOR).post("/search/", data={"q": "tape"}).status_code == 403


@pytest.mark.parametrize("text", ["jo@example.org", "+49 30 5550100", "(030) 555-0100", "0305550100"])
def test_what_is_shaped_like_a_contact_is_one(text):
    assert rules.is_contact(text)


@pytest.mark.parametrize("text", ["INC-2026-0007", "backup 2026", "tape", "72 h", "N-7K3MXW2Q"])
def test_what_is_not_goes_among_the_titles(text):
    assert not rules.is_contact(text)


def test_programs_search_as_pages_do(client, token_for):
    incident = an_incident(title="Lost backup tape")
    a_person(incident)
    asked = token_for(Role.PRIVACY)
    found = client.get("/api/v1/search?q=backup", headers=asked).json
    assert [one["ref"] for one in found["incidents"]] == [incident.ref]
    who = client.post("/api/v1/search/people", json={"find": "jo@example.org"}, headers=asked).json
    assert [(one["incident"], one["ref"]) for one in who["people"]] == [(incident.ref, "P-1")]
    assert "Jo Example" not in str(who)


def test_programs_are_told_where_an_address_belongs(client, token_for):
    answer = client.get("/api/v1/search?q=jo@example.org", headers=token_for(Role.PRIVACY))
    assert answer.status_code == 422
    assert "/api/v1/search/people" in answer.text
