from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import clock
from incident.domain.clock import Calendar, Limit, Roll, Unit

BERLIN = Calendar("DE", ZoneInfo("Europe/Berlin"), frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)}))
TOKYO = Calendar("JP", ZoneInfo("Asia/Tokyo"))
NEW_YORK = Calendar("US-NY", ZoneInfo("America/New_York"), frozenset({date(2026, 9, 7)}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "limit", "calendar", "due"),
    [
        # elapsed hours run through nights, week-ends and both changes of the clocks
        (at("2026-03-10T14:20+01:00"), Limit(Unit.HOURS, 72), BERLIN, at("2026-03-13T13:20Z")),
        (at("2026-03-27T14:20+01:00"), Limit(Unit.HOURS, 72), BERLIN, at("2026-03-30T15:20+02:00")),
        (at("2026-10-24T14:20+02:00"), Limit(Unit.HOURS, 72), BERLIN, at("2026-10-27T13:20+01:00")),
        # calendar days end with the local day, also over a change of the clocks
        (date(2026, 2, 3), Limit(Unit.CALENDAR_DAYS, 30), NEW_YORK, at("2026-03-05T23:59:59-05:00")),
        (date(2026, 2, 15), Limit(Unit.CALENDAR_DAYS, 30), NEW_YORK, at("2026-03-17T23:59:59-04:00")),
        # the local day of the authority counts, not the day in UTC
        (at("2026-02-03T03:00Z"), Limit(Unit.CALENDAR_DAYS, 1), NEW_YORK, at("2026-02-03T23:59:59-05:00")),
        (
            date(2026, 4, 28),
            Limit(Unit.CALENDAR_DAYS, 30, first_day_counts=True),
            TOKYO,
            at("2026-05-27T23:59:59+09:00"),
        ),
        # working days leave out week-ends and holidays
        (date(2026, 9, 3), Limit(Unit.WORKING_DAYS, 5), NEW_YORK, at("2026-09-11T23:59:59-04:00")),
        (date(2026, 4, 2), Limit(Unit.WORKING_DAYS, 1), BERLIN, at("2026-04-07T23:59:59+02:00")),
        # months clip to the last day
        (date(2026, 1, 31), Limit(Unit.MONTHS, 1), BERLIN, at("2026-02-28T23:59:59+01:00")),
        (date(2027, 12, 31), Limit(Unit.MONTHS, 2), BERLIN, at("2028-02-29T23:59:59+01:00")),
        (date(2026, 11, 5), Limit(Unit.DAYS_AFTER_YEAR_END, 60), NEW_YORK, at("2027-03-01T23:59:59-05:00")),
        (date(2027, 11, 5), Limit(Unit.DAYS_AFTER_YEAR_END, 60), NEW_YORK, at("2028-02-29T23:59:59-05:00")),
        # a last day off moves on, where the law says so
        (date(2026, 3, 4), Limit(Unit.MONTHS, 1), BERLIN, at("2026-04-04T23:59:59+02:00")),
        (date(2026, 3, 4), Limit(Unit.MONTHS, 1, roll=Roll.NEXT_WORKING_DAY), BERLIN, at("2026-04-07T23:59:59+02:00")),
        (
            date(2026, 3, 4),
            Limit(Unit.MONTHS, 1, roll=Roll.NOON_OF_NEXT_WORKING_DAY),
            BERLIN,
            at("2026-04-07T12:00+02:00"),
        ),
        (
            at("2026-04-30T10:00+02:00"),
            Limit(Unit.HOURS, 24, roll=Roll.NOON_OF_NEXT_WORKING_DAY),
            BERLIN,
            at("2026-05-04T12:00+02:00"),
        ),
        (
            at("2026-04-29T10:00+02:00"),
            Limit(Unit.HOURS, 24, roll=Roll.NOON_OF_NEXT_WORKING_DAY),
            BERLIN,
            at("2026-04-30T10:00+02:00"),
        ),
        # where only the day is known, whole days run to the end of the last; fewer hours are counted from its morning
        (date(2026, 3, 10), Limit(Unit.HOURS, 72), BERLIN, at("2026-03-13T23:59:59+01:00")),
        (date(2026, 3, 10), Limit(Unit.HOURS, 36), BERLIN, at("2026-03-11T12:00+01:00")),
    ],
)
def test_a_limit_ends_when_the_law_says(start, limit, calendar, due):
    assert clock.due(start, limit, calendar) == due


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 2000),
    st.timezones(),
)
def test_hours_are_elapsed_time_in_every_zone(start, hours, zone):
    due = clock.due(start, Limit(Unit.HOURS, hours), Calendar("DE", zone))
    assert due - start == timedelta(hours=hours)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 400),
    st.sampled_from(["Asia/Shanghai", "America/Sao_Paulo", "Europe/London", "America/Los_Angeles", "Pacific/Auckland"]),
)
def test_calendar_days_end_in_the_last_second_of_the_local_day(start, days, key):
    zone = ZoneInfo(key)
    due = clock.due(start, Limit(Unit.CALENDAR_DAYS, days), Calendar("DE", zone)).astimezone(zone)
    assert due.date() == start.astimezone(zone).date() + timedelta(days=days)
    assert (due.hour, due.minute, due.second) == (23, 59, 59)


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.integers(1, 60),
    st.frozensets(st.dates(date(2000, 1, 1), date(2100, 6, 1)), max_size=40),
)
def test_working_days_end_on_a_working_day_and_count_each_one_between(start, days, holidays):
    calendar = Calendar("DE", ZoneInfo("Europe/Berlin"), holidays)
    last = clock.due(start, Limit(Unit.WORKING_DAYS, days), calendar).astimezone(calendar.zone).date()
    between = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert calendar.is_working(last)
    assert sum(map(calendar.is_working, between)) == days


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 24))
def test_a_month_later_is_never_a_day_of_the_month_after(start, months):
    last = clock.due(start, Limit(Unit.MONTHS, months), BERLIN).astimezone(BERLIN.zone).date()
    assert (last.year * 12 + last.month) - (start.year * 12 + start.month) == months
    assert last.day <= start.day


