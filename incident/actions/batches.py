"""Rows of a list made ready to be kept: read, judged, sealed and marked, one batch ahead of the database.

While the database keeps one batch, which needs no interpreter, the next one is made in a thread of its own. It is sealed
for the numbers it will most likely get; should somebody else take one of them meanwhile, it is sealed anew.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, Final, NamedTuple

from incident.domain import imports as rules
from incident.domain.imports import Reason, Taken
from incident.domain.people import Plain, Record, marked_by
from incident.domain.people import State as Standing
from incident.store.sealed import Sealer
from incident.store.tables import Row

compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
STATE: Final = 5  # where a person's state stands in a row for the database


class List(NamedTuple):
    """What the rows of one list have in common."""

    incident_id: int
    id: int
    ref: str
    wave: int


@dataclass
class People:
    """The people of a batch as rows for the database, with the marks they are found again by."""

    first: int
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    marks: list[tuple[bytes, int]] = field(default_factory=list)
    found_by: dict[bytes, str] = field(default_factory=dict)
    wholes: dict[int, bytes] = field(default_factory=dict)
    plain: Counter[Plain] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        """Over all records, in order."""
        return sha256(b"".join(self.wholes.values())).hexdigest()

    def suspect(self, numbers: Iterable[int]) -> None:
        """These may be somebody we have."""
        for number in numbers:
            row = self.rows[number - self.first]
            self.rows[number - self.first] = (*row[:STATE], Standing.SUSPECT.value, *row[STATE + 1 :])


@dataclass
class Batch:
    """What became of a run of rows, before it is kept. `before` counts the people of the batches before it."""

    last_row: int
    position: int
    before: int
    taken: list[tuple[int, Taken]] = field(default_factory=list)
    turned: list[tuple[int, tuple[Reason, ...], list[str]]] = field(default_factory=list)
    refused: list[tuple[int, str, bytes]] = field(default_factory=list)
    empty: int = 0
    doubtful: int = 0
    people: People = field(default_factory=lambda: People(0))

    @property
    def rows(self) -> int:
        """How many rows of the list this accounts for."""
        return len(self.taken) + len(self.turned) + self.empty


@dataclass
class Maker:
    """Makes batches of one list. `first` is the number that its first person will most likely get."""

    of: List
    key: Sealer
    reader: rules.Reader
    first: int
    most: int

    def batches(self, lines: Iterator[Row], stream: Any) -> Iterator[Batch]:
        """All rows, some thousand at a time; `stream` knows how far into the file they were read."""
        before = 0
        while some := list(islice(lines, self.most)):
            batch = self._judged(some, stream.given, before)
            self.make(batch, self.first + before)
            before += len(batch.taken)
            yield batch

    def ahead(self, lines: Iterator[Row], stream: Any) -> Iterator[Batch]:
        """The same, the next batch being made while the caller keeps the last."""
        batches = self.batches(lines, stream)
        with ThreadPoolExecutor(1, "import") as maker:
            coming = maker.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = maker.submit(next, batches, None)
                yield batch

    def _judged(self, lines: Sequence[Row], position: int, before: int) -> Batch:
        batch = Batch(lines[-1].number, position, before)
        read, taken = self.reader.read, batch.taken
        for number, cells, trouble in lines:
            became = rules.Turned((trouble,)) if trouble else read(cells)
            if became is None:
                batch.empty += 1
            elif isinstance(became, Taken):
                taken.append((number, became))
                batch.doubtful += bool(became.plain.doubts)
            else:
                batch.turned.append((number, became.reasons, cells))
        return batch

    def make(self, batch: Batch, first: int) -> None:
        """Seal and mark everybody, numbered from `first`, and the rows that were refused."""
        batch.people = self._people(batch.taken, first)
        batch.refused = [
            (number, " ".join(reasons), self._sealed_row(number, cells)) for number, reasons, cells in batch.turned
        ]

    def renumber(self, batch: Batch, first: int) -> None:
        """Make a batch anew whose numbers somebody else took; those that follow will fit again."""
        self.first = first - batch.before
        self.make(batch, first)

    def _people(self, taken: Sequence[tuple[int, Taken]], first: int) -> People:
        made = People(first)
        seal, mark, (incident_id, id_, _, wave) = self.key.seal, self.key.mark, self.of
        for number, (row_no, (record, plain)) in enumerate(taken, start=first):
            text = compact(record)
            whole = made.wholes[number] = mark("whole", text)
            box = seal(place(number, 1), text.encode())
            made.rows.append((incident_id, number, id_, row_no, wave, Standing.ACTIVE.value, *plain, 1, whole, box))
            for purpose, value in marked_by(record):
                known = mark(purpose, value)
                made.found_by[known] = purpose
                made.marks.append((known, number))
        made.plain.update(person.plain for _, person in taken)
        return made

    def _sealed_row(self, number: int, cells: Sequence[str]) -> bytes:
        return self.key.seal(f"person_refusal.sealed:{self.of.ref}:{number}", compact(cells).encode())


def place(number: int, version: int) -> str:
    """Where a person's sealed record belongs."""
    return f"person.sealed:{number}:{version}"


def opened(text: bytes) -> Record:
    """A record as it was before it was sealed."""
    record: Record = _read(text.decode())[0]
    return record


_read: Final = json.JSONDecoder().raw_decode  # what was sealed is one object and nothing else
