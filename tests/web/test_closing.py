"""Review, closing and reopening, by page and by API."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from incident import clock
from incident.actions import closing, intake, plans
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.store import closings as rows
from incident.store import incidents, standings
from incident.store import plans as plan_rows
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.plans import Step
from tests.builders import a_user

REVIEW = {
    "went_well": "The night shift saw it within the hour.",
    "went_badly": "Nobody knew whom to call.",
    "root_cause": "A bucket was open by default.",
    "lessons": "A list of people to call belongs on paper.",
    "measures": "Operations: daily scan, from Monday.",
}


SETTLED = {
    "personal_data": False,
    "entity": ["company"],
    "establishments": ["DE"],
    "residents": {},
    "people_count": 0,
    "category": "misdirected",
    "malicious": False,
    "suspected_crime": False,
}
"""Facts under which no law asks anything."""


def an_incident(**facts):
    actor = a_user(Role.LEAD).ref
    return intake.log(
        kind="incident", title="A test", facts=facts, source="test", confidence="", actor=actor, now=clock.now()
    )


def verbs(ref):
    return list(db.session.scalars(select(AuditLine.verb).where(AuditLine.incident == ref).order_by(AuditLine.seq)))


def test_the_page_says_what_stands_in_the_way_and_offers_no_button(as_):
    ref = an_incident(category="insider", personal_data=False)
    plans.activate(ref, "insider", actor=a_user(Role.LEAD).ref, now=clock.now())
    page = as_(Role.LEAD).get(f"/incidents/{ref}/closing/").text
    blocking = standings.counted(incidents.by_ref(ref).id).blocking
    assert f"{blocking} mandatory steps are neither finished nor left out." in page
    assert f"/incidents/{ref}/plans/" in page
    assert "The review is not written yet." in page
    assert "Close the incident" not in page


def test_with_everything_done_the_lead_closes_it_and_it_stays_as_it_was(as_):
    ref = an_incident(**SETTLED)
    browser = as_(Role.LEAD)
    assert browser.post(f"/incidents/{ref}/closing/review", data=REVIEW).status_code == 302
    assert "nothing stands in the way" in browser.get(f"/incidents/{ref}/closing/").text
    assert browser.post(f"/incidents/{ref}/closing/close", data={"words": ""}).status_code == 422
    assert (
        browser.post(f"/incidents/{ref}/closing/close", data={"words": "Switched off and rebuilt."}).status_code == 302
    )
    incident = incidents.by_ref(ref)
    assert (incident.state, incident.closed_at is not None) == ("closed", True)
    page = browser.get(f"/incidents/{ref}/closing/").text
    assert "Switched off and rebuilt." in page
    assert "Reopen" in page
    assert verbs(ref)[-2:] == ["review.written", "incident.closed"]
    with pytest.raises(Refused, match="closed"):
        intake.record_facts(ref, {"malicious": True}, source="", confidence="", actor="system", now=clock.now())


def test_it_is_refused_while_something_stands_in_the_way_and_nothing_changes(as_):
    ref = an_incident(**SETTLED)
    before = len(verbs(ref))
    reply = as_(Role.LEAD).post(f"/incidents/{ref}/closing/close", data={"words": "Done."})
    assert reply.status_code == 409
    assert "The review is not written yet." in reply.text
    assert (incidents.by_ref(ref).state, len(verbs(ref))) == ("open", before)


def test_undecided_duties_stand_in_the_way_until_the_facts_are_known(app):
    ref = an_incident(
        **SETTLED | {"personal_data": True, "residents": {"DE": 40}, "people_count": 40, "role": "controller"}
    )
    shut = {gate.key: gate.words for gate in closing.gates(incidents.by_ref(ref)) if not gate.open}
    assert "findings_open" in shut
    assert "findings_owed" in shut
    intake.record_facts(ref, SETTLED, source="", confidence="", actor="system", now=clock.now())
    assert {gate.key for gate in closing.gates(incidents.by_ref(ref)) if not gate.open} == {"review"}


def test_only_a_lead_closes_and_reopens(as_):
    ref = an_incident(**SETTLED)
    for role in (Role.RESPONDER, Role.PRIVACY, Role.APPROVER, Role.AUDITOR, Role.COMMUNICATIONS):
        browser = as_(role)
        assert browser.post(f"/incidents/{ref}/closing/close", data={"words": "x"}).status_code == 403
        assert browser.post(f"/incidents/{ref}/closing/reopen", data={"reason": "x"}).status_code == 403
    assert as_(Role.AUDITOR).get(f"/incidents/{ref}/closing/").status_code == 200


def test_a_review_is_complete_or_not_kept_and_what_was_typed_is_not_lost(as_):
    ref = an_incident()
    reply = as_(Role.RESPONDER).post(f"/incidents/{ref}/closing/review", data={**REVIEW, "lessons": ""})
    assert reply.status_code == 422
    assert "What we learnt: write at least a sentence" in reply.text
    assert "The night shift saw it within the hour." in reply.text
    assert rows.review(incidents.by_ref(ref).id) is None


def test_a_later_review_stands_beside_the_earlier_one(as_):
    ref = an_incident()
    browser = as_(Role.LEAD)
    browser.post(f"/incidents/{ref}/closing/review", data=REVIEW)
    browser.post(f"/incidents/{ref}/closing/review", data={**REVIEW, "lessons": "Paper burns too."})
    page = browser.get(f"/incidents/{ref}/closing/").text
    assert "Paper burns too." in page
    assert "1 earlier" in page
    with pytest.raises(DatabaseError):
        db.session.execute(rows.Review.__table__.delete())


def test_reopening_needs_a_reason_and_work_goes_on(as_):
    ref = an_incident(**SETTLED)
    browser = as_(Role.LEAD)
    assert browser.post(f"/incidents/{ref}/closing/reopen", data={"reason": "x"}).status_code == 409
    browser.post(f"/incidents/{ref}/closing/review", data=REVIEW)
    browser.post(f"/incidents/{ref}/closing/close", data={"words": "Done."})
    assert browser.post(f"/incidents/{ref}/closing/reopen", data={"reason": " "}).status_code == 422
    assert browser.post(f"/incidents/{ref}/closing/reopen", data={"reason": "It came back."}).status_code == 302
    incident = incidents.by_ref(ref)
    assert (incident.state, incident.closed_at) == ("open", None)
    assert [row.did for row in rows.history(incident.id)] == ["reopened", "closed"]
    assert verbs(ref)[-1] == "incident.reopened"


def test_the_closing_keeps_the_figures_of_that_day(app):
    ref, actor = (
        an_incident(**SETTLED),
        a_user(Role.LEAD).ref,
    )
    plans.activate(ref, "misdirected", actor=actor, now=clock.now())
    for step in db.session.scalars(select(Step.ref).where(plan_rows.blocks())).all():
        plans.finish(ref, step, note="Done and shown.", actor=actor, now=clock.now())
    closing.write_review(ref, REVIEW, actor=actor, now=clock.now())
    closing.close(ref, "Sent again, rightly.", actor=actor, now=clock.now())
    kept = rows.history(incidents.by_ref(ref).id)[0]
    assert kept.figures["steps"]["done"] > 3
    assert kept.figures["grades"]["operational"] == "low"


def test_the_api_does_what_the_page_does(client, token_for):
    ref, head = an_incident(**SETTLED), token_for(Role.LEAD)
    base = f"/api/v1/incidents/{ref}/closing"
    assert client.get(base, headers=head).json["closable"] is False
    assert client.post(f"{base}/close", json={"words": "Done."}, headers=head).status_code == 409
    assert client.post(f"{base}/review", json={**REVIEW, "lessons": " "}, headers=head).status_code == 422
    assert client.post(f"{base}/review", json=REVIEW, headers=head).status_code == 201
    assert client.post(f"{base}/close", json={"words": "Done."}, headers=head).status_code == 201
    found = client.get(base, headers=head).json
    assert (found["state"], found["review"]["lessons"]) == ("closed", REVIEW["lessons"])
    assert client.post(f"{base}/reopen", json={"reason": "Again."}, headers=head).status_code == 201
    assert client.post(f"{base}/close", json={"words": "x"}, headers=token_for(Role.PRIVACY)).status_code == 403


def test_the_summary_can_be_taken_along_as_a_table(as_):
    ref = an_incident(**SETTLED)
    reply = as_(Role.AUDITOR).get(f"/incidents/{ref}/closing/summary.csv")
    assert reply.status_code == 200
    assert "The review is written,The review is not written yet." in reply.text
    assert "Kind of incident,Message or letter to the wrong person" in reply.text