def test_a_calendar_without_working_days_is_an_error_and_no_endless_loop():
    never = Calendar("DE", ZoneInfo("Europe/Berlin"), weekend=frozenset(range(7)))
    with pytest.raises(ValueError, match="no working day"):
        clock.due(date(2026, 1, 1), Limit(Unit.WORKING_DAYS, 1), never)


def test_every_due_time_explains_itself():
    start = at("2026-11-18T09:10+01:00")
    paris = Calendar("FR", ZoneInfo("Europe/Paris"))
    assert clock.sentence(start, Limit(Unit.HOURS, 72), paris, "aware") == "72 h from 18 Nov 2026, 09:10 Paris (aware)"
    assert clock.sentence(date(2026, 9, 3), Limit(Unit.WORKING_DAYS, 5), NEW_YORK, "people told") == (
        "5 working days from 3 Sep 2026 New York (people told), weekends and holidays of New York left out"
    )
    first_day = Limit(Unit.CALENDAR_DAYS, 30, first_day_counts=True, roll=Roll.NEXT_WORKING_DAY)
    assert clock.sentence(date(2026, 4, 28), first_day, TOKYO, "known") == (
        "30 days from 28 Apr 2026 Tokyo (known), the first day counts, a last day off moves to the next working day"
    )
    assert "noon" in clock.sentence(start, Limit(Unit.MONTHS, 1, roll=Roll.NOON_OF_NEXT_WORKING_DAY), paris, "filed")
    assert clock.sentence(date(2026, 1, 5), Limit(Unit.DAYS_AFTER_YEAR_END, 60), NEW_YORK, "discovered").startswith(
        "60 days after the end of the calendar year of 5 Jan 2026"
    )


def test_regulation_1182_71_moves_a_last_day_off_and_wants_two_working_days():
    """Art. 3(4) and (5): Thursday 24 Dec 2026 plus two days ends on Saturday 26; 25 and 26 are days off in the Union."""
    limit = Limit(Unit.CALENDAR_DAYS, 2, roll=Roll.EU_1182_71)
    off = Calendar("EU", BERLIN.zone, frozenset({date(2026, 12, 25), date(2027, 1, 1)}))
    assert clock.due(date(2026, 12, 24), limit, off) == clock.end_of(date(2026, 12, 29), BERLIN.zone)
    assert clock.due(date(2026, 12, 21), limit, off) == clock.end_of(date(2026, 12, 23), BERLIN.zone)


