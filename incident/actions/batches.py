"""Rows of a list made ready to be kept: read, judged, sealed and marked, one batch ahead of the database.

While the database keeps one batch, which needs no interpreter, the next one is made in a thread of its own. It is sealed
for the numbers it will most likely get; should somebody else take one of them meanwhile, it is sealed anew.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple

from incident.domain import imports as rules
from incident.domain.imports import Taken
from incident.domain.people import FOUND_BY, Plain, Record
from incident.domain.people import State as Standing
from incident.store.sealed import Sealer
from incident.store.tables import Row

compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
SEALED_PEOPLE: Final = "person.sealed:"
STATE: Final = 5  # where a person's state stands in a row for the database; the plain values follow
PLAIN: Final = slice(STATE + 1, STATE + 1 + len(Plain._fields))
WHOLE, SEALED = -2, -1
LEAST: Final = 5_000
MOST: Final = 20_000


def size(known: int) -> int:
    """How many rows make a batch where so many people are known already.

    Marks are random, so that a batch touches most pages of a large index, each of which is written anew: the more marks
    a batch has, the more of them share a page. The database is locked meanwhile, so it has its bounds.
    """
    return min(MOST, max(LEAST, known // 10))


class List(NamedTuple):
    """What the rows of one list have in common."""

    incident_id: int
    id: int
    ref: str
    wave: int


@dataclass
class People:
    """The people of a batch as rows for the database, with the marks they are found again by, by purpose."""

    first: int
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    marks: dict[str, list[tuple[bytes, int]]] = field(default_factory=lambda: {purpose: [] for purpose in FOUND_BY})

    @property
    def digest(self) -> str:
        """Over all records, in order."""
        return sha256(b"".join([row[WHOLE] for row in self.rows])).hexdigest()

    def whole(self, number: int) -> bytes | None:
        """The digest of this person's whole record; None for somebody of an earlier batch."""
        place = number - self.first
        return self.rows[place][WHOLE] if 0 <= place < len(self.rows) else None

    def purposes(self, marks: set[bytes]) -> dict[bytes, str]:
        """What each of these marks was made from."""
        return {mark: purpose for purpose, some in self.marks.items() for mark, _ in some if mark in marks}

    def suspect(self, numbers: Iterable[int]) -> None:
        """These may be somebody we have."""
        for number in numbers:
            row = self.rows[number - self.first]
            self.rows[number - self.first] = (*row[:STATE], Standing.SUSPECT.value, *row[STATE + 1 :])

    def tally(self) -> Counter[tuple[Standing, Plain]]:
        """How many of them share a state and all plain values."""
        alike = Counter([row[STATE : PLAIN.stop] for row in self.rows])
        return Counter({(Standing(state), Plain(*plain)): n for (state, *plain), n in alike.items()})


@dataclass
class Batch:
    """What became of a run of rows, before it is kept. `before` counts the people of the batches before it."""

    before: int
    people: People
    last_row: int = 0
    position: int = 0
    refused: list[tuple[int, str, bytes]] = field(default_factory=list)
    empty: int = 0
    doubtful: int = 0

    @property
    def taken(self) -> int:
        """How many rows became people."""
        return len(self.people.rows)

    @property
    def rows(self) -> int:
        """How many rows of the list this accounts for."""
        return self.taken + len(self.refused) + self.empty


@dataclass
class Maker:
    """Makes batches of one list. `first` is the number that its first person will most likely get."""

    of: List
    key: Sealer
    reader: rules.Reader
    first: int

    def batches(self, lines: Iterator[Row], stream: Any) -> Iterator[Batch]:
        """All rows, some thousand at a time; `stream` knows how far into the file they were read."""
        before = 0
        while True:
            batch = self._made(islice(lines, size(self.first + before)), before)
            if not batch.rows:
                return
            batch.position = stream.given
            before += batch.taken
            yield batch

    def ahead(self, lines: Iterator[Row], stream: Any) -> Iterator[Batch]:
        """The same, the next batch being made while the caller keeps the last."""
        batches = self.batches(lines, stream)
        with ThreadPoolExecutor(1, "import") as maker:
            coming = maker.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = maker.submit(next, batches, None)
                yield batch

    def _made(self, lines: Iterable[Row], before: int) -> Batch:
        """These rows read, judged, sealed and marked; what they said in clear is forgotten row by row."""
        batch = Batch(before, People(self.first + before))
        read, take, number = self.reader.read, self._taker(batch.people), batch.people.first
        for row_no, cells, trouble in lines:
            became = rules.Turned((trouble,)) if trouble else read(cells)
            if isinstance(became, Taken):
                take(number, row_no, became)
                number += 1
                batch.doubtful += bool(became.plain.doubts)
            elif became is None:
                batch.empty += 1
            else:
                batch.refused.append((row_no, " ".join(became.reasons), self._sealed_row(row_no, cells)))
            batch.last_row = row_no
        return batch

    def _taker(self, people: People) -> Callable[[int, int, Taken], None]:
        """What adds one person, sealed and marked. Called a million times: whatever can be looked up before is."""
        seal, whole, add = self.key.seal, self.key.marker("whole"), people.rows.append
        incident_id, id_, _, wave = self.of
        finders = [(word, FOUND_BY[word], self.key.marker(word), some.append) for word, some in people.marks.items()]
        active = Standing.ACTIVE.value

        def take(number: int, row_no: int, taken: Taken) -> None:
            record, plain = taken
            text = written(record)
            box = seal(f"person.sealed:{number}:1", text.encode())
            add((incident_id, number, id_, row_no, wave, active, *plain, 1, whole(text), box))
            for word, normal, mark, note in finders:
                if word in record:
                    note((mark(normal(record[word])), number))

        return take

    def renumber(self, batch: Batch, first: int) -> None:
        """Seal a batch anew whose numbers somebody else took; those that follow will fit again."""
        self.first = first - batch.before
        people, further = batch.people, first - batch.people.first
        people.rows[:] = [self._renumbered(row, row[1] + further) for row in people.rows]
        for some in people.marks.values():
            some[:] = [(mark, number + further) for mark, number in some]
        people.first = first

    def _renumbered(self, row: tuple[Any, ...], number: int) -> tuple[Any, ...]:
        text = self.key.unseal(place(row[1], 1), row[SEALED])
        return (row[0], number, *row[2:SEALED], self.key.seal(place(number, 1), text))

    def _sealed_row(self, number: int, cells: Sequence[str]) -> bytes:
        return self.key.seal(f"person_refusal.sealed:{self.of.ref}:{number}", compact(cells).encode())


def written(record: Record) -> str:
    """A record as `compact` writes it, put together from pieces: half of the time."""
    shape, names = _shape(tuple(record))
    return shape % tuple([quoted(record[name]) for name in names])


@lru_cache(256)
def _shape(names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    in_order = tuple(sorted(names))
    return "{" + ",".join(quoted(name).replace("%", "%%") + ":%s" for name in in_order) + "}", in_order


def place(number: int, version: int) -> str:
    """Where a person's sealed record belongs."""
    return f"{SEALED_PEOPLE}{number}:{version}"


def opened(text: bytes) -> Record:
    """A record as it was before it was sealed."""
    record: Record = _read(text.decode())[0]
    return record


_read: Final = json.JSONDecoder().raw_decode  # what was sealed is one object and nothing else
