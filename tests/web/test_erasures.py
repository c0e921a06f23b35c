"""The pages of keeping and erasing, and the same by the API: who may, what is asked, what one gets."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from incident import clock, work
from incident.actions import keeping, members, people
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.store import sealed
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_user, an_incident


@pytest.fixture
def incident(app):
    found = an_incident()
    for name in ("Ann", "Bo"):
        people.add(found.ref, {"name": name, "email": f"{name}@example.org"}, actor="U-1", now=clock.now())
    return found


@pytest.fixture
def by_two(app):
    settings = app.extensions["settings"]
    app.extensions["settings"] = settings.model_copy(update={"erasing_by_two": True})
    yield
    app.extensions["settings"] = settings


def at(incident, rest=""):
    return f"/incidents/{incident.ref}/erasures/{rest}"


def test_an_empty_page_says_what_to_do_and_offers_each_only_what_they_may(incident, as_):
    page = as_(Role.PRIVACY).get(at(incident)).text
    assert "Nothing of this incident was erased." in page
    assert "Erase the incident" in page
    assert "Place the hold" in page
    page = as_(Role.RESPONDER).get(at(incident)).text
    assert "Erase the incident" not in page
    assert "Place the hold" not in page


def test_all_of_an_incident_is_erased_by_its_typed_reference_and_the_certificate_is_there(incident, as_):
    privacy = as_(Role.PRIVACY)
    wrong = privacy.post(at(incident), data={"confirm": "INC", "why": "request"})
    assert (wrong.status_code, f"Type the reference {incident.ref}" in wrong.text) == (422, True)
    assert privacy.post(at(incident), data={"confirm": incident.ref, "why": ""}).status_code == 422
    done = privacy.post(at(incident), data={"confirm": incident.ref, "why": "purpose"}, follow_redirects=True)
    assert "Erased for good." in done.text
    ref = db.session.scalar(text("SELECT ref FROM erasure"))
    pdf = as_(Role.AUDITOR).get(at(incident, f"{ref}/certificate.pdf"))
    kept = as_(Role.AUDITOR).get(at(incident, f"{ref}/certificate.json"))
    assert pdf.data.startswith(b"%PDF-")
    assert json.loads(kept.data)["body"]["incident"] == incident.ref
    assert privacy.get(at(incident, f"{ref}/certificate.exe")).status_code == 404
    assert ref in privacy.get(at(incident, "erasures.csv")).text
    for page in (
        "",
        "facts",
        "people/",
        "closing/",
        "timeline",
        "evidence",
        "reports/",
        "notices/",
        "grades/",
        "record",
    ):
        assert privacy.get(f"/incidents/{incident.ref}/{page}").status_code in {200, 308, 404, 409}, page
    assert privacy.get(f"/incidents/{incident.ref}").status_code == 200


def test_the_second_person_types_it_too_and_the_first_cannot(incident, as_, by_two):
    first, second = as_(Role.PRIVACY), as_(Role.LEAD)
    data = {"confirm": "P-1", "why": "request"}
    said = first.post(f"/incidents/{incident.ref}/people/P-1/erase", data=data, follow_redirects=True).text
    assert "A second person has to agree" in said
    ref = db.session.scalar(text("SELECT ref FROM erasure"))
    assert first.post(at(incident, f"{ref}/agree"), data={"confirm": "P-1"}).status_code == 409
    assert as_(Role.RESPONDER).post(at(incident, f"{ref}/agree"), data={"confirm": "P-1"}).status_code == 403
    assert second.post(at(incident, f"{ref}/agree"), data={"confirm": "P-2"}).status_code == 422
    assert second.post(at(incident, f"{ref}/agree"), data={"confirm": "P-1"}).status_code == 302
    assert people.one(incident.ref, "P-1").state == "erased"


def test_a_hold_is_placed_shown_where_somebody_would_erase_and_lifted(incident, as_):
    lead, privacy = as_(Role.LEAD), as_(Role.PRIVACY)
    assert lead.post(at(incident, "hold"), data={"reason": "no"}).status_code == 422
    lead.post(at(incident, "hold"), data={"reason": "Claim 12 O 7/26 is pending."})
    assert "Claim 12 O 7/26 is pending." in privacy.get(at(incident)).text
    stopped = privacy.post(at(incident), data={"confirm": incident.ref, "why": "purpose"})
    assert (stopped.status_code, "12 O 7/26" in stopped.text) == (409, True)
    assert lead.post(at(incident, "lift"), data={"lifted_why": "It was withdrawn."}).status_code == 403
    assert privacy.post(at(incident, "lift"), data={"lifted_why": "It was withdrawn."}).status_code == 302
    assert "It was withdrawn." in privacy.get(at(incident)).text


def closed(ref):
    with transaction("U-1", clock.now()) as ledger:
        row = db.session.scalars(select(Incident).where(Incident.ref == ref)).one()
        row.state, row.closed_at = "closed", clock.now() - timedelta(days=40)
        ledger.write("incident.closed", ref, incident=ref)


def test_days_are_shown_with_what_they_would_take_before_they_are_set(incident, as_):
    closed(incident.ref)
    privacy = as_(Role.PRIVACY)
    assert "Nothing goes by itself." in privacy.get("/retention/").text
    trial = privacy.get("/retention/?incident=30").text
    assert incident.ref in trial
    assert "at once" in trial
    assert "Set these rules" in trial
    assert keeping.days_now()["incident"] is None
    assert privacy.get("/retention/?incident=soon").status_code == 422
    assert as_(Role.LEAD).post("/retention/", data={"incident": "30"}).status_code == 403
    assert privacy.post("/retention/", data={"incident": "30"}).status_code == 302
    assert incident.ref in privacy.get("/retention/going.csv").text
    assert [work.do("data.retention", reference) for reference in keeping.due(clock.now())] == [1]
    assert sealed.is_erased(incident.id)
    assert "the rule of retention" in privacy.get(at(incident)).text


def test_nobody_learns_of_a_restricted_incident_by_what_goes(incident, as_):
    closed(incident.ref)
    lead = a_user(Role.LEAD)
    db.session.execute(text("UPDATE incident SET state = 'open'"))
    db.session.commit()
    members.restrict(incident.ref, actor=lead.ref, now=clock.now())
    closed(incident.ref)
    assert incident.ref not in as_(Role.PRIVACY).get("/retention/?incident=30").text
    assert incident.ref in as_(user=lead).get("/retention/?incident=30").text


def test_the_api_does_the_same(incident, client, token_for, app):
    privacy, lead, auditor = token_for(Role.PRIVACY), token_for(Role.LEAD), token_for(Role.AUDITOR)
    path = f"/api/v1/incidents/{incident.ref}/erasures"
    placed = client.post(f"{path}/holds", json={"reason": "A court wants it kept."}, headers=lead)
    assert placed.status_code == 201
    body = {"person": "P-1", "confirm": "P-1", "why": "request"}
    assert client.post(path, json=body, headers=privacy).status_code == 409
    assert client.get(f"{path}/holds", headers=auditor).json["stands"] is True
    assert client.post(f"{path}/holds/lift", json={"reason": "It is over now."}, headers=privacy).status_code == 204
    assert client.post(path, json=body | {"confirm": "P-2"}, headers=privacy).json["field"] == "confirm"
    done = client.post(path, json=body, headers=privacy)
    assert (done.status_code, done.json["done"], done.json["people"]) == (201, True, 1)
    [told] = client.get(path, headers=auditor).json["erasures"]
    assert (told["person"], told["state"], told["ref"]) == ("P-1", "done", done.json["ref"])
    kept = client.get(f"{path}/{told['ref']}/certificate/json", headers=auditor)
    assert json.loads(kept.data)["body"]["person"] == "P-1"
    assert client.patch("/api/v1/retention", json={"drill": 30}, headers=privacy).json == {"changed": ["drill"]}
    assert client.get("/api/v1/retention", headers=auditor).json["drill"] == 30
    assert client.get("/api/v1/retention/going?incident=30", headers=auditor).json == {"going": []}
    assert client.patch("/api/v1/retention", json={"drill": 0}, headers=privacy).status_code == 422


def test_where_two_have_to_agree_a_program_asks_too(incident, client, token_for, by_two):
    privacy, lead = token_for(Role.PRIVACY), token_for(Role.LEAD)
    path = f"/api/v1/incidents/{incident.ref}"
    assert client.delete(f"{path}/people/P-1", headers=privacy).status_code == 409
    asked = client.post(
        f"{path}/erasures", json={"person": "P-1", "confirm": "P-1", "why": "request"}, headers=privacy
    ).json
    assert asked["done"] is False
    refused = client.post(f"{path}/erasures/{asked['ref']}/decline", headers=lead)
    assert refused.status_code == 204
    assert people.one(incident.ref, "P-1").state == "active"
