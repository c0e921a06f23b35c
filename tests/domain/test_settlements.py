from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import settlements as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.obligations import Standing
from incident.domain.settlements import State

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("standing", Standing)
def test_only_a_proposed_finding_that_is_decided_can_be_accepted(state, standing):
    if state is State.PROPOSED and standing is not Standing.OPEN:
        assert rules.accepted(state, standing) is State.ACCEPTED
    else:
        with pytest.raises(Refused):
            rules.accepted(state, standing)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("standing", Standing)
def test_what_is_not_owed_or_is_settled_can_be_neither_met_nor_waived(state, standing):
    if standing is Standing.NOT_OWED or state in {State.MET, State.WAIVED}:
        with pytest.raises(Refused):
            rules.met(state, standing, met_at=BEFORE, now=NOW)
        with pytest.raises(Refused):
            rules.waived(state, standing, reason="long enough a reason")
    else:
        assert rules.met(state, standing, met_at=BEFORE, now=NOW) is State.MET
        assert rules.waived(state, standing, reason="long enough a reason") is State.WAIVED


def test_a_duty_is_not_met_in_the_future():
    with pytest.raises(Invalid, match="future"):
        rules.met(State.PROPOSED, Standing.OWED, met_at=NOW + timedelta(seconds=1), now=NOW)


@pytest.mark.parametrize("reason", ["", "   ", "because", "         x"])
def test_a_waiver_says_why(reason):
    with pytest.raises(Invalid, match="Say why"):
        rules.waived(State.PROPOSED, Standing.OWED, reason=reason)


def test_lateness_is_never_negative_and_unknown_where_the_law_gives_no_time():
    assert rules.lateness(NOW, BEFORE) == 0
    assert rules.lateness(BEFORE, NOW) == 3600
    assert rules.lateness(None, NOW) is None


def test_the_difference_is_a_sentence():
    before = {
        "a": (Standing.OPEN, None),
        "b": (Standing.OPEN, None),
        "c": (Standing.OWED, NOW),
        "d": (Standing.OWED, NOW),
    }
    after = {
        "a": (Standing.OWED, NOW),
        "b": (Standing.NOT_OWED, None),
        "c": (Standing.OWED, BEFORE),
        "e": (Standing.OWED, NOW),
        "f": (Standing.OPEN, None),
    }
    change = rules.difference(before, after)
    assert change.words() == (
        "2 duties became owed; 1 duty became open; 1 duty is no longer open; 1 duty is no longer owed; 1 duty has another due time"
    )
    assert (change.owed, change.closed, change.lifted, change.moved) == (("a", "e"), ("b",), ("d",), ("c",))


def test_no_difference_is_falsy():
    same = {"a": (Standing.OWED, NOW)}
    assert not rules.difference(same, same)
    assert rules.difference(same, same).words() == "nothing changed"
