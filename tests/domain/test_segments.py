"""Text messages: alphabets, units and segments."""

import pytest

from incident.domain.segments import BASIC, EXTENDED, Alphabet, length


def test_the_basic_alphabet_is_complete():
    assert len(BASIC) == 127  # 128 places less the escape
    assert not BASIC & EXTENDED


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", Alphabet.GSM7, 0, 0),
        ("a" * 160, Alphabet.GSM7, 160, 1),
        ("a" * 161, Alphabet.GSM7, 161, 2),
        ("a" * 306, Alphabet.GSM7, 306, 2),
        ("a" * 307, Alphabet.GSM7, 307, 3),
        ("€" * 80, Alphabet.GSM7, 160, 1),
        ("é" * 160, Alphabet.GSM7, 160, 1),
        ("请" * 70, Alphabet.UCS2, 70, 1),
        ("请" * 71, Alphabet.UCS2, 71, 2),
        ("请" * 134, Alphabet.UCS2, 134, 2),
        ("请" * 135, Alphabet.UCS2, 135, 3),
        ("😀" * 35, Alphabet.UCS2, 70, 1),
        ("😀" * 36, Alphabet.UCS2, 72, 2),
    ],
)
def test_units_and_segments(text, alphabet, units, segments):
    found = length(text)
    assert (found.alphabet, found.units, found.segments) == (alphabet, units, segments)


def test_a_letter_of_two_units_is_not_cut_between_segments():
    # 152 letters, then an escape pair: the pair moves on whole, so 306 units need three segments.
    assert length("a" * 152 + "€" + "a" * 152).segments == 3
    assert length("a" * 153 + "€" + "a" * 151).segments == 2


def test_a_pair_of_surrogates_is_not_cut_between_segments():
    assert length("a" * 66 + "😀" + "a" * 66).segments == 3


def test_the_letters_that_made_it_long_are_named_once():
    assert length("We’re sorry – we’re here").costly == ("’", "–")


def test_the_length_is_told_in_words():
    assert length("a" * 161).words == "2 segments · 161 units · GSM-7"
    assert length("请").words == "1 segment · 1 unit · UCS-2"
