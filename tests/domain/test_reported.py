"""What reports make of one delivery, in any order, however often, in however many pieces."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from incident.domain.deliveries import State
from incident.domain.reported import Known, hear
from notifiers.contract import Event, Status

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)

reports = some.lists(
    some.builds(
        Event,
        id=some.just("E"),
        status=some.sampled_from(Status),
        at=some.none() | some.integers(0, 9).map(lambda minutes: NOW + timedelta(minutes=minutes)),
        reason=some.just("word"),
    ),
    max_size=6,
)


def end(state: State, *pieces: list[Event]) -> tuple[object, ...]:
    known = Known(state)
    for piece in pieces:
        hear(known, piece, NOW)
    return known.state, known.may_pass, known.complained, known.last


@given(state=some.sampled_from(State), said=reports, data=some.data())
def test_any_order_any_repeats_and_any_pieces_end_the_same(state, said, data):
    mixed = data.draw(
        some.permutations(said + data.draw(some.lists(some.sampled_from(said)) if said else some.just([])))
    )
    cut = data.draw(some.integers(0, len(mixed)))
    assert end(state, mixed[:cut], mixed[cut:]) == end(state, said)


@pytest.mark.parametrize("order", [1, -1])
def test_what_came_back_for_good_may_not_be_tried_again_whatever_else_is_said(order):
    said = [Event("1", Status.BLOCKED, reason="blocked"), Event("2", Status.BOUNCED, reason="bounce", code="5.1.1")]
    known = Known(State.ACCEPTED)
    hear(known, said[::order], NOW)
    assert (known.state, known.may_pass, known.reason, known.code) == (State.BOUNCED, False, "bounce", "5.1.1")


def test_a_word_we_do_not_know_says_nothing_of_the_delivery():
    known = Known(State.SENDING)
    assert not hear(known, [Event("1", Status.UNKNOWN, provider_id="m-1")], NOW)
    assert (known.state, known.provider_id, known.last) == (State.SENDING, "", NOW)


def test_what_is_simulated_stays_so():
    known = Known(State.SIMULATED)
    assert not hear(known, [Event("1", Status.DELIVERED)], NOW)
    assert known.state is State.SIMULATED


def test_the_first_reference_of_the_provider_stays():
    known = Known(State.ACCEPTED)
    assert hear(
        known, [Event("1", Status.DELIVERED, provider_id="m-1"), Event("2", Status.BOUNCED, provider_id="m-2")], NOW
    )
    assert known.provider_id == "m-1"
