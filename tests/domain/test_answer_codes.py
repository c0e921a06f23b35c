"""The code by which whoever asked reads our answer."""

import pytest

from incident.domain import answer_codes as rules
from incident.domain.answer_codes import NOBODYS, AnswerCode

KEYED = bytes(range(1, 17))
CODE = rules.written("EQ-7K3MXW2Q", KEYED)


def test_a_code_is_the_reference_and_fifteen_letters_that_the_hash_alone_makes():
    ref, *groups = CODE.rsplit("-", 3)
    assert ref == "EQ-7K3MXW2Q"
    assert [len(group) for group in groups] == [5, 5, 5]
    assert rules.letters(b"\xff" * 16) == "Z" * 15
    assert rules.letters(bytes(9) + b"\x20" + bytes(6)) == "0" * 14 + "1"
    assert rules.letters(bytes(9) + b"\x1f" + bytes(6)) == "0" * 15, "what is beyond 75 bits is not told"


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", " "), CODE.replace("-", "–"), f"  {CODE} "])
def test_it_is_read_as_people_type_it(typed):
    assert rules.read(typed) == AnswerCode("EQ-7K3MXW2Q", rules.letters(KEYED))


def test_what_eyes_mistake_is_put_right():
    assert rules.read("EQ-OOOOIIIL-OOOOO-IIIII-LLLLL") == AnswerCode("EQ-00001111", "0" * 5 + "1" * 10)


@pytest.mark.parametrize(
    "typed", ["", "EQ-7K3MXW2Q", CODE[:-1], f"{CODE}0", "N-7K3MXW2Q-1-8RTAXQ4C2M", CODE[:-1] + "U"]
)
def test_what_is_no_code_is_nobodys(typed):
    assert rules.read(typed) == NOBODYS


def test_what_a_browser_keeps_holds_for_its_enquiry_its_letters_and_its_moment_alone():
    right = rules.letters(KEYED)
    kept = rules.held(b"key", "EQ-7K3MXW2Q", right, 1_000)
    assert rules.is_held(b"key", "EQ-7K3MXW2Q", right, 1_000, kept)
    assert right not in kept
    for key, ref, letters, at in (
        (b"other", "EQ-7K3MXW2Q", right, 1_000),
        (b"key", "EQ-7K3MXW2R", right, 1_000),
        (b"key", "EQ-7K3MXW2Q", right[:-1] + "0", 1_000),
        (b"key", "EQ-7K3MXW2Q", right, 1_001),
    ):
        assert not rules.is_held(key, ref, letters, at, kept)
