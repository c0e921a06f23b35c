"""Words that an earlier version kept in clear are sealed at the first start, once, and nothing of them is left in the file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from incident.actions import intake, sealing
from incident.actions.ledger import transaction
from incident.store import incidents, sealed, words
from incident.store.db import db
from incident.store.incidents import Fact, Note
from tests.builders import an_incident
from tests.record import verbs

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
SECRET = "Wilhelmina Quackenbush"


@pytest.fixture
def as_before(app):
    """An incident as an earlier version left it: a note and facts in clear, one of another incident that was erased."""
    found, gone = an_incident(facts={"what_happened": SECRET, "people_count": 3}, now=NOW), an_incident(now=NOW)
    for one in (found, gone):
        intake.add_note(one.ref, SECRET, actor="U-1", now=NOW)
    with transaction("U-1", NOW) as ledger:
        for table in ("note", "fact"):
            sealing._lift(table)
        db.session.execute(update(Note.__table__).values(text=SECRET, sealed=None))
        mine = Fact.__table__.c.key == "what_happened"
        db.session.execute(update(Fact.__table__).where(mine).values(value=SECRET, source="a test", sealed=None))
        for table in ("note", "fact"):
            sealing._guard(table)
        sealed.destroy(gone.id, now=NOW)
        ledger.write("incident.erased", gone.ref, incident=gone.ref)
    db.session.expire_all()
    return found, gone


def plain(table):
    db.session.rollback()
    return repr(db.session.execute(select(db.metadata.tables[table])).all())


def test_what_stood_in_clear_is_sealed_once_with_a_line(as_before):
    found, _gone = as_before
    assert SECRET in plain("note") + plain("fact")
    assert sealing.seal_what_is_plain(now=NOW) == 3
    assert SECRET not in plain("note") + plain("fact")
    db.session.expire_all()
    assert [note.text for note in db.session.scalars(select(Note).order_by(Note.id))] == [SECRET, words.GONE]
    assert incidents.current_facts(found.id)["what_happened"].value == SECRET
    assert verbs()[-1] == "words.sealed"
    assert sealing.seal_what_is_plain(now=NOW) == 0
    assert verbs().count("words.sealed") == 1


def test_the_guards_stand_again_afterwards(as_before):
    sealing.seal_what_is_plain(now=NOW)
    db.session.rollback()
    for statement in ("UPDATE note SET text = 'x'", "DELETE FROM fact"):
        with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_start_that_fails_leaves_everything_as_it_was(as_before):
    with pytest.raises(ValueError, match="zone"):
        sealing.seal_what_is_plain(now=datetime(2026, 3, 6, 16))
    assert SECRET in plain("note")
    with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
        connection.execute(text("UPDATE note SET text = 'x'"))


def test_nothing_of_it_is_left_in_the_file_or_its_journal(as_before):
    if db.engine.dialect.name != "sqlite":
        return
    sealing.seal_what_is_plain(now=NOW)
    path = Path(db.engine.url.database)
    left = path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()
    assert SECRET.encode() not in left
