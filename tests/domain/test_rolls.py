import random
import zlib

import pytest

from incident.domain import rolls
from incident.domain.rolls import Roll


@pytest.mark.parametrize("numbers", [[], [1], [3, 4, 900], list(range(1, 5_000)), [2**31]])
def test_numbers_come_back_as_they_were_packed(numbers: list[int]):
    assert rolls.unpacked(rolls.packed(numbers)) == numbers


def test_half_of_a_hundred_thousand_people_take_less_than_a_byte_each():
    draw = random.Random(1)
    numbers = sorted(draw.sample(range(1, 100_001), 50_000))
    assert len(rolls.packed(numbers)) < 50_000


def test_what_was_not_packed_is_no_list():
    with pytest.raises((ValueError, zlib.error)):
        rolls.unpacked(b"anything")


def test_who_was_not_told_after_all_falls_out_and_who_was_told_besides_does_not_come_in():
    assert rolls.left([1, 2, 5], {1, 5, 9}) == Roll([1, 5], [2])
    assert rolls.left([1, 2], {1, 2}).fell_out == []


def test_the_digest_is_the_one_of_those_who_get_it():
    assert rolls.left([1, 2, 5], {1, 5}).digest == rolls.digest([1, 5]) != rolls.digest([1, 2, 5])
