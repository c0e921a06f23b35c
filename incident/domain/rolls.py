"""The people of a correction by number: those whom it was approved for, without those who were not told after all."""

import sys
import zlib
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from incident.domain.people import Digest


@dataclass(frozen=True)
class Roll:
    """Who gets it and who fell out, both by number, lowest first."""

    going: Sequence[int]
    fell_out: Sequence[int] = ()

    @property
    def digest(self) -> str:
        """The digest over those who get it, as an audience is digested."""
        return digest(self.going)


def digest(numbers: Sequence[int]) -> str:
    """The digest over these numbers, lowest first."""
    made = Digest()
    made.add(numbers)
    return made.hexdigest()


def left(approved: Sequence[int], told: Collection[int]) -> Roll:
    """Who of those it was approved for still counts as told. Whoever was told besides was approved by nobody."""
    return Roll([one for one in approved if one in told], [one for one in approved if one not in told])


def packed(numbers: Sequence[int]) -> bytes:
    """The numbers, lowest first, as few bytes: each as its distance from the one before, compressed."""
    steps = array("I", [then - before for before, then in pairwise((0, *numbers))])
    if sys.byteorder == "big":
        steps.byteswap()
    return zlib.compress(steps.tobytes(), 6)


def unpacked(box: bytes) -> list[int]:
    """The numbers back. Raises ValueError, zlib.error for anything else."""
    steps = array("I")
    steps.frombytes(zlib.decompress(box))
    if sys.byteorder == "big":
        steps.byteswap()
    return list(accumulate(steps))
