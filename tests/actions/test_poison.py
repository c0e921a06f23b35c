"""A record that kills the worker itself is found by ever smaller batches, set aside with an owner, and keeps nobody else back."""

from datetime import timedelta

import pytest

from incident.actions import dispatch, flows, sending
from incident.domain import suspects
from incident.domain.deliveries import Course, State
from incident.store import claims
from notifiers.contract import Outcome
from tests.actions.waves import LEAD, a_story, answering, email_of

pytestmark = pytest.mark.usefixtures("app")
POISON = 17


class Killed(BaseException):
    """As if the process were gone: nothing catches it, and nothing after it runs."""


def work_until_killed(story, monkeypatch, kills=(POISON,)):
    """One process: it works until it meets such a record, and then leaves everything as a killed one does."""
    write, give_back = sending.written, sending.Wave._return_ready

    def deadly(draft):
        if any(member.person_number in kills for member in draft.held.rows):
            monkeypatch.setattr(sending.Wave, "_return_ready", lambda wave: None)
            raise Killed
        return write(draft)

    monkeypatch.setattr(sending, "written", deadly)
    try:
        story.work()
    except Killed:
        return True
    finally:
        monkeypatch.setattr(sending, "written", write)
        monkeypatch.setattr(sending.Wave, "_return_ready", give_back)
    return False


def work_with_deaths(story, monkeypatch, kills=(POISON,)):
    """Process after process, each a lease later, until one survives; how many died."""
    deaths = 0
    while work_until_killed(story, monkeypatch, kills):
        deaths += 1
        assert deaths < 20, "it is claimed for ever"
        story.clock.move(seconds=61)
    return deaths


@pytest.mark.parametrize("batch", [100, 10, 1])
def test_it_is_set_aside_and_everybody_else_is_told_once(batch, monkeypatch):
    story = a_story(30)
    email_of(story).batch = batch
    story.start()
    deaths = work_with_deaths(story, monkeypatch)
    assert deaths <= 6
    assert story.counts() == {"accepted": 29, "failed": 1}
    told = [message.to for message in email_of(story).sent]
    assert (len(told), len(set(told))) == (29, 29)
    [aside] = [row for row in story.rows() if row.state == State.FAILED]
    assert (aside.person_number, aside.reason, aside.owner) == (POISON, suspects.POISON, LEAD)
    assert (aside.called_at, aside.climb_at) == (None, None)
    assert story.verbs().count("deliveries.set_aside") == 1


def test_two_such_records_are_both_found(monkeypatch):
    story = a_story(24)
    email_of(story).batch = 10
    story.start()
    work_with_deaths(story, monkeypatch, kills=(3, 4))
    assert story.counts() == {"accepted": 22, "failed": 2}
    assert {row.person_number for row in story.rows() if row.state == State.FAILED} == {3, 4}


def test_everybody_who_is_not_suspected_goes_first(monkeypatch):
    story = a_story(30)
    email_of(story).batch = email_of(story).calls = 1
    monkeypatch.setattr(flows, "AHEAD", 1)
    story.start()
    assert work_until_killed(story, monkeypatch, kills=(2,))
    story.clock.move(seconds=61)
    assert work_until_killed(story, monkeypatch, kills=(2,))
    assert story.counts() == {"accepted": 29, "sending": 1}


def test_who_was_alone_twice_when_the_worker_was_stopped_from_outside_is_still_told():
    story = a_story(1)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=story.clock()):
        pass
    for _ in range(suspects.TRIES_ALONE):  # the first death proves nothing
        assert claims.claim(story.row().id, "email", 9, worker="t", lease=timedelta(seconds=60), now=story.clock())
        story.clock.move(seconds=61)
        sending.take_over(story.row(), now=story.clock())
    story.work()
    assert story.counts() == {"accepted": 1}


def test_a_pause_does_not_mix_suspects_with_others_again(monkeypatch):
    story = a_story(30)
    email_of(story).batch = 10
    monkeypatch.setattr(flows, "AHEAD", 1)
    story.start()
    assert work_until_killed(story, monkeypatch)
    story.clock.move(seconds=61)
    sending.take_over(story.row(), now=story.clock())
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=story.clock())
    first = claims.claim(story.row().id, "email", 50, worker="t", lease=timedelta(seconds=60), now=story.clock())
    assert POISON not in {member.person_number for member in first.rows}
    second = claims.claim(story.row().id, "email", 50, worker="t", lease=timedelta(seconds=60), now=story.clock())
    assert len(second.rows) == 1


def test_whoever_goes_out_with_the_next_tenth_is_judged_by_the_answer_like_all_others(monkeypatch):
    story = a_story(12)
    email_of(story).batch = 10
    email_of(story).answer = answering(Outcome.REFUSED, "mailbox_unknown", to="person5@example.org")
    story.start()
    work_with_deaths(story, monkeypatch, kills=(9,))
    reasons = {row.person_number: row.reason for row in story.rows() if row.state == State.FAILED}
    assert reasons == {5: "mailbox_unknown", 9: suspects.POISON}
    assert story.row().course == Course.DONE
