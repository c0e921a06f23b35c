"""Which letters our fonts can print. What they cannot is shown by its code point, such as [U+1F600], never dropped in silence.

PDF/A and PDF/UA refuse a file with a letter that has no glyph; the data inside the file keeps every text as it was.
"""

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn

OTHER_FONTS = (
    (0x0100, 0x04FF),  # Latin with marks, phonetic, Greek, Cyrillic
    (0x05D0, 0x05EA),  # Hebrew letters
    (0x0621, 0x063A),  # Arabic letters
    (0x0641, 0x064A),
    (0x1E00, 0x1FFF),  # Latin and Greek with more marks
)
"""Ranges that the fonts inside the typesetter hold besides ours; a test prints every letter of them."""

UNSEEN = frozenset({"Cc", "Cf"})
NEVER = frozenset({"Cn", "Co", "Cs"})
MARKS = frozenset({"Mn", "Mc", "Me"})


def printable(text: str, *, marks: bool = True) -> str:
    """The text with what no font holds shown by its code point. `marks=False` takes lone accents for missing too."""
    return "".join(_shown(letter, marks) for letter in unicodedata.normalize("NFC", text))


def _shown(letter: str, marks: bool) -> str:
    if letter in "\n\t" or " " <= letter <= "~":
        return letter
    category = unicodedata.category(letter)
    if category in UNSEEN:
        return ""
    if category in NEVER or (category in MARKS and not marks) or not held(ord(letter)):
        return f"[U+{ord(letter):04X}]"
    return letter


def held(code: int) -> bool:
    """Whether one of the fonts has a glyph for a code point."""
    return code in _own_font() or any(first <= code <= last for first, last in OTHER_FONTS)


@cache
def _own_font() -> frozenset[int]:
    """The code points of the font wheel, read from its character map (OpenType `cmap`, format 12)."""
    return frozenset(_characters(Path(pylopdf_fonts_zh_cn.sans_path()).read_bytes()))


def _characters(font: bytes) -> Iterator[int]:
    cmap = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    starts = {struct.unpack_from(">I", font, cmap + 4 + 8 * number + 4)[0] for number in range(count)}
    for start in sorted(starts):
        kind, _, _, _, groups = struct.unpack_from(">HHIII", font, cmap + start)
        if kind != 12:
            continue
        for number in range(groups):
            first, last, _ = struct.unpack_from(">III", font, cmap + start + 16 + 12 * number)
            yield from range(first, last + 1)


def _table(font: bytes, name: bytes) -> int:
    """Where a table of the font begins. Raises ValueError if the font has none of that name."""
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == name:
            return int(offset)
    raise ValueError(f"The font has no table {name!r}.")
