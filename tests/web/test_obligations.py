from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from incident import clock
from incident.domain.access import Role
from incident.store import obligations as rows
from incident.store.db import db
from tests.builders import an_incident

ART33 = "EU-GDPR/tell-authority"


def facts(**more):
    aware = clock.now() - timedelta(hours=1)
    return {
        "personal_data": True,
        "residents": {"DE": 500},
        "role": "controller",
        "aware_at": aware.isoformat(),
        **more,
    }


def finding(incident, duty=ART33):
    return rows.current(incident.id)[duty]


def page(browser, path, status=200):
    reply = browser.get(path)
    assert reply.status_code == status
    return reply.text


def test_the_page_says_what_is_owed_by_when_and_where_the_law_says_so(as_):
    incident = an_incident(facts=facts(risk_to_people="high"))
    text = page(as_(Role.LEAD), f"/incidents/{incident.ref}/duties/")
    assert "Report to the supervisory authority" in text
    assert "GDPR, Art. 33(1)" in text
    assert "72 h from" in text
    assert "https://eur-lex.europa.eu/eli/reg/2016/679/oj" in text
    assert 'aria-current="page"' in text


def test_an_open_duty_leads_to_the_question_that_decides_it(as_):
    incident = an_incident(facts=facts())
    text = page(as_(Role.LEAD), f"/incidents/{incident.ref}/duties/?only=open")
    assert f"/incidents/{incident.ref}/facts/risk_to_people" in text
    questions = page(as_(Role.LEAD), f"/incidents/{incident.ref}/duties/questions")
    assert "Risk to the people concerned" in questions


def test_a_duty_that_is_not_owed_says_why(as_):
    incident = an_incident(facts=facts())
    text = page(
        as_(Role.AUDITOR),
        f"/incidents/{incident.ref}/duties/{finding(incident, 'JP-APPI/final').ref}",
    )
    assert "Why it is" in text


def test_a_long_list_goes_on_by_key(as_):
    incident = an_incident(facts=facts())
    browser = as_(Role.LEAD)
    first = page(browser, f"/incidents/{incident.ref}/duties/?only=all")
    after = first.split("after=")[1].split('"')[0]
    second = page(browser, f"/incidents/{incident.ref}/duties/?only=all&after={after}")
    assert f'id="{after}"' in first
    assert f'id="{after}"' not in second


def test_a_lead_accepts_all_that_was_seen(as_):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    browser = as_(Role.LEAD)
    seen = page(browser, f"/incidents/{incident.ref}/duties/").split('name="seen" value="')[1].split('"')[0]
    assert browser.post(f"/incidents/{incident.ref}/duties/accept", data={"seen": seen}).status_code == 302
    assert finding(incident).state == "accepted"
    assert browser.post(f"/incidents/{incident.ref}/duties/accept", data={"seen": "0" * 64}).status_code == 409


def test_a_duty_is_marked_met_with_time_zone_reference_and_note(as_):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    browser, ref = as_(Role.PRIVACY), finding(incident).ref
    local = (clock.now() + timedelta(hours=1) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M")
    given = {"met_at": local, "zone": "Etc/GMT-1", "reference": "A-1", "note": "receipt"}
    assert (
        browser.post(
            f"/incidents/{incident.ref}/duties/{ref}/met", data={**given, "zone": "Europe/Nowhere"}
        ).status_code
        == 422
    )
    assert browser.post(f"/incidents/{incident.ref}/duties/{ref}/met", data=given).status_code == 302
    kept = finding(incident)
    assert (kept.state, kept.reference, kept.note, kept.late_seconds) == ("met", "A-1", "receipt", 0)
    assert kept.met_at < clock.now()
    assert "A-1" in page(browser, f"/incidents/{incident.ref}/duties/{ref}")


@pytest.mark.parametrize(
    ("met_at", "words"), [("", "Give date and time"), ("2090-01-01T10:00", "future"), ("x", "Give date and time")]
)
def test_a_bad_time_is_said_at_its_field_and_nothing_is_lost(as_, met_at, words):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    ref = finding(incident).ref
    reply = as_(Role.LEAD).post(
        f"/incidents/{incident.ref}/duties/{ref}/met", data={"met_at": met_at, "note": "as typed"}
    )
    assert reply.status_code == 422
    assert words in reply.text
    assert "as typed" in reply.text
    assert finding(incident).state == "proposed"


def test_waiving_and_taking_back_need_reasons(as_):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    browser, ref = as_(Role.LEAD), finding(incident).ref
    assert browser.post(f"/incidents/{incident.ref}/duties/{ref}/waive", data={"reason": "no"}).status_code == 422
    assert (
        browser.post(
            f"/incidents/{incident.ref}/duties/{ref}/waive", data={"reason": "The parent company files for all."}
        ).status_code
        == 302
    )
    assert finding(incident).state == "waived"
    assert (
        browser.post(
            f"/incidents/{incident.ref}/duties/{ref}/take-back", data={"reason": "They did not file after all."}
        ).status_code
        == 302
    )
    assert finding(incident).state == "proposed"


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.COMMUNICATIONS, Role.APPROVER, Role.AUDITOR])
@pytest.mark.parametrize("act", ["accept", "met", "waive", "take-back"])
def test_only_lead_and_privacy_decide(as_, role, act):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    reply = as_(role).post(
        f"/incidents/{incident.ref}/duties/{finding(incident).ref}/{act}", data={"reason": "because I want to"}
    )
    assert reply.status_code == 403
    assert finding(incident).state == "proposed"


def test_another_incidents_finding_is_not_found_here(as_):
    one, other = an_incident(facts=facts()), an_incident(facts=facts())
    assert as_(Role.LEAD).get(f"/incidents/{one.ref}/duties/{finding(other).ref}").status_code == 404


def test_tables_of_one_and_of_all_incidents(as_):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    browser = as_(Role.AUDITOR)
    one = page(browser, f"/incidents/{incident.ref}/duties/duties.csv")
    assert one.count("\n") > 300
    assert "Art. 33(1)" in one
    assert incident.ref in page(browser, "/duties/duties.csv")


def test_an_incident_without_facts_says_what_to_do_first(as_):
    incident = an_incident()
    assert page(as_(Role.LEAD), f"/incidents/{incident.ref}/duties/")


def test_the_page_of_many_duties_asks_the_database_little(as_, app):
    incident = an_incident(facts=facts())
    browser, asked = as_(Role.LEAD), []

    @event.listens_for(db.engine, "before_cursor_execute")
    def count(_c, _cu, statement, *_):
        asked.append(statement)

    page(browser, f"/incidents/{incident.ref}/duties/?only=all")
    event.remove(db.engine, "before_cursor_execute", count)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) < 25


def test_late_says_how_late(as_):
    incident = an_incident(facts=facts(risk_to_people="risk", aware_at="2026-01-05T10:00:00Z"))
    row = finding(incident)
    assert row.due_at == datetime(2026, 1, 8, 10, tzinfo=UTC)
    assert "d late" in page(as_(Role.LEAD), f"/incidents/{incident.ref}/duties/{row.ref}")
