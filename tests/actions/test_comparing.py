"""Who of a list may be whom, found part by part after it was read: the same as if one looked at everybody in turn."""

import io
import random
from datetime import UTC, datetime

import pytest
from flask import render_template
from sqlalchemy import func, select

from incident.actions import comparing, correcting, counts, erasing, imports, people, sheaves, taking_back
from incident.domain.errors import Refused
from incident.domain.imports import Reading
from incident.domain.people import Audience
from incident.store import audiences, pieces
from incident.store import imports as lists
from incident.store import people as registry
from incident.store.db import db
from incident.store.people import Mark, Pair, Person, Tally
from incident.store.pieces import Kind, Piece
from incident.store.tables import Form
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
READING = Reading(("reference", "name", "email", "phone", "country"))
FORM = Form("csv", "utf-8-sig", ",")


@pytest.fixture
def ref(app):
    return an_incident().ref


@pytest.fixture
def small(monkeypatch):
    """Many batches, parts and turns, with few people."""
    monkeypatch.setattr(sheaves, "ROWS", 40)
    monkeypatch.setattr(lists, "A_PART", 1_000)
    monkeypatch.setattr(comparing, "TOGETHER", 50)
    monkeypatch.setattr(comparing, "MOST_MARKS", 1_000)
    monkeypatch.setattr(comparing, "MOST_TWINS_AT_ONCE", 1_000)


def started(ref, rows, folder):
    content = "reference,name,email,phone,country\n" + "".join(",".join(row) + "\n" for row in rows)
    given = {"folder": folder, "actor": ANN, "now": NOW}
    import_ref = imports.upload(ref, io.BytesIO(content.encode()), name="l.csv", **given)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, **given)
    return import_ref


def run(ref, import_ref, folder, clock=lambda: NOW):
    imports.run(import_ref, folder=folder, clock=clock)
    db.session.rollback()
    return imports.get(ref, import_ref)


def taken_in(ref, rows, folder):
    return run(ref, started(ref, rows, folder), folder)


def a_crowd(dice, count):
    """Rows that share references, addresses and numbers, some of them all."""
    return [
        (
            f"C{dice.randrange(2 * count)}",
            f"P{dice.randrange(40)}",
            f"p{dice.randrange(count)}@example.org",
            f"+4930{10_000_000 + dice.randrange(count)}" if dice.random() < 0.6 else "",
            dice.choice(["DE", "FR"]),
        )
        for _ in range(count)
    ]


def looked_through(rows):
    """Pairs as one finds them by looking at everybody in turn: the later, the earlier, by what, whether all is equal."""
    held, found = {}, []
    for number, (reference, _, email, phone, _) in enumerate(rows, start=1):
        shared = {}
        for word, value in (("email", email), ("phone", phone), ("reference", reference)):
            holder = held.setdefault((word, value), number) if value else number
            if holder != number:
                shared.setdefault(holder, []).append(word)
        for holder in sorted(shared)[:3]:
            found.append((number, holder, " ".join(shared[holder]), rows[number - 1] == rows[holder - 1]))
    return found


def pairs():
    columns = select(Pair.number, Pair.twin, Pair.by, Pair.identical)
    return [tuple(pair) for pair in db.session.execute(columns.order_by(Pair.number, Pair.twin))]


def counted():
    return dict(db.session.execute(select(Tally.state, func.sum(Tally.n)).group_by(Tally.state)).all())


def standing():
    return dict(db.session.execute(select(Person.state, func.count()).group_by(Person.state)).all())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whoever_shares_something_is_paired_as_by_looking_at_everybody_in_turn(ref, tmp_path, small, seed):
    rows = a_crowd(random.Random(seed), 400)
    rows += rows[:30]
    first, second = taken_in(ref, rows[:300], tmp_path), taken_in(ref, rows[300:], tmp_path)
    expected = looked_through(rows)
    assert pairs() == expected
    suspects = {pair[0] for pair in expected}
    assert first.suspects + second.suspects == len(suspects)
    assert set(db.session.scalars(select(Person.number).where(Person.state == "suspect"))) == suspects
    assert counted() == standing() == {"active": len(rows) - len(suspects), "suspect": len(suspects)}
    assert db.session.scalar(select(func.count()).select_from(Piece)) == 0


class Killed(BaseException):
    """What no handler catches, as if the process were gone."""


@pytest.mark.parametrize("moment", [1, 3, 6, 8, 11, 14, 17])
def test_killed_at_any_moment_it_goes_on_where_it_was(ref, tmp_path, small, moment):
    rows = a_crowd(random.Random(moment), 200)
    import_ref = started(ref, rows, tmp_path)
    ticks = iter(range(1_000))

    def clock():
        if next(ticks) == moment:
            raise Killed
        return NOW

    with pytest.raises(Killed):
        imports.run(import_ref, folder=tmp_path, clock=clock)
    later = NOW.replace(hour=17)
    row = run(ref, import_ref, tmp_path, lambda: later)
    assert (row.state, row.rows, row.taken + row.suspects) == ("done", 200, 200)
    assert pairs() == looked_through(rows)
    assert counted() == standing()


def half_read(ref, rows, folder, moment):
    import_ref = started(ref, rows, folder)
    ticks = iter(range(1_000))

    def clock():
        if next(ticks) == moment:
            raise Killed
        return NOW

    with pytest.raises(Killed):
        imports.run(import_ref, folder=folder, clock=clock)
    db.session.rollback()
    return import_ref


def the_incident():
    return db.session.scalar(select(Person.incident_id).limit(1))


