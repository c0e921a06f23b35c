from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain import hours, places


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
