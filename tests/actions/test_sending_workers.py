"""Workers of a sending that die, that come back too late, and two at once: each batch is handed over once or is in doubt."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from incident.actions import dispatch, sending
from incident.domain.deliveries import Course, Pace
from incident.store import claims, dispatches
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of

pytestmark = pytest.mark.usefixtures("app")


def claimed(story, most=2):
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    held = claims.claim(story.row().id, "email", most, worker="test:1", lease=timedelta(seconds=60), now=story.clock())
    assert held is not None
    return held


def test_what_a_dead_worker_had_only_claimed_goes_back_and_is_sent_once():
    story = a_story(3)
    story.start()
    claimed(story)
    assert story.counts() == {"sending": 2, "waiting": 1}
    story.work()
    assert len(email_of(story).sent) == 1  # the others are still held
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"accepted": 3}
    assert len({message.to for message in email_of(story).sent}) == len(email_of(story).sent) == 3


def test_workers_that_saw_the_same_room_for_the_first_few_fill_it_once():
    story = a_story(9)
    story.start(pace=Pace(canary=4))
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    how = {"worker": "test:1", "lease": timedelta(seconds=60), "now": NOW, "canary": 4}
    found = [claims.claim(story.row().id, "email", 3, **how) for _ in range(3)]
    assert [len(held.rows) if held else 0 for held in found] == [3, 1, 0]
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    assert story.row().canary == 4, "a pause for another reason is not the look"


def test_whoever_did_not_hear_that_the_first_look_was_taken_claims_all_the_same():
    story = a_story(3)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    how = {"worker": "test:1", "lease": timedelta(seconds=60), "now": NOW, "canary": 1}
    held = claims.claim(story.row().id, "email", 3, **how)
    assert held is not None
    assert len(held.rows) == 3


def test_what_a_dead_worker_had_begun_to_hand_over_is_in_doubt():
    story = a_story(3)
    story.start()
    held = claimed(story)
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"in_doubt": 2, "accepted": 1}
    assert [message.to for message in email_of(story).sent] == ["person3@example.org"]
    assert "deliveries.in_doubt" in story.verbs()


def test_a_worker_that_slept_past_its_lease_hands_over_nothing():
    story = a_story(2)
    story.start()
    held = claimed(story)
    sleeper = sending.Wave(story.dispatch, story.real, story.clock)
    batch = sleeper._written(story.row(), held)
    story.clock.move(seconds=61)
    story.work()  # another worker takes over and sends
    assert len(email_of(story).sent) == 2
    assert not sleeper._begin(batch)
    assert story.counts() == {"accepted": 2}


def test_an_answer_that_comes_after_the_take_over_is_still_evidence():
    story = a_story(2)
    story.start()
    held = claimed(story)
    sleeper = sending.Wave(story.dispatch, story.real, story.clock)
    sleeper.flows["email"] = sending.Flow(email_of(story))
    batch = sleeper._written(story.row(), held)
    assert sleeper._begin(batch)
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"in_doubt": 2}
    answers = {message.ref: Answer(message.ref, Outcome.ACCEPTED, "late") for message in batch.to_send}
    sleeper._settle(batch, answers, sleeper.flows["email"])
    assert story.counts() == {"accepted": 2}


def test_two_workers_never_hold_the_same_rows():
    story = a_story(4)
    story.start()
    first, second = claimed(story, 3), claimed(story, 3)
    assert {row.id for row in first.rows}.isdisjoint({row.id for row in second.rows})
    assert (len(first.rows), len(second.rows)) == (3, 1)
    assert first.fence != second.fence


def test_what_was_under_way_when_it_was_stopped_does_not_wait_for_ever():
    story = a_story(3)
    story.start()
    claimed(story, 1)
    held = claimed(story, 1)
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    assert dispatch.stop(story.incident.ref, story.dispatch, typed="2", actor=LEAD, now=NOW) == 2
    answers = {message.ref: Answer(message.ref, Outcome.LATER, reason="server_says_later") for message in batch.to_send}
    wave._settle(batch, answers, wave.flows["email"])
    story.clock.move(seconds=61)
    story.work()
    assert story.counts() == {"cancelled": 3}


def test_two_workers_at_once_tell_everybody_once(app):
    story = a_story(40)
    memory = email_of(story)
    memory.batch = 3
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    db.session.remove()

    def work():
        with app.app_context():
            sending.work(story.dispatch, story.channels, clock=story.clock)
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    story.work()
    told = [message.to for message in memory.sent]
    assert (len(told), len(set(told))) == (40, 40)
    assert story.counts() == {"accepted": 40}
    assert story.row().course == Course.DONE


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_what_was_claimed_and_not_begun_is_not_said_to_be_sent_once_somebody_pauses_or_stops_it(how):
    story = a_story(5)
    story.start()
    first, second = claimed(story, 2), claimed(story, 2)
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    begun, late = (wave._written(story.row(), held) for held in (first, second))
    assert wave._begin(begun)
    if how == "pause":
        dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
        assert story.counts() == {"sending": 2, "waiting": 3}
    else:
        assert dispatch.stop(story.incident.ref, story.dispatch, typed="3", actor=LEAD, now=NOW) == 3
        assert story.counts() == {"sending": 2, "cancelled": 3}
    assert story.verbs().count("deliveries.returned") == 1
    assert not wave._begin(late)  # whoever held it hands over nothing, not even after "go on"
    if how == "pause":
        dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
        assert not wave._begin(late)
    assert email_of(story).sent == []


def test_a_halt_by_itself_gives_back_what_others_hold_and_the_counts_stay_true():
    story = a_story(12, real={"email": Memory("email", answer=answering(Outcome.STOP, "credentials_refused"))})
    email_of(story).batch = 3
    story.start()
    claimed(story, 4)  # by another worker, which has not begun it
    story.work()
    assert story.row().course == Course.PAUSED
    assert story.counts() == {"waiting": 12}


def test_a_freeze_gives_back_what_was_not_begun_in_every_sending():
    story = a_story(3)
    story.start()
    claimed(story, 2)
    dispatch.freeze(actor=LEAD, now=NOW)
    assert story.counts() == {"waiting": 3}


@contextmanager
def another_worker(story, most):
    """Another worker in the middle of claiming: it shares the sending, and has chosen the next so many rows."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    part, number = dispatches.PARTS + story.row().id, story.row().id
    db.session.remove()
    chosen = "SELECT id FROM delivery WHERE dispatch_id = :number ORDER BY id LIMIT :most FOR NO KEY UPDATE"
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock_shared(:part)"), {"part": part})
        yield set(other.scalars(text(chosen), {"number": number, "most": most}))
        other.rollback()


