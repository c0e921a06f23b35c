from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import calls
from incident.domain.calls import Outcome
from incident.domain.deliveries import Happening
from incident.domain.errors import Invalid, Refused

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "happening"),
    [
        (Outcome.TOLD, Happening.TOLD_BY_HAND),
        (Outcome.WRONG_NUMBER, Happening.NOT_TOLD_BY_HAND),
        (Outcome.REFUSED, Happening.NOT_TOLD_BY_HAND),
    ],
)
def test_some_outcomes_end_it_at_once(outcome: Outcome, happening: Happening):
    then = calls.followed(outcome, 0, NOW, place="DE")
    assert (then.is_done, then.happening, then.reason) == (True, happening, calls.REASONS[outcome])


@pytest.mark.parametrize("outcome", [Outcome.VOICE_MAIL, Outcome.NO_ANSWER])
def test_who_is_not_reached_is_tried_three_times_at_fit_hours_and_then_by_another_way(outcome: Outcome):
    first = calls.followed(outcome, 0, NOW, place="DE")
    second = calls.followed(outcome, first.tries, first.due_at, place="DE")
    third = calls.followed(outcome, second.tries, second.due_at, place="DE")
    assert first.due_at == NOW + timedelta(hours=4)
    assert second.due_at == first.due_at + timedelta(days=1)
    assert [then.is_done for then in (first, second, third)] == [False, False, True]
    assert third.happening is Happening.NOT_TOLD_BY_HAND
    evening = calls.followed(outcome, 0, NOW.replace(hour=18), place="DE")
    assert evening.due_at == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_an_agreed_time_is_kept_and_is_no_failed_try():
    later = NOW + timedelta(days=1)
    then = calls.followed(Outcome.CALL_BACK, 2, NOW, place="DE", back_at=later)
    assert (then.is_done, then.tries, then.due_at) == (False, 2, later)


@pytest.mark.parametrize("back_at", [None, NOW, NOW - timedelta(hours=1), NOW + timedelta(days=15)])
def test_a_time_to_call_back_lies_ahead_and_not_too_far(back_at: datetime | None):
    with pytest.raises(Invalid):
        calls.followed(Outcome.CALL_BACK, 0, NOW, place="DE", back_at=back_at)


def test_two_people_do_not_make_the_same_call():
    until = NOW + timedelta(minutes=5)
    calls.demand_free("U-1", until, actor="U-1", now=NOW)
    calls.demand_free("U-1", NOW, actor="U-2", now=NOW)
    calls.demand_free("", None, actor="U-2", now=NOW)
    calls.demand_ours("U-1", NOW - timedelta(hours=1), actor="U-1", now=NOW)
    with pytest.raises(Refused, match="Somebody else"):
        calls.demand_free("U-1", until, actor="U-2", now=NOW)
    with pytest.raises(Refused, match="Somebody else"):
        calls.demand_ours("U-1", until, actor="U-2", now=NOW)
    with pytest.raises(Refused, match="Take the call"):
        calls.demand_ours("", None, actor="U-2", now=NOW)


def test_every_outcome_has_words():
    assert set(calls.WORDS) == set(calls.MEANINGS) == set(Outcome)
    with pytest.raises(Invalid):
        calls.outcome("maybe")
    with pytest.raises(Invalid):
        calls.note("x" * 501)
