"""The code by which whoever asked reads our answer: the enquiry's reference, and fifteen letters of a keyed hash.

`EQ-7K3MXW2Q-8RTAX-Q4C2M-VW019` says nothing and is kept nowhere: the incident's own key makes it, and it ends with that key.
Its 75 bits can be neither guessed nor made up; the reference alone, which stands in mails, opens nothing.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Final

from incident.domain.check_codes import LETTERS, READ_AS

PURPOSE: Final = "answers"
"""What the keyed hash is for."""
LONG: Final = 15
A_GROUP: Final = 5
BYTES: Final = 10  # 80 bits, of which 75 are told
LONGEST: Final = 60
SHAPE: Final = re.compile(rf"EQ([{LETTERS}]{{8}})([{LETTERS}]{{{LONG}}})")


@dataclass(frozen=True)
class AnswerCode:
    """A code as somebody gave it: which enquiry, and the letters that show that it is theirs."""

    ref: str
    letters: str


NOBODYS: Final = AnswerCode("EQ-00000000", "-" * LONG)
"""What stands in for something that is no code, so that it is looked up in the same steps."""


def read(given: str) -> AnswerCode:
    """Return the code that was typed, with what eyes mistake put right; nobody's where it is none."""
    words = "".join(given[:LONGEST].split()).upper().translate(READ_AS).replace("-", "")
    found = SHAPE.fullmatch(words)
    return AnswerCode(f"EQ-{found[1]}", found[2]) if found else NOBODYS


def letters(keyed: bytes) -> str:
    """Return a keyed hash of at least ten bytes as the fifteen letters of a code."""
    value = int.from_bytes(keyed[:BYTES], "big") >> (8 * BYTES - 5 * LONG)
    return "".join(LETTERS[value >> shift & 31] for shift in range(5 * (LONG - 1), -1, -5))


def written(ref: str, keyed: bytes) -> str:
    """Return the code of an enquiry as it is shown."""
    told = letters(keyed)
    return "-".join([ref, *(told[at : at + A_GROUP] for at in range(0, LONG, A_GROUP))])


def held(key: bytes, ref: str, told: str, at: int) -> str:
    """Return what a browser keeps in place of a code it was given at this second: it opens nothing elsewhere or later."""
    return hmac.new(key, "\0".join(("answers", ref, told, str(at))).encode(), "sha256").hexdigest()


def is_held(key: bytes, ref: str, right: str, at: int, kept: str) -> bool:
    """Return whether what a browser keeps comes from the right letters; takes as long either way."""
    return hmac.compare_digest(held(key, ref, right, at).encode(), kept.encode("utf-8", "replace"))
