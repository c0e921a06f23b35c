"""Texts and calls wait until it is day where somebody lives, and nothing else does."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident.actions import notices, people, preparing, quieting, sending
from incident.domain.deliveries import State
from incident.domain.hours import Day
from incident.domain.pace import Pace
from incident.store import claims
from incident.store import notices as notice_rows
from incident.store.audit import AuditLine
from incident.store.db import db
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story, Ticking
from tests.builders import WHO_WRITES, a_notice, an_incident, notice_row

pytestmark = pytest.mark.usefixtures("app")

NIGHT = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)  # Friday 23:30 in Berlin, Saturday 07:30 in Tokyo
BERLIN = datetime(2026, 3, 7, 8, 0, tzinfo=UTC)
TOKYO = datetime(2026, 3, 7, 0, 0, tzinfo=UTC)


def a_night(*places, channel="sms", pace=None, kind="incident", at=NIGHT):
    """An approved text to somebody in each of these places, at this hour."""
    incident = an_incident(kind=kind, now=NOW)
    for number, place in enumerate(places):
        given = {"name": f"Person {number}", "place": place, "phone": f"+49151123450{number:02}", "exposed": "email"}
        people.add(incident.ref, {key: value for key, value in given.items() if value}, actor=LEAD, now=NOW)
    ref = a_notice(incident, channels=(channel, "email"), stage="submitted", now=NOW)
    version = notice_rows.version(notice_row(incident, ref).id, 1)
    notices.approve(
        incident.ref,
        ref,
        digest=version.digest,
        people=str(version.people),
        house=WHO_WRITES,
        actor="U-0APPROV0",
        now=NOW,
        pace=pace,
    )
    return Story(incident, ref, Ticking(at), {"sms": Memory("sms"), "call": Memory("call"), "email": Memory("email")})


def listed(story):
    """Everybody on the list, and when each is due."""
    while preparing.prepare(story.dispatch, story.channels.open(simulated=story.row().simulated), now=story.clock()):
        pass
    return {row.person_number: row.due_at for row in story.rows()}


@pytest.mark.parametrize("channel", ["sms", "call"])
def test_who_would_be_disturbed_waits_until_the_night_ends_where_they_live(channel):
    story = a_night("DE", "JP", "AR", "", channel=channel)
    story.start()
    assert listed(story) == {1: BERLIN, 2: TOKYO, 3: None, 4: None}


def test_e_mail_waits_for_nothing():
    story = a_night("DE")
    given = {"name": "Bo", "email": "bo@example.org", "place": "DE", "exposed": "email"}
    people.add(story.incident.ref, given, actor=LEAD, now=NOW)
    ref = a_notice(story.incident, channels=("email",), stage="approved", now=NOW)
    other = Story(story.incident, ref, Ticking(NIGHT), {"email": Memory("email")})
    other.start()
    assert set(listed(other).values()) == {None}


def test_what_was_approved_as_urgent_goes_at_any_hour_and_the_record_says_so():
    story = a_night("DE", pace=Pace(at_any_hour=True))
    story.start()
    assert listed(story) == {1: None}
    assert story.row().at_any_hour
    [line] = [line for line in story_lines() if line.verb == "notice.approved"]
    assert json.loads(line.details)["at_any_hour"] is True


def story_lines():
    return db.session.scalars(db.select(AuditLine).order_by(AuditLine.seq)).all()


def test_whoever_starts_cannot_make_it_urgent():
    story = a_night("DE", pace=Pace())
    story.start(pace=Pace(at_any_hour=True))
    assert listed(story) == {1: BERLIN}


def test_a_rehearsal_disturbs_nobody_and_waits_for_nothing():
    story = a_night("DE", kind="drill")
    story.start()
    assert listed(story) == {1: None}


def a_claim(story, at):
    return claims.claim(story.row().id, "sms", 10, worker="w", lease=timedelta(seconds=60), now=at)


def test_for_whom_it_became_night_meanwhile_goes_back_to_waiting():
    story = a_night("DE", "AR", at=NOW)
    story.start()
    assert set(listed(story).values()) == {None}
    held = a_claim(story, NIGHT)
    left = quieting.awake(story.row(), held, NIGHT)
    assert [member.person_number for member in left.rows] == [2]
    assert {row.person_number: (row.state, row.due_at) for row in story.rows()} == {
        1: (State.WAITING, BERLIN),
        2: (State.SENDING, None),
    }
    assert story.counts() == {"waiting": 1, "sending": 1}
    assert story.verbs()[-1] == "deliveries.put_off"


def test_a_batch_in_which_everybody_sleeps_is_given_back_whole():
    story = a_night("DE", "FR", at=NOW)
    story.start()
    listed(story)
    held = a_claim(story, NIGHT)
    assert quieting.awake(story.row(), held, NIGHT) is None
    assert story.counts() == {"waiting": 2}
    assert a_claim(story, NIGHT) is None
    again = a_claim(story, BERLIN)
    assert len(again.rows) == 2
    assert quieting.awake(story.row(), again, BERLIN) is again


def test_a_claim_that_was_taken_away_puts_nothing_back():
    story = a_night("DE", at=NOW)
    story.start()
    listed(story)
    held = a_claim(story, NIGHT)
    assert quieting.awake(story.row(), held, NIGHT + timedelta(minutes=2)) is None
    assert story.counts() == {"sending": 1}


def test_in_the_end_everybody_is_told_once_each_in_their_own_day():
    story = a_night("DE", "JP", "AR", at=NOW)
    story.start()
    listed(story)
    story.clock.at = NIGHT
    story.work()
    assert len(story.real["sms"].sent) == 1
    assert sending.due(NIGHT) == []
    story.clock.at = TOKYO
    story.work()
    assert len(story.real["sms"].sent) == 2
    story.clock.at = BERLIN
    story.work()
    assert len(story.real["sms"].sent) == 3
    assert story.counts() == {"accepted": 3}


def test_where_many_sleep_the_database_is_not_asked_every_second_and_the_morning_is_not_missed(monkeypatch):
    story = a_night("DE", "FR", "DE")
    monkeypatch.setattr(quieting, "MANY", 2)
    monkeypatch.setattr(quieting, "_next_look", {})
    story.start()
    listed(story)
    assert sending.due(NIGHT) == []
    assert not quieting.is_worth_a_look(story.row(), "sms", NIGHT + timedelta(seconds=29))
    assert quieting.is_worth_a_look(story.row(), "sms", NIGHT + timedelta(seconds=30))
    assert quieting.is_worth_a_look(story.row(), "email", NIGHT)
    story.clock.at = BERLIN
    story.work()
    assert story.counts() == {"accepted": 3}


def test_the_hours_are_those_that_were_approved_and_whoever_starts_cannot_change_them():
    story = a_night("DE", pace=Pace(day=Day(7, 23, 12)))
    story.start(pace=Pace(day=Day(0, 24, 0)))
    assert listed(story) == {1: BERLIN - timedelta(hours=2)}
    assert story.row().pace.day == Day(7, 23, 12)
    [line] = [line for line in story_lines() if line.verb == "notice.approved"]
    assert json.loads(line.details)["hours"] == {"begins": 7, "until": 23, "sunday": 12}