def test_regulation_1182_71_asks_no_two_working_days_of_a_limit_of_less_than_two_days():
    """Art. 3(5) is about periods of two days or more; Art. 3(4) moves the end of a shorter one off a Saturday."""
    limit = Limit(Unit.CALENDAR_DAYS, 1, roll=Roll.EU_1182_71)
    assert clock.due(date(2026, 6, 5), limit, BERLIN) == clock.end_of(date(2026, 6, 8), BERLIN.zone)
    assert clock.due(date(2026, 6, 2), limit, BERLIN) == clock.end_of(date(2026, 6, 3), BERLIN.zone)


def test_regulation_1182_71_lets_hours_run_through_the_week_end():
    limit = Limit(Unit.HOURS, 72, roll=Roll.EU_1182_71)
    friday = datetime(2026, 6, 5, 15, tzinfo=UTC)
    assert clock.due(friday, limit, Calendar("EU", BERLIN.zone)) == datetime(2026, 6, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(Unit.MONTHS, 1), "1 month"),
        (Limit(Unit.MONTHS, 3), "3 months"),
        (Limit(Unit.CALENDAR_DAYS, 1), "1 day"),
        (Limit(Unit.WORKING_DAYS, 2), "2 working days"),
        (Limit(Unit.HOURS, 24), "24 h"),
        (Limit(Unit.MINUTES, 30), "30 min"),
    ],
)
def test_a_limit_is_said_as_people_say_it(limit, words):
    assert limit.words() == words


def test_the_end_of_a_day_is_said_as_a_minute_to_midnight_where_the_authority_is():
    due = clock.due(date(2026, 2, 3), Limit(Unit.CALENDAR_DAYS, 30), NEW_YORK)
    assert clock.ending(due, NEW_YORK.zone) == "5 Mar 2026, 23:59 New York"
    assert clock.ending(at("2026-11-18T08:10:05Z"), ZoneInfo("Europe/Paris")) == "18 Nov 2026, 09:10:05 Paris"


@pytest.mark.parametrize(
    ("roll", "words"),
    [
        (Roll.NEXT_WORKING_DAY, "a last day off moves to the next working day"),
        (Roll.NOON_OF_NEXT_WORKING_DAY, "a limit on a day off moves to noon of the next working day"),
    ],
)
def test_a_limit_that_moves_says_so_and_one_that_does_not_is_silent(roll, words):
    start, plain = date(2026, 4, 28), Limit(Unit.CALENDAR_DAYS, 30)
    assert words in clock.sentence(start, Limit(Unit.CALENDAR_DAYS, 30, roll=roll), TOKYO, "known")
    assert "moves" not in clock.sentence(start, plain, TOKYO, "known")


def test_a_limit_of_european_law_says_by_which_article_it_moves():
    start, days = date(2026, 4, 28), Limit(Unit.CALENDAR_DAYS, 30, roll=Roll.EU_1182_71)
    assert clock.sentence(start, days, BERLIN, "known").endswith(
        ", by Regulation 1182/71 Art. 3 a last day off moves to the next working day, and two working days must lie in it"
    )
    hours = Limit(Unit.HOURS, 72, roll=Roll.EU_1182_71)
    assert "Art. 3(1) the hour already begun may be left out" in clock.sentence(
        at("2026-11-18T09:10+01:00"), hours, BERLIN, "aware"
    )


def test_what_the_calendar_does_not_know_is_said_where_the_limit_hangs_on_it_and_only_there():
    """Days by Regulation 1182/71 hang on holidays; its hours, and days that do not move, do not."""
    unknown = Calendar("EU", BERLIN.zone, listed=False)
    said = "the holidays of the European Union are not known"
    for unit, roll, hangs in (
        (Unit.CALENDAR_DAYS, Roll.EU_1182_71, True),
        (Unit.HOURS, Roll.EU_1182_71, False),
        (Unit.CALENDAR_DAYS, Roll.NEXT_WORKING_DAY, True),
        (Unit.CALENDAR_DAYS, Roll.NO, False),
    ):
        sentence = clock.sentence(at("2026-06-01T09:00+02:00"), Limit(unit, 5, roll=roll), unknown, "known")
        assert (said in sentence) is hangs, sentence
