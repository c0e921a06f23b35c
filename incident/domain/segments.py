"""How many text-message segments a text takes, and what made it so long.

Source: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and TS 23.040 (concatenated messages).
"""

from dataclasses import dataclass
from enum import StrEnum

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")  # each is sent as an escape and a letter: two septets


class Alphabet(StrEnum):
    """How the letters travel: seven bits each, or sixteen."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


ALONE = {Alphabet.GSM7: 160, Alphabet.UCS2: 70}  # units in a message that fits in one segment
JOINED = {Alphabet.GSM7: 153, Alphabet.UCS2: 67}  # units in each segment of a longer one


@dataclass(frozen=True)
class Length:
    """What a text message weighs: units are septets (GSM-7) or 16-bit units (UCS-2)."""

    alphabet: Alphabet
    units: int
    segments: int
    costly: tuple[str, ...] = ()  # the letters that force UCS-2, in order of appearance, each once

    @property
    def words(self) -> str:
        """Return the length as a short phrase, such as "2 segments · 171 units · GSM-7"."""
        if self.units == 1:
            return f"1 segment · 1 unit · {self.alphabet}"
        if self.segments == 1:
            return f"1 segment · {self.units} units · {self.alphabet}"
        return f"{self.segments} segments · {self.units} units · {self.alphabet}"


def length(text: str) -> Length:
    """Return how `text` travels as a text message. An empty text takes no segment."""
    costly = tuple(dict.fromkeys(letter for letter in text if letter not in BASIC and letter not in EXTENDED))
    alphabet = Alphabet.UCS2 if costly else Alphabet.GSM7
    sizes = [_units(letter, alphabet) for letter in text]
    return Length(alphabet, sum(sizes), _segments(sizes, alphabet), costly)


def _units(letter: str, alphabet: Alphabet) -> int:
    if alphabet is Alphabet.GSM7:
        return 2 if letter in EXTENDED else 1
    return 2 if ord(letter) > 0xFFFF else 1


def _segments(sizes: list[int], alphabet: Alphabet) -> int:
    """Return the segments: a letter of two units is never cut in half, so a segment may stay one unit short."""
    if sum(sizes) <= ALONE[alphabet]:
        return 1 if sizes else 0
    segments, used = 1, 0
    for size in sizes:
        if used + size > JOINED[alphabet]:
            segments, used = segments + 1, 0
        used += size
    return segments
