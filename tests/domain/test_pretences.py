from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from incident.domain.deliveries import State
from incident.domain.errors import Invalid
from incident.domain.pretences import SHARES, Life, fate, pretended
from notifiers.contract import Status

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


def ends(life, people=2_000, channel="email"):
    return Counter(pretended("", fate(life, number, channel)) for number in range(1, people + 1))


def test_the_same_seed_gives_the_same_drill_and_another_one_another():
    assert [fate(Life(seed=7), n, "email") for n in range(50)] == [fate(Life(seed=7), n, "email") for n in range(50)]
    assert [fate(Life(seed=7), n, "email") for n in range(50)] != [fate(Life(seed=8), n, "email") for n in range(50)]


def test_channels_draw_apart_so_that_who_bounced_may_be_reached_by_another():
    life = Life(bounced=50, blocked=0, late_bounced=0, answered=0)
    both = [(pretended("", fate(life, n, "email")), pretended("", fate(life, n, "sms"))) for n in range(400)]
    assert {pair for pair in both} == {
        (a, b) for a in (State.BOUNCED, State.DELIVERED) for b in (State.BOUNCED, State.DELIVERED)
    }


def test_the_shares_are_about_those_that_were_asked_for():
    found = ends(Life(bounced=10, blocked=5, complained=2, late_bounced=5, answered=20))
    assert found[State.BOUNCED] == pytest.approx(400, rel=0.15)
    assert found[State.CONFIRMED] == pytest.approx(400, rel=0.15)
    assert found.total() == 2_000


@pytest.mark.parametrize(("name", "state"), [("bounced", State.BOUNCED), ("blocked", State.BOUNCED), ("complained", State.DELIVERED),
                                             ("late_bounced", State.BOUNCED), ("answered", State.CONFIRMED)])  # fmt: skip
def test_each_share_ends_as_its_reports_would(name, state):
    life = Life(**(dict.fromkeys(SHARES, 0) | {name: 100}))
    assert ends(life, 20) == {state: 20}


def test_without_any_share_everything_arrives():
    assert ends(Life(**dict.fromkeys(SHARES, 0)), 50) == {State.DELIVERED: 50}


def test_reports_come_in_order_of_time_and_a_late_one_long_after_the_first():
    life = Life(**(dict.fromkeys(SHARES, 0) | {"late_bounced": 100, "minutes": 10}))
    for number in range(100):
        reports = fate(life, number, "email")
        assert [one.status for one in reports] == [Status.ACCEPTED, Status.DELIVERED, Status.BOUNCED]
        assert timedelta(0) < reports[0].wait < reports[1].wait <= timedelta(minutes=10) <= reports[2].wait
        assert reports[2].event("R1", NOW).at == NOW + reports[2].wait


def test_whatever_was_known_before_counts_as_it_does_for_real_ones():
    assert pretended("bounced", fate(Life(bounced=0), 1, "email")[:2]) is State.BOUNCED


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"bounced": -1}, "bounced"), ({"answered": 101}, "answered"), ({"bounced": 60, "answered": 60}, "bounced"),
     ({"minutes": -1}, "minutes"), ({"minutes": 10_000}, "minutes"), ({"seed": -1}, "seed")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_field(wrong, field):
    with pytest.raises(Invalid) as refusal:
        Life(**wrong).checked()
    assert refusal.value.field == field


def test_it_comes_back_as_it_was_kept():
    assert Life.from_json(Life(seed=3, minutes=1).as_json()) == Life(seed=3, minutes=1)
    assert Life.from_json({}) is None
