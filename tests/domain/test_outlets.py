"""Newsrooms as they can be kept, and when one may get the same notice once more."""

import pytest

from incident.domain.errors import Invalid, Refused
from incident.domain.handovers import State
from incident.domain.outlets import Way, checked, demand_address, demand_ready, may_follow, serves

GOOD = {
    "name": "The Sample Herald",
    "where": ["us-tx", " US-OK ", "US-TX"],
    "language": "en",
    "email": "news@herald.example.org",
    "address": "1 Sample Street\n\nDallas TX 75001",
}


def test_a_newsroom_is_kept_in_one_form():
    found = checked(**GOOD)
    assert found.places == ("US-TX", "US-OK")
    assert found.address == "1 Sample Street\nDallas TX 75001"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 121}),
        ("places", {"where": []}),
        ("places", {"where": ["US-TX", "US-QQ"]}),
        ("language", {"language": "tlh"}),
        ("email", {"email": "news@example.org, other@example.org"}),
        ("email", {"email": "news@example.org\nBcc: x@example.org"}),
        ("email", {"email": "", "address": ""}),
        ("address", {"address": "a\nb\nc\nd\ne\nf"}),
        ("address", {"address": "x" * 81}),
    ],
)
def test_what_cannot_be_kept_names_its_field(field, change):
    with pytest.raises(Invalid) as refusal:
        checked(**GOOD | change)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("serving", "wanted", "expected"),
    [
        (["US-TX"], ["US-TX"], True),
        (["US"], ["US-TX"], True),
        (["US-TX"], ["US"], True),
        (["US-OK"], ["US-TX"], False),
        (["DE"], [], True),
    ],
)
def test_a_newsroom_is_near_where_its_places_and_those_of_the_people_meet(serving, wanted, expected):
    assert serves(serving, wanted) is expected


def test_only_an_approved_notice_that_speaks_to_everybody_is_handed_over():
    demand_ready("approved", ["announcement"])
    with pytest.raises(Refused, match="approved"):
        demand_ready("submitted", ["announcement"])
    with pytest.raises(Refused, match="everybody"):
        demand_ready("approved", ["email"])


def test_a_way_without_an_address_is_refused_by_name():
    demand_address(Way.EMAIL, [])
    with pytest.raises(Invalid, match="The Sample Herald: there is no postal address"):
        demand_address(Way.PAPER, ["The Sample Herald"])


@pytest.mark.parametrize("state", list(State))
def test_a_second_copy_follows_only_what_failed_or_is_in_doubt(state):
    expected = state in {State.FAILED, State.IN_DOUBT, State.CANCELLED}
    assert may_follow(state, because="They have not got it") is expected


def test_what_is_in_doubt_is_sent_once_more_for_a_reason_only():
    with pytest.raises(Invalid):
        may_follow(State.IN_DOUBT, because=" ")
    assert may_follow(None, because="")
