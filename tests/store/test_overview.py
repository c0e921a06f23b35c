from datetime import UTC, datetime

from sqlalchemy import event

from incident import clock
from incident.actions import intake
from incident.store import incidents, overview
from incident.store.db import db

LATE = datetime(2030, 1, 1, tzinfo=UTC)


def _incident(**facts):
    return intake.log(
        kind="incident", title="t", facts=facts, source="", confidence="", actor="system", now=clock.now()
    )


def _plans(call):
    """How the database means to find what this call asks for."""
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    call()
    event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    return " ".join(
        str(row)
        for statement, parameters in asked
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    )


def test_figures_of_many_incidents_come_with_one_query(app):
    refs = [_incident(people_count=3), _incident(category="phishing", personal_data=True)]
    ids = [incidents.by_ref(ref).id for ref in refs]
    asked = []
    event.listen(db.engine, "before_cursor_execute", lambda *_: asked.append(1))
    found = overview.of(ids, clock.now())
    assert (len(asked), [found[one].facts for one in ids]) == (1, [1, 2])


def test_what_open_duties_wait_for_is_found_by_incident(app):
    _incident(personal_data=True, residents={"DE": 10})
    if db.engine.dialect.name == "sqlite":
        plan = _plans(lambda: overview.wants([1]))
        assert "uq_finding_current" in plan or "ix_finding_incident" in plan
        assert "ix_finding_standing_due" not in plan
    assert any("risk_to_people" in keys for _, keys, _ in overview.wants([1]))


def test_late_duties_are_counted_late(app):
    _incident(
        personal_data=True,
        risk_to_people="risk",
        residents={"DE": 10},
        role="controller",
        establishments=["DE"],
        aware_at="2026-01-01T08:00:00Z",
    )
    seen = overview.of([1], LATE)[1]
    assert seen.owed >= 1
    assert seen.late >= 1
