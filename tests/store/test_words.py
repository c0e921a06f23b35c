"""Words that belong to an incident: sealed wherever they stand, bound to their row, gone with the incident's key."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from incident.actions import evidence, intake
from incident.actions.ledger import transaction
from incident.store import holdings, sealed, words
from incident.store import reports as rows
from incident.store.db import db
from incident.store.incidents import Custody, Evidence, Note, current_facts
from incident.store.reports import Report
from incident.store.sealed import Unreadable
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
SECRET = "Wilhelmina Quackenbush"


@pytest.fixture
def incident(app):
    return an_incident(facts={"what_happened": f"{SECRET} lost a laptop.", "people_count": 12}, now=NOW)


def stored(table):
    """What the database itself holds of this table, as text."""
    db.session.rollback()
    return " ".join(repr(tuple(row)) for row in db.session.execute(select(db.metadata.tables[table])))


def test_words_of_facts_and_notes_stand_in_no_column_and_are_read_as_they_were_written(incident):
    intake.add_note(incident.ref, f"Called {SECRET}.", actor=ANN, now=NOW)
    for table in ("fact", "note"):
        assert SECRET not in stored(table)
    db.session.expire_all()
    assert db.session.scalars(select(Note)).one().text == f"Called {SECRET}."
    assert current_facts(incident.id)["what_happened"].value == f"{SECRET} lost a laptop."


def test_whoever_wrote_a_row_goes_on_seeing_its_words(incident):
    with transaction(ANN, NOW) as ledger:
        note = Note(ref="T-1", incident_id=incident.id, text=SECRET, written_at=NOW, written_by=ANN)
        db.session.add(note)
        db.session.flush()
        seen = note.text
        ledger.write("note.added", "T-1", incident=incident.ref)
    assert (seen, note.text) == (SECRET, SECRET)


def test_numbers_and_choices_stay_where_rules_and_counts_find_them(incident):
    row = db.session.execute(text("SELECT value FROM fact WHERE key = 'people_count'")).scalar_one()
    assert json.loads(row) if isinstance(row, str) else row == 12


def test_of_evidence_and_its_custody_only_digest_and_size_are_plain(incident, tmp_path):
    piece = evidence.bring(
        incident.ref, io.BytesIO(b"x"), name=f"{SECRET}.txt", brought_by=SECRET, description=SECRET, folder=tmp_path,
        actor=ANN, now=NOW,
    )  # fmt: skip
    evidence.hand_on(incident.ref, piece, holder=SECRET, reason="to look", actor=ANN, now=NOW + timedelta(hours=1))
    assert SECRET not in stored("evidence") + stored("custody")
    db.session.expire_all()
    assert db.session.scalars(select(Evidence)).one().name == f"{SECRET}.txt"
    assert [row.holder for row in db.session.scalars(select(Custody))] == [SECRET, SECRET]


def test_a_sealed_word_does_not_open_in_another_row(incident):
    for words_ in ("first", "second"):
        intake.add_note(incident.ref, words_, actor=ANN, now=NOW)
    boxes = db.session.execute(text("SELECT id, sealed FROM note ORDER BY id")).all()
    db.session.rollback()
    guard = {"sqlite": "DROP TRIGGER note_no_update", "postgresql": "ALTER TABLE note DISABLE TRIGGER USER"}
    with db.engine.connect().execution_options(tocsin_write=True) as other:
        other.execute(text(guard[db.engine.dialect.name]))
        other.execute(text("UPDATE note SET sealed = :box WHERE id = :id"), {"box": boxes[1][1], "id": boxes[0][0]})
        other.commit()
    db.session.expire_all()
    assert db.session.get(Note, boxes[0][0]).text == words.SPOILT
    with pytest.raises(Unreadable):
        words.KEPT["note"].open({"id": 1, "ref": "T-1", "incident_id": incident.id, "sealed": boxes[1][1]})


def test_words_moved_to_another_incident_do_not_open(incident):
    other = an_incident(now=NOW)
    with transaction(ANN, NOW) as ledger:
        note = Note(ref="T-1", incident_id=incident.id, text=SECRET, written_at=NOW, written_by=ANN)
        db.session.add(note)
        ledger.write("note.added", "T-1", incident=incident.ref)
    row = {"ref": "T-1", "incident_id": other.id, "sealed": note.sealed, "text": ""}
    with pytest.raises(Unreadable):
        words.KEPT["note"].open(row)


def test_a_changed_row_is_sealed_anew(incident, settings_of_a_report):
    ref = settings_of_a_report
    db.session.expire_all()
    row = db.session.scalars(select(Report).where(Report.ref == ref)).one()
    before = row.sealed
    with transaction(ANN, NOW) as ledger:
        row = db.session.scalars(select(Report).where(Report.ref == ref)).one()
        row.hands = {"a": {"text": SECRET}}
        ledger.write("report.saved", ref, incident=incident.ref)
    assert row.hands == {"a": {"text": SECRET}}
    assert row.sealed != before
    assert SECRET not in stored("report")


@pytest.fixture
def settings_of_a_report(incident):
    with transaction(ANN, NOW) as ledger:
        row = Report(
            ref="R-1", incident_id=incident.id, form="f", form_digest="0" * 64, stage="s", authority="An authority",
            language="en", zone="UTC", state="draft", hands={}, seen={}, made_by=ANN, made_at=NOW, saved_by=ANN, saved_at=NOW,
        )  # fmt: skip
        db.session.add(row)
        ledger.write("report.started", "R-1", incident=incident.ref)
    return "R-1"


def test_a_report_read_without_its_words_fetches_them_when_they_are_asked_for(incident, settings_of_a_report):
    with transaction(ANN, NOW) as ledger:
        db.session.execute(select(Report.id))
        row = db.session.scalars(select(Report)).one()
        row.hands = {"a": {"text": SECRET}}
        ledger.write("report.saved", "R-1", incident=incident.ref)
    db.session.expire_all()
    number = incident.id
    db.session.expunge_all()
    (row,) = rows.page(number)
    assert row.hands == {"a": {"text": SECRET}}


def test_without_the_key_words_say_that_they_were_erased_and_numbers_stay(incident):
    intake.add_note(incident.ref, SECRET, actor=ANN, now=NOW)
    with transaction(ANN, NOW) as ledger:
        sealed.destroy(incident.id, now=NOW)
        ledger.write("incident.erased", incident.ref, incident=incident.ref)
    db.session.expire_all()
    assert db.session.scalars(select(Note)).one().text == words.GONE
    known = current_facts(incident.id)
    assert (known["what_happened"].value, known["people_count"].value) == (words.GONE, 12)


def test_the_rows_of_a_bundle_have_the_words_in_clear(incident):
    intake.add_note(incident.ref, SECRET, actor=ANN, now=NOW)
    assert [row["text"] for row in holdings.rows("note", incident.id)] == [SECRET]
    assert all("sealed" not in row for row in holdings.rows("fact", incident.id))
