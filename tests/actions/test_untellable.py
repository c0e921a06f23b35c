"""Whoever was erased or taken off the list while they waited is cancelled, and is no loose end for anybody."""

from pathlib import Path

import pytest

from incident.actions import climbing, dispatch, erasing, people, reported, sending
from incident.domain.deliveries import Course
from incident.domain.pace import Pace
from incident.store import loose_ends, standings
from notifiers.contract import Event, Status
from notifiers.memory import Memory
from tests.actions.test_climbing import a_climb
from tests.actions.waves import LEAD, NOW, a_story, email_of

pytestmark = pytest.mark.usefixtures("app")


def erase(story, number):
    person = f"P-{number}"
    erasing.erase_person(story.incident.ref, person, folder=Path(), actor=LEAD, now=story.clock())


def fate(story, number):
    [row] = [row for row in story.rows() if row.person_number == number and row.current]
    return row.state, row.reason, row.owner


def loose(story):
    return (
        loose_ends.of([story.row().id])[story.row().id].unowned + standings.counted(story.incident.id).in_nobodys_care
    )


def paused(count=4):
    story = a_story(count)
    story.start(pace=Pace(canary=1))
    story.work()
    assert story.counts() == {"accepted": 1, "waiting": count - 1}
    return story


def test_whoever_is_erased_while_they_wait_is_cancelled_at_once():
    story = paused()
    erase(story, 3)
    assert fate(story, 3) == ("cancelled", "erased", "system")
    assert story.counts() == {"accepted": 1, "waiting": 2, "cancelled": 1}
    assert "deliveries.cancelled" in story.verbs()
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    story.work()
    assert story.counts() == {"accepted": 3, "cancelled": 1}
    assert (story.row().course, loose(story)) == (Course.DONE, 0)


def test_whoever_is_erased_between_claim_and_writing_is_cancelled(monkeypatch):
    story = a_story(3)
    story.start()
    claim = sending.claims.claim_ahead

    def claimed(*given, **how):
        found = claim(*given, **how)
        monkeypatch.setattr(sending.claims, "claim_ahead", claim)
        erase(story, 2)
        return found

    monkeypatch.setattr(sending.claims, "claim_ahead", claimed)
    story.work()
    assert fate(story, 2) == ("cancelled", "erased", "system")
    assert story.counts() == {"accepted": 2, "cancelled": 1}
    assert (len(email_of(story).sent), loose(story)) == (2, 0)


def test_whoever_is_taken_off_the_list_is_nobodys_loose_end():
    story = paused()
    people.remove(story.incident.ref, "P-2", actor=LEAD, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    story.work()
    assert fate(story, 2) == ("cancelled", "taken_off", "system")
    assert loose(story) == 0


def test_what_became_of_somebody_stays_when_they_are_erased_and_the_ladder_leaves_them_alone():
    story = a_climb(2, email=Memory("email"), sms=Memory("sms"))
    story.start()
    story.work()
    first = next(row for row in story.rows() if row.person_number == 1)
    erase(story, 1)
    bounce = Event("b-1", Status.BOUNCED, first.ref, at=NOW)
    reported.take_in("memory", "email", [bounce], now=NOW)
    story.work()
    assert fate(story, 1)[0] == "bounced"
    assert loose(story) == 0
    assert story.real["sms"].sent == []
    assert climbing.due(story.clock()) == []


def test_erasing_an_incident_ends_its_sendings_and_leaves_nobody_to_look_after(tmp_path):
    story = paused()
    erasing.erase_incident(story.incident.ref, confirm=story.incident.ref, folder=tmp_path, actor=LEAD, now=NOW)
    assert story.counts() == {"accepted": 1, "cancelled": 3}
    assert {fate(story, number) for number in (2, 3, 4)} == {("cancelled", "erased", "system")}
    assert (story.row().course, loose(story)) == (Course.STOPPED, 0)
    assert story.verbs()[-1] == "dispatch.erased"
    story.work()
