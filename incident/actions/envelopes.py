"""People's sealed records as the database holds them, opened together by whoever writes to them."""

from collections.abc import Callable, Sequence
from json import loads
from typing import Any, NamedTuple

from incident.actions.batches import SEALED_PEOPLE, opened
from incident.domain.check_codes import PURPOSE, coder
from incident.domain.people import Addressee, Record, addressed
from incident.store import people, sealed
from incident.store.sealed import Sealer, Unreadable, sealer

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


def of(
    incident_id: int, ids: Sequence[int], *, only_listed: bool = False, key: Callable[[int], Sealer] = sealer
) -> Envelopes:
    """The envelopes of these people of an incident; the erased have none. Raises Erased.

    With `only_listed`, neither have those who were taken off the list or joined to another since. `key` opens the data key.
    """
    opener, gone = key(incident_id), sealed.erased_people(incident_id)
    found = list(people.by_ids(incident_id, ids, only_listed=only_listed))
    return Envelopes(opener, [row for row in found if row[1] not in gone] if gone else found)


def _records(texts: Sequence[bytes]) -> Sequence[Record]:
    """The records that were sealed as these texts: read together, which takes half the time, where that gives one for each."""
    try:
        records = loads(f"[{b','.join(texts).decode()}]")
    except ValueError:
        records = []
    return records if len(records) == len(texts) else [opened(text) for text in texts]
