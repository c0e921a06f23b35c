"""How hard an English text is to read: the school grade by Flesch and Kincaid (1975), which US plain-language rules use."""

import re

SENTENCE = re.compile(r"[.!?…]+(?:\s|$)|\n+")
WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")
VOWELS = re.compile(r"[aeiouy]+")
FEWEST_WORDS = 40  # below this the formula says nothing
PLAIN = 9  # grades up to this one are read with ease by most adults


def grade(text: str) -> int | None:
    """Return the school grade from 1 up, or None for a text too short to judge."""
    words = WORD.findall(text)
    if len(words) < FEWEST_WORDS:
        return None
    sentences = sum(1 for part in SENTENCE.split(text) if WORD.search(part))
    syllables = sum(_syllables(word.lower()) for word in words)
    return max(1, round(0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59))


def _syllables(word: str) -> int:
    """Return groups of vowels; a silent e at the end counts for none."""
    count = len(VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee", "ye")) and count > 1:
        count -= 1
    return max(count, 1)
