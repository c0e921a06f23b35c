"""The register of vulnerabilities: described, scored, linked, and opened as an incident when exploited."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import members, particulars, tip_triage, vulnerabilities
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.domain.stale import Stale, seen_mark
from incident.domain.tips import Kind
from incident.settings import Settings
from incident.store import incidents, obligations
from incident.store import vulnerabilities as rows
from incident.store.db import db
from tests.builders import an_incident
from tests.record import lines
from tests.tips import a_report, the_tip

HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
CRITICAL = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
WHO = "U-0TEST000"


def recorded(**given: object) -> str:
    return vulnerabilities.record({"title": "Orders can be read by others", **given}, actor=WHO, now=clock.now())


def test_one_is_scored_by_both_standards_and_the_newer_one_gives_its_level(app):
    row = rows.by_ref(recorded(vector3=HIGH, vector4=CRITICAL))
    assert (row.score3, row.score4, row.level) == (7.5, 9.3, "critical")
    assert rows.by_ref(recorded(vector3=HIGH)).level == "high"
    assert rows.by_ref(recorded()).level == ""


def test_what_is_written_about_it_is_sealed(app):
    ref = recorded(details="Ask for /orders/2 with the cookie of another.")
    assert rows.details(rows.by_ref(ref)) == "Ask for /orders/2 with the cookie of another."
    assert b"cookie" not in db.session.execute(text("SELECT sealed FROM vulnerability")).scalar()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"cve": "2026-1"}, "cve"),
        ({"state": "lost"}, "state"),
        ({"exploited": "perhaps"}, "exploited"),
        ({"exploited": "yes"}, "exploited_known_at"),
        ({"vector3": CRITICAL}, "vector3"),
        ({"vector4": "CVSS:4.0/AV:N"}, "vector4"),
        ({"reported_at": datetime(2199, 1, 1, tzinfo=UTC)}, "reported_at"),
    ],
)
def test_bad_words_are_refused_at_their_field_and_nothing_is_kept(app, given, field):
    with pytest.raises(Invalid) as refused:
        recorded(**given)
    assert refused.value.field == field
    assert not rows.page()


def test_an_exploited_one_becomes_an_incident_whose_duties_are_those_of_the_cyber_resilience_act(app):
    known = clock.now().replace(microsecond=0) - timedelta(hours=3)
    ref = recorded(exploited="yes", exploited_known_at=known, product="Shop 4", vector3=HIGH)
    house = particulars.own_facts(Settings(company_places="DE", company_kinds="product_manufacturer"))
    made = vulnerabilities.open_incident(ref, house=house, actor=WHO, now=clock.now())
    incident = incidents.by_ref(made)
    facts = incidents.current_facts(incident.id)
    assert facts["actively_exploited"].value is True
    assert facts["systems"].value == ["Shop 4"]
    found = obligations.current(incident.id)
    early = next(row for key, row in found.items() if key.startswith("EU-CRA") and "early" in key)
    assert early.due_at == known + timedelta(hours=24)
    assert [one.ref for one in rows.of_incident(incident.id)] == [ref]
    assert lines()[-1].verb == "vulnerability.linked"


def test_the_facts_of_an_incident_name_its_vulnerabilities_to_who_may_see_them(as_):
    ref, incident = recorded(vector4=CRITICAL), an_incident()
    vulnerabilities.link(ref, incident.ref, actor=WHO, now=clock.now())
    page = as_(Role.RESPONDER).get(f"/incidents/{incident.ref}/facts").text
    assert f'href="/vulnerabilities/{ref}"' in page
    assert "CVSS 9.3 critical" in page


def test_one_that_nobody_exploits_opens_nothing(app):
    with pytest.raises(Refused):
        vulnerabilities.open_incident(recorded(), house=None, actor=WHO, now=clock.now())


def test_a_change_over_an_older_page_is_refused(app):
    ref = recorded()
    with pytest.raises(Stale):
        vulnerabilities.change(ref, {"title": "Other"}, seen=seen_mark("before"), actor=WHO, now=clock.now())


def test_incidents_are_linked_and_unlinked_each_with_its_line(app):
    ref, incident = recorded(), an_incident()
    vulnerabilities.link(ref, incident.ref, actor=WHO, now=clock.now())
    vulnerabilities.link(ref, incident.ref, actor=WHO, now=clock.now())
    vulnerabilities.unlink(ref, incident.ref, actor=WHO, now=clock.now())
    assert [line.verb for line in lines()][-2:] == ["vulnerability.linked", "vulnerability.unlinked"]


def test_the_pages_keep_what_was_typed_and_say_what_is_wrong(as_):
    browser = as_(Role.RESPONDER)
    answer = browser.post("/vulnerabilities/", data={"title": "Orders", "vector4": "nonsense", "details": "Words kept"})
    assert answer.status_code == 422
    assert "Words kept" in answer.text
    assert "CVSS:4" in answer.text
    made = browser.post(
        "/vulnerabilities/", data={"title": "Orders", "vector4": CRITICAL, "reported_at": "2026-01-02T10:00"}
    )
    page = browser.get(made.headers["Location"]).text
    assert "CVSS 9.3 critical" in page
    assert "Orders" in browser.get("/vulnerabilities/?state=reported").text
    assert "No vulnerability fits." in browser.get("/vulnerabilities/?state=fixed").text
    assert "CVSS:4.0" not in browser.get("/vulnerabilities/vulnerabilities.csv").text


def test_nobody_learns_of_a_restricted_incident_by_a_vulnerability(as_, client, token_for):
    ref, incident = recorded(), an_incident(title="Unspoken")
    vulnerabilities.link(ref, incident.ref, actor=WHO, now=clock.now())
    members.restrict(incident.ref, actor=WHO, now=clock.now())
    browser = as_(Role.LEAD)
    assert "Unspoken" not in browser.get(f"/vulnerabilities/{ref}").text
    assert browser.post(f"/vulnerabilities/{ref}/incidents", data={"incident": incident.ref}).status_code == 422
    headers = token_for(Role.LEAD)
    assert client.get(f"/api/v1/vulnerabilities/{ref}", headers=headers).json["incidents"] == []
    assert client.put(f"/api/v1/vulnerabilities/{ref}/incidents/{incident.ref}", headers=headers).status_code == 404


def test_programs_keep_the_register_too(client, token_for):
    headers = token_for(Role.PRIVACY)
    made = client.post("/api/v1/vulnerabilities/", json={"title": "Orders", "cve": "cve-2026-12345"}, headers=headers)
    ref = made.json["ref"]
    assert client.get(f"/api/v1/vulnerabilities/{ref}", headers=headers).json["cve"] == "CVE-2026-12345"
    changed = {"title": "Orders", "state": "fixed", "fix_available_at": "2026-03-10T12:00:00Z"}
    assert client.put(f"/api/v1/vulnerabilities/{ref}", json=changed, headers=headers).status_code == 204
    (row,) = client.get("/api/v1/vulnerabilities/?state=fixed", headers=headers).json["vulnerabilities"]
    assert row["fix_available_at"] == "2026-03-10T12:00:00Z"
    assert client.post(f"/api/v1/vulnerabilities/{ref}/open", headers=headers).status_code == 409


@pytest.fixture
def reported(app):
    """A report from outside about a vulnerability, with a vector and a name."""
    folder = app.extensions["settings"].instance / "files"
    said = {"what": "Order 2 opens with my cookie", "where": "Shop 4", "vector": HIGH, "exploited": "yes"}
    return a_report(Kind.VULNERABILITY, folder=folder, who="Rea Searcher", email="rea@example.org", **said).ref


def test_a_report_becomes_an_entry_by_one_press_and_each_leads_to_the_other(as_, reported):
    lead = as_(Role.LEAD)
    form = lead.get(f"/reported/{reported}").text
    assert f'action="/reported/{reported}/vulnerability"' in form
    where = lead.post(f"/reported/{reported}/vulnerability", data={"vulnerability": "Orders can be read"}).location
    row = rows.by_ref(where.rpartition("/")[2])
    assert (row.title, row.vector3, row.score3, row.reported_at) == (
        "Orders can be read", HIGH, 7.5, the_tip(reported).received_at,
    )  # fmt: skip
    details = rows.details(row)
    assert "Order 2 opens with my cookie" in details
    assert "Actively exploited, as reported: yes" in details
    assert "Rea" not in details + row.title
    assert row.exploited == "unknown"
    assert f'href="/reported/{reported}"' in lead.get(where).text
    assert f'href="{where}"' in lead.get(f"/reported/{reported}").text
    assert the_tip(reported).state == "in_hand"
    assert "vulnerability.reported" in {line.verb for line in lines()}


def test_a_second_report_of_the_same_is_put_to_the_entry_that_is_there(app, as_, reported):
    lead, ref = as_(Role.LEAD), recorded()
    assert lead.post(f"/reported/{reported}/vulnerability", data={"existing": "V-NONE"}).status_code == 422
    assert lead.post(f"/reported/{reported}/vulnerability", data={"existing": ref.lower()}).status_code == 302
    lead.post(f"/reported/{reported}/vulnerability", data={"existing": ref})
    assert [one.ref for one in rows.of_tip(the_tip(reported).id)] == [ref]
    assert [line.verb for line in lines() if line.verb == "vulnerability.reported"] == ["vulnerability.reported"]


def test_the_incident_of_a_report_is_linked_along(app, reported):
    incident = an_incident()
    tip_triage.join(reported, incident.ref, [], actor=WHO, now=clock.now())
    ref = vulnerabilities.register(reported, actor=WHO, now=clock.now())
    assert [one.ref for one in rows.of_incident(incident.id)] == [ref]
    assert rows.by_ref(ref).title == f"Reported vulnerability ({reported})"


def test_a_report_of_something_else_is_not_put_on_the_register(app):
    other = a_report(Kind.LEAK, folder=app.extensions["settings"].instance / "files").ref
    with pytest.raises(Refused, match="not about a vulnerability"):
        vulnerabilities.register(other, actor=WHO, now=clock.now())
    assert not rows.page()


def test_programs_register_reports_too(app, token_for, reported):
    browser, lead = app.test_client(), token_for(Role.LEAD)
    made = browser.post(f"/api/v1/reported/{reported}/vulnerability", json={"title": "Orders"}, headers=lead)
    assert made.status_code == 201
    sheet = browser.get(f"/api/v1/vulnerabilities/{made.json['ref']}", headers=lead).json
    assert (sheet["reports"], sheet["title"]) == ([reported], "Orders")
