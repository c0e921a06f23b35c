import re
from datetime import timedelta

from incident import clock
from incident.actions import intake, plans, users
from incident.domain.access import Role
from incident.domain.team_mails import SUBJECTS, Kind
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story, answering

OWED = {
    "personal_data": True, "role": "controller", "establishments": ["DE"], "residents": {"DE": 10}, "risk_to_people": "high",
    "category": "data_leak", "aware_at": "2026-01-02T08:00:00Z",
}  # fmt: skip


def _incident(actor, **facts):
    return intake.log(
        kind="incident", title="Copied list", facts=facts, source="s", confidence="high", actor=actor, now=clock.now()
    )


def test_an_empty_desk_says_what_to_do_first(as_):
    page = as_(Role.RESPONDER).get("/").text
    assert "No incident is open" in page
    assert "Log an incident" in page


def test_a_late_duty_stands_first_with_its_law_and_incident(as_):
    lead = as_(Role.LEAD)
    ref = _incident(lead.ref, **OWED)
    page = lead.get("/").text
    assert "1 incident open" in page
    assert "1 incident open, 1 duty late" in page
    assert f"{ref} Copied list" in page
    assert "72 h" in page


def test_many_late_duties_do_not_crowd_out_what_can_still_be_kept(as_):
    lead = as_(Role.LEAD)
    for _ in range(13):
        _incident(lead.ref, **OWED)
    aware = (clock.now() - timedelta(hours=70)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fresh = _incident(lead.ref, **OWED | {"aware_at": aware})
    page = lead.get("/").text
    duties = page[page.index("<h2>Duties</h2>") :].partition("</section>")[0]
    assert f"{fresh} Copied list" in duties
    assert duties.count("due--late") == 11
    assert duties.count("due--soon") == 1
    assert re.search(r'href="/duties/\?when=late">2 more are late</a>', duties)


def test_steps_and_questions_stand_beside_the_duties(as_):
    lead = as_(Role.LEAD)
    ref = _incident(lead.ref, **OWED | {"risk_to_people": None})
    plans.activate(ref, "data_leak", actor=lead.ref, now=clock.now())
    page = lead.get("/").text
    assert "Questions that decide most" in page
    assert "needed, and finished by nobody yet" in page


def test_a_restricted_incident_is_on_nobody_elses_desk(as_):
    lead, other = as_(Role.LEAD), as_(Role.LEAD)
    ref = _incident(lead.ref, **OWED)
    assert "Copied list" in other.get("/").text
    assert lead.post(f"/incidents/{ref}/team/restrict").status_code == 302
    assert "Copied list" in lead.get("/").text
    assert "Copied list" not in other.get("/").text


def test_times_stand_in_the_readers_zone(as_, app):
    page = as_(Role.RESPONDER).get("/").text
    assert "UTC" in page


def test_a_sending_that_paused_by_itself_stands_on_the_desk_though_nobody_failed_yet(as_):
    story = a_story(3, real={"email": Memory("email", answering(Outcome.STOP, "credentials_refused"))})
    story.start()
    story.work()
    page = as_(Role.LEAD).get("/").text
    assert "Sending paused, 3 wait" in page
    assert story.incident.ref in page


def test_a_role_that_waits_for_this_readers_yes_stands_on_the_desk_and_on_the_team_page(as_):
    boss, lead, ana = as_(Role.ADMINISTRATOR), as_(Role.LEAD), as_(Role.RESPONDER)
    users.change_roles(ana.ref, ["responder", "privacy"], actor=boss.ref, now=clock.now())
    assert "as responder, privacy" in lead.get("/").text
    assert "1 request waits for your yes or no" in lead.get("/team/").text
    assert "waits for your yes" not in boss.get("/team/").text
    assert "Say yes or no" not in ana.get("/").text


def test_every_mail_about_the_team_is_named_where_it_stands(as_):
    boss, lead = as_(Role.ADMINISTRATOR), as_(Role.LEAD)
    users.lock(as_(Role.LEAD).ref, actor=boss.ref, now=clock.now())
    assert SUBJECTS[Kind.YES_LOST] in lead.get("/team/rules/").text
    assert set(SUBJECTS) == set(Kind)
