"""What the calendars know, and what they say they do not know."""

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from incident.calendars import calendar
from incident.domain import clock
from incident.domain.clock import Limit, Roll, Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_saturday_worked_in_exchange_for_a_holiday_is_a_working_day_in_china():
    """Notice of the State Council on the holidays of 2026: 28 February and 9 May, both Saturdays, are worked."""
    china = calendar("CN", SHANGHAI)
    assert china.is_working(date(2026, 2, 28))
    assert china.is_working(date(2026, 5, 9))
    assert not china.is_working(date(2026, 5, 16))
    assert not china.is_working(date(2026, 2, 17)), "the Spring Festival"


def test_a_worked_saturday_counts_in_a_limit_of_working_days():
    """Friday 8 May 2026 plus one working day is Saturday 9 May, which is worked."""
    limit = Limit(Unit.WORKING_DAYS, 1)
    assert clock.due(date(2026, 5, 8), limit, calendar("CN", SHANGHAI)).astimezone(SHANGHAI).date() == date(2026, 5, 9)


def test_working_week_ends_that_nobody_has_announced_are_said_to_be_unknown():
    china = calendar("CN", SHANGHAI)
    known = clock.sentence(date(2026, 5, 8), Limit(Unit.WORKING_DAYS, 5), china, "aware")
    ahead = clock.sentence(date(2028, 5, 8), Limit(Unit.WORKING_DAYS, 5), china, "aware")
    assert "not known" not in known
    assert "the working weekends of 2028 in" in ahead


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(Unit.WORKING_DAYS, 3), "only weekends left out: the holidays of QQ are not known"),
        (Limit(Unit.CALENDAR_DAYS, 3, roll=Roll.NEXT_WORKING_DAY), "the holidays of QQ are not known"),
    ],
)
def test_a_place_whose_holidays_nobody_lists_is_said_in_the_clock(limit, words):
    assert words in clock.sentence(date(2026, 5, 8), limit, calendar("QQ", UTC), "aware")


def test_a_clock_that_does_not_look_at_holidays_says_nothing_of_them():
    for limit in (Limit(Unit.HOURS, 72), Limit(Unit.CALENDAR_DAYS, 3), Limit(Unit.HOURS, 72, roll=Roll.EU_1182_71)):
        assert "holidays of" not in clock.sentence(date(2026, 5, 8), limit, calendar("QQ", UTC), "aware")
