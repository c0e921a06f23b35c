"""How long a text is and how hard to read, by the measure that is usual for its language.

English: the school grade of Flesch and Kincaid (1975), which US plain-language rules use. German: the fourth Wiener
Sachtextformel (Bamberger and Vanecek 1984), a school grade too. French: the reading ease of Kandel and Moles (1958), Spanish:
that of Fernández Huerta (1959), both from 0, hard, to 100, easy. For Chinese and Japanese no measure is as settled: the letters
of a sentence are told; Japan's Agency for Cultural Affairs asks writers to look again at a sentence of 50 to 60 (2022).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SENTENCE = re.compile(r"[.!?…]+(?:\s|$)|[。！？]|\n+")
WORD = re.compile(r"[^\W\d_][^\W\d_'’]*")
SIGN = re.compile(r"[^\W_]")
VOWELS: Final[Mapping[str, re.Pattern[str]]] = {
    "en": re.compile(r"[aeiouy]+"),
    "de": re.compile(r"[aeiouyäöü]+"),
    "fr": re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+"),
    "es": re.compile(r"[iuü]?[aeoáéíóú][iuy]?|[iuüy]+"),
}
FEWEST_WORDS = 40  # below this the formulas say nothing
FEWEST_LETTERS = 80
PLAIN = 9  # grades up to this one are read with ease by most adults
EASY = 60  # and so is an ease from here on: "standard" on the scale of Flesch
LONGEST_SENTENCE = 50  # letters, in Japanese


class Measure(StrEnum):
    """What the number of a reading is."""

    GRADE = "grade"
    EASE = "ease"
    LETTERS = "letters"
    NONE = ""


@dataclass(frozen=True)
class Reading:
    """How long a text is and how hard. `level` is None for a text too short to judge, or a language without a measure.

    `plain` is None where nobody has said what is plain.
    """

    words: int
    letters: int
    measure: Measure = Measure.NONE
    level: int | None = None
    plain: bool | None = None


def read(text: str, language: str) -> Reading:
    """Return how long the text is, and how hard by the measure of its language."""
    tongue = language.partition("-")[0]
    words, letters = WORD.findall(text), len(SIGN.findall(text))
    if tongue in ("zh", "ja"):
        return _by_letters(text, letters, tongue)
    if tongue not in FORMULAS or len(words) < FEWEST_WORDS:
        return Reading(len(words), letters)
    measure, formula = FORMULAS[tongue]
    level = formula([word.lower() for word in words], _sentences(text))
    plain = level <= PLAIN if measure is Measure.GRADE else level >= EASY
    return Reading(len(words), letters, measure, level, plain)


def grade(text: str) -> int | None:
    """Return the school grade of an English text from 1 up, or None for one too short to judge."""
    return read(text, "en").level


def _by_letters(text: str, letters: int, tongue: str) -> Reading:
    if letters < FEWEST_LETTERS:
        return Reading(0, letters)
    mean = round(letters / _sentences(text))
    return Reading(0, letters, Measure.LETTERS, mean, mean <= LONGEST_SENTENCE if tongue == "ja" else None)


def _sentences(text: str) -> int:
    return sum(1 for part in SENTENCE.split(text) if SIGN.search(part)) or 1


def _english(words: list[str], sentences: int) -> int:
    syllables = sum(_spoken(word, "en") for word in words)
    return max(1, round(0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59))


def _german(words: list[str], sentences: int) -> int:
    long = sum(_spoken(word, "de") >= 3 for word in words)
    return max(1, round(0.2656 * len(words) / sentences + 0.2744 * 100 * long / len(words) - 1.693))


def _french(words: list[str], sentences: int) -> int:
    syllables = sum(_spoken(word, "fr") for word in words)
    return _ease(207 - 1.015 * len(words) / sentences - 73.6 * syllables / len(words))


def _spanish(words: list[str], sentences: int) -> int:
    syllables = sum(_spoken(word, "es") for word in words)
    return _ease(206.84 - 60 * syllables / len(words) - 1.02 * len(words) / sentences)


def _ease(found: float) -> int:
    return min(100, max(0, round(found)))


def _spoken(word: str, tongue: str) -> int:
    """Return groups of vowels; in English and French a silent e at the end counts for none."""
    count = len(VOWELS[tongue].findall(word))
    is_silent = word.endswith(("e", "es")) if tongue == "fr" else word.endswith("e")
    if (
        tongue in ("en", "fr")
        and is_silent
        and count > 1
        and not (tongue == "en" and word.endswith(("le", "ee", "ye")))
    ):
        count -= 1
    return max(count, 1)


FORMULAS: Final[Mapping[str, tuple[Measure, Callable[[list[str], int], int]]]] = {
    "en": (Measure.GRADE, _english),
    "de": (Measure.GRADE, _german),
    "fr": (Measure.EASE, _french),
    "es": (Measure.EASE, _spanish),
}
