import io
import json

import pytest

from incident import clock
from incident.actions import checkpoints, intake
from incident.actions.ledger import transaction
from incident.domain import audit as rules
from incident.domain.access import Role
from incident.store import checkpoints as store
from incident.store.db import db
from incident.store.incidents import Incident
from incident.web import audit as pages
from tests.builders import a_user, an_incident
from tests.record import lines, verbs


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    """Checkpoint files of this test alone."""
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "checkpoints")


def notes(incident, count, actor):
    for _ in range(count):
        intake.add_note(incident, "Something was seen.", actor=actor, now=clock.now())


def test_the_record_of_an_incident_reads_as_sentences_with_names(app, as_):
    person = a_user(Role.LEAD, name="Petra Probe")
    incident = an_incident()
    notes(incident.ref, 1, person.ref)
    page = as_(user=person).get(f"/incidents/{incident.ref}/record/").text
    assert "Petra Probe</b> wrote the note" in page
    assert f"opened the incident {incident.ref}" in page


def test_it_goes_on_by_key_and_holds_no_other_incident(app, as_):
    ours, theirs = an_incident(), an_incident()
    browser = as_(Role.LEAD)
    notes(ours.ref, 60, browser.ref)
    notes(theirs.ref, 1, browser.ref)
    first = browser.get(f"/incidents/{ours.ref}/record/").text
    assert first.count('class="entry"') == 50
    assert theirs.ref not in first
    rest = browser.get(f"/incidents/{ours.ref}/record/?before={oldest(first)}").text
    assert rest.count('class="entry"') == len(lines(ours.ref)) - 50
    assert "Back to the start" in rest


def oldest(page):
    return page.rsplit('id="line-', 1)[1].split('"')[0]


def test_it_is_kept_to_who_what_and_when(app, as_):
    incident = an_incident()
    browser = as_(Role.LEAD)
    notes(incident.ref, 2, browser.ref)
    address = f"/incidents/{incident.ref}/record/"
    assert browser.get(address, query_string={"who": browser.ref}).text.count('class="entry"') == 2
    assert browser.get(address, query_string={"what": "note"}).text.count('class="entry"') == 2
    assert browser.get(address, query_string={"until": "2020-01-01"}).text.count('class="entry"') == 0
    today = f"{clock.now():%Y-%m-%d}"
    assert (
        browser.get(address, query_string={"since": today, "until": today, "what": "note"}).text.count('class="entry"')
        == 2
    )
    assert "Give date and time" in browser.get(address, query_string={"since": "yesterday"}).text


def test_the_whole_record_is_for_auditors_and_administrators(app, as_):
    an_incident()
    for path in ("/record/", "/record/lines.csv", "/record/check", "/record/export"):
        assert [
            as_(role).get(path).status_code for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.LEAD, Role.APPROVER)
        ] == [200, 200, 403, 403]


def test_an_auditor_can_check_but_not_sign(app, as_):
    an_incident()
    before = verbs()
    auditor = as_(Role.AUDITOR)
    assert auditor.post("/record/checkpoint").status_code == 403
    assert "Nothing wrong was found" in auditor.get("/record/check").text
    assert [verb for verb in verbs() if not verb.startswith(("session.", "account."))] == [*before, "access.refused"]


def test_a_checkpoint_is_signed_and_handed_out(app, as_):
    incident = an_incident()
    browser = as_(Role.LEAD)
    assert browser.get(f"/incidents/{incident.ref}/record/checkpoint").status_code == 404
    assert browser.post(f"/incidents/{incident.ref}/record/checkpoint").status_code == 302
    note = browser.get(f"/incidents/{incident.ref}/record/checkpoint")
    assert "attachment" in note.headers["Content-Disposition"]
    assert rules.Checkpoint.read(note.text).trouble(rules.Key.read(browser.get("/record/key").text)) is None
    page = browser.get(f"/incidents/{incident.ref}/record/check").text
    assert "Proven: all" in page


