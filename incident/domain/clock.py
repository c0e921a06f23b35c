"""Deadlines: from a start and a rule to an instant, with the sentence that explains it.

A start is an instant, or a date where only the day is known. Holidays come in with the calendar; nothing here looks them up.
"""

from calendar import monthrange
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, TypeAlias

from incident.domain.facts import time_words, zone_word
from incident.domain.places import named

Start: TypeAlias = datetime | date

LAST_SECOND = time(23, 59, 59)
NOON = time(12)
NEVER = datetime.max.replace(tzinfo=UTC)
EU_WORKING_DAYS = 2
LONGEST_CLOSURE = 60  # days; no calendar is closed for longer, so a longer run is a broken calendar


class Unit(StrEnum):
    """How a law counts."""

    MINUTES = "minutes"
    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    DAYS_AFTER_YEAR_END = "days_after_year_end"


HOURS_RUN: Final = (
    "weekends and holidays count",
    "by Regulation 1182/71 Art. 3(1) the hour already begun may be left out",
)
COUNTED: Final = {
    "h": "{amount} h from {start} ({anchor})",
    "min": "{amount} min from {start} ({anchor})",
    "day": "{amount} day from {start} ({anchor})",
    "days": "{amount} days from {start} ({anchor})",
    "working day": "{amount} working day from {start} ({anchor})",
    "working days": "{amount} working days from {start} ({anchor})",
    "month": "{amount} month from {start} ({anchor})",
    "months": "{amount} months from {start} ({anchor})",
    "days after the end of the calendar year": "{amount} days after the end of the calendar year of {start} ({anchor})",
}
"""How a limit and its beginning are told, by the noun of the limit; a whole sentence each, for other languages order it otherwise."""


class Roll(StrEnum):
    """What becomes of a time limit that ends on a day off."""

    NO = "no"
    NEXT_WORKING_DAY = "next_working_day"
    NOON_OF_NEXT_WORKING_DAY = "noon_of_next_working_day"
    EU_1182_71 = "eu_1182_71"


