"""Calls by hand: who comes on the list, who makes the call, and what becomes of the delivery."""

from datetime import timedelta

import pytest

from incident.actions import calls, dispatch, reported
from incident.domain.calls import Outcome
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import calls as rows
from incident.store.db import db
from notifiers.by_hand import ByHand
from notifiers.contract import Event, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story

CALLER, OTHER = "U-0CALLER0", "U-0OTHER00"


@pytest.fixture
def story(app):
    """Two people who are reached by telephone alone, in a sending where people make the calls."""
    told = a_story(2, channels=("call",), only_phone=2, real={"call": ByHand()})
    told.start()
    told.work()
    return told


def waiting(story):
    db.session.rollback()
    return [(row.person_number, task.tries) for task, row, _ in rows.page(story.incident.id)]


def take(story, actor=CALLER, at=NOW):
    return calls.take_next(story.incident.ref, actor=actor, now=at)


def say(story, opened, outcome, actor=CALLER, at=NOW, **more):
    return calls.record(story.incident.ref, opened.ref, outcome=outcome, actor=actor, now=at, **more)


def test_whom_a_person_is_to_call_waits_and_no_worker_takes_it(story):
    assert waiting(story) == [(1, 0), (2, 0)]
    assert story.counts() == {"waiting": 2}
    assert story.row().course == "sending"
    story.clock.move(days=300)
    story.work()
    assert story.counts() == {"waiting": 2}
    assert all(row.called_at is None for row in story.rows())


def test_the_caller_sees_name_number_and_the_approved_text_and_that_leaves_a_line(story):
    opened = take(story)
    assert (opened.person, opened.name, opened.phone) == ("P-1", "Person 1", "+4915112345001")
    assert opened.script == "Call Person 1."
    around = dict(opened.around)
    assert "Person 1" in around["opening"]
    assert "Example" in around["voice_mail"]
    assert story.verbs()[-1] == "call.taken"


def test_two_callers_never_get_the_same_person(story):
    assert {take(story).person, take(story, OTHER).person} == {"P-1", "P-2"}
    with pytest.raises(Refused, match="nobody to call"):
        take(story, "U-0THIRD00")
    with pytest.raises(Refused, match="Somebody else"):
        calls.take(story.incident.ref, take(story).ref, actor=OTHER, now=NOW)


def test_a_call_that_somebody_forgot_comes_free_again(story):
    first = take(story)
    later = NOW + timedelta(minutes=21)
    assert calls.take(story.incident.ref, first.ref, actor=OTHER, now=later).ref == first.ref
    with pytest.raises(Refused, match="Somebody else"):
        say(story, first, "told", at=later)


def test_who_was_told_is_confirmed_and_the_sending_ends(story):
    for _ in range(2):
        assert say(story, take(story), "told").is_done
    assert story.counts() == {"confirmed": 2}
    story.work()
    assert story.row().course == "done"
    assert {(row.reason, row.settled_by) for row in story.rows()} == {("told_by_caller", CALLER)}
    assert waiting(story) == []


def test_after_three_tries_the_person_is_not_reached_by_telephone(story):
    at = NOW
    for left in (True, True, False):
        opened = calls.take(story.incident.ref, story.rows()[0].ref, actor=CALLER, now=at)
        then = say(story, opened, "no_answer", at=at)
        assert then.is_done is not left
        at = then.due_at
    assert story.counts() == {"failed": 1, "waiting": 1}
    assert [one.outcome for one in rows.attempts_of([story.rows()[0].id])] == ["no_answer"] * 3
    assert waiting(story) == [(2, 0)]


def test_who_is_not_reached_goes_on_to_the_next_channel_of_the_ladder(app):
    told = a_story(1, channels=("call", "letter"), only_phone=1, real={"call": ByHand(), "letter": Memory("letter")})
    told.start()
    told.work()
    say(told, take(told), "wrong_number")
    [row] = told.rows()
    assert (row.state, row.reason) == ("failed", "wrong_number")
    assert row.climb_at == NOW


@pytest.mark.parametrize("outcome", [word for word in Outcome if word is not Outcome.CALL_BACK])
def test_the_counts_always_add_up(story, outcome):
    say(story, take(story), outcome)
    assert sum(story.counts().values()) == 2


