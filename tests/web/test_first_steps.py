"""What an installation says to whoever comes first: a second person, a drill, and a drill that needs no settings."""

from dataclasses import replace

import pytest

from incident.domain.access import Role
from incident.domain.errors import Invalid
from incident.domain.merges import STAND_INS
from incident.store import notices as rows
from tests.builders import WHO_WRITES, a_notice, a_user, an_incident, notice_row

KINDS = {"data_kinds": ["name"]}
NOBODY = replace(WHO_WRITES, company={})


def _only(page, words):
    """The part of the desk that says where to begin."""
    assert words in page
    return page.split("Begin here")[1].split("</section>")[0]


def test_an_empty_desk_leads_to_a_second_person_and_then_to_a_drill(as_):
    first = _only(as_(Role.ADMINISTRATOR, Role.LEAD).get("/").text, "Begin here")
    assert 'href="/team/?role=approver"' in first
    assert 'href="/drills/"' in first
    assert first.index("Invite an approver") < first.index("Hold a drill")


def test_the_second_person_is_done_once_somebody_else_can_approve(as_):
    boss = as_(Role.ADMINISTRATOR, Role.LEAD)
    a_user(Role.APPROVER)
    first = _only(boss.get("/").text, "Begin here")
    assert "✓ done" in first
    assert "Invite an approver" not in first


def test_an_administrator_is_led_to_the_page_that_names_the_organisation(app, as_, monkeypatch):
    plain = app.extensions["settings"].model_copy(update={"company_name": ""})
    monkeypatch.setitem(app.extensions, "settings", plain)
    boss = as_(Role.ADMINISTRATOR, Role.LEAD)
    first = _only(boss.get("/").text, "Begin here")
    assert 'href="/administration/organisation/"' in first
    assert "Say who your organisation is" not in as_(Role.LEAD).get("/").text
    boss.post("/administration/organisation/", data={"company_name": "Example"})
    named = _only(boss.get("/").text, "Begin here")
    assert 'href="/administration/organisation/"' not in named
    assert "✓ done" in named.split("Say who your organisation is")[1]


def test_after_a_title_alone_the_path_asks_for_what_is_known_and_leads_there(app, as_):
    lead = as_(Role.LEAD)
    bare, told = an_incident(), an_incident(facts=KINDS)
    page = lead.get(f"/incidents/{bare.ref}").text
    assert "title only" in page
    assert "Only its title is known" in page
    assert f'href="/incidents/{bare.ref}/facts"' in page
    told_page = lead.get(f"/incidents/{told.ref}").text
    assert "1 fact<" in told_page
    assert "Only its title is known" not in told_page


def test_who_can_do_neither_sees_no_first_steps(as_):
    assert "Begin here" not in as_(Role.RESPONDER).get("/").text


def test_the_first_steps_go_once_anything_was_logged(as_):
    boss = as_(Role.ADMINISTRATOR, Role.LEAD)
    an_incident()
    assert "Begin here" not in boss.get("/").text


def test_an_approver_is_told_what_will_come_to_stand_on_the_desk(as_):
    assert "A notice that a colleague submits" in as_(Role.APPROVER).get("/").text


def test_the_invitation_comes_with_the_role_that_was_asked_for_and_no_other(as_):
    page = as_(Role.ADMINISTRATOR).get("/team/?role=approver&role=nonsense").text
    ticked = [box for box in page.split("<input") if 'name="roles"' in box and "checked" in box]
    assert len(ticked) == 1
    assert 'value="approver"' in ticked[0]


def test_a_first_visit_offers_the_zone_of_the_browser_and_a_second_try_keeps_what_was_chosen(as_, client):
    boss = as_(Role.ADMINISTRATOR)
    page = boss.post("/team/invitations", data={"email": "bo@example.org", "roles": ["privacy"]}).text
    client.get("/welcome/" + page.split("/welcome/")[1].split("<")[0])
    assert "data-own-zone" in client.get("/welcome").text
    again = client.post("/welcome", data={"name": "Bo", "time_zone": "Asia/Shanghai", "new_password": "short"})
    assert again.status_code == 422
    assert "data-own-zone" not in again.text


def test_a_drill_is_written_where_nobody_has_set_who_the_organisation_is(app):
    drill = an_incident(kind="drill", facts=KINDS)
    ref = a_notice(drill, stage="approved", channels=("announcement",), house=NOBODY)
    version = rows.version(notice_row(drill, ref).id, 1)
    assert version.contents["values"]["en"]["company.name"] == STAND_INS["name"]


def test_what_is_set_stands_in_a_drill_as_in_earnest(app):
    drill = an_incident(kind="drill", facts=KINDS)
    ref = a_notice(drill, stage="submitted", channels=("announcement",))
    assert rows.version(notice_row(drill, ref).id, 1).contents["values"]["en"]["company.name"] == "Example"


def test_in_earnest_a_notice_without_the_organisations_name_is_never_submitted(app):
    with pytest.raises(Invalid, match="Administration, Your organisation"):
        a_notice(an_incident(facts=KINDS), stage="submitted", channels=("announcement",), house=NOBODY)
