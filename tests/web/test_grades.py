"""The pages and the API of grades."""

import csv
import io
import re

from incident import clock
from incident.actions import intake
from incident.domain.access import Role
from incident.store import grades as rows
from incident.store import incidents
from tests.builders import a_user


def an_incident(**facts):
    actor = a_user(Role.LEAD).ref
    return intake.log(
        kind="incident", title="A test", facts=facts, source="test", confidence="", actor=actor, now=clock.now()
    )


LEAK = {
    "category": "data_leak",
    "malicious": True,
    "personal_data": True,
    "data_kinds": ["name", "id_number"],
    "exfiltration": "confirmed",
}


def severity_form(**more):
    form = {
        "category": "sensitive",
        "adjust": "0",
        "ei": "1",
        "confidentiality": "unknown_recipients",
        "integrity": "no_evidence",
        "availability": "recoverable",
        "malicious_intent": "true",
        "note": "Diagnoses with full names, sold.",
    }
    return {**form, **{f"why_{name}": "Seen in the sample." for name in form if name != "note"}, **more}


def test_the_page_shows_each_scale_with_formula_reasons_and_what_is_open(as_):
    ref = an_incident(**LEAK)
    page = as_(Role.AUDITOR).get(f"/incidents/{ref}/grades/").text
    assert "SE = DPC × EI + CB = 3 × 1 + 1 = 4" in page
    assert "very high 4" in page
    assert "An attacker took data out." in page
    assert "a high risk" in page
    assert "Not graded in China." in page
    assert "Confirm or change" not in page


def test_without_facts_nothing_is_pretended(as_):
    page = as_(Role.LEAD).get(f"/incidents/{an_incident()}/grades/").text
    assert "not decided" in page
    assert "Could change with" in page


def test_a_lead_chooses_inputs_and_the_earlier_grade_stays_in_the_history(as_):
    ref = an_incident(**LEAK)
    browser = as_(Role.LEAD)
    form = browser.get(f"/incidents/{ref}/grades/people/edit").text
    assert "suggested: 0.5 · unknown recipients" in form
    assert not re.search(r"<option[^>]*>[^<]*suggested", form)
    assert browser.post(f"/incidents/{ref}/grades/people", data=severity_form()).status_code == 302
    grade = rows.current(incidents.by_ref(ref).id)["people"]
    assert (grade.basis, grade.level, grade.score) == ("chosen", "very_high", 5.0)
    page = browser.get(f"/incidents/{ref}/grades/").text
    assert "4 × 1 + 1 = 5" in page
    assert "The rules suggest" in page
    assert len(rows.history(grade.incident_id)) == 3


def test_every_input_wants_its_reason_and_a_mistake_keeps_what_was_typed(as_):
    ref = an_incident(**LEAK)
    browser = as_(Role.LEAD)
    reply = browser.post(f"/incidents/{ref}/grades/people", data=severity_form(why_ei="", note="Kept words."))
    assert reply.status_code == 422
    assert "Ease of identification: give the reason." in reply.text
    assert "Kept words." in reply.text
    for field, value in {"ei": "0.6", "adjust": "much", "category": "secret", "integrity": "a bit", "note": ""}.items():
        assert browser.post(f"/incidents/{ref}/grades/people", data=severity_form(**{field: value})).status_code == 422
    assert rows.current(incidents.by_ref(ref).id)["people"].basis == "suggested"


def test_new_facts_move_the_suggestion_but_not_the_choice(as_):
    ref = an_incident(category="data_leak", people_count=50)
    browser = as_(Role.LEAD)
    browser.post(f"/incidents/{ref}/grades/operational", data={"level": "low", "note": "A test bed."})
    intake.record_facts(ref, {"people_count": 2_000_000}, source="", confidence="", actor="system", now=clock.now())
    current = rows.current(incidents.by_ref(ref).id)["operational"]
    assert (current.basis, current.level) == ("chosen", "low")
    assert (
        "Since then the facts have changed: the rules now suggest <b>critical</b>"
        in browser.get(f"/incidents/{ref}/grades/").text
    )


def test_people_in_china_bring_the_chinese_grade(as_):
    ref = an_incident(residents={"CN": 1_200_000, "DE": 4})
    page = as_(Role.LEAD).get(f"/incidents/{ref}/grades/").text
    assert "relatively major" in page
    assert "A report to the authorities is required." in page


def test_a_vector_is_scored_and_a_broken_one_refused(as_):
    ref = an_incident(category="vulnerability")
    browser = as_(Role.PRIVACY)
    good = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert browser.post(f"/incidents/{ref}/grades/cvss", data={"vector": good}).status_code == 302
    assert "critical 9.8" in browser.get(f"/incidents/{ref}/grades/").text
    newer = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    assert browser.post(f"/incidents/{ref}/grades/cvss", data={"vector": newer}).status_code == 302
    assert rows.current(incidents.by_ref(ref).id)["cvss"].score == 9.3
    for bad in ("", "CVSS:3.1/AV:N", "CVSS:4.0/AV:X", "9.8", "CVSS:3.1/AV:N/" + "A" * 400, "<script>"):
        assert browser.post(f"/incidents/{ref}/grades/cvss", data={"vector": bad}).status_code == 422


