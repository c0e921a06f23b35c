"""What a board says of a sending in a sentence is true of everybody in it, and promises no time that nobody knows."""

from datetime import datetime, timedelta

import pytest

from incident.domain.access import Role
from incident.domain.deliveries import NO_WORKERS_TURN, Counts, Course, Pace, State
from incident.store import deliveries, put_off, tallies
from incident.store.db import db
from incident.store.dispatches import Dispatch
from incident.store.loose_ends import MOST
from incident.store.put_off import Waiting
from incident.store.tallies import Place
from incident.web.boardwords import pace, sentence
from notifiers.by_hand import ByHand
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.posts import a_post
from tests.actions.waves import a_story, answering

HERE = Waiting(later=3, first=datetime(2026, 3, 7, 8))


def a_row(course: Course = Course.SENDING, *, simulated: bool = False, **counts: int) -> Dispatch:
    zero = {state.value: 0 for state in State if state is not State.SIMULATED} | {"simulated_count": 0}
    return Dispatch(course=course, prepared=True, simulated=simulated, audience=sum(counts.values()), **zero | counts)


@pytest.fixture
def words(app):
    with app.test_request_context():
        yield sentence


def test_who_was_cancelled_or_came_back_is_not_told(words):
    stopped = a_row(Course.STOPPED, accepted=2, delivered=5, cancelled=8, bounced=1, unreached=1)
    assert words(stopped, 0) == "7 of 17 handed over · 10 not told."


def test_of_the_sandbox_nothing_is_handed_over(words):
    assert words(a_row(Course.DONE, simulated=True, simulated_count=3), 0) == "3 of 3 kept in the sandbox."


@pytest.mark.parametrize(
    ("rate", "waiting", "told"),
    [
        (20.0, (), "1 of 101 handed over · 20 a second, about 5 s left."),
        (0.2, (), "1 of 101 handed over · 12 a minute, about 8 min left."),
        (0.0, (), "1 of 101 handed over."),
        (20.0, (Waiting(by_hand=100),), "1 of 101 handed over."),
        (20.0, (HERE, Waiting(by_hand=57)), "1 of 101 handed over · 20 a second, about 2 s left."),
        (20.0, (Waiting(later=MOST),), "1 of 101 handed over."),
    ],
)
def test_time_is_told_only_for_those_whose_turn_has_come(words, rate, waiting, told):
    assert words(a_row(delivered=1, waiting=100), 0, rate, waiting) == told


def test_a_channel_that_waits_for_people_has_no_speed(words):
    counts = Counts(waiting=8)
    assert pace(counts, 4.0, Waiting(by_hand=8), simulated=False) == "0 of 8 handed over"
    assert pace(counts, 4.0, Waiting(), simulated=False) == "0 of 8 handed over · 4 a second, about 2 s left"


def at(story, path: str = "") -> str:
    return f"/incidents/{story.incident.ref}/sending/{path}"


def shown(as_, story) -> str:
    return " ".join(as_(Role.LEAD).get(at(story, story.dispatch)).get_data(as_text=True).split())


def test_calls_by_hand_are_named_with_the_page_to_make_them_and_no_time_left(app, as_):
    story = a_story(3, channels=("call",), only_phone=3, real={"call": ByHand()})
    story.start(pace=Pace(at_any_hour=True))
    story.work()
    page = shown(as_, story)
    assert "<b>3</b> to be called by somebody of the team" in page
    assert f'href="/incidents/{story.incident.ref}/calls/">Calls by hand' in page
    assert " left" not in page.partition("0 of 3 handed over")[2][:80]


def test_letters_are_named_until_they_are_posted(app, as_, tmp_path):
    post = a_post(tmp_path, 2)
    assert "<b>2</b> whose letter is to be printed" in shown(as_, post)
    batch = post.made()
    page = shown(as_, post)
    assert "whose letter is to be printed" not in page
    assert "<b>1</b> batch of letters to be printed and posted" in page
    post.posted(batch)
    assert "to be printed" not in shown(as_, post)


def test_who_waits_for_a_fit_hour_is_named_with_the_first_hour(app, as_):
    story = a_story(3, only_phone=3)
    story.start()
    story.clock.move(hours=5)  # ten in the evening where they live
    story.work()
    db.session.rollback()
    row = story.row()
    [(channel, held)] = put_off.of(row.id, row.channels, story.clock()).items()
    assert (channel, held.by_hand, held.later) == ("sms", 0, 3)
    assert held.first is not None
    assert timedelta(0) < held.first - story.clock() < timedelta(hours=12)


def test_each_kind_of_waiting_is_counted_by_its_channel(app):
    story = a_story(6, real={"email": Memory("email", answering(Outcome.LATER, "too_many_requests", wait=600))})
    story.start(pace=Pace(at_any_hour=True))
    story.work()
    row, now = story.row(), story.clock()
    for one, due in zip(story.rows(), [None, None, NO_WORKERS_TURN, now + timedelta(hours=1), now, now], strict=True):
        one.due_at = due
    db.session.commit()
    found = put_off.of(row.id, row.channels, now + timedelta(seconds=1))
    assert found == {"email": Waiting(by_hand=1, later=1, first=now + timedelta(hours=1))}
    assert {one.state for one in deliveries.page(row.id, limit=9)} == {State.WAITING}


def test_a_sending_that_was_stopped_says_who_still_has_to_be_told(app, as_):
    story = a_story(4)
    story.start(pace=Pace(canary=1))
    story.work()
    as_(Role.LEAD).post(at(story, f"{story.dispatch}/stop"), data={"typed": "3"})
    page = shown(as_, story)
    assert "Stopped for good: 3 were cancelled. A notice of their own tells them." in page
    assert "1 of 4 handed over · 3 not told" in page


def test_in_a_sending_that_was_stopped_nothing_is_offered_that_would_be_refused(app, as_):
    story = a_story(2, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused"))})
    story.start(pace=Pace(canary=1))
    story.work()
    story.dispatch, refs = story.row().ref, [one.ref for one in story.rows()]
    assert "Try the failed again" in shown(as_, story)
    as_(Role.LEAD).post(at(story, f"{story.dispatch}/stop"), data={"typed": "1"})
    assert "Try the failed again" not in shown(as_, story)
    for ref in refs:
        page = as_(Role.LEAD).get(at(story, f"attempts/{ref}")).get_data(as_text=True)
        assert "Send it again" not in page
        assert "Try the next channel" not in page


def test_nobody_is_offered_to_be_tried_again_whose_message_came_back_for_good(app, as_):
    story = a_story(2)
    story.start(pace=Pace())
    story.work()
    tallies.count(
        story.row().id,
        {Place("email", "en", State.ACCEPTED): -2, Place("email", "en", State.BOUNCED): 2},
        story.clock(),
    )
    db.session.commit()
    for one in story.rows():
        one.state = State.BOUNCED
    db.session.commit()
    assert story.row().counts.bad == 2
    assert "Try the failed again" not in shown(as_, story)
    for one in story.rows():
        one.may_pass = True
    db.session.commit()
    assert "Try the failed again" in shown(as_, story)