@dataclass(frozen=True)
class Calendar:
    """Where the authority's days begin and which of them are off.

    `workdays` are days of a week-end on which people work in exchange for a holiday; for the years of `unsure` nobody has
    told them yet. `listed` is false where nobody lists the place's holidays.
    """

    place: str
    zone: tzinfo
    holidays: Container[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    workdays: Container[date] = frozenset()
    listed: bool = True
    unsure: Container[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """True if the authority works on `day`."""
        return (day.weekday() not in self.weekend or day in self.workdays) and day not in self.holidays

    def next_working(self, day: date) -> date:
        """`day` itself, or the first working day after it."""
        for _ in range(LONGEST_CLOSURE):
            if self.is_working(day):
                return day
            day += timedelta(days=1)
        raise ValueError(f"The calendar of {self.place} has no working day in {LONGEST_CLOSURE} days.")


@dataclass(frozen=True)
class Limit:
    """A time limit: so many hours, days, working days or months."""

    unit: Unit
    amount: int
    first_day_counts: bool = False
    roll: Roll = Roll.NO

    def words(self) -> str:
        """The limit as people say it: "72 h", "30 days", "5 working days"."""
        return f"{self.amount} {self.noun}"

    @property
    def noun(self) -> str:
        """What is counted, in the number that fits: a word of `COUNTED`."""
        if self.unit in {Unit.HOURS, Unit.MINUTES}:
            return "h" if self.unit is Unit.HOURS else "min"
        if self.unit is Unit.DAYS_AFTER_YEAR_END:
            return "days after the end of the calendar year"
        noun = {Unit.CALENDAR_DAYS: "day", Unit.WORKING_DAYS: "working day", Unit.MONTHS: "month"}[self.unit]
        return noun if self.amount == 1 else f"{noun}s"


def due(start: Start, limit: Limit, calendar: Calendar) -> datetime:
    """When the limit ends, in UTC. Limits in days end with the last second of the local day."""
    if limit.unit in {Unit.HOURS, Unit.MINUTES}:
        return _after_hours(start, limit, calendar)
    first = local_day(start, calendar.zone)
    day = _last_day(first, limit, calendar)
    if limit.roll is Roll.EU_1182_71:
        return end_of(_european(first, day, calendar), calendar.zone)
    return _rolled(end_of(day, calendar.zone), limit.roll, calendar)


def _after_hours(start: Start, limit: Limit, calendar: Calendar) -> datetime:
    """Elapsed time, whatever the clocks do. Where only the day is known, whole days run to the end of the last one."""
    span = timedelta(hours=limit.amount) if limit.unit is Unit.HOURS else timedelta(minutes=limit.amount)
    if isinstance(start, datetime):
        return _rolled(start.astimezone(UTC) + span, limit.roll, calendar)
    if span % timedelta(days=1) == timedelta(0):
        return _rolled(end_of(start + span, calendar.zone), limit.roll, calendar)
    morning = datetime.combine(start, time(), calendar.zone).astimezone(UTC)
    return _rolled(morning + span, limit.roll, calendar)


def _last_day(first: date, limit: Limit, calendar: Calendar) -> date:
    amount = limit.amount - 1 if limit.first_day_counts else limit.amount
    if limit.unit is Unit.CALENDAR_DAYS:
        return first + timedelta(days=amount)
    if limit.unit is Unit.WORKING_DAYS:
        return _after_working_days(first, amount, calendar)
    if limit.unit is Unit.MONTHS:
        return _after_months(first, amount)
    return date(first.year, 12, 31) + timedelta(days=amount)


def _european(first: date, last: date, calendar: Calendar) -> date:
    """The last day by Regulation (EEC, Euratom) 1182/71 Art. 3(4) and (5): no day off, two working days at least in it."""
    end = calendar.next_working(last)
    if last - first < timedelta(days=2):
        return end
    while (
        sum(calendar.is_working(first + timedelta(days=n)) for n in range(1, (end - first).days + 1)) < EU_WORKING_DAYS
    ):
        end = calendar.next_working(end + timedelta(days=1))
    return end


def _after_working_days(first: date, amount: int, calendar: Calendar) -> date:
    day = first
    for _ in range(amount):
        day = calendar.next_working(day + timedelta(days=1))
    return day


def _after_months(first: date, amount: int) -> date:
    """The same day of a later month, or that month's last day if it is shorter."""
    year, month = divmod(first.month - 1 + amount, 12)
    year, month = first.year + year, month + 1
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def _rolled(moment: datetime, roll: Roll, calendar: Calendar) -> datetime:
    day = moment.astimezone(calendar.zone).date()
    if roll in {Roll.NO, Roll.EU_1182_71} or calendar.is_working(day):
        return moment
    open_day = calendar.next_working(day)
    if roll is Roll.NOON_OF_NEXT_WORKING_DAY:
        return datetime.combine(open_day, NOON, calendar.zone).astimezone(UTC)
    return end_of(open_day, calendar.zone)


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last second of a local day, in UTC."""
    return datetime.combine(day, LAST_SECOND, zone).astimezone(UTC)


def local_day(start: Start, zone: tzinfo) -> date:
    """The day of a start where the authority is."""
    return start.astimezone(zone).date() if isinstance(start, datetime) else start


def start_words(start: Start, zone: tzinfo) -> str:
    """A start as people read it; the hour only where it is known."""
    if isinstance(start, datetime):
        return time_words(start, zone)
    return f"{start.day} {start:%b %Y} {zone_word(zone)}"


def sentence(start: Start, limit: Limit, calendar: Calendar, anchor: str) -> str:
    """How a due time came about: "72 h from 18 Nov 2026, 09:10 Paris (aware)"."""
    begun = start_words(start, calendar.zone)
    parts = [COUNTED[limit.noun].format(amount=limit.amount, start=begun, anchor=anchor)]
    if limit.first_day_counts:
        parts.append("the first day counts")
    if limit.unit is Unit.WORKING_DAYS:
        parts.append(_left_out(calendar))
    if limit.roll is Roll.NEXT_WORKING_DAY:
        parts.append("a last day off moves to the next working day")
    if limit.roll is Roll.NOON_OF_NEXT_WORKING_DAY:
        parts.append("a limit on a day off moves to noon of the next working day")
    if limit.roll is Roll.EU_1182_71:
        parts.append(_european_words(limit))
    return ", ".join([*parts, *_not_sure(start, limit, calendar)])


def ending(due: datetime, zone: tzinfo) -> str:
    """The end of a limit as people read it, where the authority is; the end of a day is 23:59."""
    local = due.astimezone(zone)
    return time_words(local.replace(second=0) if local.time() == LAST_SECOND else local, zone)


def _left_out(calendar: Calendar) -> str:
    if calendar.listed:
        return f"weekends and holidays of {named(calendar.place)} left out"
    return f"only weekends left out: the holidays of {named(calendar.place)} are not known"


def _not_sure(start: Start, limit: Limit, calendar: Calendar) -> list[str]:
    """What the calendar does not know and the limit hangs on."""
    by_days = limit.unit not in {Unit.HOURS, Unit.MINUTES}
    if limit.unit is not Unit.WORKING_DAYS and (
        limit.roll is Roll.NO or (limit.roll is Roll.EU_1182_71 and not by_days)
    ):
        return []
    first, last = local_day(start, calendar.zone).year, due(start, limit, calendar).astimezone(calendar.zone).year
    said = [
        f"the working weekends of {year} in {named(calendar.place)} are not known"
        for year in range(first, last + 1)
        if year in calendar.unsure
    ]
    if not calendar.listed and limit.unit is not Unit.WORKING_DAYS:
        said.append(f"the holidays of {named(calendar.place)} are not known")
    return said


def _european_words(limit: Limit) -> str:
    if limit.unit in {Unit.HOURS, Unit.MINUTES}:
        return "; ".join(HOURS_RUN)
    return (
        "by Regulation 1182/71 Art. 3 a last day off moves to the next working day, and two working days must lie in it"
    )
