"""Readiness as people and programs see it, from what this installation really shows."""

from markupsafe import escape

from incident import clock
from incident.actions import plans
from incident.domain import tip_words
from incident.domain.access import Role
from incident.store import readiness
from incident.store.db import db
from tests.builders import a_user, an_incident


def words(client, headers) -> dict[str, str]:
    checks = client.get("/api/v1/readiness/", headers=headers).json["checks"]
    return {check["word"]: check["verdict"] for check in checks}


def test_a_new_installation_would_fail_and_says_where_to_begin(as_):
    page = as_(Role.ADMINISTRATOR).get("/readiness/").text
    assert "There never was one." in page
    assert "The team has never drilled." in page
    assert 'href="/team/"' in page


def test_the_promise_to_researchers_is_offered_with_its_whole_text_and_not_made_by_itself(as_):
    page = as_(Role.ADMINISTRATOR).get("/readiness/").get_data(as_text=True)
    assert "set TOCSIN_SAFE_HARBOUR=1" in page
    for sentence in tip_words.words("en")["harbour"]["words"]:
        assert str(escape(sentence)) in page


def test_two_who_can_sign_in_make_a_deputy_and_one_who_never_did_does_not(client, token_for, app):
    headers = token_for(Role.AUDITOR)
    lead, deputy = a_user(Role.LEAD), a_user(Role.LEAD)
    lead.totp_secret = "sealed"
    db.session.commit()
    assert words(client, headers)["deputy.lead"] == "fails"
    deputy.totp_secret = "sealed"
    db.session.commit()
    assert words(client, headers)["deputy.lead"] == "ready"


def test_a_plan_used_in_a_drill_counts_as_drilled_and_a_real_one_does_not(client, token_for):
    headers = token_for(Role.LEAD)
    for kind, expected in (("incident", "fails"), ("drill", "ready")):
        ref = an_incident(kind=kind, facts={"category": "data_leak"}).ref
        plans.activate(ref, "data_leak", actor="U-0TEST000", now=clock.now())
        assert words(client, headers)["drill"] == expected


def test_a_trial_counts_for_the_provider_it_went_by(app):
    readiness.keep_trial("email", "smtp", actor="U-0TEST000", now=clock.now())
    db.session.commit()
    assert "email" in readiness.tried({"email": "smtp"})
    assert "email" not in readiness.tried({"email": "sendgrid"})


def test_the_table_says_the_same(as_):
    lines = as_(Role.RESPONDER).get("/readiness/readiness.csv").text.splitlines()
    assert lines[0] == "what,how it stands,says,do"
    assert any(line.startswith("A recent backup,fails,") for line in lines)


def test_what_puts_several_things_right_is_said_once(as_):
    page = as_(Role.ADMINISTRATOR).get("/readiness/").text
    assert page.count("A deputy for the role") == 5
    assert page.count("Give the role to a second person, and have that person sign in once.") == 1


def test_channels_and_languages_have_their_names_and_not_their_keys(as_):
    page = as_(Role.ADMINISTRATOR).get("/readiness/").text
    assert "Channel: text message" in page
    assert "Channel: sms" not in page
    assert "简体中文" in page
    assert "zh-Hans" not in page.split("<main")[1]
