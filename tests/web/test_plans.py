"""The pages and the API of plans."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import event

from incident import clock
from incident.actions import intake, plans
from incident.domain.access import Role
from incident.store import incidents, users
from incident.store import plans as rows
from incident.store.db import db
from tests.builders import a_user


def an_incident(**facts):
    actor = a_user(Role.LEAD).ref
    return intake.log(
        kind="incident", title="A test", facts=facts, source="test", confidence="", actor=actor, now=clock.now()
    )


def a_plan(**facts):
    """A logged ransomware incident with its plan active."""
    ref = an_incident(category="ransomware", **facts)
    plans.activate(ref, "ransomware", actor=a_user(Role.LEAD).ref, now=clock.now())
    return ref


def step(ref, key):
    return next(row for row in rows.steps(incidents.by_ref(ref).id) if row.key == key)


def test_without_a_plan_the_page_offers_the_playbook_that_fits(as_):
    ref = an_incident(category="phishing")
    page = as_(Role.RESPONDER).get(f"/incidents/{ref}/plans/")
    assert page.status_code == 200
    assert "No plan is active yet." in page.text
    assert "Phishing or a taken-over mailbox" in page.text
    assert "Kind of incident" in page.text


def test_activating_shows_the_steps_by_phase_with_owner_due_and_what_they_wait_for(as_):
    ref = an_incident(category="ransomware")
    browser = as_(Role.LEAD)
    reply = browser.post(f"/incidents/{ref}/plans/", data={"playbook": "ransomware"}, follow_redirects=True)
    assert reply.status_code == 200
    assert "Stop the loss" in reply.text
    assert "Cut the infected systems off the network" in reply.text
    assert f'open for want of <a href="/incidents/{ref}/facts/malicious">Was it done on purpose?</a>' in reply.text
    assert "clock not started" in reply.text
    assert "mandatory" in reply.text


def test_a_late_step_says_how_late(as_):
    ref = a_plan(aware_at=(clock.now() - timedelta(hours=30)).isoformat())
    assert "6 h late" in as_(Role.RESPONDER).get(f"/incidents/{ref}/plans/").text


def test_a_step_is_taken_finished_and_then_listed_as_dealt_with(as_):
    ref = a_plan()
    browser, row = as_(Role.RESPONDER), step(a_ref := ref, "save_backups")
    where = f"/incidents/{a_ref}/plans/steps/{row.ref}"
    assert browser.post(f"{where}/take", data={"back": "list"}).headers["Location"].endswith(f"#{row.ref}")
    refused = browser.post(f"{where}/finish", data={"note": ""})
    assert refused.status_code == 422
    assert "needs to be shown" in refused.text
    assert browser.post(f"{where}/finish", data={"note": "Mounted the copy of 3 March."}).status_code == 302
    assert row.title not in browser.get(f"/incidents/{ref}/plans/").text
    assert row.title in browser.get(f"/incidents/{ref}/plans/?only=done").text
    assert "Mounted the copy of 3 March." in browser.get(where).text


def test_a_responder_cannot_leave_out_a_mandatory_step_but_a_lead_can_with_a_reason(as_):
    ref = a_plan()
    where = f"/incidents/{ref}/plans/steps/{step(ref, 'isolate').ref}"
    refused = as_(Role.RESPONDER).post(f"{where}/skip", data={"reason": "No time."})
    assert (refused.status_code, step(ref, "isolate").state) == (409, "open")
    assert as_(Role.LEAD).post(f"{where}/skip", data={"reason": ""}).status_code == 422
    assert as_(Role.LEAD).post(f"{where}/skip", data={"reason": "One host, already off."}).status_code == 302
    assert step(ref, "isolate").state == "skipped"


def test_an_auditor_reads_the_plan_and_changes_nothing(as_):
    ref = a_plan()
    auditor, row = as_(Role.AUDITOR), step(ref, "isolate")
    page = auditor.get(f"/incidents/{ref}/plans/steps/{row.ref}")
    assert page.status_code == 200
    assert "Finish this step" not in page.text
    for act in ("take", "finish", "skip", "reopen", "owner"):
        assert auditor.post(f"/incidents/{ref}/plans/steps/{row.ref}/{act}", data={}).status_code == 403
    assert auditor.post(f"/incidents/{ref}/plans/", data={"playbook": "phishing"}).status_code == 403


def test_a_step_of_another_incident_is_not_there(as_):
    ref, other = a_plan(), a_plan()
    assert as_(Role.LEAD).get(f"/incidents/{other}/plans/steps/{step(ref, 'isolate').ref}").status_code == 404


def test_an_unknown_playbook_is_refused_by_name(as_):
    ref = an_incident()
    reply = as_(Role.LEAD).post(f"/incidents/{ref}/plans/", data={"playbook": "flood"})
    assert reply.status_code == 422


def test_what_people_type_is_only_ever_text(as_):
    ref = a_plan()
    browser, row = as_(Role.LEAD), step(ref, "isolate")
    where = f"/incidents/{ref}/plans/steps/{row.ref}"
    browser.post(f"{where}/finish", data={"note": "<script>alert(1)</script>"})
    assert "<script>alert" not in browser.get(where).text


def test_the_table_has_every_step(as_):
    ref = a_plan()
    reply = as_(Role.AUDITOR).get(f"/incidents/{ref}/plans/steps.csv")
    lines = list(csv.DictReader(io.StringIO(reply.text.lstrip("\ufeff"))))
    assert len(lines) == len(rows.steps(incidents.by_ref(ref).id))
    assert {line["state"] for line in lines} == {"open"}


def test_the_number_of_queries_does_not_grow_with_the_steps(as_):
    ref, browser = a_plan(), as_(Role.LEAD)
    few = _queries(lambda: browser.get(f"/incidents/{ref}/plans/?only=all"))
    plans.activate(ref, "insider", actor=a_user(Role.LEAD).ref, now=clock.now())
    plans.activate(ref, "supplier", actor=a_user(Role.LEAD).ref, now=clock.now())
    assert _queries(lambda: browser.get(f"/incidents/{ref}/plans/?only=all")) <= few


def _queries(do):
    seen = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert do().status_code == 200
    return len(seen)


def test_the_api_does_what_the_pages_do(client, token_for):
    ref, lead = an_incident(category="misdirected"), a_user(Role.LEAD, Role.RESPONDER)
    head, base = token_for(user=lead), f"/api/v1/incidents/{ref}/plans"
    offered = client.get(base, headers=head).json
    assert [s["playbook"] for s in offered["suggested"] if s["certain"]] == ["misdirected"]
    assert client.post(base, json={"playbook": "misdirected"}, headers=head).status_code == 201
    assert client.post(base, json={"playbook": "misdirected"}, headers=head).status_code == 409
    steps = client.get(f"{base}/steps", headers=head).json["steps"]
    recall = next(s for s in steps if s["key"] == "recall")
    where = f"{base}/steps/{recall['ref']}"
    assert client.post(f"{where}/take", headers=head).status_code == 204
    assert client.post(f"{where}/finish", json={"note": "Queue emptied."}, headers=head).status_code == 204
    assert client.post(f"{where}/reopen", json={"reason": "Some were left."}, headers=head).status_code == 204
    assert client.put(f"{where}/owner", json={"to": lead.ref}, headers=head).status_code == 204
    assert client.post(f"{where}/skip", json={"reason": "All were recalled."}, headers=head).status_code == 204
    found = client.get(where, headers=head).json
    assert (found["state"], found["owner"]) == ("skipped", lead.ref)
    assert [e["did"] for e in found["events"]] == ["skipped", "handed_over", "reopened", "finished", "taken"]
    assert users.by_ref(lead.ref)


def test_the_api_names_the_field_that_is_wrong(client, token_for):
    ref = a_plan()
    head, where = token_for(Role.LEAD), f"/api/v1/incidents/{ref}/plans/steps/{step(ref, 'save_backups').ref}"
    reply = client.post(f"{where}/finish", json={"note": " "}, headers=head)
    assert reply.status_code == 422
    assert "note" in reply.text
    assert client.post(f"{where}/finish", json={"notes": "x"}, headers=head).status_code == 422
    assert client.post(f"{where}/skip", json={}, headers=head).status_code == 422
    assert client.get(f"/api/v1/incidents/{ref}/plans", headers={}).status_code == 401


@pytest.mark.parametrize("nasty", ["a\x00b", "half \ud800 a character", "\x00"])
def test_no_text_breaks_the_database(client, token_for, nasty):
    ref = a_plan()
    head, base = token_for(Role.LEAD), f"/api/v1/incidents/{ref}"
    calls = [
        (f"{base}/plans/steps/{step(ref, 'isolate').ref}/finish", {"note": nasty}),
        (f"{base}/plans/steps/{step(ref, 'isolate').ref}/reopen", {"reason": nasty}),
        (f"{base}/grades/operational", {"level": "high", "note": nasty}),
        (f"{base}/grades/operational", {"level": nasty, "note": "x"}),
        (f"{base}/grades/cvss", {"vector": nasty}),
        (f"{base}/plans", {"playbook": nasty}),
        (
            f"{base}/closing/review",
            dict.fromkeys(["went_well", "went_badly", "root_cause", "lessons", "measures"], nasty),
        ),
        (f"{base}/closing/close", {"words": nasty}),
    ]
    for where, body in calls:
        assert client.post(where, json=body, headers=head).status_code in {201, 204, 409, 422}, where
    assert client.get(f"{base}/plans/steps/{step(ref, 'isolate').ref}", headers=head).status_code == 200


def test_numbers_that_are_none_are_refused(client, token_for):
    ref = a_plan(data_kinds=["name"])
    head, base = token_for(Role.LEAD), f"/api/v1/incidents/{ref}/grades/people"
    body = {
        "category": "simple",
        "adjust": 0,
        "ei": 1,
        "confidentiality": "no_evidence",
        "integrity": "no_evidence",
        "availability": "recoverable",
        "malicious_intent": False,
        "reasons": dict.fromkeys(
            ["category", "adjust", "ei", "confidentiality", "integrity", "availability", "malicious_intent"], "Seen."
        ),
        "note": "Because.",
    }
    assert client.post(base, json=body, headers=head).status_code == 201
    for bad in (
        {"ei": 1e308},
        {"ei": float("nan")},
        {"ei": float("inf")},
        {"adjust": 4},
        {"adjust": 10**30},
        {"ei": "x"},
    ):
        assert client.post(base, json={**body, **bad}, headers=head).status_code == 422, bad
    for reasons in ({}, {"ei": 3}, [], {**body["reasons"], "ei": " "}):
        assert client.post(base, json={**body, "reasons": reasons}, headers=head).status_code == 422, reasons


def test_a_step_is_handed_over_reopened_and_listed_for_its_owner(as_):
    ref = a_plan()
    browser, other, row = as_(Role.LEAD), a_user(Role.RESPONDER), step(ref, "isolate")
    where = f"/incidents/{ref}/plans/steps/{row.ref}"
    assert browser.post(f"{where}/owner", data={"to": "U-NOBODY"}).status_code == 422
    assert browser.post(f"{where}/owner", data={"to": other.ref}).headers["Location"].endswith(where)
    assert row.title in as_(user=other).get(f"/incidents/{ref}/plans/?only=mine").text
    assert "No open step is yours." in browser.get(f"/incidents/{ref}/plans/?only=mine").text
    browser.post(f"{where}/finish", data={"note": "Off."})
    assert browser.post(f"{where}/reopen", data={"reason": ""}).status_code == 422
    assert browser.post(f"{where}/reopen", data={"reason": "A second host."}).status_code == 302
    assert "A second host." in browser.get(where).text


def test_steps_that_are_not_needed_stand_apart(as_):
    ref = a_plan(malicious=False, suspected_crime=False)
    browser, row = as_(Role.LEAD), step(ref, "police")
    assert row.title not in browser.get(f"/incidents/{ref}/plans/").text
    assert row.title in browser.get(f"/incidents/{ref}/plans/?only=unneeded").text
    where = f"/incidents/{ref}/plans/steps/{row.ref}"
    assert "not needed" in browser.get(where).text
    assert browser.post(f"{where}/take").status_code == 409


def test_a_plan_whose_playbook_was_reworded_says_so_and_keeps_its_own(as_):
    ref = a_plan()
    browser = as_(Role.LEAD)
    assert "has been reworded" not in browser.get(f"/incidents/{ref}/plans/").text
    rows.of(incidents.by_ref(ref).id)[0].digest = "0" * 64
    db.session.commit()
    assert "has been reworded" in browser.get(f"/incidents/{ref}/plans/").text
