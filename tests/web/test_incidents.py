import csv
import html
import io
import json
import re
from datetime import datetime, timedelta

import pytest

from incident import clock
from incident.actions import intake, members, plans
from incident.actions import obligations as met
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.store import incidents as rows
from incident.store import obligations, users
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.plans import steps
from incident.web import incident_list
from tests.builders import an_incident

LOGGED = {
    "title": "Customer database copied",
    "kind": "incident",
    "category": "data_leak",
    "personal_data": "yes",
    "zone": "Europe/Berlin",
    "aware_at": "2026-03-10T14:20",
    "source": "log analysis",
    "confidence": "high",
}


def _log(browser, **more):
    reply = browser.post("/incidents/log", data=LOGGED | more)
    assert reply.status_code == 302, reply.text
    return reply.location.rsplit("/", 1)[-1]


def test_a_log_keeps_the_facts_with_source_and_zone(as_):
    ref = _log(as_(Role.RESPONDER))
    incident = rows.by_ref(ref)
    known = rows.current_facts(incident.id)
    assert (incident.title, incident.category) == ("Customer database copied", "data_leak")
    assert known["aware_at"].value == "2026-03-10T13:20:00Z"
    assert (known["personal_data"].value, known["personal_data"].source, known["personal_data"].confidence) == (
        True,
        "log analysis",
        "high",
    )


def test_references_count_up_within_the_year(as_):
    browser = as_(Role.RESPONDER)
    first, second = _log(browser), _log(browser)
    assert int(second.rsplit("-", 1)[1]) == int(first.rsplit("-", 1)[1]) + 1


def test_a_mistake_names_its_field_and_loses_nothing(as_):
    reply = as_(Role.RESPONDER).post(
        "/incidents/log", data=LOGGED | {"title": "", "people_count": "many", "what_happened": "a story"}
    )
    assert reply.status_code == 422
    assert "whole number" in reply.text
    assert "a story" in reply.text
    assert "many" in reply.text
    assert db.session.scalar(db.select(db.func.count()).select_from(rows.Incident)) == 0


def test_a_time_that_the_clocks_skipped_is_refused(as_):
    reply = as_(Role.RESPONDER).post("/incidents/log", data=LOGGED | {"aware_at": "2026-03-29T02:30"})
    assert reply.status_code == 422
    assert "did not exist" in reply.text


