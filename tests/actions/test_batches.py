import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from incident.actions import batches, contacts, sheaves
from incident.actions.batches import List, Maker, compact, written
from incident.actions.sheaves import Gatherer
from incident.domain import imports as rules
from incident.domain.people import FOUND_BY
from incident.store import packing
from incident.store.ciphers import Gcm, Hmac, Sealer
from incident.store.tables import Row

names = st.sampled_from(["name", "email", "phone", "keep:Größe", "keep:a_b", "country", "language", "address"])


@given(st.dictionaries(names, st.text(max_size=40)))
def test_a_record_is_written_as_json_writes_it(record):
    assert written(record) == compact(record)
    assert json.loads(written(record)) == record


def test_every_value_by_which_people_are_found_again_has_a_letter_of_its_own():
    assert set(batches.LETTERS) == set(FOUND_BY)
    assert len(set(batches.LETTERS.values())) == len(FOUND_BY)


def lines(rows):
    return iter([Row(number, [f"P{number}", f"p{number}@example.org", place]) for number, place in rows])


class Stream:
    given = 7


KEY = Sealer(7, Gcm(b"k" * 32, 1), Hmac(b"h" * 32))


def made(maker, rows):
    reader = rules.Reader(rules.Reading(("name", "email", "country")), contacts.JUDGE, date(2026, 3, 6))
    return list(maker.batches(Gatherer(maker.of, KEY, reader).sheaves(lines(rows), Stream())))


def a_maker(first=1, bits=2):
    return Maker(List("IMP-1", bits), KEY, first)


def test_a_batch_ends_early_where_its_people_have_too_little_in_common(monkeypatch):
    monkeypatch.setattr(sheaves, "MOST_KINDS", 3)
    ones = made(a_maker(), [(1, "DE"), (2, "DE"), (3, "FR"), (4, "US"), (5, "DE"), (6, "DE")])
    assert [(one.before, one.first, one.taken, one.last_row) for one in ones] == [(0, 1, 4, 4), (4, 5, 2, 6)]
    assert [sorted(one.alike) for one in ones] == [[1, 1, 2], [2]]


def test_marks_are_told_apart_by_their_first_bits():
    [one] = made(a_maker(bits=3), ((n, "DE") for n in range(1, 200)))
    assert sorted(one.marks) == list(range(8))
    for part, some in one.marks.items():
        assert {entry[0] >> 5 for entry in packing.parted(some, packing.MARK_WIDTH)} == {part}


def test_a_batch_whose_numbers_were_taken_opens_at_its_new_ones_and_later_ones_fit():
    maker = a_maker(first=11)
    [before] = made(maker, ((n, "DE") for n in range(1, 20)))
    anew = maker.renumbered(before, 14)
    assert maker.first == 14
    for n, one in enumerate(packing.opened(anew.people), start=1):
        assert (one.number, one.row_no) == (n + 13, n)
        assert batches.opened(KEY.unseal(batches.place(one.number, 1), one.box))["name"] == f"P{n}"
    numbers = {int(entry[16:-1]) for some in anew.marks.values() for entry in packing.parted(some, packing.MARK_WIDTH)}
    assert numbers == set(range(14, 33))
    assert (anew.digest, anew.alike, anew.taken) == (before.digest, before.alike, before.taken)
