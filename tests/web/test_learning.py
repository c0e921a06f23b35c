"""Review and learning by its pages: meeting, time line, improvements and lessons, over one incident and over all."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from incident import clock
from incident.actions import improvements, lessons, members, reviews
from incident.domain import plans as playbooks
from incident.domain import starters
from incident.domain.access import Role
from incident.store import closings, own, users
from incident.store import improvements as improvement_rows
from incident.store import lessons as lesson_rows
from incident.store import reviews as rows
from incident.store.db import db
from incident.store.improvements import Improvement
from tests.builders import a_user, an_incident
from tests.own_things import things_of
from tests.record import lines
from tests.web.test_closing import REVIEW
from tests.web.test_html import mistakes

WHO = "U-0TEST000"
PRACTICE = {"title": "A list on paper", "why": "The phones were down.", "kind": "practice"}


@pytest.fixture(autouse=True)
def own_folder(built):
    with things_of(built.folder):
        yield


def improvement(incident, owner, text="Wipe old disks", days=7):
    due = clock.now() + timedelta(days=days)
    return improvements.add(incident.ref, text, owner=owner.ref, due_at=due, actor=WHO, now=clock.now())


def lesson(incident, **given):
    return lessons.propose(incident.ref, {**PRACTICE, **given}, actor=WHO, now=clock.now())


def test_a_review_is_planned_told_and_written_on_its_pages(as_):
    incident, lead = an_incident(), as_(Role.LEAD)
    page = f"/incidents/{incident.ref}/review"
    lead.get(f"{page}/")
    team = a_user(Role.RESPONDER, name="Bob Example")
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert lead.post(f"{page}/meeting", data={"at": at, "people": [team.ref]}).status_code == 302
    seq = lines(incident.ref)[0].seq
    assert lead.post(f"{page}/moments/from-record", data={"lines": [seq, "x", 999_999]}).status_code == 302
    begun = (clock.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert lead.post(f"{page}/moments", data={"at": begun, "text": "The door stood open"}).status_code == 302
    first, second = rows.moments(incident.id)
    assert (first.text, second.line) == ("The door stood open", seq)
    assert "opened the incident" in second.text
    local = second.at.strftime("%Y-%m-%dT%H:%M")
    lead.post(f"{page}/moments/{second.ref}", data={"at": local, "text": "We were told"})
    assert (rows.moments(incident.id)[1].text, rows.moments(incident.id)[1].at) == ("We were told", second.at)
    form = REVIEW | {"factors": ["by.processes", "error.omission"]}
    assert lead.post(f"/incidents/{incident.ref}/closing/review", data=form).status_code == 302
    assert closings.review(incident.id).factors == ["error.omission", "by.processes"]
    shown = lead.get(f"{page}/").text
    for words in ("Bob Example", "The door stood open", "We were told", "something was not done", "Omission"):
        assert words in shown
    lead.post(f"{page}/moments/{first.ref}/take-out")
    assert "The door stood open" not in lead.get(f"{page}/").text


@pytest.mark.parametrize(
    ("where", "form", "says"),
    [
        ("meeting", {"at": "", "people": ["U-1"]}, "when the review meets"),
        ("meeting", {"at": "2026-12-01T09:00"}, "Choose who takes part"),
        ("meeting", {"at": "soon"}, "Give date and time"),
        ("moments", {"at": "2026-01-01T09:00", "text": " "}, "Say what happened"),
        ("moments", {"at": "2199-01-01T09:00", "text": "x"}, "later than now"),
        ("improvements", {"text": "", "owner": "U-1", "due_at": "2026-12-01"}, "Say what is to be done"),
        ("improvements", {"text": "x", "owner": "U-1", "due_at": "2199-12-01"}, "within five years"),
        ("improvements", {"text": "x", "owner": "U-1", "due_at": "soon"}, "Give date and time"),
        ("lessons/", {"title": "", "why": "x", "kind": "practice"}, "in a line what was learnt"),
        ("lessons/", {"title": "x", "why": "x", "kind": "playbook", "book": "x"}, "The playbooks are"),
    ],
)
def test_what_is_wrong_about_a_form_is_said_beside_it(as_, where, form, says):
    answer = as_(Role.LEAD).post(f"/incidents/{an_incident().ref}/review/{where}", data=form)
    assert answer.status_code == 422
    assert says in answer.text


def test_an_improvement_stands_on_its_owners_desk_until_it_is_done(as_):
    incident, browser = an_incident(), as_(Role.RESPONDER)
    page = f"/incidents/{incident.ref}/review/improvements"
    day, me = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%d"), browser.ref
    browser.post(page, data={"text": "Wipe old disks", "owner": me, "due_at": day})
    [row] = improvement_rows.of_incident(incident.id)
    assert (row.due_at.hour, row.due_at.minute) == (23, 59)
    assert "Wipe old disks" in browser.get("/").text
    assert "Wipe old disks" not in as_(Role.LEAD).get("/").text
    assert "Wipe old disks" in browser.get("/improvements/?show=mine").text
    assert browser.post(f"{page}/{row.ref}/finish", data={"note": ""}).status_code == 422
    assert browser.post(f"{page}/{row.ref}/finish", data={"note": "All 40 wiped"}).status_code == 302
    assert "All 40 wiped" in browser.get(f"{page}/{row.ref}").text
    assert "Wipe old disks" not in browser.get("/").text
    assert "Wipe old disks" not in browser.get("/improvements/").text


def test_a_late_improvement_is_said_to_be_late(as_):
    incident, lead = an_incident(), a_user(Role.LEAD)
    browser, ref = as_(user=lead), improvement(incident, lead)
    assert "Wipe old disks" not in browser.get("/improvements/?show=late").text
    db.session.execute(update(Improvement).values(due_at=clock.now() - timedelta(hours=3)))
    db.session.commit()
    assert "3 h late" in browser.get("/improvements/?show=late").text
    assert "3 h late" in browser.get(f"/incidents/{incident.ref}/review/improvements/{ref}").text
    assert "Wipe old disks" in browser.get("/").text


def test_each_act_on_an_improvement_has_a_form(as_):
    incident, lead = an_incident(), a_user(Role.LEAD)
    browser = as_(user=lead)
    ref, other = improvement(incident, lead), a_user(Role.RESPONDER)
    page = f"/incidents/{incident.ref}/review/improvements/{ref}"
    day = (clock.now() + timedelta(days=30)).strftime("%Y-%m-%d")
    assert browser.post(f"{page}/move", data={"due_at": day, "reason": ""}).status_code == 422
    for act, form in [
        ("move", {"due_at": day, "reason": "Parts are missing"}),
        ("owner", {"to": other.ref}),
        ("drop", {"reason": "The disks are gone"}),
        ("reopen", {"reason": "They were found"}),
    ]:
        assert browser.post(f"{page}/{act}", data=form).status_code == 302
    shown = browser.get(page).text
    for words in ("Parts are missing", "The disks are gone", "They were found", "moved it", "handed it over"):
        assert words in shown
    assert browser.get(f"/incidents/{incident.ref}/review/improvements/IM-NONE").status_code == 404


def test_a_lesson_on_a_step_goes_from_the_form_into_the_next_plan(as_):
    incident, lead, other = an_incident(), as_(Role.LEAD), as_(Role.PRIVACY)
    place = f"/incidents/{incident.ref}/review/lessons"
    step = next(one for one in playbooks.shipped()["phishing"].steps if not one.shared)
    form = lead.get(f"{place}/new?kind=playbook&book=phishing&step={step.key}").text
    assert step.title.replace("’", "’") in form
    given = {
        "title": "Call first", "why": "Nobody called.", "kind": "playbook", "book": "phishing", "step": step.key,
        "step_title": "Call first", "detail": "By telephone.", "phase": step.phase.value, "role": "lead", "hours": "2",
        "due_from": "opened_at",
    }  # fmt: skip
    where = lead.post(f"{place}/", data=given).location
    [row] = lesson_rows.of_incident(incident.id)
    assert where == f"/lessons/{row.ref}"
    page = lead.get(where).text
    assert f"<del>Step: {step.title}</del>" in page.replace("&#39;", "'")
    assert "<ins>Step: Call first</ins>" in page
    assert lead.post(f"{where}/accept").status_code == 409
    assert lead.post(f"{where}/adopt").status_code == 409
    assert other.post(f"{where}/accept").status_code == 302
    assert lead.post(f"{where}/adopt").status_code == 302
    changed = next(one for one in playbooks.playbooks()["phishing"].steps if one.key == step.key)
    assert (changed.title, changed.lesson) == ("Call first", row.ref)
    assert "adopted" in lead.get(where).text


def test_a_lesson_on_a_text_begins_with_what_stands_there(as_):
    incident, lead, other = an_incident(), as_(Role.LEAD), as_(Role.PRIVACY)
    place = f"/incidents/{incident.ref}/review/lessons"
    assert starters.part("en", "subject") in lead.get(f"{place}/new?kind=text&language=en&part=subject").text
    given = {"title": "Say it first", "why": "People asked.", "kind": "text", "language": "en", "part": "subject"}
    assert lead.post(f"{place}/", data={**given, "text": "{{ person.shoe }}"}).status_code == 422
    where = lead.post(f"{place}/", data={**given, "text": "Your data were stolen"}).location
    other.post(f"{where}/accept")
    other.post(f"{where}/adopt")
    assert starters.text("en").subject == "Your data were stolen"


def test_the_other_forms_open_too(as_):
    lead, incident = as_(Role.LEAD), an_incident()
    for kind in ("", "practice", "law", "text", "playbook", "colour"):
        assert lead.get(f"/incidents/{incident.ref}/review/lessons/new?kind={kind}").status_code == 200


def test_the_list_of_lessons_is_filtered_searched_and_had_as_csv(as_):
    incident, lead = an_incident(), as_(Role.LEAD)
    first, second = lesson(incident), lesson(incident, title="Two keys for the safe")
    lessons.decline(first, reason="No wall is free", actor=WHO, now=clock.now())
    assert "A list on paper" in lead.get("/lessons/?state=declined").text
    assert "Two keys" not in lead.get("/lessons/?state=declined").text
    found = lead.get("/lessons/?q=two KEYS").text
    assert "Two keys for the safe" in found
    assert "A list on paper" not in found
    rows_ = lead.get("/lessons/lessons.csv").text.splitlines()
    assert len(rows_) == 3
    assert rows_[1].startswith(f"{second},{incident.ref},Two keys for the safe,practice,,proposed,")
    assert "No wall is free" in lead.get(f"/lessons/{first}").text


def test_decisions_on_a_lesson_are_for_those_who_lead(as_):
    ref, browser = lesson(an_incident()), as_(Role.RESPONDER)
    for act in ("accept", "adopt", "decline"):
        assert browser.post(f"/lessons/{ref}/{act}", data={"reason": "x"}).status_code == 403
    assert browser.post(f"/lessons/{ref}/owner", data={"to": browser.ref}).status_code == 302
    assert users.by_ref(browser.ref).id == lesson_rows.by_ref(ref).owner_id


def test_of_a_restricted_incident_nothing_is_seen_in_the_lists_over_all(as_):
    incident, lead = an_incident(), as_(Role.LEAD)
    ref, other = lesson(incident, title="Unspoken lesson"), a_user(Role.RESPONDER)
    improvement(incident, other, "Unspoken improvement")
    members.restrict(incident.ref, actor=other.ref, now=clock.now())
    for page in ("/lessons/", "/lessons/lessons.csv", "/improvements/?show=all", "/improvements/improvements.csv"):
        assert "Unspoken" not in lead.get(page).text
    assert lead.get(f"/lessons/{ref}").status_code == 404
    assert lead.post(f"/lessons/{ref}/decline", data={"reason": "x"}).status_code == 404


def test_the_review_is_a_file_for_whoever_may_export(as_):
    incident = an_incident()
    lead, responder = as_(Role.LEAD), as_(Role.RESPONDER)
    assert lead.post(f"/incidents/{incident.ref}/review/file/json").json["incident"] == incident.ref
    assert lead.post(f"/incidents/{incident.ref}/review/file/doc").status_code == 422
    assert responder.post(f"/incidents/{incident.ref}/review/file/pdf").status_code == 403


def test_measures_and_readiness_tell_of_what_is_left_to_learn(as_):
    incident, lead = an_incident(), as_(Role.LEAD)
    improvement(incident, a_user(Role.LEAD))
    lessons.decline(lesson(incident), reason="No wall is free", actor=WHO, now=clock.now())
    lesson(incident)
    assert lead.get("/measures/lessons.csv").text.splitlines()[1] == "2,0,1,1,"
    assert "are overdue" not in lead.get("/readiness/").text
    db.session.execute(update(Improvement).values(due_at=clock.now() - timedelta(hours=3)))
    db.session.commit()
    assert "Improvements asked for after incidents that are overdue: 1." in lead.get("/readiness/").text


def test_pages_with_something_in_them_are_valid_html(as_, built):
    incident, browser = an_incident(), as_(Role.LEAD, Role.PRIVACY)
    own.put_law(built.folder, "our-insurer.toml", "id = 1")
    place = f"/incidents/{incident.ref}/review"
    row, begun = lesson(incident), clock.now() - timedelta(hours=1)
    reviews.add_moments(incident.ref, [reviews.Moment(begun, "It began")], actor=WHO, now=clock.now())
    done = improvement(incident, a_user(Role.LEAD))
    forms = [
        f"{place}/lessons/new?kind={kind}" for kind in ("law", "text&language=en&part=sms", "playbook&book=common")
    ]
    pages = [f"{place}/", f"/lessons/{row}", "/lessons/", "/improvements/", f"{place}/improvements/{done}", *forms]
    assert {page: found for page in pages if (found := mistakes(browser.get(page).text))} == {}
