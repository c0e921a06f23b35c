"""The list of newsrooms and the page on which a notice is handed to them, for people and for programs."""

import pytest

from incident import work
from incident.actions.notices import approved_version
from incident.domain.access import Role
from incident.store import outlets as rows
from incident.store.db import db
from tests.actions.test_media_copies import a_newsroom, a_statement
from tests.actions.test_public_tasks import INSTEAD, PATIENTS
from tests.builders import an_incident

FORM = {"name": "The <b>Herald</b>", "places": "us-tx; US-OK", "language": "en", "email": "news@herald.example.org"}


@pytest.fixture
def incident(app):
    return an_incident(facts={"data_kinds": ["email"], "residents": {"US-TX": 600}})


def test_a_newsroom_is_put_on_the_list_and_taken_off(app, as_):
    lead = as_(Role.COMMUNICATIONS)
    assert "No newsroom is on the list yet" in lead.get("/newsrooms/").get_data(as_text=True)
    assert lead.post("/newsrooms/", data=FORM).status_code == 302
    page = lead.get("/newsrooms/").get_data(as_text=True)
    assert "The &lt;b&gt;Herald&lt;/b&gt;" in page
    assert "US-TX, US-OK" in page
    [row] = rows.kept()
    assert row.ref in lead.get("/newsrooms/newsrooms.csv").get_data(as_text=True)
    assert lead.post(f"/newsrooms/{row.ref}/remove").status_code == 302
    assert "No newsroom" in lead.get("/newsrooms/").get_data(as_text=True)


def test_a_mistake_keeps_what_was_typed_and_names_its_field(app, as_):
    reply = as_(Role.LEAD).post("/newsrooms/", data=FORM | {"places": "nowhere"})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 422
    assert "is no place we know" in page
    assert 'value="news@herald.example.org"' in page


def test_who_only_reads_sees_the_list_and_no_form(app, as_):
    auditor = as_(Role.AUDITOR)
    assert "Put a newsroom" not in auditor.get("/newsrooms/").get_data(as_text=True)
    assert auditor.post("/newsrooms/", data=FORM).status_code == 403
    assert as_(Role.ADMINISTRATOR).get("/newsrooms/").status_code == 403


def test_the_page_says_which_newsrooms_serve_the_people_and_hands_it_over_once(app, incident, as_):
    near, far = a_newsroom(), a_newsroom("Far Away Times", places=["JP"])
    ref, lead = a_statement(incident), as_(Role.LEAD)
    path = f"/incidents/{incident.ref}/notices/{ref}/newsrooms/"
    page = lead.get(path).get_data(as_text=True)
    assert page.count("where people of this incident live") == 1
    data = {"outlets": [near], "way": "email", "digest": approved_version(ref).digest}
    assert lead.post(path, data=data).status_code == 302
    work.once()
    db.session.rollback()
    page = lead.get(path).get_data(as_text=True)
    assert "simulated: nobody was told" in page
    assert "has it, or it is on its way" in page
    assert lead.post(path, data=data).status_code == 409
    table = lead.get(f"{path}newsrooms.csv").get_data(as_text=True)
    assert near in table
    assert far not in table


def test_on_paper_the_print_file_can_be_had_and_handing_over_is_said(app, incident, as_):
    newsroom, ref, lead = a_newsroom(), a_statement(incident), as_(Role.LEAD)
    path = f"/incidents/{incident.ref}/notices/{ref}/newsrooms/"
    assert lead.get(f"{path}paper.pdf").status_code == 404
    lead.post(path, data={"outlets": [newsroom], "way": "paper", "digest": approved_version(ref).digest})
    reply = lead.get(f"{path}paper.pdf")
    assert (reply.mimetype, reply.get_data()[:5]) == ("application/pdf", b"%PDF-")
    [row] = rows.copies(approved_version(ref).id)
    assert lead.post(f"{path}{row.ref}/said").status_code == 302
    assert "handed over" in lead.get(path).get_data(as_text=True)
    other = an_incident()
    assert lead.post(f"/incidents/{other.ref}/notices/{ref}/newsrooms/{row.ref}/said").status_code == 404


def test_a_notice_that_is_not_approved_has_no_such_page(app, incident, as_):
    ref = a_statement(incident, stage="submitted")
    assert as_(Role.LEAD).get(f"/incidents/{incident.ref}/notices/{ref}/newsrooms/").status_code == 409


def test_an_announcement_alone_is_published_and_handed_over_but_not_sent_to_each(app, incident, as_):
    ref = a_statement(incident)
    page = as_(Role.LEAD).get(f"/incidents/{incident.ref}/notices/{ref}").get_data(as_text=True)
    assert "Send now" not in page
    assert "Hand it to newsrooms" in page
    assert "Make it public" in page


def test_programs_do_all_of_it_by_the_same_actions(app, client, token_for):
    found = an_incident(facts=PATIENTS)
    key, base = token_for(Role.LEAD), f"/api/v1/incidents/{found.ref}"
    listed = client.get(f"{base}/public", headers=key).get_json()
    assert any(task["key"] == INSTEAD and task["waits"] for task in listed["tasks"])
    made = client.post(f"{base}/public/draft", json={"tasks": [INSTEAD]}, headers=key)
    assert made.status_code == 201
    wrong = client.post(f"{base}/public/decline", json={"task": "x", "reason": "y"}, headers=key)
    assert wrong.status_code == 404
    kept = client.post(
        "/api/v1/newsrooms", json={"name": "Herald", "places": ["US-OH"], "email": "n@example.org"}, headers=key
    )
    assert kept.status_code == 201
    plain = an_incident(facts={"data_kinds": ["email"]})
    ref = a_statement(plain)
    path = f"/api/v1/incidents/{plain.ref}/notices/{ref}/newsrooms"
    given = {"newsrooms": [kept.get_json()["ref"]], "way": "email", "digest": approved_version(ref).digest}
    assert client.post(path, json=given, headers=key).get_json() == {"count": 1}
    assert client.post(path, json=given, headers=key).status_code == 409
    assert client.post(path, json=given, headers=token_for(Role.RESPONDER)).status_code == 403
    [copy] = client.get(path, headers=key).get_json()["copies"]
    assert (copy["newsroom"], copy["state"]) == (kept.get_json()["ref"], "waiting")
    assert client.delete(f"/api/v1/newsrooms/{kept.get_json()['ref']}", headers=key).status_code == 204
