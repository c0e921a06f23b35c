"""Rows of a list made ready to be kept: read, judged, sealed and marked, ahead of the database.

People are sealed for the numbers they will most likely get; should somebody else take one of them meanwhile, they are
sealed anew. Nothing here knows the database, so that a program of its own can do it (`actions/apart.py`).
"""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from typing import Any, Final, NamedTuple

from incident.domain import imports as rules
from incident.domain.imports import Taken
from incident.domain.people import FOUND_BY, Plain, Record
from incident.store import packing
from incident.store.ciphers import Sealer
from incident.store.packing import MOST_KINDS, PERSON, People
from incident.store.tables import Row

compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
SEALED_PEOPLE: Final = "person.sealed:"
ROWS: Final = 5_000
LETTERS: Final[Mapping[str, bytes]] = {"email": b"e", "phone": b"p", "reference": b"r"}
"""What a mark was made from, in one letter."""


class List(NamedTuple):
    """What the rows of one list have in common; `bits` is by how many first bits marks are told apart."""

    ref: str
    bits: int


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

    def __init__(self, of: List, key: Sealer, reader: rules.Reader, first: int) -> None:
        self.of, self.key, self.reader, self.first = of, key, reader, first

    def batches(self, lines: Iterator[Row], stream: Any) -> Generator[Batch, None, None]:
        """All rows, some thousand at a time; `stream` knows how far into the file they were read."""
        before = 0
        while True:
            batch = self._made(lines, before, stream)
            if not batch.rows:
                return
            before += batch.taken
            yield batch

    def _made(self, lines: Iterator[Row], before: int, stream: Any) -> Batch:
        """These rows read, judged, sealed and marked; what they said in clear is forgotten row by row."""
        crowd = _Crowd(self.key, self.of.bits, self.first + before)
        refused: list[tuple[int, str, bytes]] = []
        read, take, empty, doubtful, last_row = self.reader.read, crowd.taker(), 0, 0, 0
        for last_row, cells, trouble in islice(lines, ROWS):
            became = rules.Turned((trouble,)) if trouble else read(cells)
            if isinstance(became, Taken):
                doubtful += bool(became.plain.doubts)
                if take(last_row, became) >= MOST_KINDS:
                    break
            elif became is None:
                empty += 1
            else:
                refused.append((last_row, " ".join(became.reasons), self._sealed_row(last_row, cells)))
        return crowd.batch(before, refused, empty, doubtful, last_row, stream.given)

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

    def _sealed_row(self, number: int, cells: Sequence[str]) -> bytes:
        return self.key.seal(f"person_refusal.sealed:{self.of.ref}:{number}", compact(cells).encode())


def ahead(batches: Generator[Batch, None, None]) -> Iterator[Batch]:
    """The same batches, the next being fetched in a thread of its own while the caller is busy with the last."""
    with closing(batches), ThreadPoolExecutor(1, "import") as maker:
        coming = maker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, batches, None)
            yield batch


class _Crowd:
    """The people of a batch while it is made."""

    def __init__(self, key: Sealer, bits: int, first: int) -> None:
        self._key, self._bits, self._first = key, bits, first
        self._kinds: dict[Plain, int] = {}
        self._alike: list[int] = []
        self._entries: list[bytes] = []
        self._wholes: list[bytes] = []
        self._boxes: list[bytes] = []
        self._marks: list[list[bytes]] = [[] for _ in range(1 << bits)]

    def taker(self) -> Callable[[int, Taken], int]:
        """What adds one person, sealed and marked, and gives how many combinations of plain values there are.

        Called a million times: whatever can be looked up before is.
        """
        seal, whole_of, kinds, alike = (
            self._key.closer(SEALED_PEOPLE),
            self._key.marker("whole"),
            self._kinds,
            self._alike,
        )
        entries, wholes, boxes, parts, shift = self._entries, self._wholes, self._boxes, self._marks, 8 - self._bits
        finders = [(word, FOUND_BY[word], self._key.marker(word), letter) for word, letter in LETTERS.items()]
        number, start = self._first, 0

        def take(row_no: int, taken: Taken) -> int:
            nonlocal number, start
            record, plain = taken
            kind = kinds.get(plain)
            if kind is None:
                kind = kinds[plain] = len(alike)
                alike.append(0)
            alike[kind] += 1
            text = written(record)
            whole, box = whole_of(text), seal(f"{number}:1", text.encode())
            entries.append(PERSON % (kind, number, row_no, start, len(box), whole))
            wholes.append(whole)
            boxes.append(box)
            digits = b"%010d" % number
            for word, normal, mark_of, letter in finders:
                if word in record:
                    mark = mark_of(normal(record[word]))
                    parts[mark[0] >> shift].append(mark + digits + letter)
            number += 1
            start += len(box)
            return len(alike)

        return take

    def batch(
        self, before: int, refused: Sequence[tuple[int, str, bytes]], empty: int, doubtful: int, last_row: int, at: int
    ) -> Batch:
        """Everybody who was added, with what became of the other rows."""
        digest = sha256(b"".join(self._wholes)).hexdigest()
        marks = {part: b"".join(some) for part, some in enumerate(self._marks) if some}
        kinds = [tuple(str(value) if isinstance(value, str) else bool(value) for value in kind) for kind in self._kinds]
        packed = len(self._entries), kinds, b"".join(self._entries), b"".join(self._boxes)
        return Batch(before, self._first, *packed, self._alike, marks, digest, refused, empty, doubtful, last_row, at)


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
