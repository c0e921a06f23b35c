"""What a dead worker leaves of work that nobody outside was asked for: never a doubt, and never done twice."""

from datetime import timedelta

import pytest

from incident.actions import sending
from incident.store import calls, claims, mailbox
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from notifiers.by_hand import ByHand
from notifiers.memory import Memory
from tests.actions.waves import a_story

pytestmark = pytest.mark.usefixtures("app")


def begun(story, opened):
    """A wave whose worker dies right after it began to hand a batch over; its batch and itself."""
    while sending.prepare(story.dispatch, opened, now=story.clock()):
        pass
    wave = sending.Wave(story.dispatch, opened, story.clock)
    [channel] = {row.channel for row in story.rows()}
    held = wave._claim(story.row(), channel, 10)
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    return wave, batch


def late(story, wave, batch):
    """What the worker says when it wakes up long after it was taken for dead."""
    flow = sending.Flow(wave.opened[batch.held.channel])
    answers = {one.ref: one for one in flow.notifier.send(batch.to_send)}
    wave._settle(batch, batch.known | answers, flow)


def by_hand():
    story = a_story(2, channels=("call",), only_phone=2, real={"call": ByHand()})
    story.start()
    return story


def test_people_to_be_called_are_not_in_doubt_when_their_list_was_never_written():
    story = by_hand()
    begun(story, story.real)
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"waiting": 2}
    assert "deliveries.in_doubt" not in story.verbs()
    assert calls.open_count(story.incident.id) == 2


def test_a_worker_that_wakes_up_late_puts_nobody_on_the_list_of_calls_twice():
    story = by_hand()
    wave, batch = begun(story, story.real)
    story.clock.move(seconds=61)
    sending.take_over(story.row(), now=story.clock())
    assert story.counts() == {"waiting": 2}
    late(story, wave, batch)
    story.work()
    assert story.counts() == {"waiting": 2}
    assert calls.open_count(story.incident.id) == 2


def rehearsal():
    story = a_story(2, channels=("email",), real={})
    story.start(only_sandbox=True)
    return story


def test_a_rehearsal_is_never_in_doubt():
    story = rehearsal()
    begun(story, story.channels.sandbox)
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"simulated": 2}
    assert len(mailbox.mailbox(story.incident.id, before=None, limit=9)) == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_message_stands_in_the_sandbox_once_however_late_its_worker_wakes_up(again):
    story = rehearsal()
    wave, batch = begun(story, story.channels.sandbox)
    story.clock.move(seconds=61)
    if again:
        story.work()
    else:
        sending.take_over(story.row(), now=story.clock())
    late(story, wave, batch)
    story.work()
    assert story.counts() == {"simulated": 2}
    assert len(mailbox.mailbox(story.incident.id, before=None, limit=9)) == 2


def test_calls_that_a_provider_makes_stay_in_doubt():
    story = a_story(2, channels=("call",), only_phone=2, real={"call": Memory("call")})
    story.start()
    begun(story, story.real)
    story.real["call"] = ByHand()  # set up anew since: what was begun with the provider is the provider's still
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"in_doubt": 2}


def test_a_claim_of_an_older_program_names_nobody_and_is_doubted():
    story = by_hand()
    begun(story, story.real)
    db.session.execute(db.update(DeliveryClaim).values(provider=""))
    db.session.commit()
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"in_doubt": 2}


def test_a_claim_names_its_provider():
    story = a_story(1)
    story.start()
    story.work()
    assert [row.provider for row in db.session.scalars(db.select(DeliveryClaim))] == ["memory"]
    assert claims.claim(1, "email", 1, worker="w", lease=timedelta(1), now=story.clock()) is None