@pytest.mark.parametrize("moment", [5, 12])
def test_nobody_of_a_list_counts_or_is_told_before_it_is_done(ref, tmp_path, small, moment):
    taken_in(ref, [("C1", "Ann", "ann@example.org", "", "DE")], tmp_path)
    import_ref = half_read(ref, a_crowd(random.Random(4), 200), tmp_path, moment)
    incident_id = the_incident()
    assert counts.of(ref).active == 1
    assert audiences.members(incident_id, Audience()) == audiences.of_numbers(incident_id, [1, 2, 3])
    assert [number for _, number in audiences.members(incident_id, Audience())] == [1]
    assert audiences.frozen(incident_id, Audience())[0] == 1
    run(ref, import_ref, tmp_path, lambda: NOW.replace(hour=17))
    assert audiences.frozen(incident_id, Audience())[0] == counts.of(ref).active > 50


def test_how_far_it_is_never_goes_back_and_ends_at_a_hundred(ref, tmp_path, small):
    import_ref = started(ref, a_crowd(random.Random(5), 200), tmp_path)
    seen = []

    def clock():
        row = imports.get(ref, import_ref)
        seen.append((row.percent, row.step))
        db.session.rollback()
        return NOW

    row = run(ref, import_ref, tmp_path, clock)
    assert [step for step in dict.fromkeys(step for _, step in seen)] == ["reading", "comparing"]
    assert sorted(seen, key=lambda one: one[0]) == seen
    assert row.percent == 100


def test_a_person_is_corrected_removed_or_erased_when_their_list_is_done(ref, tmp_path, small):
    import_ref = half_read(ref, a_crowd(random.Random(6), 100), tmp_path, 3)
    given = {"actor": ANN, "now": NOW}
    for act in (
        lambda: correcting.correct(ref, "P-1", {"name": "X"}, reason="r", version=1, **given),
        lambda: people.remove(ref, "P-1", **given),
        lambda: erasing.erase_person(ref, "P-1", folder=tmp_path, **given),
    ):
        with pytest.raises(Refused, match="still being taken in"):
            act()
    run(ref, import_ref, tmp_path, lambda: NOW.replace(hour=17))
    people.remove(ref, "P-1", **given)


def test_whoever_is_added_by_hand_meanwhile_is_met_by_the_list(ref, tmp_path, small):
    rows = [(f"C{n}", f"P{n}", f"p{n}@example.org", "", "DE") for n in range(60)]
    import_ref = half_read(ref, rows, tmp_path, 3)
    by_hand = people.add(ref, {"name": "Me", "email": "p5@example.org", "place": "DE"}, actor=ANN, now=NOW)
    row = run(ref, import_ref, tmp_path, lambda: NOW.replace(hour=17))
    assert pairs() == [(6, int(by_hand[2:]), "email", False)]
    assert (row.taken, row.suspects) == (59, 1)


def test_marks_of_somebody_erased_meanwhile_come_into_no_index(ref, tmp_path, small):
    rows = [(f"C{n}", f"P{n}", f"p{n}@example.org", "", "DE") for n in range(60)]
    import_ref = half_read(ref, rows, tmp_path, 4)
    incident_id = the_incident()
    pieces.forget(imports.get(ref, import_ref).id, 6)
    db.session.commit()
    run(ref, import_ref, tmp_path, lambda: NOW.replace(hour=17))
    assert db.session.scalars(select(Mark.mark).where(Mark.number == 6)).all() == []
    assert db.session.scalar(select(func.count()).select_from(Mark)) == 2 * 59
    assert registry.by_number(incident_id, 6) is not None


def test_an_incident_erased_meanwhile_keeps_counts_and_no_marks(ref, tmp_path, small):
    import_ref = half_read(ref, a_crowd(random.Random(8), 100), tmp_path, 5)
    erasing.erase_incident(ref, confirm=ref, folder=tmp_path, actor=ANN, now=NOW)
    assert set(db.session.scalars(select(Piece.kind))) == {Kind.TALLY.value}
    row = run(ref, import_ref, tmp_path, lambda: NOW.replace(hour=17))
    assert (row.state, "was erased" in row.trouble) == ("failed", True)
    assert db.session.scalar(select(func.count()).select_from(Mark)) == 0
    assert counted() == standing() == {"active": row.taken}


def test_a_defect_while_comparing_lets_nobody_count_and_the_list_can_be_taken_back(ref, tmp_path, small):
    import_ref = half_read(ref, a_crowd(random.Random(9), 100), tmp_path, 8)
    broken = imports.get(ref, import_ref).id
    db.session.add(Piece(import_id=broken, kind=Kind.TWINS.value, part=0, batch=99, content=b"0" * 20 + b"?"))
    db.session.commit()
    with pytest.raises(KeyError):
        imports.run(import_ref, folder=tmp_path, clock=lambda: NOW.replace(hour=17))
    db.session.rollback()
    row = imports.get(ref, import_ref)
    assert (row.state, row.trouble) == ("failed", imports.DEFECT)
    assert (counts.of(ref).active, audiences.members(row.incident_id, Audience())) == (0, [])
    live = taking_back.people_of(ref, import_ref)
    taking_back.take_back(ref, import_ref, number=live, actor=ANN, now=NOW)
    assert counted() == standing() == {"removed": live}
    assert db.session.scalar(select(func.count()).select_from(Piece)) == 0


@pytest.mark.parametrize(
    ("moment", "said"), [(3, "rows so far"), (12, "are read; now people are compared with one another")]
)
def test_the_page_says_what_is_being_done(app, ref, tmp_path, small, moment, said):
    import_ref = half_read(ref, a_crowd(random.Random(4), 200), tmp_path, moment)
    with app.test_request_context():
        page = render_template("people/_progress.html", row=imports.get(ref, import_ref))
    assert said in page
    assert "data-done" not in page
