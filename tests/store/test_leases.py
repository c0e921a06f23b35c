from datetime import UTC, datetime, timedelta

from incident.store.leases import held, hold, let_go

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_one_holder_at_a_time(app):
    assert hold("clock", "a", now=NOON, length=MINUTE)
    assert not hold("clock", "b", now=NOON, length=MINUTE)
    assert held("clock", NOON)


def test_the_holder_may_keep_it(app):
    hold("clock", "a", now=NOON, length=MINUTE)
    assert hold("clock", "a", now=NOON + MINUTE / 2, length=MINUTE)
    assert held("clock", NOON + MINUTE * 1.4)


def test_a_dead_holder_is_replaced_when_its_time_is_up(app):
    hold("clock", "a", now=NOON, length=MINUTE)
    assert hold("clock", "b", now=NOON + 2 * MINUTE, length=MINUTE)
    assert not hold("clock", "a", now=NOON + 2 * MINUTE, length=MINUTE)


def test_one_who_goes_leaves_the_place_free(app):
    hold("clock", "a", now=NOON, length=MINUTE)
    let_go("clock", "a", now=NOON)
    assert hold("clock", "b", now=NOON + timedelta(seconds=1), length=MINUTE)


def test_nobody_waits_for_a_holder_who_is_known_to_be_dead(app):
    hold("clock", "a", now=NOON, length=MINUTE)
    assert not hold("clock", "b", now=NOON, length=MINUTE, has_died=lambda holder: holder == "c")
    assert hold("clock", "b", now=NOON, length=MINUTE, has_died=lambda holder: holder == "a")
    assert not hold("clock", "a", now=NOON, length=MINUTE)


def test_nobody_takes_ones_own_part_for_dead(app):
    hold("clock", "a", now=NOON, length=MINUTE)
    assert hold("clock", "a", now=NOON, length=MINUTE, has_died=lambda holder: True)
