"""The code in a message: read as people type it, marked so that nobody makes one up."""

import pytest

from incident.domain import check_codes
from incident.domain.check_codes import LETTERS, LONG, Code, coder, is_theirs, mark_letters, read

KEYED = bytes(range(16))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("N-7K3MXW2Q", Code("N-7K3MXW2Q")),
        (" n-7k3mxw2q ", Code("N-7K3MXW2Q")),
        ("N–7K3MXW2Q-1024-8RTAXQ4C2M", Code("N-7K3MXW2Q", 1024, "8RTAXQ4C2M")),
        ("N-7K3MXW2Q - 1024 - 8RTAXQ4C2M", Code("N-7K3MXW2Q", 1024, "8RTAXQ4C2M")),
        ("N-7K3MXW2Q-1024-8RTAXQ4C2M.", Code("N-7K3MXW2Q", 1024, "8RTAXQ4C2M")),
        ("N-7K3MXW2Q。", Code("N-7K3MXW2Q")),
        ("N-OOOOIIIL-7-OOOOOOOOOL", Code("N-00001111", 7, "0000000001")),
    ],
)
def test_a_code_is_read_as_people_type_it(typed, code):
    assert read(typed) == code


@pytest.mark.parametrize(
    "typed", ["", "7K3MXW2Q", "N-7K3MXW2", "N-7K3MXW2Q-1024", "N-7K3MXW2Q-x-8RTAXQ4C2M", "N-7K3MXW2U"]
)
def test_what_is_no_code_is_none(typed):
    assert read(typed) is None


def test_a_mark_is_ten_letters_of_the_keyed_hash_and_fits_that_hash_alone():
    assert mark_letters(KEYED) == "000G40R40M"
    assert mark_letters(b"\xff" * 16) == "ZZZZZZZZZZ"


@pytest.mark.parametrize("letter", range(32))
def test_each_five_bits_of_the_hash_are_one_letter_at_each_place(letter):
    for place in range(LONG):
        value = letter << (5 * (LONG - 1 - place)) << 6
        told = mark_letters(value.to_bytes(7, "big") + b"\xff" * 9)
        assert told == "0" * place + LETTERS[letter] + "0" * (LONG - 1 - place)
    own = read(f"N-7K3MXW2Q-{coder(lambda number: KEYED if number == '12' else bytes(16))(12)}")
    assert own is not None
    assert is_theirs(own, KEYED)
    assert not is_theirs(own, bytes(16))
    assert not is_theirs(Code("N-7K3MXW2Q", 12, ""), KEYED)


def test_the_reference_of_an_enquiry_is_known_by_its_form():
    assert check_codes.is_enquiry("EQ-7K3MXW2Q")
    assert not check_codes.is_enquiry("EQ-7K3MXW2Q<")
