"""What is done after an incident: with an owner and a day, to its end, each act with its words and its line."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from incident import clock
from incident.actions import improvements
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import improvements as rows
from incident.store.db import db
from tests.builders import a_user, an_incident
from tests.record import lines

WHO = "U-0TEST000"


def added(incident, owner, days=7):
    now = clock.now()
    due = now + timedelta(days=days)
    return improvements.add(incident.ref, "Wipe old disks", owner=owner.ref, due_at=due, actor=WHO, now=now)


def test_one_is_done_with_what_shows_it(app):
    incident, owner = an_incident(), a_user(Role.RESPONDER)
    ref = added(incident, owner)
    with pytest.raises(Invalid, match="what shows it"):
        improvements.finish(incident.ref, ref, note=" ", actor=owner.ref, now=clock.now())
    improvements.finish(incident.ref, ref, note="All 40, list in the safe.", actor=owner.ref, now=clock.now())
    row = rows.by_ref(incident.id, ref)
    [event] = rows.events([row.id])[row.id]
    assert (row.state, row.ended_at is not None, event.text) == ("done", True, "All 40, list in the safe.")
    with pytest.raises(Refused, match="ended already"):
        improvements.drop(incident.ref, ref, reason="No", actor=owner.ref, now=clock.now())
    assert [line.verb for line in lines() if line.verb.startswith("improvement")] == [
        "improvement.added",
        "improvement.finished",
    ]


def test_each_act_that_gives_way_needs_a_reason_and_keeps_it(app):
    incident, owner, other = an_incident(), a_user(Role.RESPONDER), a_user(Role.LEAD)
    ref, now = added(incident, owner), clock.now()
    later = now + timedelta(days=30)
    by = {"actor": owner.ref, "now": now}
    with pytest.raises(Invalid):
        improvements.move(incident.ref, ref, due_at=later, reason="", **by)
    with pytest.raises(Invalid):
        improvements.move(incident.ref, ref, due_at=now - timedelta(days=1), reason="Parts are missing", **by)
    improvements.move(incident.ref, ref, due_at=later, reason="Parts are missing", **by)
    improvements.hand_over(incident.ref, ref, to=other.ref, **by)
    improvements.drop(incident.ref, ref, reason="The disks are gone", **by)
    improvements.reopen(incident.ref, ref, reason="They were found", **by)
    row = rows.by_ref(incident.id, ref)
    assert (row.state, row.due_at, row.owner_id, row.ended_at) == ("open", later, other.id, None)
    told = [(event.did, event.text) for event in reversed(rows.events([row.id])[row.id])]
    assert told == [
        ("moved", "Parts are missing"),
        ("handed_over", ""),
        ("dropped", "The disks are gone"),
        ("reopened", "They were found"),
    ]


def test_only_who_may_work_on_the_incident_owns_one(app):
    incident = an_incident()
    for stranger in (a_user(Role.AUDITOR), a_user(Role.ADMINISTRATOR)):
        with pytest.raises(Invalid) as refused:
            added(incident, stranger)
        assert refused.value.field == "owner"
    with pytest.raises(Invalid) as refused:
        added(incident, a_user(Role.LEAD), days=-1)
    assert refused.value.field == "due_at"
    assert rows.of_incident(incident.id) == []


def test_what_is_to_be_done_is_sealed_and_what_was_done_stays(app):
    incident, owner = an_incident(), a_user(Role.RESPONDER)
    ref = added(incident, owner)
    improvements.finish(incident.ref, ref, note="Done", actor=owner.ref, now=clock.now())
    assert db.session.execute(text("SELECT text FROM improvement")).scalar() == ""
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text("UPDATE improvement_event SET did = 'dropped'"))
    db.session.rollback()


def test_late_ones_are_counted_over_all_incidents(app):
    incident, owner = an_incident(), a_user(Role.RESPONDER)
    ref = added(incident, owner, days=2)
    assert rows.late(clock.now()) == 0
    assert rows.late(clock.now() + timedelta(days=3)) == 1
    improvements.finish(incident.ref, ref, note="Done", actor=owner.ref, now=clock.now())
    assert rows.late(clock.now() + timedelta(days=3)) == 0


def test_one_of_another_incident_is_not_there(app):
    incident, owner = an_incident(), a_user(Role.RESPONDER)
    ref = added(incident, owner)
    with pytest.raises(Missing):
        improvements.drop(an_incident().ref, ref, reason="No", actor=owner.ref, now=clock.now())
