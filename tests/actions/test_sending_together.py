"""Calls that are begun together: each has a claim and lines of its own, and as many go out as answers take time."""

import threading

import pytest

from incident.actions import sending
from incident.domain.deliveries import Pace
from notifiers.memory import Memory, accept
from tests.actions.waves import a_story, email_of

pytestmark = pytest.mark.usefixtures("app")

PATIENCE = 10.0  # seconds; after so long a call that waits for another gives up


class Together(Memory):
    """Answers nobody before as many calls are under way as are wanted; gives up after a while."""

    def __init__(self, wanted: int) -> None:
        super().__init__("email", batch=2)
        self.calls, self.wanted = 8, wanted
        self.under_way, self.most = 0, 0
        self.changed = threading.Condition()

    def send(self, batch):
        with self.changed:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, PATIENCE)
        answers = super().send(batch)
        with self.changed:
            self.under_way -= 1
        return answers


def test_more_calls_go_out_while_the_first_answer_is_awaited():
    slow = Together(wanted=4)
    story = a_story(16, real={"email": slow})
    story.start()
    story.work()
    assert slow.most >= 4
    assert story.counts() == {"accepted": 16}


def test_calls_that_are_begun_together_have_claims_and_lines_of_their_own(monkeypatch):
    memory = Memory("email", accept, batch=2)
    memory.calls = 8
    begun, move = [], sending.Wave._move
    monkeypatch.setattr(
        sending.Wave, "_move", lambda wave, done, batches: begun.append(len(batches)) or move(wave, done, batches)
    )
    story = a_story(20, real={"email": memory})
    story.start()
    story.work()
    assert max(begun) > 1
    assert story.counts() == {"accepted": 20}
    assert len({message.to for message in email_of(story).sent}) == len(email_of(story).sent) == 20
    assert story.verbs().count("deliveries.handed_over") == story.verbs().count("deliveries.settled") == 10


def test_no_more_are_begun_together_than_go_first():
    memory = Memory("email", accept, batch=2)
    memory.calls = 8
    story = a_story(20, real={"email": memory})
    story.start(pace=Pace(canary=3))
    story.work()
    assert len(memory.sent) == 3
    assert story.row().paused_for == "canary"


def test_a_sending_of_no_more_than_go_first_is_done_when_all_of_them_are():
    story = a_story(3)
    story.start(pace=Pace(canary=3))
    story.work()
    assert story.counts() == {"accepted": 3}
    assert (story.row().course, story.row().paused_for) == ("done", "")


def test_when_the_worker_of_the_first_few_dies_the_sending_still_asks_for_the_look(monkeypatch):
    story = a_story(8)
    email_of(story).batch = 3
    story.start(pace=Pace(canary=3))
    monkeypatch.setattr(sending.Wave, "_write_down", _die)
    with pytest.raises(_Dead):
        story.work()
    monkeypatch.undo()
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"in_doubt": 3, "waiting": 5}
    assert story.row().paused_for == "canary"


class _Dead(BaseException):
    """As if the process were gone while it settles."""


def _die(*_given, **_named):
    raise _Dead
