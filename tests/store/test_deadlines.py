"""The next deadline of each incident, and incidents in its order."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import inspect, select, text

from incident.actions import obligations as actions
from incident.store import deadlines, obligations
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_user, an_incident

OWED = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "residents": {"DE": 10},
    "risk_to_people": "high",
}
LITERAL = {"literal_binds": True}
AWARE = datetime(2026, 1, 2, 8, tzinfo=UTC)


def owed(aware):
    return an_incident(facts=OWED | {"aware_at": aware.isoformat().replace("+00:00", "Z")})


def in_order(limit):
    """All incidents by deadline, read a page of this size at a time."""
    found, after = [], None
    while page := deadlines.soonest(select(Incident), after=after, limit=limit):
        found += [one.ref for one, _ in page]
        after = page[-1][1]
    return found


def test_it_is_the_first_owed_duty_with_a_time_also_when_that_is_late(app):
    one, without = owed(AWARE), an_incident()
    found = deadlines.of([one.id, without.id])
    assert found.keys() == {one.id}
    assert found[one.id].due_at == AWARE + timedelta(days=3)
    assert found[one.id].title == "Report to the supervisory authority"


def test_a_duty_that_was_met_is_no_deadline_any_more(app):
    one = owed(AWARE)
    actor = a_user("lead").ref
    while found := deadlines.of([one.id]).get(one.id):
        before = found
        actions.mark_met(one.ref, found.finding, met_at=AWARE, reference="R-1", actor=actor, now=AWARE)
        assert deadlines.of([one.id]).get(one.id) != before
    assert all(row.due_at is None for row in obligations.pending(one.id) if row.standing == "owed")


def test_a_closed_incident_has_none_and_stands_with_those_that_have_none(app):
    shut, one, without = owed(AWARE), owed(AWARE + timedelta(days=1)), an_incident()
    shut.state = "closed"
    db.session.commit()
    assert deadlines.of([shut.id]) == {}
    assert in_order(10) == [one.ref, without.ref, shut.ref]


def test_pages_follow_each_other_without_gap_and_those_without_a_deadline_come_last_newest_first(app):
    later, bare, sooner, same, bare_too = (
        owed(AWARE + timedelta(days=2)),
        an_incident(),
        owed(AWARE),
        owed(AWARE),
        an_incident(),
    )
    expected = [sooner.ref, same.ref, later.ref, bare_too.ref, bare.ref]
    assert [in_order(limit) for limit in (1, 2, 3, 10)] == [expected] * 4


def test_other_duties_of_the_incident_are_not_read(app):
    if db.engine.dialect.name != "sqlite":
        names = {index["name"] for index in inspect(db.engine).get_indexes("finding")}
        assert "ix_finding_live_incident" in names
        return
    query = select(Incident.id, deadlines._first_of(Incident.id))
    plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {query.compile(db.engine, compile_kwargs=LITERAL)}"))
    searches = [row[3] for row in plan if "finding" in row[3]]
    assert searches
    assert all("ix_finding_live_incident" in search for search in searches)
