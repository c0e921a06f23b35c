"""The figures over many incidents are worked out again whenever something changed, and only then."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import event, select

from incident import clock
from incident.actions import intake, measures, members
from incident.domain.measures import Asked
from incident.store import incidents
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_user, an_incident

ZONE = ZoneInfo("Europe/Berlin")


def figures(seen=None, *, wish=None, zone=ZONE, now=None):
    return measures.measured(
        select(Incident) if seen is None else seen, wish or Asked(), levels=(), zone=zone, now=now or clock.now()
    )


def asked_by(call):
    """How many questions the database is asked."""
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len([statement for statement in asked if statement.startswith("SELECT")])


def test_while_nothing_changes_the_rows_are_read_once(app):
    an_incident()
    now = clock.now()
    first = figures(now=now)
    assert figures(now=now + timedelta(seconds=50)) is first
    assert asked_by(lambda: figures(now=now + timedelta(seconds=50))) == 2


def test_what_changed_is_seen_at_once(app):
    incident = an_incident()
    assert figures().incidents == 1
    an_incident()
    assert figures().incidents == 2
    facts = {"occurred_from": "2026-01-01T00:00:00Z", "noticed_at": "2026-01-01T06:00:00Z"}
    said = {"source": "a test", "confidence": "high", "actor": "U-0TEST000", "now": clock.now()}
    intake.record_facts(incident.ref, facts, **said)
    assert figures().spans["detect"].middle == timedelta(hours=6)


def test_time_passes_though_nothing_is_recorded(app):
    an_incident()
    now = clock.now()
    first = figures(now=now)
    assert figures(now=now + timedelta(seconds=61)).at == now + timedelta(seconds=61)
    assert figures(now=now - timedelta(seconds=1)) is not first


def test_other_months_kinds_and_zones_are_figures_of_their_own(app):
    an_incident()
    an_incident(kind="near_miss")
    now = clock.now()
    assert figures(now=now).incidents == 1
    assert figures(now=now, wish=Asked(kinds=("incident", "near_miss"))).incidents == 2
    assert len(figures(now=now, wish=Asked(months=3)).months) == 3
    assert figures(now=now, zone=ZoneInfo("Asia/Shanghai")).zone.key == "Asia/Shanghai"


def test_who_may_not_know_of_an_incident_is_not_shown_the_figures_of_who_may(app):
    incident, member, stranger = an_incident(), a_user("lead"), a_user("lead")
    an_incident()
    members.restrict(incident.ref, actor=member.ref, now=clock.now())

    def seen(user, at):
        return incidents.visible(user.id, sees_all=False, at=at)

    now = clock.now()
    assert figures(seen(member, now), now=now).incidents == 2
    assert figures(seen(stranger, now), now=now).incidents == 1
    assert figures(now=now).incidents == 2
    gone = now + timedelta(seconds=1)
    place = db.metadata.tables["membership"]
    db.session.execute(place.update().values(until=gone))
    db.session.commit()
    assert figures(seen(member, now), now=now).incidents == 2
    assert figures(seen(member, gone), now=gone).incidents == 1
