"""People of a list sealed and marked, ready to be kept: some thousand at a time, ahead of the database.

They are sealed for the numbers they will most likely get; should somebody else take one of them meanwhile, they are sealed
anew. How rows become people: `actions/sheaves.py`. Nothing here knows the database, so that a program of its own can do it.
"""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from typing import Any, Final, NamedTuple

from incident.domain.people import Plain, Record
from incident.store import packing
from incident.store.ciphers import Sealer
from incident.store.packing import PERSON, People

compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
SEALED_PEOPLE: Final = "person.sealed:"
LETTERS: Final[Mapping[str, bytes]] = {"email": b"e", "phone": b"p", "reference": b"r"}
"""What a mark was made from, in one letter."""


class List(NamedTuple):
    """What the rows of one list have in common; `bits` is by how many first bits marks are told apart."""

    ref: str
    bits: int


class Sheaf(NamedTuple):
    """Rows that were read and judged. A person is a kind (which of the combinations of plain values), the row, the record as
    it will be sealed, and for each of LETTERS the normal form of what is marked, or an empty text."""

    kinds: Sequence[tuple[Any, ...]]
    alike: Sequence[int]
    people: Sequence[tuple[Any, ...]]
    refused: Sequence[tuple[int, str, bytes]]
    empty: int
    doubtful: int
    last_row: int
    position: int


class Batch(NamedTuple):
    """What became of a run of rows, before it is kept. `before` counts the people of the batches before it."""

    before: int
    first: int
    taken: int
    kinds: Sequence[tuple[Any, ...]]
    entries: bytes
    boxes: bytes
    alike: Sequence[int]
    marks: Mapping[int, bytes]
    digest: str
    refused: Sequence[tuple[int, str, bytes]]
    empty: int
    doubtful: int
    last_row: int
    position: int

    @property
    def people(self) -> People:
        """Its people, packed."""
        return People(self.kinds, self.entries, self.boxes)

    @property
    def rows(self) -> int:
        """How many rows of the list this accounts for."""
        return self.taken + len(self.refused) + self.empty

    def tally(self) -> Counter[Plain]:
        """How many of them share all plain values."""
        return Counter({Plain(*kind): n for kind, n in zip(self.kinds, self.alike, strict=True)})


class Maker:
    """Makes batches of one list. `first` is the number that its first person will most likely get."""

    def __init__(self, of: List, key: Sealer, first: int) -> None:
        self.of, self.key, self.first = of, key, first

    def batches(self, sheaves: Iterable[Sheaf]) -> Generator[Batch, None, None]:
        """A batch for each sheaf."""
        before = 0
        for sheaf in sheaves:
            yield self._made(sheaf, before)
            before += len(sheaf.people)

    def _made(self, sheaf: Sheaf, before: int) -> Batch:
        """Its people sealed and marked. Called a million times: whatever can be looked up before is."""
        seal, whole_of, shift = self.key.closer(SEALED_PEOPLE), self.key.marker("whole"), 8 - self.of.bits
        finders = [(self.key.marker(word), letter) for word, letter in LETTERS.items()]
        entries, wholes, boxes, start = [], [], [], 0
        parts: list[list[bytes]] = [[] for _ in range(1 << self.of.bits)]
        for number, (kind, row_no, text, *values) in enumerate(sheaf.people, start=self.first + before):
            whole, box = whole_of(text), seal(f"{number}:1", text.encode())
            entries.append(PERSON % (kind, number, row_no, start, len(box), whole))
            wholes.append(whole)
            boxes.append(box)
            start += len(box)
            digits = b"%010d" % number
            for value, (mark_of, letter) in zip(values, finders, strict=True):
                if value:
                    mark = mark_of(value)
                    parts[mark[0] >> shift].append(mark + digits + letter)
        marks = {part: b"".join(some) for part, some in enumerate(parts) if some}
        digest = sha256(b"".join(wholes)).hexdigest()
        packed = len(entries), sheaf.kinds, b"".join(entries), b"".join(boxes), sheaf.alike, marks, digest
        return Batch(before, self.first + before, *packed, *sheaf[3:])

    def renumbered(self, batch: Batch, first: int) -> Batch:
        """A batch sealed anew whose numbers somebody else took; those that are made from now on will fit again."""
        self.first = first - batch.before
        further, entries, boxes, start = first - batch.first, [], [], 0
        for one in packing.opened(batch.people):
            text = self.key.unseal(place(one.number, 1), one.box)
            number = one.number + further
            box = self.key.seal(place(number, 1), text)
            entries.append(PERSON % (one.kind, number, one.row_no, start, len(box), one.whole))
            boxes.append(box)
            start += len(box)
        marks = {part: packing.moved(some, further) for part, some in batch.marks.items()}
        return batch._replace(first=first, entries=b"".join(entries), boxes=b"".join(boxes), marks=marks)


def ahead(batches: Generator[Batch, None, None]) -> Iterator[Batch]:
    """The same batches, the next being fetched in a thread of its own while the caller is busy with the last."""
    with closing(batches), ThreadPoolExecutor(1, "import") as maker:
        coming = maker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, batches, None)
            yield batch


def written(record: Record) -> str:
    """A record as `compact` writes it, put together from pieces: a third of the time."""
    shape, plain, get = _shape(tuple(record))
    values = get(record)
    whole = "".join(values)
    if whole.isprintable() and '"' not in whole and "\\" not in whole:
        return plain % values
    return shape % tuple([quoted(value) for value in values])


@lru_cache(256)
def _shape(names: tuple[str, ...]) -> tuple[str, str, Callable[[Record], tuple[str, ...]]]:
    """Where values go that are quoted, where plain ones go, and what takes them out of a record in this order."""
    in_order = sorted(names)
    keys = [quoted(name).replace("%", "%%") for name in in_order]
    shape = "{" + ",".join(f"{key}:%s" for key in keys) + "}"
    plain = "{" + ",".join(f'{key}:"%s"' for key in keys) + "}"
    if len(in_order) > 1:
        return shape, plain, itemgetter(*in_order)
    return shape, plain, lambda record: tuple(record.values())


def place(number: int, version: int) -> str:
    """Where a person's sealed record belongs."""
    return f"{SEALED_PEOPLE}{number}:{version}"


def opened(text: bytes) -> Record:
    """A record as it was before it was sealed."""
    record: Record = _read(text.decode())[0]
    return record


_read: Final = json.JSONDecoder().raw_decode  # what was sealed is one object and nothing else
