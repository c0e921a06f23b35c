"""Whoever comes to the shift sees on an incident's page, and on the desk, what was left for them and what changed."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import time_machine

from incident import clock
from incident.actions import intake, members, plans, reports, vulnerabilities
from incident.domain.access import Role
from incident.store import obligations, users
from incident.store.db import db
from tests.builders import an_incident


def shown(browser, incident):
    """The page of the incident, its connection closed, as a browser does."""
    return browser.get(f"/incidents/{incident.ref}", buffered=True).text


def test_what_others_did_since_the_last_visit_stands_on_the_page_and_ones_own_doing_does_not(as_):
    ana, bo = as_(Role.LEAD), as_(Role.RESPONDER)
    incident, first = an_incident(), clock.now()
    assert "Since you last looked" not in shown_at(ana, incident, first)
    at = first + timedelta(hours=1)
    intake.add_note(incident.ref, "Pulled the plug.", actor=bo.ref, now=at)
    intake.add_note(incident.ref, "My own words.", actor=ana.ref, now=at)
    said = new_part(shown_at(ana, incident, first + timedelta(hours=2)))
    assert "Pulled the plug." in said
    assert "My own words." not in said
    later = new_part(shown_at(ana, incident, first + timedelta(hours=4)))
    assert "Nobody else has done anything here" in later


def shown_at(browser, incident, at):
    with time_machine.travel(at, tick=False):
        return shown(browser, incident)


def new_part(page):
    return page[page.index("Since you last looked") :].partition("</section>")[0]


def test_a_handover_stands_first_on_the_incident_and_on_the_desk_until_the_next_one(as_):
    lead, bo = as_(Role.LEAD), as_(Role.RESPONDER)
    incident = an_incident(title="Lost tape")
    for words in ("Wait for the bank.", "The bank has answered."):
        lead.post(f"/incidents/{incident.ref}/notes", data={"text": words, "purpose": "handover", "back": "show"})
    page, desk = shown(bo, incident), bo.get("/").text
    assert page.index("The bank has answered.") < page.index("What is known")
    assert "The bank has answered." in desk
    assert "Wait for the bank." not in desk


def test_the_handover_of_a_restricted_incident_is_on_nobody_elses_desk(as_):
    lead, other = as_(Role.LEAD), as_(Role.LEAD)
    incident = an_incident()
    members.restrict(incident.ref, actor=lead.ref, now=clock.now())
    lead.post(f"/incidents/{incident.ref}/notes", data={"text": "Unspoken.", "purpose": "handover"})
    assert "Unspoken." in lead.get("/").text
    assert "Unspoken." not in other.get("/").text


def test_the_reports_and_vulnerabilities_of_an_incident_stand_on_its_page_by_name(as_):
    incident, lead = an_incident(facts={"personal_data": True, "establishments": ["DE"]}), as_(Role.LEAD)
    page = f"/incidents/{incident.ref}"
    assert "All reports" not in lead.get(page).text
    about = {"language": "en", "duty": "", "zone": ZoneInfo("UTC"), "actor": lead.ref, "now": clock.now()}
    given = {"form": "eu-gdpr-33", "stage": "initial", "authority": "Authority of Sampleland"}
    ref = reports.start(incident.ref, **given, **about)
    weak = vulnerabilities.record({"title": "Orders can be read"}, actor=lead.ref, now=clock.now())
    vulnerabilities.link(weak, incident.ref, actor=lead.ref, now=clock.now())
    shown = lead.get(page).text
    assert f'<a href="{page}/reports/{ref}">Authority of Sampleland</a>' in shown
    assert f'<a href="/vulnerabilities/{weak}">Orders can be read</a>' in shown


def owed_since(hours):
    """An incident of which the organisation knows since so many hours, and of which an authority is to be told."""
    aware = (clock.now() - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {"personal_data": True, "role": "controller", "establishments": ["DE", "GB"], "risk_to_people": "high"}
    return an_incident(facts=known | {"residents": {"DE": 5, "GB": 5}, "aware_at": aware})


def test_the_clocks_stand_before_all_that_is_known_each_with_its_law_and_its_rule(as_):
    page = shown(as_(Role.LEAD), owed_since(70))
    clocks = page[page.index("<h2>Clocks</h2>") :].partition("</section>")[0]
    assert "Report to the supervisory authority" in clocks
    assert "GDPR, Art. 33(1) · 72 h from" in clocks
    assert page.index("<h2>Clocks</h2>") < page.index("<h2>Needs you</h2>") < page.index("<h2>What is known</h2>")


def test_the_head_says_what_is_due_next_what_after_that_and_who_leads(as_):
    incident, lead = owed_since(70), as_(Role.LEAD)
    head = shown(lead, incident).partition('class="shell"')[0]
    assert "nobody leads it yet" in head
    assert 'class="due due--soon due--large"' in head
    assert "and 1 more at that time" in head
    intake.lead_by(incident.ref, lead.ref, actor=lead.ref, now=clock.now())
    obligations.current(incident.id)["UK-GDPR/tell-authority"].due_at += timedelta(hours=5)
    db.session.commit()
    head = shown(lead, incident).partition('class="shell"')[0]
    assert f"led by {users.by_ref(lead.ref).name}" in head
    assert re.search(r"<br>then in (6 h 5|7 h)[^<]*: Report to the ICO</small>", head)


def test_a_head_without_a_deadline_says_none(as_):
    assert "top__due" not in shown(as_(Role.LEAD), an_incident(facts={"personal_data": True}))


def test_news_stand_before_the_facts_and_more_than_six_are_folded(as_):
    ana, bo = as_(Role.LEAD), as_(Role.RESPONDER)
    incident, first = an_incident(), clock.now()
    shown_at(ana, incident, first)
    for number in range(9):
        intake.add_note(incident.ref, f"Note {number}.", actor=bo.ref, now=first + timedelta(hours=1))
    page = shown_at(ana, incident, first + timedelta(hours=2))
    assert page.index("Since you last looked") < page.index("What is known")
    open_, folded = new_part(page).split("<details", 1)
    assert "3 more</summary>" in folded
    assert "Note 8." in open_
    assert "Note 0." in folded


def test_what_is_late_stands_before_what_is_open_among_what_needs_somebody(as_):
    incident, lead = owed_since(80), as_(Role.LEAD)
    plans.activate(incident.ref, "data_leak", actor=lead.ref, now=clock.now() - timedelta(days=9))
    page = shown(lead, incident)
    needs = page[page.index("<h2>Needs you</h2>") :].partition("</section>")[0]
    assert "2 duties are late" in needs
    assert re.findall(r"tag tag--(late|open)", needs) == ["late", "late", "open"]
