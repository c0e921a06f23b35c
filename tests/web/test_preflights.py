"""The check before a notice goes out, and how carefully it may, in the browser."""

import html
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import current_app

from incident import work
from incident.actions import correcting, merging, notices, people, preflight
from incident.domain.access import Role
from incident.domain.hours import Day
from incident.domain.pace import Pace
from incident.store import dispatches, preflights
from incident.store import notices as rows
from incident.store.db import db
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.actions.waves import SANDBOX
from tests.builders import a_notice, a_text, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
WHO = "U-0AUTHOR0"


@pytest.fixture
def incident(app, monkeypatch):
    real = {"email": Memory("email"), "sms": Memory("sms")}
    monkeypatch.setitem(app.extensions, "channels", Channels(real, SANDBOX))
    app.extensions["settings"].company_name = "Example"
    found = an_incident()
    for number in range(3):
        given = {"name": "" if number else "Kim One", "email": f"p{number}@example.org", "place": "DE"}
        people.add(found.ref, {k: v for k, v in given.items() if v} | {"exposed": "email"}, actor=WHO, now=NOW)
    yield SimpleNamespace(ref=found.ref, id=found.id)
    app.extensions["settings"].company_name = ""


def at(incident, ref, rest=""):
    return f"/incidents/{incident.ref}/notices/{ref}{rest}"


def words(reply):
    return " ".join(html.unescape(reply.get_data(as_text=True)).split())


def version(incident, ref):
    db.session.rollback()
    return rows.version(notice_row(incident, ref).id, 1)


def test_before_the_first_check_the_page_says_what_it_would_look_at(incident, as_):
    page = words(as_(Role.LEAD).get(at(incident, a_notice(incident), "/check/")))
    assert "Nobody’s record was looked at yet." in page
    assert "3 people of 3 in all have no telephone number." in page
    assert "Check everybody" in page


def test_everybody_is_checked_at_a_button_and_each_number_leads_to_its_people(incident, as_):
    lead, ref = as_(Role.LEAD), a_notice(incident)
    assert lead.post(at(incident, ref, "/check/")).status_code == 302
    assert "0 of 3 people looked at." in words(lead.get(at(incident, ref, "/check/")))
    fragment = lead.get(at(incident, ref, "/check/progress"))
    assert fragment.headers["X-Fragment"] == "1"
    assert "data-done" not in fragment.get_data(as_text=True)
    work.once()
    assert "data-done" in lead.get(at(incident, ref, "/check/progress")).get_data(as_text=True)
    page = words(lead.get(at(incident, ref, "/check/")))
    assert "keeps it back" in page
    assert "{{ person.name }}: 2 people with no name." in page
    assert f"{at(incident, ref, '/check/people')}?what=gap.person.name" in page
    listed = words(lead.get(at(incident, ref, "/check/people?what=gap.person.name")))
    assert ">P-2<" in listed
    assert ">P-3<" in listed
    assert ">P-1<" not in listed
    table = lead.get(at(incident, ref, "/check/people.csv?what=gap.person.name")).get_data(as_text=True)
    assert table.split() == ["person,found", "P-2,gap.person.name", "P-3,gap.person.name"]


def test_no_page_of_the_check_holds_a_name_or_an_address(incident, as_):
    lead, ref = as_(Role.LEAD), a_notice(incident)
    lead.post(at(incident, ref, "/check/"))
    work.once()
    for rest in ("/check/", "/check/people?what=no.sms", "/check/people.csv?what=no.sms"):
        page = lead.get(at(incident, ref, rest)).get_data(as_text=True)
        assert "Kim" not in page
        assert "p0@" not in page


@pytest.mark.parametrize("what", ["", "x", "no.", "../x", "gap." + "x" * 60])
def test_a_list_that_there_is_not_is_not_found_or_empty(incident, as_, what):
    reply = as_(Role.LEAD).get(at(incident, a_notice(incident), "/check/people"), query_string={"what": what})
    assert reply.status_code in (200, 404)
    assert ">P-1<" not in reply.get_data(as_text=True)


def test_after_a_change_what_was_found_is_not_shown_as_if_it_held(incident, as_):
    lead, ref = as_(Role.LEAD), a_notice(incident)
    lead.post(at(incident, ref, "/check/"))
    work.once()
    correcting.correct(incident.ref, "P-2", {"name": "Bo"}, reason="Found", version=1, actor=WHO, now=NOW)
    page = words(lead.get(at(incident, ref, "/check/")))
    assert "changed after the last check" in page
    assert "with no name" not in page


def test_an_auditor_reads_it_and_starts_none(incident, as_):
    auditor, ref = as_(Role.AUDITOR), a_notice(incident)
    assert "Check everybody" not in words(auditor.get(at(incident, ref, "/check/")))
    assert auditor.post(at(incident, ref, "/check/")).status_code == 403


def an_approval(incident, **typed):
    for number in (2, 3):
        correcting.correct(incident.ref, f"P-{number}", {"name": "Bo"}, reason="Found", version=1, actor=WHO, now=NOW)
    ref = a_notice(incident, stage="submitted", house=house())
    return ref, {"digest": version(incident, ref).digest, "people": "3"} | typed


def house():
    return merging.house(current_app.extensions["settings"])