def test_a_correction_stands_beside_the_earlier_value(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    reply = browser.post(
        f"/incidents/{ref}/facts/people_count", data={"people_count": "1,200", "source": "first count"}
    )
    assert reply.status_code == 302
    browser.post(f"/incidents/{ref}/facts/people_count", data={"people_count": "1500", "source": "second count"})
    past = rows.history(rows.by_ref(ref).id, "people_count")
    assert [(row.value, row.source) for row in past] == [(1500, "second count"), (1200, "first count")]
    page = browser.get(f"/incidents/{ref}/facts/people_count").text
    assert "1,500" in page
    assert "1,200" in page


def test_the_ledger_can_be_read_as_known_earlier(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    assert "log analysis" in browser.get(f"/incidents/{ref}/facts").text
    assert "log analysis" not in browser.get(f"/incidents/{ref}/facts?at=2020-01-01T00:00").text
    assert "Give date and time" in browser.get(f"/incidents/{ref}/facts?at=yesterday").text


def test_a_fact_is_not_made_unknown_from_a_moment_that_nobody_can_read(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    path, forgets = f"/incidents/{ref}/facts/category", {"category": "no kind", "forget": "1"}
    refused = browser.post(path, data=forgets | {"learnt_at": "yesterday"})
    assert refused.status_code == 422
    assert "Give date and time" in refused.text
    assert rows.current_facts(rows.by_ref(ref).id)["category"].value == "data_leak"
    assert browser.post(path, data=forgets).status_code == 302
    assert rows.current_facts(rows.by_ref(ref).id)["category"].value is None


def test_the_same_fact_again_leaves_no_line(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    before = db.session.scalar(db.select(db.func.count()).select_from(AuditLine))
    browser.post(f"/incidents/{ref}/facts/personal_data", data={"personal_data": "yes"})
    assert db.session.scalar(db.select(db.func.count()).select_from(AuditLine)) == before


def test_lines_hold_no_text_of_anybody(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser, what_happened="Jo Miller of Anytown lost a laptop")
    browser.post(f"/incidents/{ref}/notes", data={"text": "Called Jo Miller"})
    lines = db.session.scalars(db.select(AuditLine)).all()
    assert "Miller" not in json.dumps([(line.subject, line.details) for line in lines])


def test_the_time_line_tells_facts_and_notes_in_words(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    browser.post(f"/incidents/{ref}/notes", data={"text": "Pulled the plug <b>now</b>"})
    page = browser.get(f"/incidents/{ref}/timeline").text
    assert "Pulled the plug &lt;b&gt;now&lt;/b&gt;" in page
    assert "10 Mar 2026, 13:20" in page
    assert "log analysis" in page


def test_evidence_is_sealed_known_by_its_digest_and_only_downloaded(as_, app):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    content = b"<script>alert(1)</script>" * 1000
    reply = browser.post(
        f"/incidents/{ref}/evidence",
        data={"file": (io.BytesIO(content), "../../x.html"), "brought_by": "on-call engineer"},
    )
    assert reply.status_code == 302, reply.text
    piece = rows.evidence(rows.by_ref(ref).id)[0]
    assert (piece.name, piece.size) == ("x.html", len(content))
    stored = (app.extensions["settings"].instance / "files" / piece.stored_as).read_bytes()
    assert b"script" not in stored
    got = browser.get(f"/incidents/{ref}/evidence/{piece.ref}/file")
    assert got.data == content
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.mimetype == "application/octet-stream"


def test_custody_is_only_added_to(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    browser.post(f"/incidents/{ref}/evidence", data={"file": (io.BytesIO(b"x"), "x.log"), "brought_by": "host"})
    piece = rows.evidence(rows.by_ref(ref).id)[0]
    browser.post(f"/incidents/{ref}/evidence/{piece.ref}/custody", data={"holder": "forensics", "reason": "imaging"})
    assert [move.holder for move in rows.custody(rows.by_ref(ref).id)] == ["host", "forensics"]


def test_a_missing_file_is_named(as_):
    browser = as_(Role.RESPONDER)
    ref = _log(browser)
    reply = browser.post(f"/incidents/{ref}/evidence", data={"brought_by": "host"})
    assert (reply.status_code, "Choose the file" in reply.text) == (422, True)


def test_an_old_page_cannot_undo_somebody_elses_title(as_):
    browser = as_(Role.LEAD)
    ref = _log(browser)
    version = rows.by_ref(ref).version
    assert browser.post(f"/incidents/{ref}/title", data={"title": "Better", "version": version}).status_code == 302
    late = browser.post(f"/incidents/{ref}/title", data={"title": "Late", "version": version})
    assert late.status_code == 409
    assert rows.by_ref(ref).title == "Better"


def test_the_list_filters_pages_and_exports(as_):
    browser = as_(Role.RESPONDER)
    _log(browser)
    _log(browser, title="=cmd practice", kind="drill")
    assert "practice" not in browser.get("/incidents/?kind=incident").text
    assert "practice" in browser.get("/incidents/?q=PRACT").text
    table = browser.get("/incidents/incidents.csv").text
    assert "'=cmd practice" in table


def _owed(title, aware):
    known = {"personal_data": True, "role": "controller", "establishments": ["DE"], "risk_to_people": "risk"}
    return an_incident(title=title, facts=known | {"aware_at": aware.strftime("%Y-%m-%dT%H:%M:%SZ")})


def test_the_list_says_what_is_due_next_in_each_incident_and_goes_by_it_when_asked(as_):
    browser, at = as_(Role.LEAD), clock.now()
    late, bare = _owed("The late one", at - timedelta(hours=80)), an_incident(title="The bare one")
    soon = _owed("The one due soon", at - timedelta(hours=70))
    newest = browser.get("/incidents/").text
    assert [newest.index(one.title) for one in (soon, bare, late)] == sorted(
        newest.index(one.title) for one in (soon, bare, late)
    )
    assert re.search(
        r"<time class=\"due due--late\"[^>]*>7 h [^<]*late|<time class=\"due due--late\"[^>]*>8 h late", newest
    )
    assert re.search(r"<time class=\"due due--soon\"[^>]*>in 1 h|<time class=\"due due--soon\"[^>]*>in 2 h", newest)
    assert "no deadline" in newest
    duty = obligations.pending(soon.id)[0]
    assert f'href="/incidents/{soon.ref}/duties/{duty.ref}">{duty.title}</a>' in newest
    by_due = browser.get("/incidents/?order=due").text
    assert by_due.index("The late one") < by_due.index("The one due soon") < by_due.index("The bare one")
    rows_ = list(csv.DictReader(io.StringIO(browser.get("/incidents/incidents.csv?order=due").text)))
    assert [row["reference"] for row in rows_] == [late.ref, soon.ref, bare.ref]
    assert (rows_[1]["next due (UTC)"], rows_[1]["next duty"]) == (duty.due_at.isoformat(), duty.title)
    assert rows_[2]["next due (UTC)"] == ""


def test_the_list_by_deadline_goes_on_by_key_and_refuses_a_made_up_place(as_, monkeypatch):
    monkeypatch.setattr(incident_list, "PAGE", 2)
    at = clock.now()
    titles = [f"Number {hours}" for hours in (90, 80, 70)]
    for title, hours in zip(titles, (90, 80, 70), strict=True):
        _owed(title, at - timedelta(hours=hours))
    browser = as_(Role.LEAD)
    first = browser.get("/incidents/?order=due").text
    assert [title in first for title in titles] == [True, True, False]
    link = html.unescape(re.search(r'class="pager".*?href="([^"]+)"', first, re.S)[1])
    rest = browser.get(link).text
    assert [title in rest for title in titles] == [False, False, True]
    assert "Back to the start" in rest
    assert browser.get("/incidents/?order=due&after=x").status_code == 422


def test_the_api_says_what_is_due_next(token_for, client):
    soon = _owed("The one due soon", clock.now() - timedelta(hours=70))
    head = token_for(Role.LEAD)
    due = obligations.pending(soon.id)[0].due_at
    listed = client.get("/api/v1/incidents", headers=head).json["incidents"][0]
    assert datetime.fromisoformat(listed["next_due_at"]) == due
    assert client.get(f"/api/v1/incidents/{soon.ref}", headers=head).json["next_due_at"] == listed["next_due_at"]


def test_an_auditor_reads_and_changes_nothing(as_):
    ref = _log(as_(Role.RESPONDER))
    auditor = as_(Role.AUDITOR)
    assert auditor.get(f"/incidents/{ref}").status_code == 200
    assert auditor.post(f"/incidents/{ref}/notes", data={"text": "x"}).status_code == 403


def test_the_api_logs_records_and_reads(app, token_for, client):
    head = token_for(Role.RESPONDER)
    reply = client.post(
        "/api/v1/incidents", json={"title": "Phish", "facts": {"personal_data": True}, "source": "mail"}, headers=head
    )
    assert reply.status_code == 201, reply.text
    ref = reply.json["ref"]
    again = client.post(f"/api/v1/incidents/{ref}/facts", json={"facts": {"people_count": 3}}, headers=head)
    assert again.json == {"changed": ["people_count"]}
    facts = client.get(f"/api/v1/incidents/{ref}/facts", headers=head).json["facts"]
    assert {fact["key"]: fact["value"] for fact in facts} == {"personal_data": True, "people_count": 3}
    listed = client.get("/api/v1/incidents", headers=head).json["incidents"]
    assert [one["ref"] for one in listed] == [ref]


def test_the_api_names_the_field_of_bad_input(app, token_for, client):
    head = token_for(Role.RESPONDER)
    reply = client.post("/api/v1/incidents", json={"title": "x", "facts": {"people_count": -1}}, headers=head)
    assert (reply.status_code, reply.json["field"]) == (422, "people_count")
    wrong = client.post("/api/v1/incidents", json={"title": "x", "colour": "red"}, headers=head)
    assert (wrong.status_code, "colour" in wrong.text) == (422, True)
    assert reply.content_type == "application/problem+json"


def test_recording_in_a_closed_incident_is_refused(app):
    ref = intake.log(kind="incident", title="t", facts={}, source="", confidence="", actor="system", now=clock.now())
    incident = rows.by_ref(ref)
    incident.state = "closed"
    db.session.commit()
    with pytest.raises(Refused, match="Reopen"):
        intake.record_facts(ref, {"people_count": 1}, source="", confidence="", actor="system", now=clock.now())


def test_what_duties_wait_for_stands_first_among_the_facts(as_):
    lead = as_(Role.LEAD)
    ref = an_incident(facts={"personal_data": True, "establishments": ["DE"], "role": "controller"}).ref
    page = lead.get(f"/incidents/{ref}/facts").text
    first = page.index("Not known yet, and duties hang on it")
    assert first < page.index("What happened")
    assert re.search(r"decides \d+ duties", page[first:])
    assert f"/incidents/{ref}/facts/risk_to_people" in page[first : page.index("What happened")]


def test_the_slider_stops_where_something_was_learnt(as_):
    lead = as_(Role.LEAD)
    incident = an_incident(facts={"personal_data": True}, now=clock.now() - timedelta(hours=2))
    intake.record_facts(
        incident.ref, {"personal_data": False}, source="s", confidence="high", actor=lead.ref, now=clock.now()
    )
    page = lead.get(f"/incidents/{incident.ref}/facts").text
    stops = re.findall(r'<option value="\d+" data-at="([^"]*)"', page)
    assert len(stops) == 3
    assert stops[-1] == ""
    then = lead.get(f"/incidents/{incident.ref}/facts", query_string={"at": stops[0]}).text
    assert "not what is known now" in then
    assert 'value="0" list="slide-stops"' in then


def test_the_time_line_speaks_of_people_duties_and_steps_by_name(as_):
    lead, other = as_(Role.LEAD), as_(Role.RESPONDER)
    ref = _log(lead, role="controller", establishments="DE", risk_to_people="high")
    members.add(ref, other.ref, actor=lead.ref, now=clock.now())
    plans.activate(ref, "data_leak", actor=lead.ref, now=clock.now())
    step = next(one for one in steps(rows.by_ref(ref).id) if one.key == "rotate")
    plans.take(ref, step.ref, actor=lead.ref, now=clock.now())
    owed = obligations.current(rows.by_ref(ref).id)["EU-GDPR/tell-authority"]
    met.mark_met(ref, owed.ref, met_at=clock.now(), reference="R-1", actor=lead.ref, now=clock.now())
    page = html.unescape(lead.get(f"/incidents/{ref}/timeline").text)
    assert f"gave {users.by_ref(other.ref).name} access to this incident" in page
    assert f"marked the duty “Report to the supervisory authority” as met ({owed.ref})" in page
    assert f"took on the step {step.ref} (“{step.title}”)" in page
    assert "worked out the grade on the scale “Operational level”" in page
    assert re.search(r"what is owed: [1-9]\d* became open\s*<", page)
    assert other.ref not in page


@pytest.mark.parametrize("page", ["people/", "duties/", "letters/", "notices/"])
def test_a_page_with_a_head_of_its_own_says_above_it_which_incident_it_is(as_, page):
    incident = an_incident(title="Lost laptop, Zurich <office>")
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/{page}").get_data(as_text=True)
    assert f"{incident.ref} Lost laptop, Zurich &lt;office&gt;</a>" in text
    assert "<h1>Lost laptop" not in text


def test_the_page_of_the_incident_says_its_title_once(as_):
    incident = an_incident(title="Lost laptop, Zurich <office>")
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}").get_data(as_text=True)
    assert "<h1>Lost laptop, Zurich &lt;office&gt;</h1>" in text
    assert f"{incident.ref} Lost laptop" not in text


def test_the_list_says_that_tocsin_opened_what_no_person_did(as_):
    said = {"source": "a feed", "confidence": "high", "actor": "system", "now": clock.now()}
    intake.log(kind="incident", title="Opened by a feed", facts={}, **said)
    assert re.search(r"opened [^<]* by Tocsin", as_(Role.RESPONDER).get("/incidents/").text)


def test_of_many_unknown_facts_the_first_ten_stand_open_and_the_rest_folded(as_):
    lead = as_(Role.LEAD)
    page = lead.get(f"/incidents/{an_incident().ref}/facts").text
    asked = page.split('id="asked"')[1].split("</section>")[0]
    shown, folded = asked.split("<details")
    assert shown.count('class="entry') == 10
    left = folded.count('class="entry')
    assert f"<summary>{left} more</summary>" in folded
