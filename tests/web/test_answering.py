"""Questions beside the duties: an answer changes the board, says what it changed, and can be taken back."""

from datetime import timedelta

import pytest

from incident import clock
from incident.domain.access import Role
from incident.store import incidents
from incident.store import obligations as rows
from tests.builders import an_incident

ART33 = "EU-GDPR/tell-authority"
KNOWN = {"personal_data": True, "residents": {"DE": 500}, "role": "controller"}


@pytest.fixture
def incident(app):
    return an_incident(facts={**KNOWN, "aware_at": (clock.now() - timedelta(hours=2)).isoformat()})


def standing(incident, duty=ART33):
    return rows.current(incident.id)[duty].standing


def value(incident, key):
    fact = incidents.current_facts(incident.id).get(key)
    return fact.value if fact else None


def answer(browser, incident, key, follow=True, **form):
    return browser.post(f"/incidents/{incident.ref}/duties/questions/{key}", data=form, follow_redirects=follow)


def test_a_question_has_its_field_right_there(as_, incident):
    text = as_(Role.RESPONDER).get(f"/incidents/{incident.ref}/duties/").text
    asked = text.split('id="ask"')[1]
    assert f"/incidents/{incident.ref}/duties/questions/" in asked
    assert "decides" in asked


def test_an_answer_changes_the_board_and_says_what_it_changed(as_, incident):
    assert standing(incident) == "open"
    reply = answer(as_(Role.RESPONDER), incident, "risk_to_people", risk_to_people="high", source="the host's log")
    assert standing(incident) == "owed"
    assert "became owed" in reply.text
    assert "Undo" in reply.text
    assert incidents.current_facts(incident.id)["risk_to_people"].source == "the host&#39;s log".replace("&#39;", "'")


def test_undo_puts_back_what_was_known_before_and_keeps_both_in_the_history(as_, incident):
    browser = as_(Role.RESPONDER)
    answer(browser, incident, "risk_to_people", risk_to_people="high")
    reply = browser.post(f"/incidents/{incident.ref}/duties/questions/risk_to_people/undo", follow_redirects=True)
    assert reply.status_code == 200
    assert (standing(incident), value(incident, "risk_to_people")) == ("open", None)
    assert [row.value for row in incidents.history(incident.id, "risk_to_people")] == [None, "high"]


def test_undo_returns_to_an_earlier_answer(as_, incident):
    browser = as_(Role.RESPONDER)
    for word in ("risk", "high"):
        answer(browser, incident, "risk_to_people", risk_to_people=word)
    browser.post(f"/incidents/{incident.ref}/duties/questions/risk_to_people/undo")
    assert value(incident, "risk_to_people") == "risk"


def test_nobody_takes_back_the_answer_of_somebody_else(as_, incident):
    answer(as_(Role.RESPONDER), incident, "risk_to_people", risk_to_people="high")
    reply = as_(Role.LEAD).post(f"/incidents/{incident.ref}/duties/questions/risk_to_people/undo")
    assert reply.status_code == 409
    assert value(incident, "risk_to_people") == "high"


def test_none_of_these_is_an_answer_and_not_the_same_as_no_answer(as_, incident):
    browser = as_(Role.RESPONDER)
    assert answer(browser, incident, "entity", entity="none", follow=False).status_code == 302
    assert value(incident, "entity") == []
    assert answer(browser, incident, "mitigation", follow=False).status_code == 422
    assert value(incident, "mitigation") is None


@pytest.mark.parametrize(
    ("key", "typed", "words"),
    [
        ("people_count", "many", "whole number"),
        ("risk_to_people", "enormous", "choose one of"),
        ("residents", "Germany many", "a place and a number"),
        ("minors", "perhaps", "yes, no or unknown"),
        ("risk_to_people", "", "Give an answer first"),
    ],
)
def test_a_wrong_answer_is_said_at_its_question_and_nothing_is_recorded(as_, incident, key, typed, words):
    before = value(incident, key)
    reply = answer(as_(Role.RESPONDER), incident, key, back="questions", **{key: typed})
    assert reply.status_code == 422
    assert value(incident, key) == before
    if f'id="q-{key}"' in reply.text:
        assert words in reply.text


def test_an_answer_on_the_page_of_all_questions_comes_back_to_it(as_, incident):
    reply = answer(as_(Role.RESPONDER), incident, "minors", minors="no", back="questions", follow=False)
    assert reply.location == f"/incidents/{incident.ref}/duties/questions?answered=minors"


def test_the_same_answer_again_changes_nothing_and_says_so(as_, incident):
    browser = as_(Role.RESPONDER)
    answer(browser, incident, "minors", minors="no")
    assert "Nothing changed" in answer(browser, incident, "minors", minors="no").text


def test_an_unknown_question_is_not_found(as_, incident):
    assert answer(as_(Role.RESPONDER), incident, "no_such_fact", x="1").status_code == 404
    assert as_(Role.RESPONDER).post(f"/incidents/{incident.ref}/duties/questions/nothing/undo").status_code == 404


def test_an_auditor_answers_nothing(as_, incident):
    assert answer(as_(Role.AUDITOR), incident, "minors", minors="no").status_code == 403
    assert value(incident, "minors") is None


def test_the_answer_of_a_moment_ago_is_shown_to_who_gave_it_alone(as_, incident):
    browser = as_(Role.RESPONDER)
    answer(browser, incident, "minors", minors="no")
    address = f"/incidents/{incident.ref}/duties/?answered=minors"
    assert "Undo" in browser.get(address).text
    assert "Undo" not in as_(Role.LEAD).get(address).text
    assert browser.get(f"/incidents/{incident.ref}/duties/?answered=nonsense").status_code == 200


def test_a_wrong_answer_to_what_is_asked_no_more_is_said_all_the_same(as_, incident):
    reply = answer(as_(Role.RESPONDER), incident, "people_count", people_count="-1")
    assert reply.status_code == 422
    assert "How many people are concerned: give a whole number" in reply.text


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "0206-11-20T09:00"])
def test_a_year_that_cannot_be_is_said_at_its_field_in_every_zone(as_, moment):
    incident = an_incident(facts=KNOWN)
    for zone in ("Asia/Shanghai", "America/New_York"):
        reply = answer(as_(Role.RESPONDER), incident, "aware_at", aware_at=moment, zone=zone, source="the log")
        assert reply.status_code == 422
        assert "cannot be right" in reply.text
        assert "the log" in reply.text
