"""How many tries, and how long the pauses are."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain.throttle import Limit, Tally, area, counted, network, waits_until

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LIMIT = Limit(tries=3, window=timedelta(hours=1), pause=timedelta(minutes=1), longest=timedelta(minutes=3))


def after(tries: int, *, every: timedelta = timedelta(0)) -> Tally:
    tally, when = None, NOW
    for _ in range(tries):
        tally, when = counted(tally, LIMIT, when), when + every
    assert tally is not None
    return tally


def test_the_first_tries_cost_nothing():
    assert waits_until(None, NOW) is None
    assert waits_until(after(2), NOW) is None


@pytest.mark.parametrize(("tries", "minutes"), [(3, 1), (4, 2), (5, 3), (50, 3)])
def test_pauses_double_up_to_the_longest(tries: int, minutes: int):
    assert waits_until(after(tries), NOW) == NOW + timedelta(minutes=minutes)


def test_a_pause_ends():
    assert waits_until(after(3), NOW + timedelta(minutes=1)) is None


def test_counting_begins_anew_after_the_window():
    assert counted(after(3), LIMIT, NOW + timedelta(hours=2)).tries == 1


def test_the_window_counts_from_the_end_of_a_pause_and_its_last_moment_is_in_it():
    tally = after(3)
    assert tally.until is not None
    assert counted(tally, LIMIT, tally.until + LIMIT.window).tries == 4
    assert counted(tally, LIMIT, tally.until + LIMIT.window + timedelta(microseconds=1)).tries == 1
    assert counted(after(2), LIMIT, NOW + LIMIT.window).tries == 3
    assert counted(after(2), LIMIT, NOW + LIMIT.window + timedelta(microseconds=1)) == Tally(
        1, NOW + LIMIT.window + timedelta(microseconds=1)
    )


def test_pauses_stop_doubling_before_they_are_too_long_for_a_clock():
    endless = Limit(tries=1, window=timedelta(hours=1), pause=timedelta(seconds=1), longest=timedelta(days=9_999))
    assert counted(Tally(5_000, NOW), endless, NOW).until == NOW + timedelta(seconds=2**16)


def test_waiting_out_each_pause_does_not_reset_the_count():
    tally = after(4)
    assert tally.until is not None
    assert waits_until(counted(tally, LIMIT, tally.until), tally.until) == tally.until + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_client_cannot_leave_its_network_by_changing_its_last_half(address: str | None, kept: str):
    assert network(address) == kept


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("192.0.2.7", "192.0.0.0/16"),
        ("192.1.2.7", "192.1.0.0/16"),
        ("::ffff:192.0.2.7", "192.0.0.0/16"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8::/32"),
        ("2001:db9::1", "2001:db9::/32"),
        ("", ""),
        (None, ""),
        ("not an address", ""),
    ],
)
def test_the_wider_network_of_an_address_is_half_of_it_or_a_quarter(address: str | None, around: str):
    assert area(address) == around
