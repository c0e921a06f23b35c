"""Single messages: what answers and reports make of them, and when they are tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import outlets, reminders
from incident.domain.handovers import ANSWERED, REPORTED, State, again_at, reported
from notifiers.contract import Outcome, Status

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_message_that_was_put_off_waits_longer_each_time_and_then_no_more():
    retries = tuple(timedelta(minutes=minutes) for minutes in (1, 5))
    assert [again_at(retries, tries, NOW, None) for tries in (1, 2, 3)] == [
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=5),
        None,
    ]


@pytest.mark.parametrize(("asked", "waited"), [(10, 60), (600, 600), (86_400, 3_600)])
def test_a_wait_that_the_other_side_asks_for_is_kept_up_to_an_hour(asked, waited):
    assert again_at((timedelta(minutes=1),), 1, NOW, asked) == NOW + timedelta(seconds=waited)


def test_every_answer_but_later_and_by_hand_settles_a_message():
    assert set(Outcome) - set(ANSWERED) == {Outcome.LATER, Outcome.BY_HAND}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("status", list(Status))
def test_no_report_takes_back_what_is_known(state, status):
    then = reported(state, status)
    if state is State.FAILED:
        assert then is None
    if state is State.DELIVERED:
        assert then in {None, State.FAILED}
    assert then is None or then is REPORTED[status]


def test_every_state_that_newsrooms_and_reminders_show_has_words():
    on_paper, unreached = {State.PRINTED, State.HANDED_OVER}, {State.UNREACHED}
    assert set(outlets.WORDS) == set(State) - unreached
    assert set(reminders.WORDS) == set(State) - on_paper
