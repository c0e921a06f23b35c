"""Rows of a list read and judged, some thousand at a time; what they said in clear is forgotten once they are passed on."""

from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from incident.actions.batches import LETTERS, List, Sheaf, compact, written
from incident.domain import imports as rules
from incident.domain.imports import Taken
from incident.domain.people import FOUND_BY, Plain
from incident.store.ciphers import Sealer
from incident.store.packing import MOST_KINDS
from incident.store.tables import Row

ROWS: Final = 5_000


class Gatherer:
    """Reads one list; a row that is refused is sealed at once."""

    def __init__(self, of: List, key: Sealer, reader: rules.Reader) -> None:
        self.of, self.key, self.reader = of, key, reader

    def sheaves(self, lines: Iterator[Row], stream: Any) -> Generator[Sheaf, None, None]:
        """All rows; `stream` knows how far into the file they were read."""
        while True:
            sheaf = self._sheaf(lines, stream)
            if not sheaf.people and not sheaf.refused and not sheaf.empty:
                return
            yield sheaf

    def _sheaf(self, lines: Iterator[Row], stream: Any) -> Sheaf:
        """The next rows. Called for a million of them: whatever can be looked up before is."""
        kinds: dict[Plain, int] = {}
        alike: list[int] = []
        people: list[tuple[Any, ...]] = []
        refused: list[tuple[int, str, bytes]] = []
        read, empty, doubtful, last_row = self.reader.read, 0, 0, 0
        finders = [(word, FOUND_BY[word]) for word in LETTERS]
        for last_row, cells, trouble in islice(lines, ROWS):
            became = rules.Turned((trouble,)) if trouble else read(cells)
            if isinstance(became, Taken):
                record, plain = became
                kind = kinds.get(plain)
                if kind is None:
                    kind = kinds[plain] = len(alike)
                    alike.append(0)
                alike[kind] += 1
                doubtful += bool(plain.doubts)
                found = [normal(record[word]) if word in record else "" for word, normal in finders]
                people.append((kind, last_row, written(record), *found))
                if len(alike) >= MOST_KINDS:
                    break
            elif became is None:
                empty += 1
            else:
                refused.append((last_row, " ".join(became.reasons), self._sealed_row(last_row, cells)))
        plainly = [tuple(str(value) if isinstance(value, str) else bool(value) for value in kind) for kind in kinds]
        return Sheaf(plainly, alike, people, refused, empty, doubtful, last_row, stream.given)

    def _sealed_row(self, number: int, cells: Sequence[str]) -> bytes:
        return self.key.seal(f"person_refusal.sealed:{self.of.ref}:{number}", compact(cells).encode())
