"""Grades, saved with their lines, suggested beside chosen."""

import json

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from incident import clock
from incident.actions import grades, intake
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import grades as rows
from incident.store import incidents
from incident.store.audit import AuditLine
from incident.store.db import db
from tests.builders import a_user

NOW = clock.now()


def an_incident(**facts):
    actor = a_user(Role.LEAD).ref
    return intake.log(
        kind="incident", title="A test", facts=facts, source="test", confidence="", actor=actor, now=NOW
    ), actor


def lines(ref, prefix="grade."):
    query = (
        select(AuditLine).where(AuditLine.incident == ref, AuditLine.verb.startswith(prefix)).order_by(AuditLine.seq)
    )
    return db.session.scalars(query).all()


def test_logging_an_incident_suggests_its_grades_in_the_same_transaction(app):
    ref, _ = an_incident(category="ransomware", data_kinds=["name"])
    current = rows.current(incidents.by_ref(ref).id)
    assert {scale: (row.basis, row.level) for scale, row in current.items()} == {
        "operational": ("suggested", "high"),
        "people": ("suggested", "low"),
    }
    assert [json.loads(line.details)["after"] for line in lines(ref)] == ["high", "low"]


def test_a_fact_that_moves_no_level_leaves_no_line_about_grades(app):
    ref, actor = an_incident(category="ransomware")
    before = len(lines(ref))
    intake.record_facts(ref, {"found_by": "Night shift"}, source="", confidence="", actor=actor, now=NOW)
    assert len(lines(ref)) == before
    assert len(rows.history(incidents.by_ref(ref).id)) == 1


def test_a_fact_that_moves_the_level_says_from_what_to_what(app):
    ref, actor = an_incident(category="ransomware")
    intake.record_facts(ref, {"backup_available": False}, source="", confidence="", actor=actor, now=NOW)
    details = json.loads(lines(ref)[-1].details)
    assert (details["before"], details["after"], details["scale"]) == ("high", "critical", "operational")


def test_a_scale_that_does_not_apply_any_more_is_taken_back_and_may_return(app):
    ref, actor = an_incident(personal_data=True, data_kinds=["health", "name", "email"], residents={"CN": 2_000_000})
    incident_id = incidents.by_ref(ref).id

    def now_known(**facts):
        intake.record_facts(ref, facts, source="", confidence="", actor=actor, now=NOW)
        return set(rows.current(incident_id))

    assert now_known(found_by="Night shift") == {"operational", "people", "china"}
    assert now_known(personal_data=False, residents={}) == {"operational"}
    assert json.loads(lines(ref)[-1].details)["after"] == "not_concerned"
    before = len(lines(ref))
    assert now_known(found_by="Day shift") == {"operational"}
    assert len(lines(ref)) == before
    assert now_known(personal_data=True) == {"operational", "people"}


def test_the_line_of_a_choice_holds_words_of_lists_and_a_digest_never_the_text(app):
    ref, actor = an_incident()
    grades.choose_level(ref, "operational", "critical", "The shop of Ms Example is down.", actor=actor, now=NOW)
    details = json.loads(lines(ref)[-1].details)
    assert len(details.pop("digest")) == 64
    assert details == {"scale": "operational", "before": "low", "after": "critical", "score": ""}


def test_grades_can_be_added_and_never_changed(app):
    an_incident()
    with pytest.raises(DatabaseError):
        db.session.execute(rows.Grade.__table__.update().values(level="low"))
    db.session.rollback()
    with pytest.raises(DatabaseError):
        db.session.execute(rows.Grade.__table__.delete())


@pytest.mark.parametrize(
    ("field", "do"),
    [
        ("scale", lambda ref, **who: grades.choose_level(ref, "beauty", "high", "x", **who)),
        ("scale", lambda ref, **who: grades.choose_level(ref, "people", "high", "x", **who)),
        ("level", lambda ref, **who: grades.choose_level(ref, "operational", "major", "x", **who)),
        ("note", lambda ref, **who: grades.choose_level(ref, "operational", "high", " ", **who)),
        ("note", lambda ref, **who: grades.choose_level(ref, "operational", "high", "x" * 5001, **who)),
        ("category", lambda ref, **who: grades.choose_severity(ref, {}, {}, "x", **who)),
        ("vector", lambda ref, **who: grades.choose_vector(ref, "AV:N", "", **who)),
    ],
)
def test_what_is_not_a_grade_is_refused_by_field_and_leaves_nothing(app, field, do):
    ref, actor = an_incident()
    before = len(lines(ref))
    with pytest.raises(Invalid) as refused:
        do(ref, actor=actor, now=NOW)
    assert (refused.value.field, len(lines(ref))) == (field, before)


def test_a_closed_incident_is_not_graded_and_an_unknown_one_not_found(app):
    ref, actor = an_incident()
    incidents.by_ref(ref).state = "closed"
    db.session.commit()
    with pytest.raises(Refused, match="closed"):
        grades.choose_level(ref, "operational", "high", "x", actor=actor, now=NOW)
    with pytest.raises(Missing):
        grades.choose_level("INC-1999-0001", "operational", "high", "x", actor=actor, now=NOW)
