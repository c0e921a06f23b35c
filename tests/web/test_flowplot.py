"""The picture of the ladder holds everybody, and nothing falls out of it."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incident.domain.deliveries import State
from incident.domain.flows import Stream, streams
from incident.web.flowplot import LEAST, Links, drawn

ORDER = ("email", "sms", "letter", "call")


class Addresses(Links):
    def stands(self, channel, state):
        return f"{channel}/{state}"

    def moved(self, origin, target):
        return f"{origin}>{target}"


def picture(found, width=680):
    return drawn(found, {}, Addresses(), width)


def test_nobody_is_no_picture():
    assert picture([]) is None
    assert picture([Stream("email", 0, {}, {}, {})]) is None


def test_a_few_among_a_million_are_seen():
    plot = picture(
        streams(ORDER, {("email", State.DELIVERED): 999_998, ("sms", State.FAILED): 2}, {("email", "sms"): 2})
    )
    assert min(part.width for part in plot.parts) == LEAST


def test_each_part_and_band_leads_to_its_list():
    plot = picture(streams(ORDER, {("email", State.DELIVERED): 5, ("sms", State.ACCEPTED): 3}, {("email", "sms"): 3}))
    assert [part.href for part in plot.parts] == ["email/delivered", "email>sms", "sms/accepted"]
    assert [band.href for band in plot.bands] == ["email>sms"]
    assert plot.bands[0].words == "3 from email to sms"


MANY_OF_ALMOST_NOTHING = [
    (("email", "sms", "letter", "call"), 1, State.WAITING, 570),
    (("email", "sms", "letter", "call"), 3, State.IN_DOUBT, 1),
    (("email", "sms", "letter", "call"), 4, State.WAITING, 1),
    (("letter", "sms", "email", "call"), 1, State.WAITING, 3),
    (("letter", "sms", "email", "call"), 1, State.SENDING, 3),
]


@pytest.mark.parametrize("width", [330, 680])
@example(groups=MANY_OF_ALMOST_NOTHING)
@given(
    groups=st.lists(
        st.tuples(st.permutations(ORDER), st.integers(1, 4), st.sampled_from(list(State)), st.integers(1, 400_000)),
        min_size=1,
        max_size=12,
    )
)
def test_everything_stays_within_the_picture_and_no_parts_overlap(width, groups):
    stands, went = {}, {}
    for channels, length, state, people in groups:
        way = [channel for channel in ORDER if channel in channels[:length]]
        stands[way[-1], state] = stands.get((way[-1], state), 0) + people
        for ends in pairwise(way):
            went[ends] = went.get(ends, 0) + people
    plot = picture(streams(ORDER, stands, went), width)
    rows = {}
    for part in plot.parts:
        assert part.width >= LEAST
        assert part.x >= 0
        assert part.x + part.width <= width
        assert part.y + 26 <= plot.height
        rows.setdefault(part.y, []).append(part)
    for parts in rows.values():
        for left, right in pairwise(parts):
            assert left.x + left.width == right.x
    for band in plot.bands:
        numbers = [int(number) for number in re.findall(r"-?\d+", band.path)]
        assert min(numbers) >= 0
        assert max(numbers) <= max(width, plot.height) + 1
