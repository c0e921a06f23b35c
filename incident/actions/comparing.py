"""A list that was read is compared, part by part, with itself and with everybody who was there; then its people count.

First the marks are brought into their index in their own order, which tells who held one before. Then, by their numbers,
those who share one are set apart as possible duplicates. Each part is one short transaction that forgets what it has done,
so that whoever comes after a crash goes on with the next.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from incident.actions.batches import LETTERS, compact
from incident.actions.ledger import transaction
from incident.domain import imports as rules
from incident.domain.people import Plain, State
from incident.store import imports as rows
from incident.store import packed, pieces
from incident.store import people as registry
from incident.store.imports import PersonImport
from incident.store.packing import DIGITS, MARK_WIDTH, MARKED, TWINS, TWINS_WIDTH, parted
from incident.store.pieces import Kind
from incident.store.sealed import is_erased

MOST_TWINS: Final = 3
MOST_MARKS: Final = 25_000 * MARK_WIDTH
MOST_TWINS_AT_ONCE: Final = 10_000 * TWINS_WIDTH
"""Bytes in one transaction; a part that holds more is not cut."""
TOGETHER: Final = 4_096
"""So many neighbouring numbers make a part of those who share something."""
WORDS: Final = {letter: word for word, letter in LETTERS.items()}
Clashes = Sequence[tuple[bytes, int, int]]
Twins = dict[int, dict[int, set[str]]]
"""For each later person the earlier ones, with what they share."""


class Overtaken(Exception):
    """Somebody else goes on with this import, or stopped it; nothing of ours is kept."""


@dataclass(frozen=True)
class Claim:
    """The import that is ours, as long as nobody overtakes us."""

    import_ref: str
    incident: str
    fence: int
    import_id: int

    def row(self, now: datetime) -> PersonImport:
        """The import, ours a while longer; call inside a transaction. Raises Overtaken."""
        row = rows.anywhere(self.import_ref)
        if row is None or not rows.still_ours(row, self.fence):
            raise Overtaken
        row.lease_until = now + rows.LEASE
        return row


def compare(claim: Claim, clock: Callable[[], datetime]) -> None:
    """Find out who of a list that was read may be whom. Raises Overtaken."""
    with ThreadPoolExecutor(1, "import") as sorter:
        waiting: deque[tuple[range, Future[list[bytes]]]] = deque()
        for some in pieces.parts(claim.import_id, Kind.MARKS, MOST_MARKS):
            waiting.append((some, sorter.submit(_in_order, pieces.of(claim.import_id, Kind.MARKS, some))))
            if len(waiting) > 1:
                _bring_in(claim, *waiting.popleft(), clock())
        for one in waiting:
            _bring_in(claim, *one, clock())
    for some in pieces.parts(claim.import_id, Kind.TWINS, MOST_TWINS_AT_ONCE):
        _set_apart(claim, some, clock())


def _in_order(marks: bytes) -> list[bytes]:
    return sorted(parted(marks, MARK_WIDTH))


def _bring_in(claim: Claim, some: range, coming: Future[list[bytes]], now: datetime) -> None:
    """The next marks are put in order in a thread of its own while the database takes in these."""
    marks = coming.result()
    with transaction("system", now) as ledger:
        row = claim.row(now)
        clashes = packed.hold(row.incident_id, b"" if is_erased(row.incident_id) else b"".join(marks))
        pieces.keep(row.id, Kind.TWINS, some.start, _by_number(clashes, marks))
        pieces.drop(row.id, Kind.MARKS, some)
        row.compared = some.stop
        ledger.write(
            "list.compared",
            row.ref,
            incident=claim.incident,
            part=row.compared,
            parts=row.parts,
            marks=len(marks),
            shared=len(clashes),
        )


def _by_number(clashes: Clashes, marks: Sequence[bytes]) -> dict[int, bytes]:
    found: defaultdict[int, list[bytes]] = defaultdict(list)
    for mark, number, holder in clashes:
        entry = marks[bisect_left(marks, MARKED % (mark, number, b""))]
        found[number // TOGETHER].append(TWINS % (number, holder, entry[-1:]))
    return {part: b"".join(some) for part, some in found.items()}


def _set_apart(claim: Claim, some: range, now: datetime) -> None:
    twins = _twins(pieces.of(claim.import_id, Kind.TWINS, some))
    with transaction("system", now) as ledger:
        row = claim.row(now)
        pairs, alike = _pairs(row.incident_id, twins)
        suspects = sorted({pair[0] for pair in pairs})
        registry.suspect(row.incident_id, suspects)
        registry.pair(row.incident_id, pairs)
        note(row, -1 - some.start, alike)
        pieces.drop(row.id, Kind.TWINS, some)
        row.taken -= len(suspects)
        row.suspects += len(suspects)
        rules.add_up(row.rows, (row.taken, row.suspects, row.refused, row.empty))
        ledger.write(
            "list.duplicates_found", row.ref, incident=claim.incident, suspects=len(suspects), pairs=len(pairs)
        )


def _twins(content: bytes) -> Twins:
    twins: Twins = defaultdict(lambda: defaultdict(set))
    for entry in parted(content, TWINS_WIDTH):
        twins[int(entry[:DIGITS])][int(entry[DIGITS : 2 * DIGITS])].add(WORDS[entry[-1:]])
    return twins


def _pairs(
    incident_id: int, twins: Twins
) -> tuple[list[tuple[int, int, str, bool]], Counter[tuple[int, State, Plain]]]:
    """For each later person at most three earlier ones, by what they share, and whether all is equal; how the counts change.

    Whoever was erased since is not compared with anybody.
    """
    holders = {holder for shared in twins.values() for holder in sorted(shared)[:MOST_TWINS]}
    wholes = registry.wholes(incident_id, sorted(holders))
    chosen = {
        number: [one for one in sorted(shared)[:MOST_TWINS] if wholes.get(one)] for number, shared in twins.items()
    }
    pairs: list[tuple[int, int, str, bool]] = []
    alike: Counter[tuple[int, State, Plain]] = Counter()
    for number, wave, plain, whole in registry.live(incident_id, sorted(filter(chosen.get, chosen))):
        alike[wave, State.ACTIVE, plain] -= 1
        alike[wave, State.SUSPECT, plain] += 1
        pairs += [
            (number, holder, " ".join(sorted(twins[number][holder])), whole == wholes.get(holder))
            for holder in chosen[number]
        ]
    return sorted(pairs), alike


def note(row: PersonImport, batch: int, alike: Counter[tuple[int, State, Plain]]) -> None:
    """Remember how many more of this list are alike, to be counted when all of it was compared."""
    keys: Counter[tuple[Any, ...]] = Counter()
    for (wave, state, plain), n in alike.items():
        keys[registry.tally_key(row.incident_id, wave, state, plain)] += n
    changes = [[n, *key] for key, n in keys.items() if n]
    if changes:
        pieces.keep(row.id, Kind.TALLY, batch, {0: compact(changes).encode() + b"\n"})


def noted(import_id: int) -> Counter[tuple[Any, ...]]:
    """What was remembered: the changes of the counters."""
    keys: Counter[tuple[Any, ...]] = Counter()
    for line in pieces.of(import_id, Kind.TALLY, range(1)).splitlines():
        for n, *key in json.loads(line):
            keys[tuple(key)] += n
    return keys
