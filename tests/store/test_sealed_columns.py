"""Every sealed column is bound to its place: what was moved to another row does not open there."""

import importlib
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from incident.actions import correcting, evidence, imports, intake, keeping, people
from incident.domain.imports import Reading
from incident.store import sealed, words
from incident.store.db import db
from incident.store.people import Past, Person
from incident.store.sealed import Unreadable
from incident.store.tables import Form
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
ROOT = Path(__file__).parents[2] / "incident"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))


def sealed_columns():
    for path in (ROOT / "store").glob("*.py"):
        importlib.import_module(f"incident.store.{path.stem}")
    for table in db.metadata.sorted_tables:
        yield from ((table.name, column.name) for column in table.columns if column.name == "sealed")
    yield from (("person_past", "reason"), ("user_account", "totp_secret"))


@pytest.mark.parametrize(("table", "column"), sorted(sealed_columns()))
def test_what_binds_a_sealed_column_to_its_row_is_written_down(table, column):
    """By the table's list of words, or by a place with the table, the column and a reference of the row."""
    if table in words.KEPT:
        assert words.KEPT[table].place
    elif (table, column) == (
        "person_past",
        "sealed",
    ):  # kept as it was sealed in the person's own row, with its version
        assert re.search(r"sealed=person\.sealed", SOURCE)
    else:
        wanted = ("person", "repeat") if table in {"person", "repeat"} else (f"{table}.{column}",)
        assert any(re.search(rf'f?"{re.escape(name)}:', SOURCE) for name in wanted), f"no place begins with {wanted}"


@pytest.fixture
def two_of_each(app, tmp_path):
    """Two rows of many tables, in one incident; the incident."""
    incident = an_incident(facts={"what_happened": "one", "cause": "two"}, now=NOW)
    for name in ("Ann", "Bo"):
        ref = people.add(incident.ref, {"name": name, "email": f"{name}@example.org"}, actor=ANN, now=NOW)
        change = {"name": f"{name}a"}
        correcting.correct(incident.ref, ref, change, reason=f"was {name}", version=1, actor=ANN, now=NOW)
        intake.add_note(incident.ref, name, actor=ANN, now=NOW)
        content = io.BytesIO(name.encode())
        evidence.bring(
            incident.ref, content, name=name, brought_by=name, description=name, folder=tmp_path, actor=ANN, now=NOW
        )
        keeping.place_hold(incident.ref, f"A court asked for {name}.", actor=ANN, now=NOW)
        keeping.lift_hold(incident.ref, f"It is over for {name}.", actor=ANN, now=NOW)
    rows = io.BytesIO(b"name,email\nA,bad@\nB,worse@\n")
    brought = imports.upload(incident.ref, rows, name="l.csv", folder=tmp_path, actor=ANN, now=NOW)
    form, reading = Form("csv", "utf-8-sig", ","), Reading(("name", "email"))
    imports.start(
        incident.ref, brought, reading, form=form, has_header=True, wave=0, folder=tmp_path, actor=ANN, now=NOW
    )
    imports.run(brought, folder=tmp_path, clock=lambda: NOW)
    return incident


@pytest.mark.parametrize("table", ["fact", "note", "evidence", "custody", "legal_hold"])
def test_words_do_not_open_in_another_row(two_of_each, table):
    kept = words.KEPT[table]
    rows = [dict(row) for row in db.session.execute(select(db.metadata.tables[table])).mappings()]
    first, second = [row for row in rows if row["sealed"]][:2]
    assert kept.open(first)
    with pytest.raises(Unreadable):
        kept.open(first | {"sealed": second["sealed"]})


def test_two_peoples_records_do_not_open_in_each_others_rows(two_of_each):
    one, two = db.session.scalars(select(Person).order_by(Person.id)).all()[:2]
    boxes = one.sealed, two.sealed
    db.session.rollback()
    with db.engine.begin() as connection:
        for person, box in zip((one, two), reversed(boxes), strict=True):
            connection.execute(update(Person.__table__).where(Person.id == person.id).values(sealed=box))
    db.session.expire_all()
    with pytest.raises(Unreadable):
        people.look(two_of_each.ref, "P-1", why="proof", actor=ANN, now=NOW)


def test_earlier_forms_and_reasons_do_not_open_elsewhere(two_of_each):
    one, two = db.session.scalars(select(Past).order_by(Past.id)).all()
    key = sealed.sealer(two_of_each.id)
    assert key.unseal("person_past.reason:1:1", one.reason) == b"was Ann"
    with pytest.raises(Unreadable):
        key.unseal("person_past.reason:1:1", two.reason)
    with pytest.raises(Unreadable):
        key.unseal("person_past.reason:1:1", one.sealed)


def test_refused_rows_do_not_open_in_each_others_places(two_of_each):
    found = db.session.execute(text("SELECT row_no, sealed FROM person_refusal ORDER BY row_no")).all()
    if len(found) < 2:
        pytest.fail("the list was to be refused twice")
    listed = db.session.scalar(text("SELECT ref FROM person_import"))
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE person_refusal SET sealed = :box WHERE row_no = :number"),
            {"box": found[1].sealed, "number": found[0].row_no},
        )
    with pytest.raises(Unreadable):
        list(imports.refused(two_of_each.ref, listed, actor=ANN, now=NOW + timedelta(hours=1)))


def test_an_address_of_the_house_does_not_open_at_another_target(app):
    boxes = [sealed.seal(None, f"alert_target.sealed:{ref}", b"https://example.org/secret") for ref in ("A-1", "A-2")]
    with pytest.raises(Unreadable):
        sealed.unseal(None, "alert_target.sealed:A-1", boxes[1])
