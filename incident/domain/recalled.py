"""What every duty says, answered from memory where nothing that the laws looked at is different.

Most incidents are logged with a title and little else, and most facts that come later are read by no law. While laws are
asked, it is noted which facts they looked at and what they saw there. They are asked nothing else but the day, so that
whoever shows them the same gets the same answer. A few answers are kept, the last ones given.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import date
from threading import Lock
from typing import Any, Final, NamedTuple

from incident.domain.facts import UNKNOWN, Facts
from incident.domain.lawbook import Lawbook
from incident.domain.obligations import NOTHING_DONE, Calendars, Finding, found

MOST_KEPT: Final = 8


class Kept(NamedTuple):
    """One answer: by which laws, calendars and day it was given, what they saw, and what every duty said."""

    book: Lawbook
    calendars: Calendars
    today: date
    told: bool
    seen: Mapping[str, Any]
    findings: tuple[Finding, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the laws would see the same in these facts."""
        return all(_same(facts[key], value) for key, value in self.seen.items())


_KEPT: deque[Kept] = deque(maxlen=MOST_KEPT)
_LOCK = Lock()


class Watched(Mapping[str, Any]):
    """The values of facts, and which of them were looked at."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.seen: dict[str, Any] = {}
        self.wholly = False
        """Whether somebody wanted to know which facts there are: then any other fact may change the answer."""

    def get(self, key: str, default: Any = None) -> Any:
        """One value; what is not there counts as unknown."""
        self.seen[key] = value = self._values.get(key, UNKNOWN)
        return default if value is UNKNOWN and key not in self._values else value

    def __getitem__(self, key: str) -> Any:
        self.seen[key] = self._values.get(key, UNKNOWN)
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        self.wholly = True
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        self.wholly = True
        return iter(self._values)

    def __len__(self) -> int:
        self.wholly = True
        return len(self._values)


def recalled(
    facts: Facts, book: Lawbook, calendars: Calendars, today: date, *, told: bool = True
) -> tuple[Finding, ...]:
    """As `obligations.found` while nothing is done yet: the same findings, in the same order."""
    with _LOCK:
        asked = [kept for kept in _KEPT if kept.book is book and kept.calendars is calendars]
    for kept in asked:
        if (kept.today, kept.told) == (today, told) and kept.holds(facts):
            return kept.findings
    watched = Watched(facts.values)
    findings = found(Facts(watched), book, calendars, today, NOTHING_DONE, told)
    if not watched.wholly:
        with _LOCK:
            _KEPT.appendleft(Kept(book, calendars, today, told, watched.seen, findings))
    return findings


def _same(value: Any, other: Any) -> bool:
    """Equal, of one type, and in one order: 1 is no yes, and places are told in the order in which they stand."""
    if value is other:
        return True
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return list(value.items()) == list(other.items())
    return type(value) is type(other) and bool(value == other)
