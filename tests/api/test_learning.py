"""Review and learning by the API: the same acts as the pages, by a program's token."""

from datetime import timedelta

import pytest

from incident import clock
from incident.domain import plans as playbooks
from incident.domain.access import Role
from tests.builders import a_user, an_incident
from tests.own_things import things_of
from tests.record import lines
from tests.web.test_closing import REVIEW


@pytest.fixture(autouse=True)
def own_folder(built):
    with things_of(built.folder):
        yield


@pytest.fixture
def call(app, token_for):
    """`call(who, method, path, json)`: the answer to a program of this person."""
    browser, headers = app.test_client(), {}

    def send(who, method, path, body=None):
        headers.setdefault(who.ref, token_for(user=who))
        return browser.open(f"/api/v1{path}", method=method, json=body, headers=headers[who.ref])

    return send


def test_a_lesson_is_proposed_accepted_and_adopted_by_two_programs(call):
    incident, one, two = an_incident(), a_user(Role.LEAD), a_user(Role.PRIVACY)
    given = {
        "title": "Call first", "why": "Nobody called.", "kind": "playbook", "book": "phishing", "phase": "stop_loss",
        "step_title": "Call the bank", "detail": "By telephone.", "role": "lead", "hours": 2,
    }  # fmt: skip
    made = call(one, "POST", f"/incidents/{incident.ref}/lessons", given)
    ref = made.json["ref"]
    assert made.status_code == 201
    assert call(one, "POST", f"/lessons/{ref}/accept").status_code == 409
    assert call(two, "POST", f"/lessons/{ref}/accept").status_code == 204
    assert call(two, "POST", f"/lessons/{ref}/adopt", {}).status_code == 204
    assert "call_the_bank" in {step.key for step in playbooks.playbooks()["phishing"].steps}
    sheet = call(one, "GET", f"/lessons/{ref}").json
    assert (sheet["state"], sheet["incident"], sheet["before"]) == ("adopted", incident.ref, "")
    assert "Call the bank" in sheet["after"]
    assert [row["ref"] for row in call(one, "GET", "/lessons/?state=adopted&q=call").json["lessons"]] == [ref]
    assert call(two, "POST", f"/lessons/{ref}/decline", {"reason": "No"}).status_code == 409


def test_an_improvement_is_asked_for_and_finished(call):
    incident, lead = an_incident(), a_user(Role.LEAD)
    due = (clock.now() + timedelta(days=2)).isoformat()
    place = f"/incidents/{incident.ref}/improvements"
    ref = call(lead, "POST", place, {"text": "Wipe disks", "owner": lead.ref, "due_at": due}).json["ref"]
    assert call(lead, "POST", f"{place}/{ref}/finish", {}).status_code == 422
    assert call(lead, "POST", f"{place}/{ref}/finish", {"note": "All wiped"}).status_code == 204
    sheet = call(lead, "GET", f"{place}/{ref}").json
    assert (sheet["state"], sheet["owner"], sheet["events"][0]["text"]) == ("done", lead.ref, "All wiped")
    assert [row["ref"] for row in call(lead, "GET", "/improvements/?state=done").json["improvements"]] == [ref]
    assert call(lead, "GET", "/improvements/?late=true").json["improvements"] == []
    assert [row["ref"] for row in call(lead, "GET", place).json["improvements"]] == [ref]


def test_a_review_has_its_meeting_moments_and_file(call):
    incident, lead = an_incident(), a_user(Role.LEAD)
    place = f"/incidents/{incident.ref}/review"
    at = (clock.now() + timedelta(days=2)).isoformat()
    assert call(lead, "POST", f"{place}/meeting", {"at": at, "people": [lead.ref]}).status_code == 201
    told = {"moments": [{"text": "We were told", "line": lines(incident.ref)[0].seq}]}
    assert call(lead, "POST", f"{place}/moments", told).json == {"added": 1}
    assert call(lead, "POST", f"{place}/moments", told).json == {"added": 0}
    written = {**REVIEW, "factors": ["error.loss"]}
    assert call(lead, "POST", f"/incidents/{incident.ref}/closing/review", written).status_code == 201
    shown = call(lead, "GET", place).json
    assert (shown["factors"], shown["meeting"]["people"]) == (["error.loss"], [lead.ref])
    [moment] = shown["moments"]
    edit = {"text": "A customer told us", "at": moment["at"]}
    assert call(lead, "PUT", f"{place}/moments/{moment['ref']}", edit).status_code == 204
    assert call(lead, "POST", f"{place}/file/json").json["moments"][0]["text"] == "A customer told us"
    assert call(lead, "DELETE", f"{place}/moments/{moment['ref']}").status_code == 204
    assert call(lead, "GET", place).json["moments"] == []


def test_whoever_may_not_decide_is_refused(call):
    incident, responder = an_incident(), a_user(Role.RESPONDER)
    given = {"title": "On paper", "why": "No phones.", "kind": "practice"}
    ref = call(responder, "POST", f"/incidents/{incident.ref}/lessons", given).json["ref"]
    assert call(responder, "POST", f"/lessons/{ref}/adopt", {"note": "Done"}).status_code == 403
    auditor = a_user(Role.AUDITOR)
    assert call(auditor, "GET", f"/lessons/{ref}").json["title"] == "On paper"
    assert call(auditor, "POST", f"/incidents/{incident.ref}/lessons", given).status_code == 403
