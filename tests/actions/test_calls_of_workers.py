"""How fast a channel goes by what its answers take, what is heard of a call, and which sendings have something to do."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from incident.actions import finishing, flows, sending, waiting
from incident.actions.flows import AHEAD, FEW, Flow
from incident.actions.hearing import heard
from incident.domain.deliveries import Course
from incident.domain.pace import Pace
from incident.store.claims import Held
from incident.store.db import db
from notifiers.contract import Alike, Answer, Outcome
from notifiers.memory import Memory
from tests.actions.waves import NOW, a_story

pytestmark = pytest.mark.usefixtures("app")


def a_flow(batch=10, calls=8):
    memory = Memory("email", batch=batch)
    memory.calls = calls
    return Flow(memory)


@pytest.mark.parametrize(
    ("answer", "work", "calls"),
    [(0.0, 0.01, 1), (0.01, 0.01, FEW + 1), (0.06, 0.01, 7), (0.051, 0.01, 7), (5.0, 0.01, 8)],
)
def test_one_call_goes_first_and_then_so_many_that_none_is_waited_for(answer, work, calls):
    flow = a_flow()
    flow.answer, flow.work = answer, work
    assert flow.wanted == calls


@pytest.mark.parametrize(
    ("batch", "calls", "at_once"), [(10, 8, 8), (1000, 8, AHEAD // 1000), (AHEAD * 2, 8, 1), (1, 0, 1)]
)
def test_as_many_calls_begin_together_as_hold_some_thousand_people(batch, calls, at_once):
    assert a_flow(batch, calls).at_once == at_once


def test_a_single_odd_answer_changes_little():
    flow = a_flow()
    flow.learn(answer=1.0)
    assert flow.answer == 1.0
    flow.learn(answer=2.0, work=0.011)
    assert (flow.answer, flow.work) == (pytest.approx(1.3), pytest.approx(0.004))
    for _ in range(30):
        flow.learn(work=0.0)
    assert (flow.answer, flow.work) == (pytest.approx(1.3), 0.0005)


def test_the_speed_is_what_all_calls_under_way_do_in_a_second():
    flow = a_flow()
    flow.answer, flow.work, flow.in_flight = 0.9, 0.1, 3
    assert flow.speed(0.0, 10) == 40.0
    assert flow.speed(20.0, 10) == 26.0
    flow.in_flight = -5
    assert flow.speed(0.0, 10) == 10.0
    flow.answer = flow.work = 0.0
    assert flow.speed(0.0, 1) == 1000.0


def test_what_is_allowed_a_second_is_shared_by_those_who_are_at_work(monkeypatch):
    row = SimpleNamespace(pace=Pace(rates={"email": 6.0}))
    monkeypatch.setattr(flows.jobs, "at_work", lambda _: 3)
    assert flows.rate_of(row, "email", a_flow()) == 2.0
    assert flows.rate_of(SimpleNamespace(pace=Pace()), "email", a_flow()) == 0.0


# What is heard of a call ----------------------------------------------------------------------------------------------


def a_batch(*refs, known=None):
    return sending.Batch(Held(7, "email", ()), [SimpleNamespace(ref=ref) for ref in refs], known or {})


def said(answers):
    future = Future()
    future.set_result(answers)
    return future


LOST = {"outcome": Outcome.UNKNOWN, "reason": "answer_lost"}


def test_one_answer_for_exactly_those_who_were_asked_stays_one():
    answer = Alike(["A", "B"], Answer("", Outcome.ACCEPTED, "m-1"))
    assert heard(said(answer), a_batch("A", "B")) is answer


def test_one_answer_for_others_is_taken_for_those_whom_it_names():
    answer = Alike(["A"], Answer("", Outcome.ACCEPTED, "m-1"))
    assert heard(said(answer), a_batch("A", "B")) == {
        "A": Answer("A", Outcome.ACCEPTED, "m-1"),
        "B": Answer("B", **LOST),
    }


def test_what_was_known_before_the_call_stands_beside_its_answers():
    known = {"C": Answer("C", Outcome.REFUSED, reason="no_address")}
    answer = Alike(["A"], Answer("", Outcome.ACCEPTED, "m-1"))
    assert heard(said(answer), a_batch("A", known=known)) == known | {"A": Answer("A", Outcome.ACCEPTED, "m-1")}


def test_of_a_call_that_broke_everybody_s_answer_is_lost_and_the_log_says_which_and_nothing_of_anybody():
    future = Future()
    future.set_exception(TimeoutError("person1@example.org"))
    with capture_logs() as log:
        assert heard(future, a_batch("A")) == {"A": Answer("A", **LOST)}
    assert log == [
        {"event": "sending.call_failed", "log_level": "warning", "channel": "email", "claim": 7, "kind": "TimeoutError"}
    ]


# Which have something to do -------------------------------------------------------------------------------------------


def test_a_sending_is_due_while_somebody_may_be_told_by_a_channel_that_does_not_rest():
    story = a_story(2)
    ref = story.start()
    assert waiting.due(NOW) == [ref]
    while sending.prepare(ref, story.real, now=NOW):
        pass
    assert waiting.due(NOW) == [ref]
    row = story.row()
    row.holds = {"email": {"troubles": 1, "until": NOW.isoformat()}}
    db.session.commit()
    assert waiting.due(NOW) == [ref], "a rest is over at its very end"
    row = story.row()
    row.holds = {"email": {"troubles": 1, "until": NOW.replace(minute=1).isoformat()}}
    db.session.commit()
    assert waiting.due(NOW) == []
    assert waiting.due(NOW.replace(minute=1)) == [ref]


def test_a_sending_of_which_everybody_was_told_is_due_once_more_to_end_and_then_never():
    story = a_story(1)
    ref = story.start()
    sending.work(ref, story.channels, clock=story.clock)
    assert story.row().course == Course.DONE
    assert waiting.due(NOW) == []
    row = story.row()
    row.course, row.finished_at = Course.SENDING, None
    db.session.commit()
    assert waiting.due(NOW) == [ref]
    row = story.row()
    row.sending = 1
    db.session.commit()
    assert waiting.due(NOW) == []
    finishing.finish(ref, now=NOW)
    assert story.row().course == Course.SENDING, "somebody is being told still"


def test_an_end_that_another_worker_found_first_is_written_down_once(monkeypatch):
    story = a_story(1)
    story.start()
    story.work()
    before = story.verbs()
    stale = SimpleNamespace(id=story.row().id, course=Course.SENDING, prepared=True, waiting=0, sending=0)
    monkeypatch.setattr(finishing.dispatches, "anywhere", lambda _: stale)
    finishing.finish(story.dispatch, now=NOW)
    monkeypatch.undo()
    assert story.verbs() == before
