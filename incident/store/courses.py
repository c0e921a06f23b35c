"""What is measured of each incident, kept in memory: after a change only the incidents that changed are read again.

Whatever changes an incident leaves a line that names it. Who may know of which is not kept: it is asked each time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, select

from incident.domain.measures import Course, Done
from incident.store import audit, measures
from incident.store.db import db
from incident.store.incidents import Incident

MOST_HELD: Final = 20_000
"""Incidents, of 1.5 KB each, and 0.4 KB more with a law whose duties are settled; where more are measured at once, they are
read each time."""
MOST_LINES: Final = 5_000
"""Of the record; after more than that, everything is read again."""
AT_ONCE: Final = 500
ELSEWHERE: Final = frozenset(
    {
        "account",
        "alert",
        "checkpoint",
        "filter",
        "invitation",
        "measures",
        "passkey",
        "password",
        "people",
        "reach",
        "record",
        "second_factor",
        "session",
        "team_mail",
        "tip",
        "token",
        "webhook",
        "webhooks",
    }
)
"""What a line is about that names no incident and changes none; after any other such line everything is read again."""


class Held(NamedTuple):
    """One incident as it is measured, and its duties that were met, each with when."""

    course: Course
    met: Sequence[tuple[datetime, Done]]


class Memory:
    """What was read of one database, and the last line of the record that was there then."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._last: tuple[int, bytes] | None = None
        self._held: dict[int, Held] = {}
        self._ids: dict[str, int] = {}

    def of(self, ids: Sequence[int], asked: Select[Any]) -> list[Held]:
        """These incidents, the highest number first; `asked` is the query that gave them."""
        if not self._catches_up():
            return _in_order(ids, read(asked))
        missing = [id_ for id_ in ids if id_ not in self._held]
        if missing:
            some = select(Incident.id).where(Incident.id.in_(missing))
            self._keep(read(some if len(missing) <= AT_ONCE else asked))
        found = _in_order(ids, self._held)
        if len(self._held) > MOST_HELD:
            self._forget()
        return found

    def _keep(self, found: Mapping[int, Held]) -> None:
        self._held.update(found)
        self._ids.update({held.course.ref: id_ for id_, held in found.items()})

    def _forget(self) -> None:
        self._held.clear()
        self._ids.clear()

    def _catches_up(self) -> bool:
        """Drop what changed since; False where the record as this reader sees it ends before what is kept."""
        size = audit.head().size
        place, leaf = self._last or (-1, b"")
        if size <= place:
            return False
        lines = audit.after(place, limit=MOST_LINES)
        if self._last is None or not lines or lines[0][:2] != (place, leaf) or len(lines) == MOST_LINES:
            self._forget()
            lines = audit.after(size - 1, limit=1)
        for _, _, verb, incident in lines[1:]:
            if incident is not None:
                self._held.pop(self._ids.pop(incident, 0), None)
            elif verb.partition(".")[0] not in ELSEWHERE:
                self._forget()
        self._last = (lines[-1][0], lines[-1][1]) if lines else None
        return True


_MEMORIES: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()


def held(of: Select[Any]) -> list[Held]:
    """The incidents of this query of ids as they are measured, the highest number first."""
    memory = _MEMORIES.setdefault(db.engine, Memory())
    ids = db.session.scalars(of).all()
    if len(ids) > MOST_HELD:
        return _in_order(ids, read(of))
    with memory.lock:
        return memory.of(ids, of)


def read(of: Select[Any]) -> dict[int, Held]:
    """The same from the rows, by id."""
    met = measures.met(of)
    return {id_: Held(course, met.get(id_, ())) for id_, course in measures.courses(of).items()}


def _in_order(ids: Sequence[int], found: Mapping[int, Held]) -> list[Held]:
    return [found[id_] for id_ in sorted(ids, reverse=True) if id_ in found]