def impatient(connection, _branch=None):
    """Whoever waits for a lock that is held here waits for ever: better an error."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")


def test_a_worker_claims_others_while_another_one_is_still_claiming():
    story = a_story(5)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    with another_worker(story, 2) as chosen:
        event.listen(db.engine, "begin", impatient)
        try:
            held = claimed(story, 5)
        finally:
            event.remove(db.engine, "begin", impatient)
    assert len(chosen) == 2
    assert len(held.rows) == 3
    assert chosen.isdisjoint({row.id for row in held.rows})
    assert {row.id for row in claimed(story, 5).rows} == chosen  # that one died: nobody is passed over for good
    assert story.counts() == {"sending": 5}


def test_a_worker_begins_and_settles_while_another_one_is_still_claiming():
    story = a_story(4)
    story.start()
    held = claimed(story, 2)
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    with another_worker(story, 0):
        event.listen(db.engine, "begin", impatient)
        try:
            batch = wave._written(story.row(), held)
            assert wave._begin(batch)
            wave._settle(batch, {ref: Answer(ref, Outcome.ACCEPTED, "p-1") for ref in batch.asked}, wave.flows["email"])
        finally:
            event.remove(db.engine, "begin", impatient)
    assert story.counts() == {"accepted": 2, "waiting": 2}


@pytest.mark.parametrize("what", ["pause", "halt"])
def test_whoever_changes_the_course_of_a_sending_waits_for_every_worker(what):
    story = a_story(4)
    story.start()
    held = claimed(story, 2)
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    refused = {ref: Answer(ref, Outcome.STOP, reason="credentials_refused") for ref in batch.asked}
    pause = partial(dispatch.pause, story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    changed = pause if what == "pause" else partial(wave._move, [(batch, refused)], [])
    with another_worker(story, 0):
        event.listen(db.engine, "begin", impatient)
        try:
            with pytest.raises(OperationalError):
                changed()
        finally:
            event.remove(db.engine, "begin", impatient)
    assert story.row().course == Course.SENDING
    assert story.counts() == {"sending": 2, "waiting": 2}
    wave._move([(batch, refused)], [])
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, "credentials_refused")
    assert story.counts() == {"waiting": 4}
