# ruff: noqa: PT012 (a transaction is the statement under test)
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from incident.actions.ledger import transaction
from incident.domain.verbs import Unspeakable
from incident.store.db import db
from incident.store.incidents import Fact, Incident, Note
from tests.record import details, lines, verbs, verifies

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def an_incident(ref="INC-1"):
    return Incident(ref=ref, kind="incident", title="t", opened_at=NOW, opened_by="U-1")


def titles():
    return list(db.session.scalars(select(Incident.title)))


def test_the_change_and_its_line_are_saved_together(app):
    with transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.write("incident.opened", "INC-1", incident="INC-1", kind="incident")
    db.session.remove()
    assert titles() == ["t"]
    (line,) = lines()
    assert (line.seq, line.actor, line.verb, line.subject, line.incident) == (
        0,
        "U-1",
        "incident.opened",
        "INC-1",
        "INC-1",
    )
    assert (line.at, details(line)) == ("2026-03-01T12:00:00.000000Z", {"kind": "incident"})


def test_a_failure_after_the_line_leaves_neither(app):
    with pytest.raises(ZeroDivisionError), transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.write("incident.opened", "INC-1", incident="INC-1")
        raise ZeroDivisionError
    assert (titles(), lines()) == ([], [])


def test_a_change_without_a_line_is_rolled_back(app):
    with pytest.raises(RuntimeError, match="must leave a line"), transaction("U-1", NOW):
        db.session.add(an_incident())
    assert (titles(), lines()) == ([], [])


def test_saying_that_nothing_changed_needs_no_line_and_keeps_nothing(app):
    with transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.unchanged()
    assert (titles(), lines()) == ([], [])


def test_saying_that_nothing_changed_after_a_line_is_a_mistake(app):
    with pytest.raises(RuntimeError, match="nothing changed"), transaction("U-1", NOW) as ledger:
        ledger.write("incident.opened", "INC-1")
        ledger.unchanged()
    assert lines() == []


def test_transactions_do_not_nest_and_the_outer_one_is_rolled_back(app):
    with pytest.raises(RuntimeError, match="already open"), transaction("U-1", NOW) as ledger:
        ledger.write("incident.opened", "INC-1")
        with transaction("U-1", NOW) as inner:
            inner.write("incident.opened", "INC-2")
    assert lines() == []
    with transaction("U-1", NOW) as ledger:
        ledger.write("incident.opened", "INC-3")
    assert verbs() == ["incident.opened"]


def test_what_was_changed_before_the_transaction_is_refused_and_not_saved(app):
    db.session.add(an_incident())
    with pytest.raises(RuntimeError, match="outside"), transaction("U-1", NOW) as ledger:
        ledger.write("incident.opened", "INC-1")
    assert (titles(), lines()) == ([], [])


def test_what_was_loaded_before_is_read_anew(app):
    with transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.write("incident.opened", "INC-1")
    seen = db.session.scalars(select(Incident)).one()
    with db.engine.connect().execution_options(tocsin_write=True) as other:
        other.execute(text("UPDATE incident SET title = 'theirs'"))
        other.commit()
        db.session.rollback()
    with transaction("U-1", NOW) as ledger:
        assert seen.title == "theirs"
        ledger.write("incident.renamed", "INC-1")


def test_free_text_stops_the_change(app):
    with pytest.raises(Unspeakable), transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.write("incident.opened", "INC-1", title="Ana's laptop was lost")
    assert (titles(), lines()) == ([], [])


def test_times_are_written_in_utc_and_need_a_zone(app):
    with transaction("U-1", NOW.astimezone(timezone(timedelta(hours=9)))) as ledger:
        ledger.write("incident.opened", "INC-1")
    assert lines()[0].at == "2026-03-01T12:00:00.000000Z"
    with pytest.raises(ValueError, match="zone"), transaction("U-1", NOW.replace(tzinfo=None)):
        pass


