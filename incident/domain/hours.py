"""What time it is where a person lives, and whether that is a time to call or to write to them.

A country may have several zones: then it must suit all of them. Where nobody knows the place, every hour counts as fit.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from incident.domain.errors import Invalid

ZONES_FILE = Path(__file__).parent.parent / "zones.toml"
SUNDAY: Final = 7
STEP: Final = timedelta(minutes=15)
LONGEST_WAIT: Final = timedelta(days=2)
QUIET_CHANNELS: Final = ("sms", "call")
"""The channels that disturb somebody: what they carry waits for a fit hour."""


SHORTEST: Final = 8
"""So many hours a day must be fit at least, or in countries of many zones none would suit all of them."""


@dataclass(frozen=True, slots=True)
class Day:
    """From which full hour until which people may be disturbed, by their own clock; on Sundays from another (`until`: never)."""

    begins: int = 9
    until: int = 20
    sunday: int = 12

    def checked(self) -> "Day":
        """These hours, if they make sense. Raises Invalid."""
        if not (0 <= self.begins <= self.until <= 24 and self.until - self.begins >= SHORTEST):
            raise Invalid("hours", f"Give hours from 0 to 24, with at least {SHORTEST} of them in between.")
        if not self.begins <= self.sunday <= self.until:
            raise Invalid("hours", "On Sundays it may begin later, not sooner, and no later than it ends.")
        return self

    def fits(self, there: datetime) -> bool:
        """Whether this moment, by the clock of the place, is one of them."""
        return (self.sunday if there.isoweekday() == SUNDAY else self.begins) <= there.hour < self.until

    @property
    def words(self) -> str:
        """Such as "from 9 to 20, on Sundays from 12"."""
        said = f"from {self.begins} to {self.until}"
        if self.sunday == self.begins:
            return said
        return f"{said}, not on Sundays" if self.sunday == self.until else f"{said}, on Sundays from {self.sunday}"


USUAL: Final = Day()
"""When people may be called, unless an approval says otherwise. A person may call at other times and is told that it is late there."""


@dataclass(frozen=True, slots=True)
class Local:
    """A moment where the person is: one reading for each zone of the place, and whether all of them suit."""

    readings: tuple[datetime, ...]
    is_quiet: bool

    @property
    def words(self) -> str:
        """The time there, such as "14:30 (Europe/Berlin)"; the earliest and the latest where there are several."""
        shown = sorted(self.readings, key=lambda moment: moment.replace(tzinfo=UTC))
        return " to ".join(dict.fromkeys(f"{moment:%H:%M} ({moment.tzinfo})" for moment in shown[:1] + shown[-1:]))


@cache
def _file() -> dict[str, tuple[str, ...]]:
    return {code: tuple(names) for code, names in tomllib.loads(ZONES_FILE.read_text(encoding="utf-8")).items()}


def zones(place: str) -> tuple[str, ...]:
    """The time zones of a place, or of its country; none where the place is not known."""
    return _file().get(place) or _file().get(place.partition("-")[0], ())


def local(place: str, now: datetime) -> Local:
    """What time it is at the place."""
    readings = tuple(now.astimezone(ZoneInfo(name)) for name in zones(place))
    return Local(readings, any(not USUAL.fits(moment) for moment in readings))


def is_quiet(place: str, now: datetime) -> bool:
    """Whether nobody should be called there now."""
    return local(place, now).is_quiet


def next_fit(place: str, moment: datetime, day: Day = USUAL) -> datetime:
    """The moment itself, or the next quarter of an hour that suits the place; the moment where none does within two days.

    Where a country has so many zones that no hour of `day` suits all of them, the usual hours count there.
    """
    quarter = _quarter(moment)
    found = _fit_from(zones(place), quarter, day) or _fit_from(zones(place), quarter, USUAL)
    return moment if found is None or found == quarter else found


@lru_cache(maxsize=4_096)
def _fit_from(names: tuple[str, ...], quarter: datetime, day: Day) -> datetime | None:
    """The first quarter of an hour from this one on that suits all these zones. Their clocks differ by quarters of an hour."""
    here = [ZoneInfo(name) for name in names]
    for step in range(LONGEST_WAIT // STEP + 1):
        tried = quarter + step * STEP
        if all(day.fits(tried.astimezone(zone)) for zone in here):
            return tried
    return None


def _quarter(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)
