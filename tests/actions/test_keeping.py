"""Rules of retention: what goes when, shown before it is set, stopped by a hold, with a line for each thing that goes."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from incident.actions import imports, keeping
from incident.actions.ledger import transaction
from incident.domain.errors import Invalid, Refused
from incident.domain.imports import Reading
from incident.store import sealed
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.imports import PersonImport
from incident.store.incidents import Incident
from incident.store.tables import Form
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"


def closed(kind="incident", at=NOW):
    found = an_incident(kind=kind, now=at)
    with transaction(ANN, at) as ledger:
        row = db.session.get(Incident, found.id)
        row.state, row.closed_at = "closed", at
        ledger.write("incident.closed", found.ref, incident=found.ref)
    return found.ref


def verbs():
    return list(db.session.scalars(select(AuditLine.verb).order_by(AuditLine.seq)))


def test_nothing_of_incidents_goes_before_somebody_sets_days(app):
    closed()
    assert keeping.days_now() == {"incident": None, "drill": None, "list": 90, "letters": 90, "tip": 365}
    assert keeping.due(NOW + timedelta(days=50_000)) == []


def test_days_are_tried_before_they_are_set(app):
    ref = closed()
    (one,) = keeping.going(days={"incident": 30})
    assert (one.ref, one.goes_at, one.is_due(NOW)) == (ref, NOW + timedelta(days=30), False)
    assert keeping.going() == []


@pytest.mark.parametrize("raw", ["0", "-1", "1.5", "x", "40000"])
def test_days_are_a_whole_number_that_makes_sense(app, raw):
    with pytest.raises(Invalid, match="number of days"):
        keeping.change({"incident": raw}, actor=ANN, now=NOW)


def test_a_changed_rule_leaves_a_line_and_an_equal_one_none(app):
    assert keeping.change({"incident": "30", "list": 90}, actor=ANN, now=NOW) == ["incident"]
    assert keeping.change({"incident": 30}, actor=ANN, now=NOW) == []
    assert verbs() == ["retention.changed"]
    assert keeping.change({"incident": ""}, actor=ANN, now=NOW) == ["incident"]
    assert keeping.days_now()["incident"] is None


def test_what_is_due_goes_to_the_day_and_drills_by_their_own_rule(app, tmp_path):
    real, drill = closed(), closed("drill")
    keeping.change({"incident": 30, "drill": 7}, actor=ANN, now=NOW)
    assert keeping.due(NOW + timedelta(days=7)) == [f"drill:{drill}"]
    assert keeping.due(NOW + timedelta(days=30, microseconds=-1)) == [f"drill:{drill}"]
    keeping.do(f"drill:{drill}", NOW + timedelta(days=7), tmp_path)
    assert keeping.due(NOW + timedelta(days=30)) == [f"incident:{real}"]
    line = db.session.scalars(select(AuditLine).where(AuditLine.verb == "incident.erased")).one()
    assert (line.actor, '"why":"retention"' in line.details) == ("system", True)


def test_a_hold_keeps_what_the_rules_would_take_and_lets_others_go(app, tmp_path):
    held, free = closed(), closed()
    keeping.change({"incident": 1}, actor=ANN, now=NOW)
    keeping.place_hold(held, "A court wants it kept.", actor=ANN, now=NOW)
    later = NOW + timedelta(days=2)
    assert keeping.due(later) == [f"incident:{free}"]
    keeping.do(f"incident:{held}", later, tmp_path)
    assert {one.ref: one.held for one in keeping.going()} == {held: True, free: False}
    assert not sealed.is_erased(db.session.scalar(select(Incident.id).where(Incident.ref == held)))


def test_what_was_reopened_after_the_look_stays(app, tmp_path):
    ref = closed()
    keeping.change({"incident": 1}, actor=ANN, now=NOW)
    with transaction(ANN, NOW) as ledger:
        row = db.session.scalars(select(Incident).where(Incident.ref == ref)).one()
        row.state, row.closed_at = "open", None
        ledger.write("incident.reopened", ref, incident=ref)
    keeping.do(f"incident:{ref}", NOW + timedelta(days=2), tmp_path)
    assert "incident.erased" not in verbs()


def test_the_file_of_a_list_goes_and_its_people_stay(app, tmp_path):
    ref = an_incident(now=NOW).ref
    rows = io.BytesIO(b"name,email\nAnn,ann@example.org\n")
    brought = imports.upload(ref, rows, name="l.csv", folder=tmp_path, actor=ANN, now=NOW)
    form, reading = Form("csv", "utf-8-sig", ","), Reading(("name", "email"))
    imports.start(ref, brought, reading, form=form, has_header=True, wave=0, folder=tmp_path, actor=ANN, now=NOW)
    imports.run(brought, folder=tmp_path, clock=lambda: NOW)
    later = NOW + timedelta(days=90)
    assert keeping.due(later - timedelta(seconds=1)) == []
    keeping.do(f"list:{brought}", later, tmp_path)
    assert (list(tmp_path.iterdir()), keeping.due(later)) == ([], [])
    assert db.session.scalar(text("SELECT count(*) FROM person")) == 1
    assert db.session.scalar(select(PersonImport.stored_as)) == ""
    assert verbs()[-1] == "files.expired"


def test_holds_need_a_reason_and_stand_one_at_a_time(app):
    ref = an_incident(now=NOW).ref
    with pytest.raises(Invalid, match="Say in a sentence why"):
        keeping.place_hold(ref, " short ", actor=ANN, now=NOW)
    with pytest.raises(Refused, match="No legal hold stands"):
        keeping.lift_hold(ref, "It is over now.", actor=ANN, now=NOW)
    keeping.place_hold(ref, "A court wants it kept.", actor=ANN, now=NOW)
    with pytest.raises(Refused, match="stands over this incident already"):
        keeping.place_hold(ref, "Another court too.", actor=ANN, now=NOW)
    keeping.lift_hold(ref, "It is over now.", actor=ANN, now=NOW)
    assert [(row.reason, row.lifted_why) for row in keeping.holds(ref)] == [
        ("A court wants it kept.", "It is over now.")
    ]
