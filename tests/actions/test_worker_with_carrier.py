"""A worker of a large sending, which has a program of its own hand over the batches: when it does, and when not."""

from concurrent.futures import Future

import pytest

from incident.actions import sending
from incident.actions.carriers import Carrier
from incident.domain.deliveries import Pace
from notifiers.contract import Alike, Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story, email_of

pytestmark = pytest.mark.usefixtures("app")


class Carrying:
    """Stands in for a program that hands over batches: takes them all."""

    is_ready, is_gone = True, False

    def __init__(self):
        self.passed, self.closed = [], 0

    def carry(self, batch, draft):
        self.passed.append((batch, draft.held.fence))
        done = Future()
        done.set_result(Alike(batch.asked, Answer("", Outcome.ACCEPTED, "c-1")))
        return done

    def close(self):
        self.closed += 1


@pytest.fixture
def carrier(monkeypatch):
    """The program that every channel of a sending would get."""
    one, asked = Carrying(), []
    monkeypatch.setattr(sending, "is_worth_it", lambda notifier, waiting: waiting >= 4)
    monkeypatch.setattr(Carrier, "started", lambda *given: asked.append(given) or one)
    one.asked = asked
    return one


def test_a_large_sending_goes_by_one_such_program_which_is_ended_after_it(carrier):
    story = a_story(9, real={"email": Memory("email", batch=3)})
    story.start()
    story.work()
    assert email_of(story).sent == []
    assert [batch.held.fence for batch, _ in carrier.passed] == [fence for _, fence in carrier.passed]
    assert story.counts() == {"accepted": 9}
    assert {row.provider_id for row in story.rows()} == {"c-1"}
    assert (len(carrier.asked), carrier.closed) == (1, 1)
    assert carrier.asked[0][0] is email_of(story)
    assert carrier.asked[0][3] == story.dispatch


@pytest.mark.parametrize(
    "what",
    [{"pace": Pace(canary=9)}, {"pace": Pace(rates={"email": 50.0})}, {"count": 3}],
    ids=["first few", "limit", "few"],
)
def test_the_first_few_what_is_limited_and_few_people_go_by_no_other_program(what, carrier):
    story = a_story(what.get("count", 5), real={"email": Memory("email")})
    story.start(pace=what.get("pace"))
    story.work()
    assert carrier.asked == []
    assert len(email_of(story).sent) == what.get("count", 5)


@pytest.mark.parametrize("how", ["is_ready", "is_gone"])
def test_until_such_a_program_is_there_and_once_it_is_gone_we_hand_over_ourselves(how, carrier):
    setattr(carrier, how, how == "is_gone")
    story = a_story(5, real={"email": Memory("email")})
    story.start()
    story.work()
    assert carrier.passed == []
    assert len(email_of(story).sent) == 5
