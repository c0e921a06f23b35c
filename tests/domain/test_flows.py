"""The streams of a ladder: nobody is lost between what stands and what went on."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from incident.domain.deliveries import State
from incident.domain.flows import streams

ORDER = ("email", "sms", "letter")


def test_nobody_anywhere_is_no_stream():
    assert streams(ORDER, {}, {}) == []


def test_a_channel_off_the_ladder_comes_last():
    found = streams(ORDER, {("none", State.UNREACHED): 2, ("sms", State.ACCEPTED): 1}, {})
    assert [one.channel for one in found] == ["sms", "none"]


def test_an_empty_count_is_no_place():
    assert [one.channel for one in streams(ORDER, {("sms", State.ACCEPTED): 0, ("email", State.FAILED): 1}, {})] == [
        "email"
    ]


def test_a_channel_that_everybody_left_is_still_shown():
    [email, sms] = streams(ORDER, {("sms", State.DELIVERED): 4}, {("email", "sms"): 4})
    assert (email.channel, email.began, email.people, email.stands) == ("email", 4, 4, {})
    assert (sms.began, sms.came, sms.went) == (0, {"email": 4}, {})


@given(st.lists(st.lists(st.sampled_from(ORDER), min_size=1, max_size=6), max_size=30))
def test_whatever_way_people_take_each_begins_once_and_none_is_lost(ways):
    """Each way is the channels one person stood at, in their order; a step to the same channel is no move."""
    stands, went = {}, {}
    for way in ways:
        stands[way[-1], State.ACCEPTED] = stands.get((way[-1], State.ACCEPTED), 0) + 1
        for ends in pairwise(way):
            went[ends] = went.get(ends, 0) + 1
    found = streams(ORDER, stands, went)
    assert sum(one.began for one in found) == len(ways)
    for one in found:
        assert one.began == sum(way[0] == one.channel for way in ways)
        assert one.people == sum(one.stands.values()) + sum(one.went.values())