def test_an_agreed_time_is_waited_for(story):
    later = NOW + timedelta(hours=3)
    opened = take(story)
    say(story, opened, "call_back", back_at=later)
    say(story, take(story), "told")
    with pytest.raises(Refused, match="nobody to call"):
        take(story)
    assert take(story, OTHER, at=later).ref == opened.ref
    with pytest.raises(Invalid):
        say(story, opened, "call_back", actor=OTHER, at=later)


def test_nobody_is_taken_where_it_is_night_but_a_person_may_choose_to(story):
    night = NOW + timedelta(hours=9)
    with pytest.raises(Refused, match="nobody to call"):
        take(story, at=night)
    assert calls.take(story.incident.ref, story.rows()[0].ref, actor=CALLER, now=night).person == "P-1"


def test_notes_are_sealed_and_read_again(story):
    opened = take(story)
    say(story, opened, "told", note="Asked for  Ms Sample")
    tried = list(rows.attempts_of([story.rows()[0].id]))
    assert b"Sample" not in tried[0].sealed
    assert calls.notes(story.incident.id, tried) == ["Asked for Ms Sample"]


def test_whoever_did_not_take_the_call_cannot_say_what_became_of_it(story):
    ref = story.rows()[0].ref
    with pytest.raises(Refused, match="Take the call"):
        calls.record(story.incident.ref, ref, outcome="told", actor=CALLER, now=NOW)
    opened = take(story)
    calls.let_go(story.incident.ref, opened.ref, actor=CALLER, now=NOW)
    with pytest.raises(Refused, match="Take the call"):
        say(story, opened, "told")
    assert story.counts() == {"waiting": 2}


def test_the_same_outcome_twice_counts_once(story):
    opened = take(story)
    say(story, opened, "told")
    with pytest.raises(Missing):
        say(story, opened, "told")
    assert story.counts() == {"confirmed": 1, "waiting": 1}


def test_nobody_is_called_while_a_sending_is_paused_stopped_or_all_is_frozen(story):
    opened = take(story)
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    assert waiting(story) == []
    with pytest.raises(Missing):
        calls.take(story.incident.ref, opened.ref, actor=CALLER, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    dispatch.freeze(actor=LEAD, now=NOW)
    with pytest.raises(Refused, match="frozen"):
        calls.take(story.incident.ref, opened.ref, actor=CALLER, now=NOW)


def test_a_stopped_sending_takes_everybody_off_the_list(story):
    dispatch.stop(story.incident.ref, story.dispatch, typed="2", actor=LEAD, now=NOW)
    assert story.counts() == {"cancelled": 2}
    assert waiting(story) == []


def test_the_text_of_another_approval_is_told_to_nobody(story, monkeypatch):
    monkeypatch.setattr(calls, "approved", lambda told: None)
    with pytest.raises(Refused, match="no longer what was approved"):
        take(story)
    assert rows.page(story.incident.id)[0][0].holder == ""


def test_a_rehearsal_puts_nobody_on_the_list(app):
    drill = a_story(1, kind="drill", channels=("call",), only_phone=1, real={"call": ByHand()})
    drill.start()
    drill.work()
    assert drill.counts() == {"simulated": 1}
    assert waiting(drill) == []


def test_who_presses_the_key_for_it_is_called_back_and_confirmed_then(app):
    automatic = Memory("call")
    told = a_story(1, channels=("call",), only_phone=1, real={"call": automatic})
    told.start()
    told.work()
    [row] = told.rows()
    reports = [
        Event("E1", Status.ACCEPTED, row.ref, reason="call_back_wanted"),
        Event("E2", Status.BLOCKED, row.ref, reason="no_key_pressed"),
    ]
    for _ in range(2):
        reported.take_in("memory", "call", reports, now=NOW)
    assert told.counts() == {"bounced": 1}
    [(task, _, _)] = rows.page(told.incident.id)
    assert (task.why, task.is_open) == ("call_back", True)
    assert say(told, take(told), "told").is_done
    assert told.counts() == {"confirmed": 1}
    assert waiting(told) == []


def test_the_person_of_another_incident_is_not_found(story):
    elsewhere = a_story(1, channels=("call",), only_phone=1, real={"call": ByHand()})
    with pytest.raises(Missing):
        calls.take(elsewhere.incident.ref, story.rows()[0].ref, actor=CALLER, now=NOW)
    with pytest.raises(Missing):
        calls.take("INC-2026-9999", story.rows()[0].ref, actor=CALLER, now=NOW)
