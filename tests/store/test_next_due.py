"""What is due next over all incidents is found by walking due times, however many duties there are."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite

from incident.actions import members
from incident.store import incidents, obligations, surroundings
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.store.overview import NOW
from tests.builders import a_user, an_incident

OWED = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "residents": {"DE": 10},
    "risk_to_people": "high",
}
AWARE = datetime(2026, 1, 2, 8, tzinfo=UTC)


def owed(aware):
    return an_incident(facts=OWED | {"aware_at": aware.isoformat().replace("+00:00", "Z")})


def every():
    return select(Incident.id)


def next_due(now, most=100):
    return surroundings.read(None, every(), now, most=most).next


def test_what_is_due_next_stands_before_what_is_late_and_that_is_counted(app):
    late, ahead = owed(AWARE), owed(AWARE + timedelta(days=10))
    found = next_due(AWARE + timedelta(days=11))
    assert (found.incident, found.due_at) == (ahead.ref, AWARE + timedelta(days=13))
    assert found.late > 0
    assert next_due(AWARE + timedelta(days=11), most=1).late == 1
    assert late.ref != found.incident


def test_where_all_is_late_the_oldest_is_named(app):
    late = owed(AWARE)
    found = next_due(AWARE + timedelta(days=4000))
    assert (found.incident, found.due_at) == (late.ref, AWARE + timedelta(days=3))


def test_where_nothing_is_owed_nothing_is_next(app):
    an_incident()
    assert next_due(AWARE) is None


def test_pages_of_duties_follow_each_other_without_gap_and_those_without_a_time_come_last(app):
    owed(AWARE)
    owed(AWARE)
    query = obligations.unsettled(every())
    whole = [row.id for row in obligations.soonest(query, after=None, limit=500)]
    paged, after = [], None
    while page := obligations.soonest(query, after=after, limit=2):
        paged += [row.id for row in page]
        after = (page[-1].due_at, page[-1].id)
    dues = [row.due_at for row in obligations.soonest(query, after=None, limit=500)]
    assert paged == whole
    assert len(whole) >= 6
    assert dues == sorted(dues, key=lambda due: (due is None, due or AWARE))


def plan(query):
    said = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    return " ".join(row[3] for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {said}")))


@pytest.mark.parametrize("part", [FindingRow.due_at.is_not(None), FindingRow.due_at.is_(None)])
def test_duties_are_read_by_their_due_time_and_not_sorted(app, part):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the plan of SQLite")
    query = obligations.unsettled(every()).where(part)
    said = plan(query.order_by(*((FindingRow.due_at, FindingRow.id) if "NOT" in str(part) else (FindingRow.id,))))
    assert "ix_finding_live_due" in said
    assert "TEMP B-TREE" not in said


def test_one_statement_serves_every_reader_and_tells_each_what_is_theirs(app):
    incident, member, stranger = owed(AWARE), a_user("lead"), a_user("lead")
    members.restrict(incident.ref, actor=member.ref, now=AWARE)
    over = incidents.visible(surroundings.READER, sees_all=False, at=NOW).with_only_columns(Incident.id)

    def seen(user):
        return surroundings.read(incident.id, over, AWARE, most=100, reader=user.id)

    first, held = seen(member), surroundings._spelt.cache_info().misses
    assert (first.next.incident, first.overview.owed > 0) == (incident.ref, True)
    assert seen(stranger).next is None
    assert surroundings._spelt.cache_info().misses == held
