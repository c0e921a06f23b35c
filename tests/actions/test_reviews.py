"""The review of an incident: its meeting, what happened as it tells it, and the file that is made of it."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import closing, improvements, lessons, privilege, reviews
from incident.actions.reviews import Moment
from incident.domain.access import Role
from incident.domain.dossier import Company
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import closings, separation
from incident.store import reviews as rows
from incident.store.db import db
from tests.builders import WHO_WRITES, a_user, an_incident
from tests.record import details, lines, verbs
from tests.web.test_closing import REVIEW

WHO = "U-0TEST000"


def planned(incident, *people, hours=5):
    now = clock.now()
    refs = [user.ref for user in people]
    return reviews.plan_meeting(incident.ref, at=now + timedelta(hours=hours), people=refs, actor=WHO, now=now)


def added(incident, *moments):
    return reviews.add_moments(incident.ref, moments, actor=WHO, now=clock.now())


def made(incident, kind="json", **more):
    about = {"company": Company("Example"), "zone": WHO_WRITES.zone} | more
    return reviews.export(incident.ref, kind, **about, actor=WHO, now=clock.now())


def test_who_takes_part_is_reminded_once_a_day_before(app):
    incident, ana, bob = an_incident(), a_user(Role.LEAD), a_user(Role.RESPONDER)
    ref, now = planned(incident, ana, bob, hours=30), clock.now()
    assert reviews.to_call(now) == []
    later = now + timedelta(hours=7)
    assert reviews.to_call(later) == [ref]
    reviews.call(ref, later)
    reviews.call(ref, later)
    assert reviews.to_call(later) == []
    mails = db.session.execute(text("SELECT kind, user_id FROM team_mail ORDER BY user_id")).all()
    assert mails == [("review_meeting", user.id) for user in sorted((ana, bob), key=lambda user: user.id)]
    assert [details(line)["people"] for line in lines() if line.verb == "review.meeting_called"] == [2]


def test_of_two_plans_the_later_one_is_called_alone(app):
    incident, ana = an_incident(), a_user(Role.LEAD)
    planned(incident, ana, hours=5)
    second = planned(incident, ana, hours=6)
    assert reviews.to_call(clock.now()) == [second]
    assert rows.meeting(incident.id).ref == second


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_only_the_team_takes_part(app, role):
    with pytest.raises(Invalid) as refused:
        planned(an_incident(), a_user(role))
    assert refused.value.field == "people"


def test_the_time_line_takes_its_times_from_the_record_and_its_words_from_people(app):
    incident = an_incident()
    line = lines(incident.ref)[0]
    early = clock.now() - timedelta(days=2)
    assert added(incident, Moment(None, "We were told", line.seq), Moment(early, "It began")) == 2
    told = [(row.text, row.line) for row in rows.moments(incident.id)]
    assert told == [("It began", None), ("We were told", line.seq)]
    assert added(incident, Moment(None, "Again", line.seq)) == 0
    assert db.session.execute(text("SELECT DISTINCT text FROM review_moment")).scalars().all() == [""]


def test_a_line_of_another_incident_is_not_taken(app):
    other = lines(an_incident().ref)[0].seq
    incident = an_incident()
    with pytest.raises(Invalid, match="of this incident"):
        added(incident, Moment(None, "Not ours", other))
    assert rows.moments(incident.id) == []


def test_a_moment_is_edited_and_taken_out_and_the_record_keeps_its_line(app):
    incident = an_incident()
    added(incident, Moment(clock.now() - timedelta(hours=1), "Somebody called"))
    [row] = rows.moments(incident.id)
    by = {"actor": WHO, "now": clock.now()}
    reviews.edit_moment(incident.ref, row.ref, text="A customer called", at=row.at, **by)
    assert [one.text for one in rows.moments(incident.id)] == ["A customer called"]
    with pytest.raises(Invalid, match="later than now"):
        reviews.edit_moment(incident.ref, row.ref, text="x", at=clock.now() + timedelta(days=1), **by)
    reviews.take_out(incident.ref, row.ref, **by)
    assert rows.moments(incident.id) == []
    with pytest.raises(Missing):
        reviews.take_out(incident.ref, row.ref, **by)
    assert verbs(incident.ref)[-3:] == ["review.moments_added", "review.moment_changed", "review.moment_taken_out"]


def test_a_review_keeps_its_factors_in_the_order_of_the_list(app):
    incident = an_incident()
    closing.write_review(
        incident.ref, REVIEW, factors=["by.processes", "error.misconfiguration"], actor=WHO, now=clock.now()
    )
    assert closings.review(incident.id).factors == ["error.misconfiguration", "by.processes"]
    with pytest.raises(Invalid) as refused:
        closing.write_review(incident.ref, REVIEW, factors=["error.karma"], actor=WHO, now=clock.now())
    assert refused.value.field == "factors"


def whole(incident):
    owner = a_user(Role.LEAD, name="Ana")
    planned(incident, owner)
    added(incident, Moment(clock.now() - timedelta(hours=1), "Somebody called"))
    closing.write_review(incident.ref, REVIEW, factors=["by.processes"], actor=WHO, now=clock.now())
    due = clock.now() + timedelta(days=3)
    ref = improvements.add(incident.ref, "Wipe disks", owner=owner.ref, due_at=due, actor=WHO, now=clock.now())
    improvements.finish(incident.ref, ref, note="All wiped", actor=WHO, now=clock.now())
    told = {"title": "A list on paper", "why": "The phones were down.", "kind": "practice"}
    return lessons.propose(incident.ref, told, actor=WHO, now=clock.now())


def test_the_file_for_machines_says_all_of_it(app):
    incident = an_incident()
    lesson = whole(incident)
    said = json.loads(made(incident).content)
    assert said["answers"]["root_cause"] == REVIEW["root_cause"]
    assert said["factors"] == [{"key": "by.processes", "veris": "Inadequate processes"}]
    assert said["meeting"]["people"] == ["Ana"]
    assert [one["text"] for one in said["moments"]] == ["Somebody called"]
    assert [(one["text"], one["owner"], one["state"], one["shown_by"]) for one in said["improvements"]] == [
        ("Wipe disks", "Ana", "done", "All wiped")
    ]
    assert [(one["ref"], one["state"]) for one in said["lessons"]] == [(lesson, "proposed")]
    assert lines(incident.ref)[-1].verb == "review.exported"


def test_the_file_for_people_is_a_pdf_with_its_digest_in_the_record(app):
    incident = an_incident()
    whole(incident)
    file = made(incident, "pdf")
    assert file.content.startswith(b"%PDF-")
    assert details(lines(incident.ref)[-1])["sha256"] == file.sha256


def test_a_privileged_review_stays_in_unless_it_is_taken_along(app):
    incident = an_incident()
    whole(incident)
    mark = {"basis": "attorney_client", "description": "Review for counsel", "actor": WHO, "now": clock.now()}
    privilege.mark(incident.ref, "review", incident.ref, **mark)
    with pytest.raises(Refused, match="privileged"):
        made(incident)
    assert json.loads(made(incident, privileged=True).content)["incident"] == incident.ref


def test_a_meeting_that_was_is_not_called_any_more(app):
    incident, ana = an_incident(), a_user(Role.LEAD)
    ref = planned(incident, ana, hours=1)
    reviews.call(ref, clock.now() + timedelta(hours=2))
    assert not separation.mails_due(clock.now() + timedelta(hours=3))
