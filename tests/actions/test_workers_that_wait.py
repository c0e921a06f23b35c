"""What workers of one sending wait for on PostgreSQL, where several write at once; SQLite has one writer at a time."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from incident.actions import sending
from incident.domain.deliveries import Pace
from incident.store import claims, dispatches
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from tests.actions.test_sending_workers import another_worker, claimed, impatient
from tests.actions.waves import NOW, a_story, email_of

pytestmark = pytest.mark.usefixtures("app")
HOW = {"worker": "test:1", "lease": timedelta(seconds=60), "now": NOW}


@pytest.fixture(autouse=True)
def several_write_at_once(app):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")


@contextmanager
def impatiently():
    """Whoever would wait for somebody fails instead."""
    event.listen(db.engine, "begin", impatient)
    try:
        with pytest.raises(OperationalError):
            yield
    finally:
        event.remove(db.engine, "begin", impatient)
        db.session.rollback()


def test_nobody_is_claimed_while_somebody_changes_the_course_of_the_sending():
    story = a_story(2)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    number = story.row().id
    db.session.remove()
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:part)"), {"part": dispatches.PARTS + number})
        with impatiently():
            claims.claim(number, "email", 2, **HOW)
        other.rollback()
    assert story.counts() == {"waiting": 2}
    assert len(claims.claim(number, "email", 2, **HOW).rows) == 2


def test_of_the_first_few_nobody_is_claimed_while_another_worker_claims_some_of_them():
    story = a_story(5)
    story.start(pace=Pace(canary=3))
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    with another_worker(story, 0), impatiently():
        claims.claim_ahead(story.row().id, "email", 3, 1, canary=3, **HOW)
    assert story.counts() == {"waiting": 5}


def test_two_workers_that_settle_at_the_same_time_count_everybody(app, monkeypatch):
    story = a_story(4)
    story.start()
    begun = []
    for held in (claimed(story, 2), claimed(story, 2)):
        wave = sending.Wave(story.dispatch, story.real, story.clock)
        wave.flows["email"] = sending.Flow(email_of(story))
        batch = wave._written(story.row(), held)
        assert wave._begin(batch)
        begun.append((wave, batch, {ref: Answer(ref, Outcome.ACCEPTED, "p-1") for ref in batch.asked}))
    (first, *ours), (second, *theirs) = begun
    settle, threads = sending.Wave._settled_rows, []

    def other():
        with app.app_context():
            second._settle(*theirs, second.flows["email"])
            db.session.remove()

    def meanwhile(wave, *given):
        if not threads:
            threads.append(threading.Thread(target=other))
            threads[0].start()
            threads[0].join(30)
            assert not threads[0].is_alive()
        return settle(wave, *given)

    monkeypatch.setattr(sending.Wave, "_settled_rows", meanwhile)
    first._settle(*ours, first.flows["email"])
    assert story.counts() == {"accepted": 4}
