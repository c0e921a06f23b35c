"""Public holidays by place, handed to the rules as dates: the rules themselves look nothing up."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from incident import parts
from incident.domain.clock import Calendar
from incident.domain.lawbook import Law

if TYPE_CHECKING:
    import holidays
else:
    holidays = parts.later("holidays")

WEEKEND = frozenset({5, 6})
EUROPE = frozenset({"EU", "EEA"})  # the closing days of the European payment system, where no state is named


@dataclass(frozen=True)
class _Days(Container[date]):
    """Holidays of a country or state; further years are worked out when asked for."""

    country: str
    state: str | None

    def __contains__(self, day: object) -> bool:
        return day in _holidays(self.country, self.state)


@dataclass(frozen=True)
class _Workdays(Container[date]):
    """Days of a week-end that are worked in exchange for a holiday."""

    country: str
    state: str | None

    def __contains__(self, day: object) -> bool:
        listed = _holidays(self.country, self.state)
        return day not in listed and day in listed.weekend_workdays


@dataclass(frozen=True)
class _Unsure(Container[int]):
    """Years whose exchanged days nobody has published yet, in a country that publishes them year by year."""

    country: str
    state: str | None

    def __contains__(self, year: object) -> bool:
        return isinstance(year, int) and _not_told(self.country, self.state, year)


@cache
def _not_told(country: str, state: str | None, year: int) -> bool:
    """Whether exchanged days were told for one of the three years before, but not for this one."""
    listed = _holidays(country, state)
    if not getattr(listed, "has_substituted_holidays", False):
        return False
    for one in range(year - 3, year + 1):
        date(one, 1, 1) in listed  # noqa: B015 -- works the year out
    told = {day.year for day in listed.weekend_workdays}
    return year not in told and not told.isdisjoint(range(year - 3, year))


@cache
def _holidays(country: str, state: str | None) -> "holidays.HolidayBase":
    if country in EUROPE:
        return holidays.financial_holidays("ECB")
    try:
        return holidays.country_holidays(country, subdiv=state)
    except NotImplementedError:
        return _holidays(country, None) if state else holidays.HolidayBase()


@cache
def calendar(place: str, zone: tzinfo) -> Calendar:
    """The calendar of a place such as BR, US-IA or EU. A place whose holidays nobody lists has week-ends only."""
    country, _, state = place.partition("-")
    where = (country, state or None)
    listed = _holidays(*where)
    weekend = WEEKEND if country in EUROPE | {"HK"} else frozenset(listed.weekend or WEEKEND)
    return Calendar(
        place, zone, _Days(*where), weekend, _Workdays(*where), country in EUROPE | _countries(), _Unsure(*where)
    )


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


def of_law(law: Law) -> Calendar:
    """The calendar of a law's authority."""
    return calendar(law.calendar, law.zone)


@cache
def country_of_zone(zone: str) -> str:
    """The country of a time zone such as Europe/Berlin; empty if it has none."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == zone), "")
