"""How long a channel rests by what its provider answers, and when its troubles are forgotten."""

from datetime import datetime, timedelta
from types import SimpleNamespace

from incident.actions import settling
from notifiers.contract import Answer, Outcome
from tests.actions.waves import NOW

TROUBLE = Answer("R", Outcome.LATER, reason="provider_trouble")
BUSY = Answer("R", Outcome.LATER, reason="too_many_requests", wait=30)
LOST = Answer("R", Outcome.UNKNOWN, reason="answer_lost")
TAKEN = Answer("R", Outcome.ACCEPTED)


def rested(holds, *answers):
    """The holds of a sending after these answers by e-mail."""
    row = SimpleNamespace(holds=holds)
    settling.rest(row, "email", answers, NOW)
    return row.holds


def test_a_channel_in_trouble_rests_and_its_troubles_are_counted():
    once = rested({}, TAKEN, TROUBLE)
    assert once["email"]["troubles"] == 1
    assert NOW + timedelta(seconds=1) <= datetime.fromisoformat(once["email"]["until"]) <= NOW + timedelta(seconds=2)
    assert rested(once, TROUBLE)["email"]["troubles"] == 2


def test_a_channel_rests_as_long_as_its_provider_asked_at_most():
    asked = rested({}, BUSY, Answer("R", Outcome.LATER, reason="too_many_requests", wait=90), TAKEN)
    assert asked == {"email": {"troubles": 1, "until": (NOW + timedelta(seconds=90)).isoformat()}}


def test_an_answer_ends_the_rest_of_its_own_channel_alone():
    assert rested({"email": {"troubles": 3}, "sms": {"troubles": 2}}, TAKEN) == {"sms": {"troubles": 2}}
    put_off = Answer("R", Outcome.LATER, reason="mailbox_full", wait=90)
    assert rested({}, put_off) == {}, "what concerns one message lets no channel rest"


def test_lost_answers_are_counted_beside_troubles_and_forgotten_with_the_next_answer():
    once = rested({"email": {"troubles": 2, "until": "x"}, "sms": {"troubles": 1}}, LOST, LOST)
    assert once == {"email": {"troubles": 2, "until": None, "lost": 1}, "sms": {"troubles": 1}}
    assert rested(once, LOST)["email"] == {"troubles": 2, "until": None, "lost": 2}
    assert rested({}, LOST) == {"email": {"troubles": 0, "until": None, "lost": 1}}
    assert "email" not in rested(once, LOST, TAKEN)
    assert rested({"email": {"troubles": 1}}) == {}
