"""Rows of several tables come in one statement, as they would come each by itself."""

from sqlalchemy import select

from incident import clock
from incident.store.db import db
from incident.store.incidents import Evidence, Fact, Note
from incident.store.together import Part, Together
from tests.builders import an_incident
from tests.statements import statements

MIXED = Together(
    lambda of: (
        Part(select(Note).where(Note.incident_id == of), (Note.id.desc(),), 3),
        Part(select(Evidence).where(Evidence.incident_id == of), (Evidence.id,), 10),
        Part(select(Fact).where(Fact.incident_id == of, Fact.key != "category"), (Fact.key,), 10),
    )
)


def noted(incident, *texts):
    for text in texts:
        note = Note(ref=f"T-{text}", incident_id=incident.id, text=text, written_at=clock.now(), written_by="U-1")
        db.session.add(note)
        db.session.flush()


def test_each_part_has_its_rows_in_its_order_and_no_more_than_it_wants(app):
    one, other = (an_incident(facts={"people_count": 7, "personal_data": True, "category": "insider"}) for _ in "ab")
    noted(one, "a", "b", "c", "d")
    noted(other, "e")
    notes, evidence, facts = MIXED.read(one.id)
    assert [note.text for note in notes] == ["d", "c", "b"]
    assert evidence == []
    assert [(fact.key, fact.value) for fact in facts] == [("people_count", 7), ("personal_data", True)]
    assert facts == db.session.scalars(select(Fact).where(Fact.incident_id == one.id).order_by(Fact.key)).all()[1:]
    assert [note.text for note in MIXED.read(other.id)[0]] == ["e"]
    assert MIXED.read(other.id + 1) == [[], [], []]


def test_all_of_it_is_one_statement(app):
    incident = an_incident()
    MIXED.read(incident.id)
    with statements() as asked:
        MIXED.read(incident.id)
    assert len(asked) == 1
