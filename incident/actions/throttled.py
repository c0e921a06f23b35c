"""Counts tries where every process sees them, and refuses past the limit."""

from collections.abc import Mapping
from datetime import datetime

from incident.domain.errors import Refused
from incident.store import credentials, throttle

TOO_MANY = "Too many tries. Wait a little before the next one."


class TooMany(Refused):
    """Too many tries; none is taken until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(TOO_MANY)
        self.until = until


def take(limit: str, key: str, *, now: datetime) -> None:
    """Take one try under this limit, counted before anything is done. Raises TooMany."""
    take_all({limit: key}, now=now)


def take_all(keys: Mapping[str, str], *, now: datetime) -> None:
    """Take one try under each limit, in one transaction; none where one of them is past. Raises TooMany."""
    _refuse(throttle.take(_counted(keys), now))


def take_within(keys: Mapping[str, str], *, now: datetime) -> None:
    """The same inside the caller's transaction: what is refused later must count its tries again by itself. Raises TooMany."""
    _refuse(throttle.take_within(_counted(keys), now))


def _counted(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(limit, credentials.counting_key(limit, key)) for limit, key in keys.items()]


def _refuse(until: datetime | None) -> None:
    if until is not None:
        raise TooMany(until)
