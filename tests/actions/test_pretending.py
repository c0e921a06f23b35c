"""A drill whose sandbox pretends: reports by the usual way, the ladder in motion, and nobody who counts as told."""

from collections import Counter

import pytest

from incident.actions import climbing, followups, pretending
from incident.actions import dispatch as dispatching
from incident.domain.errors import Refused
from incident.domain.pretences import SHARES, Life
from incident.store import provider_events
from tests.actions.waves import LEAD, NOW, a_story

pytestmark = pytest.mark.usefixtures("app")


def a_life(**shares):
    return Life(**(dict.fromkeys(SHARES, 0) | {"minutes": 10} | shares))


def drill(count=4, life=None, **more):
    story = a_story(count, kind="drill", real={}, **more)
    story.dispatch = dispatching.start(
        story.incident.ref, story.notice, only_sandbox=True, pace=None, life=life or a_life(), actor=LEAD, now=NOW
    )
    return story


def live(story, **by):
    """Everything that happens in that time, a minute at a time."""
    story.work()
    for _ in range(int(by.get("minutes", 60))):
        story.clock.move(minutes=1)
        for ref in pretending.due(story.clock()):
            while pretending.live(ref, now=story.clock()):
                pass
        story.work()


def pretended(story):
    return Counter(row.pretended for row in story.rows() if row.current)


def test_what_the_sandbox_pretends_stands_beside_a_state_that_stays_simulated():
    story = drill(4)
    live(story, minutes=11)
    assert story.counts() == {"simulated": 4}
    assert pretended(story) == {"delivered": 4}
    assert story.row().pretended == {"delivered": 4}
    assert story.row().counts.told == 0


def test_reports_come_the_way_of_real_ones_and_stay_on_record():
    story = drill(1)
    live(story, minutes=11)
    [row] = story.rows()
    assert [event.status for event in provider_events.events_of([row.id])] == ["accepted", "delivered"]
    assert {event.provider for event in provider_events.events_of([row.id])} == {"sandbox"}
    assert {"deliveries.reported", "sandbox.pretended"} <= set(story.verbs())


def test_whoever_comes_back_in_the_drill_goes_on_to_the_next_channel():
    story = drill(3, a_life(bounced=100), channels=("email", "sms"), both=2)
    live(story)
    attempts = Counter((row.person_number, row.channel, row.pretended) for row in story.rows())
    assert attempts == {
        (1, "email", "bounced"): 1,
        (1, "sms", "bounced"): 1,
        (2, "email", "bounced"): 1,
        (2, "sms", "bounced"): 1,
        (3, "email", "bounced"): 1,
    }
    assert story.counts() == {"simulated": 3}
    assert climbing.due(story.clock()) == []


def test_a_late_bounce_comes_after_it_had_arrived():
    story = drill(2, a_life(late_bounced=100), channels=("email",))
    live(story, minutes=10)
    assert pretended(story) == {"delivered": 2}
    live(story, minutes=60)
    assert pretended(story) == {"bounced": 2}
    assert story.row().pretended == {"bounced": 2}


def test_a_worker_that_dies_after_it_reported_reports_nothing_twice(monkeypatch):
    story = drill(3)
    story.work()
    story.clock.move(minutes=30)
    with monkeypatch.context() as dying:
        dying.setattr(pretending, "_keep", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pretending.live(story.dispatch, now=story.clock())
    live(story, minutes=1)
    assert story.row().pretended == {"delivered": 3}
    assert [len(provider_events.events_of([row.id])) for row in story.rows()] == [2, 2, 2]


def test_a_drill_without_it_pretends_nothing():
    story = a_story(2, kind="drill", real={})
    story.start(only_sandbox=True)
    live(story, minutes=30)
    assert (pretended(story), story.row().pretended) == ({"": 2}, {})
    assert all(row.due_at is None for row in story.rows())


def test_nothing_real_ever_pretends():
    story = a_story(2, real={})
    for only_sandbox in (True, False):
        with pytest.raises(Refused, match="Only a drill"):
            dispatching.start(
                story.incident.ref,
                story.notice,
                only_sandbox=only_sandbox,
                pace=None,
                life=a_life(),
                actor=LEAD,
                now=NOW,
            )


def test_when_all_is_said_nothing_is_due_any_more():
    story = drill(5, Life(minutes=1, seed=4))
    live(story, minutes=10)
    assert pretending.due(story.clock().replace(year=2030)) == []
    assert story.row().course == "done"


def test_a_correction_in_a_drill_goes_to_everybody_who_was_on_the_list():
    story = drill(3)
    live(story, minutes=11)
    followups.supplement(story.incident.ref, story.notice, actor=LEAD, now=story.clock())
