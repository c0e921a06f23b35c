"""The code in a message by which anybody can check it: the notice's reference, and for one person their number and a mark.

`N-7K3MXW2Q` is the same for everybody and proves that there is such a notice. `N-7K3MXW2Q-1024-8RTAXQ4C2M` is one person's:
ten letters (50 bits) of a keyed hash that only the incident's own key makes, so that it can be neither guessed nor made up,
and ends with that key.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PURPOSE: Final = "check"
"""What the keyed hash is for."""
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS: Final = [first + second for first in LETTERS for second in LETTERS]
LONG: Final = 10
BYTES: Final = 7  # 56 bits, of which 50 are told
CODE: Final = re.compile(rf"(N-[0-9A-HJKMNP-TV-Z]{{8}})(?:-([0-9]{{1,9}})-([0-9A-HJKMNP-TV-Z]{{{LONG}}}))?")
READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "—": "-", "–": "-", "‐": "-", "‑": "-", "−": "-"})
BEHIND: Final = ".,;:!?)]>。，；：！？）"
"""What a telephone takes for the end of an address, although it ends the sentence."""
LONGEST: Final = 60
INSIDE: Final = re.compile(CODE.pattern)
"""A code somewhere in a longer text, such as the answer to a notice that quotes it."""


@dataclass(frozen=True)
class Code:
    """A code as somebody gave it: which notice, and perhaps who says they are meant by it."""

    notice: str
    number: int | None = None
    mark: str = ""


def read(given: str) -> Code | None:
    """Return the code that was typed or followed, with what eyes mistake put right; None where it is none."""
    words = "".join(given[:LONGEST].split()).upper().translate(READ_AS).rstrip(BEHIND)
    found = CODE.fullmatch(words)
    if found is None:
        return None
    return Code(found[1], int(found[2]) if found[2] else None, found[3] or "")


def inside(text: str, most: int = 20) -> list[Code]:
    """Return the codes that stand in a text, one person's own before those of everybody, each once."""
    found = [Code(one[1], int(one[2]) if one[2] else None, one[3] or "") for one in INSIDE.finditer(text.upper())]
    return sorted(dict.fromkeys(found[:most]), key=lambda code: code.number is None)


def mark_letters(keyed: bytes) -> str:
    """Return a keyed hash as the ten letters of a code."""
    value = int.from_bytes(keyed[:BYTES], "big") >> 6  # two letters at once: this is asked for each of a million people
    first, second, third = PAIRS[value >> 40], PAIRS[value >> 30 & 1023], PAIRS[value >> 20 & 1023]
    return f"{first}{second}{third}{PAIRS[value >> 10 & 1023]}{PAIRS[value & 1023]}"


def own_part(number: int, keyed: bytes) -> str:
    """Return what follows the notice's reference in one person's code."""
    return f"{number}-{mark_letters(keyed)}"


def coder(marked: Callable[[str], bytes]) -> Callable[[int], str]:
    """Return what gives the own part of the code for one person after the other; `marked` is the keyed hash of a text."""
    return lambda number: own_part(number, marked(str(number)))


def is_theirs(code: Code, keyed: bytes) -> bool:
    """Return whether the mark is the right one; takes as long either way."""
    return hmac.compare_digest(mark_letters(keyed).encode(), code.mark.encode().ljust(LONG, b"-"))


ENQUIRY: Final = re.compile(r"EQ-[0-9A-HJKMNP-TV-Z]{8}")
"""The reference of an enquiry, as it stands in the subject of a mail and on the page."""


def is_enquiry(word: str) -> bool:
    """Return whether this has the form of an enquiry's reference."""
    return ENQUIRY.fullmatch(word) is not None
