"""Who is claimed by whom: in which order, how many together, and under which number what became of them is written."""

import threading
from datetime import timedelta

import pytest

from incident.actions import sending, settling
from incident.actions.ledger import transaction
from incident.domain import suspects
from incident.domain.deliveries import State
from incident.store import claims
from incident.store.db import db
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import NOW, a_story, answering, email_of

pytestmark = pytest.mark.usefixtures("app")
HOW = {"worker": "test:1", "lease": timedelta(seconds=60)}


def listed(count, **more):
    """A sending to so many people, all of whom wait; everybody's row by number."""
    story = a_story(count, **more)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    return story


def change(story, **of):
    """Rows as they would be after some hours: by the number of the person, what is changed of it."""
    for row in story.rows():
        for name, value in of.get(f"p{row.person_number}", {}).items():
            setattr(row, name, value)
    db.session.commit()


def numbers(found):
    return [[row.person_number for row in held.rows] for held in found]


def test_several_batches_are_filled_one_after_the_other_and_nobody_beyond_them_is_held():
    story = listed(7)
    found = claims.claim_ahead(story.row().id, "email", 2, 3, now=NOW, **HOW)
    assert numbers(found) == [[1, 2], [3, 4], [5, 6]]
    assert story.counts() == {"sending": 6, "waiting": 1}


def test_who_was_never_put_off_goes_first_and_the_others_wait_for_the_next_claim():
    story = listed(4)
    change(story, p4={"due_at": NOW})
    assert numbers(claims.claim_ahead(story.row().id, "email", 2, 2, now=NOW, **HOW)) == [[1, 2], [3]]
    assert story.counts() == {"sending": 3, "waiting": 1}
    assert numbers(claims.claim_ahead(story.row().id, "email", 2, 2, now=NOW, **HOW)) == [[4]]


def test_of_those_who_were_put_off_who_is_overdue_longest_goes_first():
    story = listed(6)
    times = {f"p{n}": {"due_at": NOW - timedelta(minutes=n)} for n in range(2, 7)}
    change(story, **times)
    assert numbers(claims.claim_ahead(story.row().id, "email", 2, 2, now=NOW, **HOW)) == [[1], [4, 5]]


def test_who_was_put_off_is_due_at_that_very_time_by_their_own_channel_and_sending():
    story, other = listed(1), listed(1)
    at = NOW + timedelta(minutes=5)
    change(story, p1={"due_at": at})
    number = story.row().id
    assert not claims.has_due(number, "email", at - timedelta(seconds=1))
    assert claims.has_due(number, "email", at)
    assert not claims.has_due(number, "sms", at)
    assert claims.has_due(other.row().id, "email", NOW)
    assert claims.claim(number, "email", 5, now=at - timedelta(seconds=1), **HOW) is None
    assert numbers([claims.claim(number, "email", 5, now=at, **HOW)]) == [[1]]


@pytest.mark.parametrize("why", ["nobody waits", "it rests"])
def test_a_claim_that_holds_nobody_keeps_nobody_from_writing(why):
    story = listed(1)
    if why == "it rests":
        story.row().course = "paused"
        db.session.commit()
    assert claims.claim(story.row().id, "sms" if why == "nobody waits" else "email", 5, now=NOW, **HOW) is None
    assert not db.session().in_transaction()


def test_nobody_else_writes_between_the_choice_and_the_claim(app, monkeypatch):
    story = listed(2)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("On PostgreSQL others write other rows meanwhile.")
    number, choose, threads = story.row().id, claims._chosen, []

    def write():
        with app.app_context(), transaction("system", NOW) as ledger:
            ledger.write("provider.unmatched", "provider:memory", count=1)

    def chosen(*given, **named):
        found = choose(*given, **named)
        threads.append(threading.Thread(target=write))
        threads[0].start()
        threads[0].join(0.3)
        assert threads[0].is_alive(), "it waits for its turn"
        return found

    monkeypatch.setattr(claims, "_chosen", chosen)
    assert claims.claim(number, "email", 5, now=NOW, **HOW)
    threads[0].join(30)
    assert not threads[0].is_alive()
    assert story.counts() == {"sending": 2}


def test_a_tenth_of_those_whose_worker_died_is_tried_together_however_small_other_claims_are():
    story = listed(41)
    for size in (40, 1):
        assert claims.claim(story.row().id, "email", size, now=NOW, **HOW)
    change(story, p41={"state": State.SENDING.value})
    story.clock.move(seconds=61)
    sending.take_over(story.row(), now=story.clock())
    first = claims.claim(story.row().id, "email", 100, now=story.clock(), **HOW)
    assert len(first.rows) == suspects.company(40) == 4
    assert len({row.person_number <= 40 for row in first.rows}) == 1


# What is written under a claim ----------------------------------------------------------------------------------------


def begun(story, most=100):
    """A worker that has begun a batch."""
    wave = sending.Wave(story.dispatch, story.real, story.clock)
    wave.flows["email"] = sending.Flow(email_of(story))
    held = claims.claim(story.row().id, "email", most, now=story.clock(), provider="memory", **HOW)
    batch = wave._written(story.row(), held)
    assert wave._begin(batch)
    return wave, batch


@pytest.mark.parametrize("sparse", [0, 20], ids=["far apart", "close together"])
def test_a_late_answer_changes_nobody_whom_another_worker_holds_by_now(sparse, monkeypatch):
    monkeypatch.setattr(claims, "SPARSE", sparse)
    story = listed(3)
    wave, batch = begun(story)
    ours = {row.ref: row for row in story.rows()}
    other = claims.DeliveryClaim(
        dispatch_id=story.row().id, channel="email", worker="test:2", state="calling", size=1, provider="memory",
        claimed_at=NOW, lease_until=NOW + timedelta(seconds=60), first_id=1, last_id=1,
    )  # fmt: skip
    db.session.add(other)
    db.session.flush()
    taken = next(row for row in story_rows(ours) if row.person_number == 2)
    taken.claim_id = other.id
    db.session.commit()
    answers = {ref: Answer(ref, Outcome.REFUSED, reason="mailbox_unknown") for ref in batch.asked}
    result = settling.outcome(batch, answers, story.row(), email_of(story), NOW)
    db.session.commit()
    assert len(result.states) == 2
    states = {row.person_number: row.state for row in story.rows()}
    assert states == {1: State.FAILED, 2: State.SENDING, 3: State.FAILED}
    assert wave.flows


def story_rows(rows):
    """The same rows as they are in the session now."""
    return [db.session.merge(row) for row in rows.values()]


def test_in_a_large_batch_each_has_the_outcome_of_their_own():
    refused = answering(Outcome.REFUSED, "mailbox_unknown", to="person7@example.org")
    story = listed(45, real={"email": Memory("email", lambda message: refused(message)._replace(provider_id="same"))})
    story.work()
    assert story.counts() == {"accepted": 44, "failed": 1}
    assert [row.person_number for row in story.rows() if row.state == State.FAILED] == [7]


def test_far_apart_or_close_together_everybody_of_a_batch_is_settled(monkeypatch):
    monkeypatch.setattr(claims, "SPARSE", 0)
    story = listed(3)
    story.work()
    assert story.counts() == {"accepted": 3}
