"""The pages and the API of calls by hand."""

from datetime import timedelta

import pytest

from incident import clock
from incident.domain.access import Role
from notifiers.by_hand import ByHand
from tests.actions.waves import NOW, a_story

LIST = "/incidents/INC-2026-0001/calls/"


@pytest.fixture
def story(app, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    told = a_story(3, channels=("call",), only_phone=3, real={"call": ByHand()})
    told.start()
    told.work()
    return told


def test_an_empty_list_says_what_comes_here(as_, app):
    story = a_story(1)
    page = as_(Role.LEAD).get(f"/incidents/{story.incident.ref}/calls/").get_data(as_text=True)
    assert "Nobody is to be called." in page


def test_the_list_names_nobody_and_goes_on_by_key(as_, story, monkeypatch):
    monkeypatch.setattr("incident.web.calls.PAGE", 2)
    browser = as_(Role.LEAD)
    page = browser.get(LIST).get_data(as_text=True)
    assert ("P-1" in page, "P-2" in page, "P-3" in page) == (True, True, False)
    assert "Person 1" not in page.replace("Person P-1", "")
    assert "+4915" not in page
    further = page.partition('aria-label="Pages"')[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    after = browser.get(further).get_data(as_text=True)
    assert ("P-2" in after, "P-3" in after) == (False, True)
    assert browser.get(LIST + "?after=nonsense").status_code == 404
    assert browser.get(LIST + "?why=nonsense").status_code == 404
    assert "Nobody matches" in browser.get(LIST + "?why=call_back").get_data(as_text=True)
    table = browser.get(LIST + "calls.csv").get_data(as_text=True)
    assert table.count("\n") == 4
    assert "+4915" not in table


def test_a_call_from_the_list_to_its_outcome(as_, story):
    browser = as_(Role.COMMUNICATIONS)
    taken = browser.post(LIST + "next")
    page = taken.get_data(as_text=True)
    assert taken.headers["Cache-Control"] == "no-store"
    assert 'href="tel:+4915112345001"' in page
    assert "Call Person 1." in page
    ref = story.rows()[0].ref
    assert "+4915" not in browser.get(f"{LIST}{ref}").get_data(as_text=True)
    wrong = browser.post(f"{LIST}{ref}/outcome", data={"outcome": "call_back"})
    assert wrong.status_code == 422
    assert "Give the time at which they want to be called." in wrong.get_data(as_text=True)
    kept = browser.post(f"{LIST}{ref}/outcome", data={"outcome": "told", "note": "thankful"})
    assert kept.status_code == 302
    assert story.counts() == {"confirmed": 1, "waiting": 2}
    assert browser.get(f"{LIST}{ref}").status_code == 404


def test_a_time_to_call_back_is_the_time_where_the_person_is(as_, story):
    browser, ref = as_(Role.LEAD), story.rows()[0].ref
    browser.post(f"{LIST}{ref}/take")
    browser.post(f"{LIST}{ref}/outcome", data={"outcome": "call_back", "back_at": "2026-03-07T10:00"})
    page = browser.get(f"{LIST}{ref}").get_data(as_text=True)
    assert "call back later" in page
    assert "09:00" in page  # ten in Berlin, read in UTC


def test_a_call_that_somebody_makes_is_not_offered_to_others(as_, story):
    first, second, ref = as_(Role.LEAD), as_(Role.RESPONDER), story.rows()[0].ref
    assert first.post(f"{LIST}{ref}/take").status_code == 200
    assert second.post(f"{LIST}{ref}/take").status_code == 409
    assert "is making this call" in second.get(f"{LIST}{ref}").get_data(as_text=True)
    assert first.post(f"{LIST}{ref}/back").status_code == 302
    assert second.post(f"{LIST}{ref}/take").status_code == 200


def test_at_night_the_page_says_so(as_, story, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=3, minutes=30))
    browser, ref = as_(Role.LEAD), story.rows()[0].ref
    page = browser.get(f"{LIST}{ref}").get_data(as_text=True)
    assert "It is 20:30 (Europe/Berlin) there." in page
    assert browser.post(LIST + "next").status_code == 409


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_who_makes_no_calls_sees_no_number(as_, story, role):
    browser, ref = as_(role), story.rows()[0].ref
    assert browser.get(f"{LIST}{ref}").status_code == 200
    assert browser.post(f"{LIST}{ref}/take").status_code == 403
    assert browser.post(LIST + "next").status_code == 403


def test_the_same_by_the_api(client, token_for, story):
    token, base = token_for(Role.LEAD), "/api/v1/incidents/INC-2026-0001/calls"
    listed = client.get(f"{base}?limit=2", headers=token).json
    assert (listed["count"], [one["person"] for one in listed["calls"]]) == (3, ["P-1", "P-2"])
    moment, number = listed["next"]
    rest = client.get(base, query_string={"after": moment, "after_delivery": number}, headers=token).json
    assert [one["person"] for one in rest["calls"]] == ["P-3"]
    opened = client.post(f"{base}/next", json={}, headers=token).json
    assert (opened["phone"], opened["script"]) == ("+4915112345001", "Call Person 1.")
    after = client.post(f"{base}/{opened['ref']}/outcome", json={"outcome": "no_answer"}, headers=token).json
    assert (after["done"], after["tries"]) == (False, 1)
    second = client.post(f"{base}/next", json={}, headers=token).json
    assert client.post(f"{base}/{second['ref']}/back", headers=token).status_code == 204
    assert client.post(f"{base}/{second['ref']}/take", headers=token).json["person"] == "P-2"
    bad = client.post(f"{base}/{second['ref']}/outcome", json={"outcome": "maybe"}, headers=token)
    assert bad.status_code == 422
    assert client.post(f"{base}/next", json={}, headers=token_for(Role.AUDITOR)).status_code == 403
