"""How thousands of people, or of their marks, stand in one value, which the database takes apart itself (`store/packed.py`).

Every entry has one width. Numbers stand in it as decimal digits, which both databases read; marks and digests stand as they
are. What differs in length, the sealed records, follow one another in a value of their own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

DIGITS: Final = 10
MARK: Final = 16
MARKED: Final = b"%b%010d%b"  # the mark, its person's number, a letter for what it was made from
MARK_WIDTH: Final = MARK + DIGITS + 1
TWINS: Final = b"%010d%010d%b"  # the later number, the holder's, the letter
TWINS_WIDTH: Final = 2 * DIGITS + 1
PERSON: Final = b"%010d%010d%010d%010d%010d%b"  # kind, number, row, where the sealed record begins, its length; digest
PERSON_WIDTH: Final = 5 * DIGITS + MARK
MOST_KINDS: Final = 1_000  # each is bound by itself, and the databases take some 30,000 values


class People(NamedTuple):
    """Some thousand people of one list: each combination of plain values once, an entry for each person, the sealed records."""

    kinds: Sequence[tuple[Any, ...]]
    entries: bytes
    boxes: bytes


class One(NamedTuple):
    """What an entry says of a person."""

    kind: int
    number: int
    row_no: int
    box: bytes
    whole: bytes


def opened(people: People) -> Iterator[One]:
    """The people one by one."""
    for entry in parted(people.entries, PERSON_WIDTH):
        kind, number, row_no, start, length = (int(entry[at : at + DIGITS]) for at in range(0, 5 * DIGITS, DIGITS))
        yield One(kind, number, row_no, people.boxes[start : start + length], entry[5 * DIGITS :])


def parted(entries: bytes, width: int) -> list[bytes]:
    """The entries one by one."""
    return [entries[at : at + width] for at in range(0, len(entries), width)]


def moved(marks: bytes, further: int) -> bytes:
    """The same marks of people whose numbers are so much higher."""
    return b"".join(
        [
            MARKED % (entry[:MARK], int(entry[MARK : MARK + DIGITS]) + further, entry[-1:])
            for entry in parted(marks, MARK_WIDTH)
        ]
    )
