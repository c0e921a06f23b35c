"""Counts tries where every process sees them, and refuses past the limit."""

from datetime import datetime

from incident.domain.errors import Refused
from incident.store import credentials, throttle


class TooMany(Refused):
    """Too many tries; none is taken until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many tries. Wait a little before the next one.")
        self.until = until


def take(limit: str, key: str, *, now: datetime) -> None:
    """Take one try under this limit, counted before anything is done. Raises TooMany."""
    until = throttle.take([(limit, credentials.counting_key(limit, key))], now)
    if until is not None:
        raise TooMany(until)
