"""A form made over what has changed since is refused, with both versions; nothing is written by it."""

import io
import re
from datetime import timedelta

import pytest

from incident import clock
from incident.actions import evidence, improvements, intake, lessons, plans, reviews
from incident.domain.access import CASE_TEAM, Role
from incident.domain.retention import RULES
from incident.domain.stale import Stale, demand_seen, seen_mark
from incident.store import incidents
from incident.store import obligations as findings
from incident.store import plans as plan_rows
from incident.store.db import db
from tests.actions.reminding import DUTY, OWED
from tests.builders import a_user, an_incident
from tests.record import lines

FACTS = {"personal_data": "yes", "aware_at": "2026-11-20T09:00:00Z", "category": "ransomware"}


def hidden(page: str, action: str, name: str = "seen") -> str:
    """The hidden value of the form that goes to this address."""
    form = re.search(rf'<form(?=[^>]*method="post")[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)[0]
    return re.search(rf'name="{name}" value="([^"]*)"', form)[1]


@pytest.fixture
def team(as_):
    """A browser with all roles of a case, and two colleagues."""
    browser = as_(*CASE_TEAM)
    return browser, a_user(*CASE_TEAM, name="Ada Quick"), a_user(*CASE_TEAM, name="Ben Slow")


def test_a_mark_names_values_and_does_not_show_them():
    assert seen_mark("Ada", 1) == seen_mark("Ada", 1) != seen_mark("Ada", 2)
    assert re.fullmatch(r"[0-9a-f]{16}", seen_mark("Ada"))
    demand_seen(None, "anything")
    demand_seen(seen_mark(None), None)
    with pytest.raises(Stale):
        demand_seen(seen_mark(None), "")


def refused(browser, address, form, *both):
    """Send a form that is out of date: refused, both versions on the page, nothing written."""
    db.session.rollback()
    before = len(lines())
    answer = browser.post(address, data=form, headers={"Referer": f"http://localhost{address}"})
    assert answer.status_code == 409, answer.text
    for word in both:
        assert word in answer.text
    db.session.rollback()
    assert len(lines()) == before


def test_the_lead(team):
    browser, ada, ben = team
    ref = an_incident().ref
    address = f"/incidents/{ref}/lead"
    seen = hidden(browser.get(f"/incidents/{ref}").text, address)
    intake.lead_by(ref, ada.ref, actor="U-1", now=clock.now())
    refused(browser, address, {"lead": ben.ref, "seen": seen}, "Ada Quick", "Ben Slow")
    fresh = hidden(browser.get(f"/incidents/{ref}").text, address)
    assert browser.post(address, data={"lead": ben.ref, "seen": fresh}).status_code == 302


def test_the_title(team):
    browser, *_ = team
    ref = an_incident(title="Laptop lost").ref
    address = f"/incidents/{ref}/title"
    version = hidden(browser.get(f"/incidents/{ref}").text, address, "version")
    browser.post(address, data={"title": "Laptop stolen", "version": version})
    refused(browser, address, {"title": "Laptop found", "version": version}, "Laptop stolen", "Laptop found")


def test_a_fact_on_its_page_and_as_a_question(team):
    browser, *_ = team
    ref = an_incident(facts=FACTS).ref
    page = f"/incidents/{ref}/facts/category"
    seen = hidden(browser.get(page).text, page)
    intake.record_facts(ref, {"category": "phishing"}, source="", confidence="", actor="U-1", now=clock.now())
    refused(browser, page, {"category": "lost_device", "seen": seen}, "As it stands now", "hishing")
    assert seen_mark(None) in browser.get(f"/incidents/{ref}/duties/questions").text


def test_the_risk_to_people(team):
    browser, *_ = team
    ref = an_incident(facts=FACTS).ref
    address = f"/incidents/{ref}/grades/risk"
    seen = hidden(browser.get(f"/incidents/{ref}/grades/").text, address)
    form = {"risk_to_people": "high risk", "reason": "Open for a week.", "seen": seen}
    words = re.findall(r'name="risk_to_people" value="([^"]+)"', browser.get(f"/incidents/{ref}/grades/").text)
    assert browser.post(address, data=form | {"risk_to_people": words[0]}).status_code == 302
    refused(browser, address, form | {"risk_to_people": words[-1]}, "As you sent it")


def test_custody_of_evidence(team):
    browser, *_ = team
    incident = an_incident()
    given = {"file": (io.BytesIO(b"log"), "log.txt"), "brought_by": "Finder"}
    browser.post(f"/incidents/{incident.ref}/evidence", data=given)
    [piece] = incidents.evidence(incident.id)
    address = f"/incidents/{incident.ref}/evidence/{piece.ref}/custody"
    seen = hidden(browser.get(f"/incidents/{incident.ref}/evidence").text, address)
    moved = {"reason": "For a look", "actor": "U-1", "now": clock.now()}
    evidence.hand_on(incident.ref, piece.ref, holder="First Lab", **moved)
    refused(browser, address, {"holder": "Second Lab", "reason": "For a look", "seen": seen}, "First Lab", "Second Lab")


def test_a_step_and_who_has_it(team):
    browser, ada, ben = team
    incident = an_incident(facts=FACTS)
    plans.activate(incident.ref, "ransomware", actor="U-1", now=clock.now())
    step = plan_rows.steps(incident.id)[0]
    page = browser.get(f"/incidents/{incident.ref}/plans/steps/{step.ref}").text
    address = re.search(r'action="([^"]*/owner)"', page)[1]
    seen = hidden(page, address)
    plans.hand_over(incident.ref, step.ref, to=ada.ref, actor="U-1", now=clock.now())
    refused(browser, address, {"to": ben.ref, "seen": seen}, "Ada Quick", "Ben Slow")


def test_the_owner_of_a_duty(team):
    browser, ada, ben = team
    incident = an_incident(facts=OWED)
    duty = findings.current(incident.id)[DUTY]
    page = browser.get(f"/incidents/{incident.ref}/duties/{duty.ref}").text
    address = re.search(r'action="([^"]*/reminders/owner/[^"]*)"', page)[1]
    seen = hidden(page, address)
    assert browser.post(address, data={"owner": ada.ref, "seen": seen}).status_code == 302
    refused(browser, address, {"owner": ben.ref, "seen": seen}, "Ada Quick", "Ben Slow")


def test_ones_own_particulars_in_two_tabs(team):
    browser, *_ = team
    address = "/account/particulars"
    seen = hidden(browser.get("/account/").text, address)
    form = {"name": "Ada in Tab One", "time_zone": "Europe/Berlin", "language": "en", "seen": seen}
    assert browser.post(address, data=form).status_code == 302
    refused(browser, address, form | {"name": "Ada in Tab Two"}, "Ada in Tab One", "Ada in Tab Two")
    assert browser.post(address, data=form).status_code == 302, "what stands already may be said again"


def test_channels_of_ones_own(team):
    browser, *_ = team
    seen = hidden(browser.get("/account/").text, "/account/reminders/")
    form = {"email": "y", "alert": "", "seen": seen}
    assert browser.post("/account/reminders/", data=form).status_code == 302
    refused(browser, "/account/reminders/", {"email": "y", "sms": "", "alert": "y", "seen": "0" * 16})


def test_a_person_is_shown_as_they_stand_beside_what_was_typed(team):
    browser, *_ = team
    ref = an_incident().ref
    made = browser.post(f"/incidents/{ref}/people/add", data={"name": "Kim Doe", "email": "kim@example.org"})
    address = f"{made.location}/correct"
    form = {"name": "Kim Roe", "email": "kim@example.org", "reason": "Misspelt", "version": "1"}
    assert browser.post(address, data=form).status_code == 302
    answer = browser.post(address, data=form | {"name": "Kim Poe"})
    assert answer.status_code == 409
    assert "Kim Roe" in answer.text
    assert "Kim Poe" in answer.text


def test_a_program_is_told_both_versions_too(client, token_for):
    user = a_user(Role.ADMINISTRATOR)
    made = client.post(
        "/api/v1/webhooks",
        json={"name": "Board", "address": "http://127.0.0.1:9/", "types": ["*"]},
        headers=token_for(user=user),
    ).json
    change = {"name": "Wall", "types": ["*"], "hears_restricted": False, "revision": 7}
    answer = client.put(f"/api/v1/webhooks/{made['ref']}", json=change, headers=token_for(user=user))
    assert answer.status_code == 409
    assert answer.json["versions"]["Name"] == {"stands": "Board", "sent": "Wall"}


def test_the_rules_of_retention(team):
    browser, *_ = team
    name = next(iter(RULES))
    page = browser.get(f"/retention/?{name}=900").text
    seen = hidden(page, "/retention/")
    assert browser.post("/retention/", data={name: "800", "seen": seen}).status_code == 302
    refused(browser, "/retention/", {name: "900", "seen": seen}, "800 days", "900 days")


def test_the_roles_of_somebody(as_):
    browser, person = as_(Role.ADMINISTRATOR), a_user(Role.RESPONDER, Role.COMMUNICATIONS, Role.LEAD)
    address = f"/team/{person.ref}/roles"
    seen = hidden(browser.get(f"/team/{person.ref}").text, address)
    assert browser.post(address, data={"roles": ["responder", "lead"], "seen": seen}).status_code == 302
    refused(browser, address, {"roles": ["communications"], "seen": seen}, "responder, lead", "communications")


IN_A_WEEK = timedelta(days=7)


def an_improvement(incident, owner):
    due = clock.now() + IN_A_WEEK
    return improvements.add(incident.ref, "Wipe old disks", owner=owner.ref, due_at=due, actor="U-1", now=clock.now())


def test_who_does_an_improvement_and_by_when(team):
    browser, ada, ben = team
    incident = an_incident()
    ref = an_improvement(incident, ada)
    shown = f"/incidents/{incident.ref}/review/improvements/{ref}"
    page = browser.get(shown).text
    owner, day = (re.search(rf'action="([^"]*{ref}/{end})"', page)[1] for end in ("owner", "move"))
    with_, until = hidden(page, owner), hidden(page, day)
    third = a_user(*CASE_TEAM, name="Cleo First")
    by = {"actor": "U-1", "now": clock.now()}
    improvements.hand_over(incident.ref, ref, to=third.ref, **by)
    improvements.move(incident.ref, ref, due_at=clock.now() + 2 * IN_A_WEEK, reason="Parts are late", **by)
    refused(browser, owner, {"to": ben.ref, "seen": with_}, "Cleo First", "Ben Slow")
    form = {"due_at": f"{clock.now() + 3 * IN_A_WEEK:%Y-%m-%d}", "reason": "Parts are late", "seen": until}
    refused(browser, day, form, f"{clock.now() + 2 * IN_A_WEEK:%Y-%m-%d}")
    fresh = hidden(browser.get(shown).text, owner)
    assert browser.post(owner, data={"to": ben.ref, "seen": fresh}).status_code == 302


def test_who_looks_after_a_lesson(team):
    browser, ada, ben = team
    incident = an_incident()
    told = {"kind": "practice", "title": "Ask first", "why": "Nobody asked.", "owner": ada.ref}
    ref = lessons.propose(incident.ref, told, actor="U-1", now=clock.now())
    address = f"/lessons/{ref}/owner"
    seen = hidden(browser.get(f"/lessons/{ref}").text, address)
    third = a_user(*CASE_TEAM, name="Cleo First")
    lessons.hand_over(ref, to=third.ref, actor="U-1", now=clock.now())
    refused(browser, address, {"to": ben.ref, "seen": seen}, "Cleo First", "Ben Slow")


def test_how_a_review_tells_a_moment(team):
    browser, *_ = team
    incident = an_incident()
    at = clock.now() - timedelta(hours=1)
    reviews.add_moments(incident.ref, [reviews.Moment(at, "It began")], actor="U-1", now=clock.now())
    page = browser.get(f"/incidents/{incident.ref}/review/").text
    address = re.search(r'action="([^"]*/review/moments/RT-[^"/]*)"', page)[1]
    seen, moment = hidden(page, address), address.rsplit("/", 1)[1]
    reviews.edit_moment(incident.ref, moment, text="It began in Lyon", at=at, actor="U-1", now=clock.now())
    form = {"text": "It began in Oslo", "at": f"{at:%Y-%m-%dT%H:%M}", "seen": seen}
    refused(browser, address, form, "It began in Lyon", "It began in Oslo")
