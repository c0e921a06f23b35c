"""The posting period of an announcement, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain.announcements import Posting, demand_publishable, period, posting
from incident.domain.errors import Invalid, Refused

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
END = START + timedelta(days=90)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "now", "expected"),
    [
        ("published", START - SECOND, Posting.AHEAD),
        ("published", START, Posting.POSTED),
        ("published", END - SECOND, Posting.POSTED),
        ("published", END, Posting.ENDED),
        ("taken_down", START, Posting.TAKEN_DOWN),
        ("taken_down", START - SECOND, Posting.TAKEN_DOWN),
    ],
)
def test_it_is_public_from_its_start_until_its_end(state, now, expected):
    assert posting(state, START, END, now) is expected


def test_without_an_end_it_stays():
    assert posting("published", START, None, START + timedelta(days=9999)) is Posting.POSTED


@pytest.mark.parametrize("stage", ["draft", "submitted", "withdrawn"])
def test_what_was_not_approved_is_not_published(stage):
    with pytest.raises(Refused, match="approved"):
        demand_publishable(stage, ["announcement"])


def test_a_notice_without_an_approved_announcement_is_not_published():
    demand_publishable("sent", ["email", "announcement"])
    with pytest.raises(Refused, match="channels"):
        demand_publishable("approved", ["email"])


def test_a_start_in_the_past_means_now():
    assert period(None, None, START) == (START, None)
    assert period(START - SECOND, END, START) == (START, END)
    assert period(START + SECOND, END, START) == (START + SECOND, END)


def test_it_cannot_end_before_it_began():
    with pytest.raises(Invalid) as refusal:
        period(END, START, START)
    assert refusal.value.field == "ends_at"