def test_the_check_says_what_is_not_proven(app, as_):
    an_incident()
    page = as_(Role.AUDITOR).get("/record/check").text
    assert "Tail not proven" in page
    assert "said--late" not in page


def test_the_check_shows_what_is_wrong(app, as_):
    incident = an_incident()
    checkpoints.sign(actor="system", now=clock.now())
    (path,) = store.folder().iterdir()
    path.write_text(path.read_text(encoding="utf-8").replace("tocsin/", "elsewhere/", 1), encoding="utf-8")
    page = as_(Role.LEAD).get(f"/incidents/{incident.ref}/record/check").text
    assert "Not in order" in page
    assert "foreign checkpoint" in page


def test_a_third_check_at_once_is_told_to_wait(app, as_):
    incident = an_incident()
    browser = as_(Role.LEAD)
    address = f"/incidents/{incident.ref}/record/check"
    with pages._CHECKS, pages._CHECKS:
        assert "Others are checking" in browser.get(address).text
    for _ in range(3):
        assert "Nothing wrong was found" in browser.get(address).text


def test_the_export_and_the_table_can_be_taken_away(app, as_):
    an_incident()
    checkpoints.sign(actor="system", now=clock.now())
    browser = as_(Role.AUDITOR)
    verdict = rules.verify(io.BytesIO(browser.get("/record/export").data), store.kept_outside())
    assert verdict.ok
    table = browser.get("/record/lines.csv").text.splitlines()
    assert len(table) == len(lines()) + 1


def test_a_restricted_incident_has_no_record_for_others(app, as_):
    incident = an_incident()
    with transaction("U-1", clock.now()) as ledger:
        db.session.get(Incident, incident.id).restricted = True
        ledger.write("incident.restricted", incident.ref, incident=incident.ref)
    for path in ("", "lines.csv", "check", "checkpoint"):
        assert as_(Role.LEAD).get(f"/incidents/{incident.ref}/record/{path}").status_code == 404


def test_programs_read_check_sign_and_export(app, client, token_for):
    incident = an_incident()
    auditor, lead = token_for(Role.AUDITOR), token_for(Role.LEAD)
    reply = client.get(f"/api/v1/incidents/{incident.ref}/record?limit=1", headers=lead).json
    assert [line["incident"] for line in reply["lines"]] == [incident.ref]
    everything = client.get("/api/v1/record?verb=incident.&limit=100", headers=auditor).json
    assert [line["verb"] for line in everything["lines"]] == ["incident.opened"]
    assert client.get("/api/v1/record", headers=lead).status_code == 403
    assert client.post("/api/v1/record/checkpoint", headers=auditor).status_code == 403
    signed = client.post("/api/v1/record/checkpoint", headers=lead)
    assert signed.json == client.get("/api/v1/record/checkpoint", headers=auditor).json
    verdict = client.get("/api/v1/record/check", headers=auditor).json
    assert (verdict["ok"], verdict["proven"]) == (True, verdict["size"])
    exported = client.get("/api/v1/record/export", headers=auditor).data
    assert rules.verify(io.BytesIO(exported), [signed.json["note"]]).ok


@pytest.mark.parametrize("query", ["since=yesterday", "limit=0", "limit=9999", "before=-1", "colour=red"])
def test_programs_are_told_which_field_was_wrong(app, client, token_for, query):
    reply = client.get(f"/api/v1/record?{query}", headers=token_for(Role.AUDITOR))
    assert (reply.status_code, query.split("=")[0] in reply.json["field"]) == (422, True)


def test_times_without_decimals_are_taken(app, client, token_for):
    an_incident()
    headers = token_for(Role.AUDITOR)
    assert client.get("/api/v1/record?since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z", headers=headers).json[
        "lines"
    ]
    assert client.get("/api/v1/record?until=2020-01-01T00:00:00Z", headers=headers).json["lines"] == []
    assert json.dumps(client.get("/api/openapi.json", headers=headers).json).count("/api/v1/record/check") >= 1