def test_only_lead_and_privacy_grade(as_):
    ref = an_incident()
    data = {"level": "high", "note": "Because."}
    for role in (Role.RESPONDER, Role.COMMUNICATIONS, Role.APPROVER, Role.AUDITOR):
        assert as_(role).post(f"/incidents/{ref}/grades/operational", data=data).status_code == 403
    assert (
        as_(Role.LEAD).post(f"/incidents/{ref}/grades/operational", data={"level": "huge", "note": "x"}).status_code
        == 422
    )
    assert as_(Role.LEAD).get(f"/incidents/{ref}/grades/beauty/edit").status_code == 404


def test_the_table_has_every_grade(as_):
    ref = an_incident(**LEAK)
    browser = as_(Role.LEAD)
    browser.post(f"/incidents/{ref}/grades/operational", data={"level": "critical", "note": "=1+1"})
    lines = list(csv.DictReader(io.StringIO(browser.get(f"/incidents/{ref}/grades/history.csv").text.lstrip("\ufeff"))))
    assert [line["basis"] for line in lines] == ["chosen", "suggested", "suggested"]
    assert not lines[0]["note"].startswith("=")


def test_the_api_grades_as_the_pages_do(client, token_for):
    ref = an_incident(**LEAK, residents={"CN": 10})
    head, base = token_for(Role.LEAD), f"/api/v1/incidents/{ref}/grades"
    found = client.get(base, headers=head).json
    assert {grade["scale"] for grade in found["current"]} == {"operational", "people", "china"}
    assert found["risk_to_people"]["suggested"] == "high"
    body = {k: v for k, v in severity_form().items() if not k.startswith("why_")} | {
        "adjust": 0,
        "ei": 1,
        "malicious_intent": True,
    }
    body["reasons"] = {k.removeprefix("why_"): v for k, v in severity_form().items() if k.startswith("why_")}
    assert client.post(f"{base}/people", json=body, headers=head).status_code == 201
    assert client.post(f"{base}/operational", json={"level": "high", "note": "Known."}, headers=head).status_code == 201
    assert (
        client.post(f"{base}/china", json={"level": "general", "note": "Few people."}, headers=head).status_code == 201
    )
    assert client.post(f"{base}/cvss", json={"vector": "nonsense"}, headers=head).status_code == 422
    assert client.post(f"{base}/operational", json={"level": "huge", "note": "x"}, headers=head).status_code == 422
    page = client.get(f"{base}/history?limit=2", headers=head).json
    assert [grade["scale"] for grade in page["grades"]] == ["china", "operational"]
    rest = client.get(f"{base}/history?limit=50&before={page['before']}", headers=head).json
    assert rest["before"] is None
    assert (
        client.post(
            f"{base}/operational", json={"level": "low", "note": "x"}, headers=token_for(Role.AUDITOR)
        ).status_code
        == 403
    )


def test_the_risk_to_people_is_decided_with_a_reason_beside_the_suggestion(as_):
    ref = an_incident(**LEAK)
    browser = as_(Role.PRIVACY)
    where = f"/incidents/{ref}/grades/risk"
    for bad in (
        {},
        {"risk_to_people": "high"},
        {"risk_to_people": "huge", "reason": "x"},
        {"risk_to_people": "high", "reason": "x" * 301},
    ):
        assert browser.post(where, data=bad).status_code == 422
    assert browser.post(where, data={"risk_to_people": "risk", "reason": "Only staff saw it."}).status_code == 302
    fact = incidents.current_facts(incidents.by_ref(ref).id)["risk_to_people"]
    assert (fact.value, fact.source) == ("risk", "Only staff saw it.")
    page = browser.get(f"/incidents/{ref}/grades/").text
    assert "Decided: " in page
    assert "Decide anew" in page
    assert as_(Role.RESPONDER).post(where, data={"risk_to_people": "high", "reason": "x"}).status_code == 403


def test_the_api_decides_on_the_risk_too(client, token_for):
    ref, head = an_incident(**LEAK), token_for(Role.LEAD)
    where = f"/api/v1/incidents/{ref}/grades/risk"
    assert client.post(where, json={"risk_to_people": "high", "reason": "Sold."}, headers=head).status_code == 204
    assert client.post(where, json={"risk_to_people": "huge", "reason": "x"}, headers=head).status_code == 422
    assert client.post(where, json={"risk_to_people": "high", "reason": " "}, headers=head).status_code == 422
    found = client.get(f"/api/v1/incidents/{ref}/grades", headers=head).json["risk_to_people"]
    assert (found["decided"], found["suggested"]) == ("high", "high")
