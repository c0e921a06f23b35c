"""Who holds which marks: the lowest number of a call, and whoever was there before; the same on both databases."""

import pytest

from incident.store import people
from incident.store.db import db
from tests.builders import an_incident


def mark(n: int) -> bytes:
    return n.to_bytes(16, "big")


@pytest.fixture
def incident_id(app):
    return an_incident().id


def test_marks_that_are_new_clash_with_nobody(incident_id):
    assert people.hold(incident_id, [(mark(2), 1), (mark(1), 1), (mark(3), 2)]) == []
    assert people.held(incident_id, [mark(1), mark(2), mark(3), mark(4)]) == {mark(1): 1, mark(2): 1, mark(3): 2}


def test_within_one_call_the_lowest_number_holds(incident_id):
    assert people.hold(incident_id, [(mark(1), 9), (mark(1), 7), (mark(1), 8)]) == [(mark(1), 8, 7), (mark(1), 9, 7)]
    assert people.held(incident_id, [mark(1)]) == {mark(1): 7}


def test_whoever_held_a_mark_before_keeps_it_whatever_their_number(incident_id):
    people.hold(incident_id, [(mark(1), 50), (mark(2), 1)])
    assert sorted(people.hold(incident_id, [(mark(1), 7), (mark(1), 8), (mark(2), 9), (mark(3), 9)])) == [
        (mark(1), 7, 50),
        (mark(1), 8, 50),
        (mark(2), 9, 1),
    ]
    assert people.held(incident_id, [mark(1), mark(2), mark(3)]) == {mark(1): 50, mark(2): 1, mark(3): 9}


def test_to_hold_what_one_holds_is_no_clash(incident_id):
    people.hold(incident_id, [(mark(1), 1)])
    assert people.hold(incident_id, [(mark(1), 1), (mark(2), 1)]) == []


def test_another_incident_has_marks_of_its_own(incident_id):
    other = an_incident().id
    people.hold(incident_id, [(mark(1), 1)])
    assert people.hold(other, [(mark(1), 2)]) == []
    assert people.held(incident_id, [mark(1)]) == {mark(1): 1}


def test_thousands_are_told_apart_over_the_borders_of_one_statement(incident_id):
    people.hold(incident_id, [(mark(n), n) for n in range(0, 9_000, 3)])
    clashes = people.hold(incident_id, [(mark(n), 10_000 + n) for n in range(9_000)])
    assert sorted(clashes) == [(mark(n), 10_000 + n, n) for n in range(0, 9_000, 3)]
    assert len(people.held(incident_id, [mark(n) for n in range(9_000)])) == 9_000


def test_what_is_rolled_back_is_held_by_nobody(incident_id):
    people.hold(incident_id, [(mark(1), 1)])
    db.session.rollback()
    assert people.held(incident_id, [mark(1)]) == {}