def test_the_approver_sees_and_sets_how_carefully_it_goes_out(incident, as_):
    ref, form = an_approval(incident, canary="50", most_back="5", most_complaints="2", at_any_hour="1")
    approver = as_(Role.APPROVER)
    page = words(approver.get(at(incident, ref)))
    for label in ("First to a few people", "in a hundred", "in a thousand", "Urgent: texts and calls go at any hour"):
        assert label in page
    hours = {"hours:begins": "8", "hours:until": "18", "hours:sunday": "18"}
    assert approver.post(at(incident, ref, "/approve"), data=form | hours | {"rate:sms": "2.5"}).status_code == 302
    kept = Pace.from_json(version(incident, ref).pace)
    assert kept == Pace(50, 5, 50, 2, {"sms": 2.5}, at_any_hour=True, day=Day(8, 18, 18))
    page = words(approver.get(at(incident, ref)))
    assert "urgent: at any hour" in page
    assert "2.5 a second" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("canary", "few"), ("most_back", "0"), ("most_complaints", "0"), ("rate:sms", "-1"), ("hours:until", "12")],
)
def test_a_limit_that_makes_no_sense_approves_nothing(incident, as_, field, value):
    ref, form = an_approval(incident)
    reply = as_(Role.APPROVER).post(at(incident, ref, "/approve"), data=form | {field: value})
    assert reply.status_code in (409, 422)
    assert version(incident, ref).state == "submitted"


def test_a_refused_approval_stays_on_its_page_with_what_was_typed(incident, as_):
    ref, form = an_approval(incident)
    wrong = {"people": "4", "canary": "7", "most_back": "9", "at_any_hour": "1", "hours:begins": "10"}
    page = words(as_(Role.APPROVER).post(at(incident, ref, "/approve"), data=form | wrong))
    assert 'id="people-error">Type the number of people this goes to: 3.' in page
    assert 'role="alert"><a href="#people">Type the number of people this goes to: 3.</a>' in page
    for name, kept in (("people", "4"), ("canary", "7"), ("most_back", "9"), ("hours:begins", "10")):
        assert re.search(f'name="{name}"[^>]*value="{kept}"', page), name
    assert re.search('name="at_any_hour" value="1" checked', page)


def test_whoever_sends_begins_with_what_was_approved_and_cannot_be_less_careful(incident, as_):
    ref, form = an_approval(incident, canary="2", most_back="5", most_complaints="2")
    as_(Role.APPROVER).post(at(incident, ref, "/approve"), data=form)
    lead, new = as_(Role.LEAD), f"/incidents/{incident.ref}/sending/new/{ref}"
    page = words(lead.get(new))
    assert 'name="most_back" inputmode="numeric" value="5"' in page
    assert "The approval allows at most 5." in page
    reply = lead.post(new, data={"people": "3", "canary": "2", "most_back": "50"})
    assert reply.status_code == 422
    assert "approved to halt at more than 5" in words(reply)
    reply = lead.post(new, data={"people": "3", "canary": "1", "most_back": "5", "rate:sms": "3", "at_any_hour": "1"})
    assert reply.status_code == 302
    row = dispatches.anywhere(reply.location.rsplit("/", 1)[1])
    assert row.pace == Pace(1, 5, 50, 2, {"sms": 3.0}, at_any_hour=False)


def test_many_names_are_looked_at_before_the_submission(incident, as_, monkeypatch):
    monkeypatch.setattr(preflight, "IN_A_REQUEST", 1)
    lead, ref = as_(Role.LEAD), a_notice(incident)
    reply = lead.post(at(incident, ref, "/submit"), data={"revision": notice_row(incident, ref).revision})
    assert reply.status_code == 422
    assert "being looked at" in words(reply)
    assert "See how far the check is" in words(reply)
    assert notices.rows.by_ref(incident.id, ref).stage == "draft"


def test_nobodys_record_is_opened_for_a_text_that_cannot_go_out(incident, as_, monkeypatch):
    monkeypatch.setattr(preflight, "IN_A_REQUEST", 1)
    lead, ref = as_(Role.LEAD), a_notice(incident, texts=(a_text(subject="[… what it is about]"),))
    reply = lead.post(at(incident, ref, "/submit"), data={"revision": notice_row(incident, ref).revision})
    assert reply.status_code == 422
    assert "write what the prompt in brackets asks for" in words(reply)
    assert "being looked at" not in words(reply)
    assert preflights.latest(notice_row(incident, ref).id) is None


def test_a_submission_has_everybody_checked_for_whoever_decides(incident, as_):
    for number in (2, 3):
        correcting.correct(incident.ref, f"P-{number}", {"name": "Bo"}, reason="Found", version=1, actor=WHO, now=NOW)
    lead, ref = as_(Role.LEAD), a_notice(incident)
    lead.post(at(incident, ref, "/submit"), data={"revision": notice_row(incident, ref).revision})
    assert "being looked at" in words(as_(Role.APPROVER).get(at(incident, ref)))
    work.once()
    page = words(as_(Role.APPROVER).get(at(incident, ref)))
    assert "Checked before it goes" in page
    assert "being looked at" not in page
    checked = preflights.latest(notice_row(incident, ref).id)
    assert (checked.state, checked.asked_by != WHO) == ("done", True)