def test_many_lines_of_one_transaction_stand_in_order_and_verify(app):
    with transaction("U-1", NOW) as ledger:
        for number in range(450):
            ledger.write("note.added", f"T-{number}", incident="INC-1", number=number)
    with transaction("U-1", NOW) as ledger:
        ledger.write("note.added", "T-last")
    assert [line.seq for line in lines()] == list(range(451))
    assert [line.subject for line in lines()][-2:] == ["T-449", "T-last"]
    assert verifies()


def test_without_the_head_nothing_can_be_changed(app):
    with db.engine.connect().execution_options(tocsin_write=True) as other:
        guards = {"sqlite": "DROP TRIGGER audit_head_stays", "postgresql": "ALTER TABLE audit_head DISABLE TRIGGER ALL"}
        other.execute(text(guards[db.engine.dialect.name]))
        other.execute(text("DELETE FROM audit_head"))
        other.commit()
    with pytest.raises(Exception, match="no head"), transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        ledger.write("incident.opened", "INC-1")
    assert titles() == []


CHANGES = [
    "UPDATE audit_line SET actor = 'U-2'",
    "UPDATE audit_line SET seq = 7 WHERE seq = 0",
    "DELETE FROM audit_line",
    "DELETE FROM audit_line WHERE seq = 1",
    "DELETE FROM audit_head",
    "UPDATE audit_head SET log = 'x'",
    "UPDATE audit_head SET size = 1",
    "UPDATE audit_head SET id = 2",
]
ONLY_SQLITE = [
    "REPLACE INTO audit_line SELECT seq, at, 'U-2', verb, subject, incident, details, leaf FROM audit_line",
    "INSERT INTO audit_line SELECT seq + 9, at, actor, verb, subject, incident, details, leaf FROM audit_line WHERE seq = 0",
    "INSERT INTO audit_line SELECT seq, at, actor, verb, subject, incident, details, leaf FROM audit_line WHERE true"
    " ON CONFLICT DO UPDATE SET actor = 'U-2'",
    "REPLACE INTO fact SELECT * FROM fact",
]
ONLY_POSTGRESQL = ["TRUNCATE audit_line", "TRUNCATE audit_head", "TRUNCATE fact", "TRUNCATE checkpoint"]


@pytest.mark.parametrize(
    "statement",
    CHANGES + ONLY_SQLITE + ONLY_POSTGRESQL + ["UPDATE fact SET key = 'x'", "DELETE FROM fact", "DELETE FROM note"],
)
def test_the_database_refuses_to_change_what_is_only_added(app, statement):
    name = db.engine.dialect.name
    if statement in (ONLY_POSTGRESQL if name == "sqlite" else ONLY_SQLITE):
        return
    fill()
    before = everything()
    with db.engine.connect().execution_options(tocsin_write=True) as other, pytest.raises(DatabaseError):
        other.execute(text(statement))
    assert everything() == before


@pytest.mark.parametrize("statement", [s for s in ONLY_SQLITE if s.startswith("REPLACE")])
def test_a_connection_that_is_not_ours_cannot_replace_lines_either(app, statement):
    if db.engine.dialect.name != "sqlite":
        return
    fill()
    before = everything()
    other = sqlite3.connect(db.engine.url.database)
    with pytest.raises(sqlite3.IntegrityError, match=r"append-only|grows"):
        other.execute(statement)
    other.close()
    assert everything() == before


def fill():
    with transaction("U-1", NOW) as ledger:
        db.session.add(an_incident())
        db.session.flush()
        number = db.session.scalars(select(Incident.id)).one()
        db.session.add(Note(ref="T-1", incident_id=number, text="x", written_at=NOW, written_by="U-1"))
        db.session.add(
            Fact(incident_id=number, key="aware_at", value=None, learnt_at=NOW, recorded_at=NOW, recorded_by="U-1")
        )
        ledger.write("incident.opened", "INC-1", incident="INC-1")
        ledger.write("note.added", "T-1", incident="INC-1")
    db.session.rollback()


def everything():
    tables = ("audit_line", "audit_head", "fact", "note")
    found = {name: [tuple(row) for row in db.session.execute(text(f"SELECT * FROM {name}"))] for name in tables}
    db.session.rollback()
    return found
