"""How carefully a sending goes out, and what the approval allows."""

import pytest

from incident.domain.errors import Invalid
from incident.domain.hours import Day
from incident.domain.pace import Pace, rate_of, too_many_complaints


@pytest.mark.parametrize(
    "values",
    [
        {"canary": -1},
        {"most_back": 0},
        {"most_back": 101},
        {"sample": 0},
        {"most_complaints": 0},
        {"most_complaints": 1_001},
        {"rates": {"email": 0}},
        {"rates": {"email": -1.0}},
        {"rates": {"email": 1e9}},
        {"rates": {"announcement": 1.0}},
    ],
)
def test_a_pace_that_makes_no_sense_is_refused(values):
    with pytest.raises(Invalid):
        Pace(**values).checked()


def test_the_usual_pace_makes_sense_and_is_kept_as_it_is():
    pace = Pace(canary=5, rates={"sms": 2.5}, at_any_hour=True)
    assert Pace().checked() == Pace()
    assert Pace.from_json(pace.to_json()) == pace
    assert Pace.from_json({}) is None


@pytest.mark.parametrize(
    ("asked", "approved", "expected"),
    [
        (Pace(), Pace(canary=100), Pace(canary=100)),
        (Pace(canary=20), Pace(canary=100), Pace(canary=20)),
        (Pace(canary=20), Pace(), Pace(canary=20)),
        (Pace(most_back=3), Pace(most_back=5), Pace(most_back=3)),
        (Pace(sample=100, most_complaints=9), Pace(sample=20, most_complaints=2), Pace(sample=20, most_complaints=2)),
        (Pace(rates={"sms": 5}), Pace(rates={"sms": 2, "call": 1}), Pace(rates={"sms": 2, "call": 1})),
        (Pace(rates={"sms": 1}), Pace(rates={"sms": 2}), Pace(rates={"sms": 1})),
        (Pace(at_any_hour=True), Pace(), Pace()),
        (Pace(), Pace(at_any_hour=True), Pace(at_any_hour=True)),
    ],
)
def test_whoever_starts_may_be_more_careful_than_the_approval_and_decides_nothing_about_the_hours(
    asked, approved, expected
):
    assert asked.within(approved) == expected


def test_without_limits_in_the_approval_the_asked_pace_is_taken():
    assert Pace(most_back=100).within(None) == Pace(most_back=100)


@pytest.mark.parametrize(
    ("asked", "field"), [(Pace(canary=101, most_back=5), "canary"), (Pace(most_back=6), "most_back")]
)
def test_whoever_starts_cannot_be_less_careful_than_the_approval(asked, field):
    with pytest.raises(Invalid, match="approved") as refusal:
        asked.within(Pace(canary=100, most_back=5))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("complained", "outcomes", "expected"),
    [
        (1, 50, False),  # one of the first fifty is no rate
        (2, 100, False),
        (3, 49, False),  # too few to say
        (3, 50, True),
        (3, 1_000, False),  # exactly the limit
        (4, 1_000, True),
    ],
)
def test_it_halts_when_too_many_complain(complained, outcomes, expected):
    assert too_many_complaints(complained, outcomes, Pace()) is expected


@pytest.mark.parametrize(
    ("own", "provider", "expected"),
    [({}, 0, 0), ({"sms": 3}, 0, 3), ({}, 5, 5), ({"sms": 3}, 5, 3), ({"sms": 9}, 5, 5)],
)
def test_a_channel_goes_as_fast_as_the_slower_of_sending_and_provider(own, provider, expected):
    assert rate_of("sms", Pace(rates=own), provider) == expected


def test_what_was_approved_before_hours_could_be_chosen_has_the_usual_ones():
    kept = Pace(canary=3).to_json()
    del kept["hours"]
    assert Pace.from_json(kept) == Pace(canary=3)
    chosen = Pace(day=Day(8, 18, 18))
    assert Pace.from_json(chosen.to_json()) == chosen
    assert Pace(day=Day(0, 24, 0)).within(chosen).day == Day(8, 18, 18)
