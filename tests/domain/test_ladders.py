"""Which channel comes next, when, and what is proof enough."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import ladders
from incident.domain.deliveries import State
from incident.domain.errors import Invalid, Refused
from incident.domain.ladders import Proof, Step, Tried

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
EVERYWHERE = {"email": True, "sms": True, "call": True, "letter": True, "push": True}
STEPS = ladders.ladder(("email", "sms", "letter"))


def test_a_ladder_has_a_step_for_each_channel_that_reaches_one_person_in_their_order():
    assert [step.channel for step in ladders.ladder(("letter", "announcement", "email", "letter"))] == [
        "letter",
        "email",
    ]


def test_what_was_chosen_for_a_channel_stands_and_the_others_are_as_usual():
    mine = Step("email", 5, Proof.CONFIRMED)
    assert ladders.ladder(("email", "sms"), {"email": mine}) == (mine, ladders.USUAL["sms"])


def test_a_ladder_is_kept_and_read_back_whole():
    assert ladders.from_json(ladders.as_json(STEPS)) == STEPS


@pytest.mark.parametrize(
    ("channel", "hours", "counts"),
    [("announcement", 1, "accepted"), ("fax", 1, "accepted"), ("sms", 0, "delivered"), ("sms", 2161, "delivered"),
     ("sms", "24", "delivered"), ("sms", True, "delivered"), ("sms", 24, "opened")],
)  # fmt: skip
def test_a_step_that_makes_no_sense_is_refused(channel, hours, counts):
    with pytest.raises(Invalid):
        ladders.checked(channel, hours, counts)


@pytest.mark.parametrize("state", [State.FAILED, State.BOUNCED])
@pytest.mark.parametrize("counts", list(Proof))
def test_what_was_refused_or_came_back_goes_on_at_once_whatever_counts(state, counts):
    assert ladders.look_at((Step("email", 9, counts),), "email", state, NOW) == NOW


@pytest.mark.parametrize("counts", list(Proof))
@pytest.mark.parametrize("state", [state for state in State if state not in (State.FAILED, State.BOUNCED)])
def test_a_step_waits_only_for_proof_that_is_still_missing(counts, state):
    look = ladders.look_at((Step("email", 9, counts),), "email", state, NOW)
    missing = {
        Proof.ACCEPTED: (),
        Proof.DELIVERED: (State.ACCEPTED,),
        Proof.CONFIRMED: (State.ACCEPTED, State.DELIVERED),
    }[counts]
    assert look == (NOW + timedelta(hours=9) if state in missing else None)


def test_a_step_runs_from_its_first_sign_of_life():
    begun = NOW - timedelta(hours=8)
    assert ladders.look_at((Step("sms", 9, Proof.CONFIRMED),), "sms", State.DELIVERED, NOW, before=begun) == begun


def test_without_an_approved_ladder_nobody_goes_on():
    assert ladders.look_at((), "email", State.BOUNCED, NOW) is None


@pytest.mark.parametrize("reason", sorted(ladders.NOBODY_TO_TELL))
def test_what_is_wrong_by_every_channel_is_not_tried_by_the_next(reason):
    assert ladders.look_at(STEPS, "email", State.FAILED, NOW, reason=reason) is None


def test_the_next_channel_is_the_first_that_is_set_up_reaches_them_and_was_not_tried():
    tried = [Tried(1, "email", 1, State.BOUNCED)]
    assert ladders.next_channel(STEPS, tried, EVERYWHERE, ("email", "sms", "letter")) == "sms"
    assert ladders.next_channel(STEPS, tried, EVERYWHERE, ("email", "letter")) == "letter"
    assert ladders.next_channel(STEPS, tried, {"email": True, "letter": True}, ("sms", "letter")) == "letter"
    assert ladders.next_channel(STEPS, tried, {"email": True}, ("email", "sms", "letter")) == ""


def test_a_channel_that_was_closed_at_first_may_still_come():
    tried = [Tried(1, "sms", 1, State.FAILED)]
    assert ladders.next_channel(STEPS, tried, EVERYWHERE, ("email", "sms")) == "email"


def test_an_attempt_that_was_withdrawn_before_it_left_does_not_spend_its_channel():
    tried = [Tried(1, "email", 1, State.BOUNCED), Tried(2, "sms", 1, State.CANCELLED, ladders.WITHDRAWN)]
    assert ladders.next_channel(STEPS, tried, EVERYWHERE, ("email", "sms")) == "sms"
    stopped = [tried[0], tried[1]._replace(reason="stopped")]
    assert ladders.next_channel(STEPS, stopped, EVERYWHERE, ("email", "sms")) == ""


def test_whoever_has_it_by_an_earlier_attempt_is_told():
    tried = [Tried(1, "sms", 1, State.DELIVERED), Tried(2, "letter", 1, State.BOUNCED)]
    assert ladders.told_by(STEPS, tried) == tried[0]
    assert ladders.told_by(STEPS, [tried[0]._replace(state=State.ACCEPTED), tried[1]]) is None


@pytest.mark.parametrize("state", list(State))
def test_a_person_asks_for_the_next_channel_only_of_what_may_not_have_arrived(state):
    if state in (State.IN_DOUBT, State.FAILED, State.BOUNCED, State.ACCEPTED, State.UNREACHED):
        ladders.demand_may_go_on(state, current=True)
    else:
        with pytest.raises(Refused):
            ladders.demand_may_go_on(state, current=True)
    with pytest.raises(Refused):
        ladders.demand_may_go_on(state, current=False)


def test_every_step_has_its_words():
    said = {ladders.words(Step("sms", hours, counts)) for hours in (1, 24, 72) for counts in Proof}
    assert len(said) == 9
