"""Who went from channel to channel is kept as a number, in the transaction that moves them."""

import pytest
from flask_migrate import downgrade, upgrade

from incident.actions import climbing, deliveries, reported
from incident.domain import flows
from incident.store import moves, tallies
from incident.store.db import db
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.test_climbing import QUIET, a_climb, report
from tests.actions.waves import LEAD, answering

pytestmark = pytest.mark.usefixtures("app")


def a_fall():
    """Three people by e-mail: one taken, two refused; of those one is taken by text and one goes on to a letter."""
    email = Memory("email", lambda message: refusing(message, "person1@example.org"))
    sms = Memory("sms", answering(Outcome.REFUSED, "number_invalid", to="+4915112345003"))
    story = a_climb(3, email=email, sms=sms)
    story.start(pace=QUIET)
    story.work()
    return story


def refusing(message, taken):
    return answering(Outcome.ACCEPTED if message.to == taken else Outcome.REFUSED, "address_refused")(message)


def went(story):
    return moves.of(story.row().id)


def streams_of(story):
    row = story.row()
    stands = {}
    for where, n in tallies.of(row.id).items():
        stands[where.channel, where.state] = stands.get((where.channel, where.state), 0) + n
    return {one.channel: one for one in flows.streams(row.channels, stands, went(story))}


def test_each_move_is_counted_and_its_attempt_says_where_it_came_from():
    story = a_fall()
    assert went(story) == {("email", "sms"): 2, ("sms", "letter"): 1}
    came = sorted((row.channel, row.came_from) for row in story.rows() if row.came_from)
    assert came == [("letter", "sms"), ("sms", "email"), ("sms", "email")]


def test_who_began_where_follows_from_standing_and_moves():
    found = streams_of(a_fall())
    assert {word: one.began for word, one in found.items()} == {"email": 3, "sms": 0, "letter": 0}
    assert {word: one.people for word, one in found.items()} == {"email": 3, "sms": 2, "letter": 1}


def test_whoever_was_told_after_all_is_counted_back():
    story = a_climb(1, email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")))
    story.start(pace=QUIET)
    story.work()
    [row] = story.rows()
    story.clock.move(hours=1)
    from_letter = report(story, row, Status.BOUNCED)
    assert from_letter == 1
    story.work()
    assert went(story) == {("email", "sms"): 1}


def test_a_waiting_attempt_that_is_taken_back_is_a_move_back():
    story = a_climb(1)
    story.start(pace=QUIET)
    story.work()
    [first] = story.rows()
    report(story, first, Status.BOUNCED)
    assert climb_alone(story)
    event = Event("late", Status.ACKNOWLEDGED, ref=first.ref, at=story.clock())
    reported.take_in("memory", "email", [event], now=story.clock())
    assert went(story) == {("email", "sms"): 1, ("sms", "email"): 1}
    found = streams_of(story)
    assert (found["email"].began, found["sms"].began) == (1, 0)


def climb_alone(story):
    """The next channel, without sending by it."""
    climbing.climb(story.dispatch, story.channels.open(simulated=False), now=story.clock())
    return [row for row in story.rows() if row.state == "waiting"]


def test_another_try_by_the_same_channel_is_no_move():
    story = a_climb(1, channels=("email",), email=Memory("email", answering(Outcome.REFUSED, "address_refused")))
    story.start(pace=QUIET)
    story.work()
    [row] = story.rows()
    deliveries.send_again(story.incident.ref, row.ref, reason="a new address", actor=LEAD, now=story.clock())
    assert went(story) == {}


def test_the_migration_finds_the_moves_of_sendings_that_went_out_before_it(app):
    story = a_fall()
    before = went(story), sorted((row.id, row.came_from) for row in story.rows())
    dispatch = story.row().id
    db.session.remove()
    downgrade(revision="0011")
    upgrade(revision="head")
    assert moves.of(dispatch) == before[0]
    assert sorted((row.id, row.came_from) for row in story.rows()) == before[1]
