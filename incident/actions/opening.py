"""People's sealed records, opened together by whoever writes to them.

Nothing here knows the database, so that a program of its own can do it (`actions/calling_apart.py`).
"""

from collections.abc import Sequence
from json import loads
from typing import Any, NamedTuple

from incident.actions.batches import SEALED_PEOPLE, opened
from incident.domain.check_codes import PURPOSE, coder
from incident.domain.people import Addressee, Record, addressed
from incident.store.ciphers import Sealer, Unreadable

UNREADABLE = "record_unreadable"


class Envelopes(NamedTuple):
    """The data key of an incident, and for each person id, number, version, sealed record and how they are addressed."""

    key: Sealer
    rows: Sequence[Any]

    def opened(self) -> dict[int, Addressee]:
        """Whom to write to, by person. Raises Unreadable where one of them does not open."""
        boxes = [(f"{row[1]}:{row[2]}", bytes(row[3])) for row in self.rows]
        texts = self.key.opened(SEALED_PEOPLE, boxes)
        code = coder(self.key.marker(PURPOSE))
        return {
            row[0]: addressed(row[1], record, row[4:], code(row[1]))
            for row, record in zip(self.rows, _records(texts), strict=True)
        }

    def apart(self, ids: Sequence[Sequence[int]]) -> list["Envelopes"]:
        """The same for each of these groups of people."""
        by_person = {row[0]: row for row in self.rows}
        return [self._replace(rows=[by_person[id_] for id_ in group if id_ in by_person]) for group in ids]

    def opened_apart(self) -> dict[int, Addressee | str]:
        """The same, one by one: one that does not open keeps nobody else back, and has its reason instead."""
        found: dict[int, Addressee | str] = {}
        for row in self.rows:
            try:
                found |= self._replace(rows=[row]).opened()
            except Unreadable:
                found[row[0]] = UNREADABLE
        return found


def _records(texts: Sequence[bytes]) -> Sequence[Record]:
    """The records that were sealed as these texts: read together, which takes half the time, where that gives one for each."""
    try:
        records = loads(f"[{b','.join(texts).decode()}]")
    except ValueError:
        records = []
    return records if len(records) == len(texts) else [opened(text) for text in texts]
