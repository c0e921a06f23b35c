from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain import hours, places
from incident.domain.errors import Invalid
from incident.domain.hours import Day


@pytest.mark.parametrize("code", places.codes())
def test_every_place_where_people_live_has_zones_that_exist(code: str):
    if code not in {"AQ", "BV", "HM"}:
        assert hours.zones(code)
    for name in hours.zones(code):
        ZoneInfo(name)


@pytest.mark.parametrize(
    ("place", "moment", "quiet"),
    [
        ("DE", datetime(2026, 11, 23, 7, 59, tzinfo=UTC), True),
        ("DE", datetime(2026, 11, 23, 8, 0, tzinfo=UTC), False),
        ("DE", datetime(2026, 11, 23, 18, 59, tzinfo=UTC), False),
        ("DE", datetime(2026, 11, 23, 19, 0, tzinfo=UTC), True),
        ("DE", datetime(2026, 11, 22, 9, 0, tzinfo=UTC), True),  # a Sunday morning
        ("CN", datetime(2026, 11, 23, 8, 0, tzinfo=UTC), False),
        ("US-CA", datetime(2026, 11, 23, 16, 0, tzinfo=UTC), True),
        ("US", datetime(2026, 11, 23, 18, 0, tzinfo=UTC), True),  # eight in Hawaii
        ("US", datetime(2026, 11, 23, 20, 0, tzinfo=UTC), False),
        ("US-XX", datetime(2026, 11, 23, 20, 0, tzinfo=UTC), False),
        ("", datetime(2026, 11, 23, 3, 0, tzinfo=UTC), False),
    ],
)
def test_quiet_hours_are_those_of_the_place(place: str, moment: datetime, quiet: bool):
    assert hours.is_quiet(place, moment) is quiet


def test_the_next_fit_time_is_the_first_one():
    late = datetime(2026, 11, 23, 22, 7, tzinfo=UTC)
    assert hours.next_fit("DE", late) == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    fit = datetime(2026, 11, 23, 10, 7, tzinfo=UTC)
    assert hours.next_fit("DE", fit) == fit


@pytest.mark.parametrize("code", ["RU", "US", "AU", "FR", "BR", "CA"])
def test_every_country_has_a_time_that_suits_all_of_it(code: str):
    start = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert not hours.is_quiet(code, hours.next_fit(code, start))
    assert hours.next_fit(code, start) - start < timedelta(days=1)


def test_the_time_there_is_said_with_its_zone():
    assert hours.local("DE", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)).words == "14:30 (Europe/Berlin)"
    assert hours.local("", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)).words == ""


@pytest.mark.parametrize("minutes", range(0, 60, 7))
@pytest.mark.parametrize("place", ["DE", "US", "IN", "NP", "AU", ""])
def test_the_next_fit_moment_is_fit_and_nothing_fit_lies_before_it(place, minutes):
    moment = datetime(2026, 3, 7, 21, minutes, tzinfo=UTC)
    found = hours.next_fit(place, moment)
    assert not hours.is_quiet(place, found)
    assert found == moment or hours.is_quiet(place, found - timedelta(minutes=1))


@pytest.mark.parametrize("wrong", [(9, 16, 9), (-1, 20, 12), (9, 25, 12), (9, 20, 8), (9, 20, 21), (20, 9, 20)])
def test_hours_that_make_no_sense_are_refused(wrong):
    with pytest.raises(Invalid) as refusal:
        Day(*wrong).checked()
    assert refusal.value.field == "hours"


def test_other_hours_than_the_usual_ones_can_be_chosen():
    early = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # a Monday, 8 in Germany
    assert hours.next_fit("DE", early) == early + timedelta(hours=1)
    assert hours.next_fit("DE", early, Day(8, 18, 8)) == early
    saturday = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)  # half past six
    assert hours.next_fit("DE", saturday, Day(9, 18, 18)) == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_where_no_chosen_hour_suits_all_zones_the_usual_ones_count():
    night = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert hours.next_fit("RU", night, Day(9, 17, 12)) == hours.next_fit("RU", night) > night


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (Day(), "from 9 to 20, on Sundays from 12"),
        (Day(8, 18, 8), "from 8 to 18"),
        (Day(8, 18, 18), "from 8 to 18, not on Sundays"),
    ],
)
def test_hours_are_said_in_words(day, words):
    assert day.words == words


@pytest.mark.parametrize(
    "day", [(0, 24, 0), (9, 17, 9), (9, 17, 17), (0, 8, 8), (16, 24, 16)], ids=lambda day: "-".join(map(str, day))
)
def test_hours_at_their_bounds_are_taken_as_they_are(day):
    assert Day(*day).checked() == Day(*day)


def test_of_several_zones_the_earliest_and_the_latest_are_said():
    moment = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    assert hours.local("PT", moment).words == "12:30 (Atlantic/Azores) to 13:30 (Europe/Lisbon)"
    assert hours.local("US", moment).words == "03:30 (America/Adak) to 08:30 (America/New_York)"
    assert hours.local("MX", moment).words == "05:30 (America/Tijuana) to 08:30 (America/Cancun)"


def test_a_part_of_a_country_without_zones_of_its_own_has_those_of_the_country():
    assert hours.zones("US-XX") == hours.zones("US") != ()
    assert hours.zones("US-CA") == ("America/Los_Angeles",)


def test_the_next_fit_time_is_found_where_clocks_differ_by_quarters_of_an_hour():
    evening = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)  # 20:05 in Nepal, five minutes late
    assert hours.next_fit("NP", evening) == datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
    assert hours.next_fit("NP", datetime(2026, 11, 23, 14, 14, tzinfo=UTC)).minute == 14
