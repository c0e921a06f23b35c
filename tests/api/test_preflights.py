"""The check before a notice goes out, for programs."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from incident import work
from incident.actions import merging, people
from incident.domain.access import Role
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.actions.waves import SANDBOX
from tests.builders import a_notice, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def incident(app):
    app.extensions["settings"].company_name = "Example"
    found = an_incident()
    for number in range(3):
        given = {"email": f"p{number}@example.org", "place": "DE", "exposed": "email"}
        people.add(found.ref, given, actor="U-0AUTHOR0", now=NOW)
    yield SimpleNamespace(ref=found.ref, id=found.id)
    app.extensions["settings"].company_name = ""


def at(incident, ref, rest=""):
    return f"/api/v1/incidents/{incident.ref}/notices/{ref}/check{rest}"


def test_a_program_asks_for_a_check_and_reads_what_it_found(incident, client, token_for):
    ref, lead = a_notice(incident), token_for(Role.LEAD)
    before = client.get(at(incident, ref), headers=lead).get_json()
    assert (before["ref"], before["holds"], before["verdict"]) == ("", False, "unknown")
    asked = client.post(at(incident, ref), headers=lead)
    assert asked.status_code == 202
    assert client.post(at(incident, ref), headers=lead).get_json() == asked.get_json()
    work.once()
    found = client.get(at(incident, ref), headers=lead).get_json()
    assert (found["state"], found["holds"], found["checked"], found["verdict"]) == ("done", True, 3, "blocks")
    look = found["looks"][0]
    assert (look["what"], look["verdict"], look["people"]) == ("gap.person.name", "blocks", 3)
    assert len(found["people_digest"]) == 64


def test_the_people_behind_a_look_come_by_key(incident, client, token_for):
    ref, lead = a_notice(incident), token_for(Role.LEAD)
    client.post(at(incident, ref), headers=lead)
    work.once()
    first = client.get(at(incident, ref, "/people?what=gap.person.name&limit=2"), headers=lead).get_json()
    assert first == {"people": ["P-1", "P-2"], "next": 2}
    rest = client.get(at(incident, ref, "/people?what=gap.person.name&after=2"), headers=lead).get_json()
    assert rest == {"people": ["P-3"], "next": None}
    assert client.get(at(incident, ref, "/people?what=nothing"), headers=lead).status_code == 404


def test_an_auditor_cannot_ask_for_one(incident, client, token_for):
    assert client.post(at(incident, a_notice(incident)), headers=token_for(Role.AUDITOR)).status_code == 403


def test_what_the_approval_set_is_what_a_sending_says_and_no_start_may_loosen(app, client, token_for, monkeypatch):
    channels = Channels({"email": Memory("email"), "sms": Memory("sms")}, SANDBOX)
    monkeypatch.setitem(app.extensions, "channels", channels)
    app.extensions["settings"].company_name = "Example"
    found = an_incident()
    given = {"name": "Ana", "email": "ana@example.org", "place": "DE", "exposed": "email"}
    people.add(found.ref, given, actor="U-0AUTHOR0", now=NOW)
    ref = a_notice(found, stage="submitted", house=merging.house(app.extensions["settings"]))
    lead, approver = token_for(Role.LEAD), token_for(Role.APPROVER)
    notices = f"/api/v1/incidents/{found.ref}/notices/{ref}"
    sendings = f"/api/v1/incidents/{found.ref}/sendings"
    shown = client.get(notices, headers=lead).get_json()
    pace = {"canary": 5, "most_back": 4, "sample": 20, "most_complaints": 2, "rates": {"sms": 1.5}, "at_any_hour": True}
    pace |= {"hours": {"begins": 8, "until": 21, "sunday": 21}}
    decided = {"digest": shown["digest"], "people": 1, "pace": pace}
    assert (
        client.post(f"{notices}/approve", headers=approver, json=decided | {"pace": {"most_back": 0}}).status_code
        == 422
    )
    short = decided | {"pace": pace | {"hours": {"begins": 9, "until": 12, "sunday": 12}}}
    assert client.post(f"{notices}/approve", headers=approver, json=short).status_code == 422
    assert client.post(f"{notices}/approve", headers=approver, json=decided).status_code == 200
    [version] = client.get(f"{notices}/versions", headers=lead).get_json()["versions"]
    assert version["pace"] == pace
    assert client.post(sendings, headers=lead, json={"notice": ref, "at_any_hour": True}).status_code == 422
    loose = client.post(sendings, headers=lead, json={"notice": ref, "most_back": 50})
    assert (loose.status_code, "approved" in loose.get_data(as_text=True)) == (422, True)
    started = client.post(sendings, headers=lead, json={"notice": ref, "canary": 1}).get_json()["ref"]
    said = client.get(f"{sendings}/{started}", headers=lead).get_json()
    assert said["pace"] == pace | {"canary": 1}
    app.extensions["settings"].company_name = ""
