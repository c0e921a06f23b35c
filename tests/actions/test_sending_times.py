"""A notice that goes out at its approved time, and the freeze, under which no time comes."""

from datetime import timedelta

import pytest

from incident.actions import dispatch, people, sending
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.store import dispatches
from incident.store.db import db
from tests.actions.waves import LEAD, NOW, a_story, email_of
from tests.builders import notice_row

pytestmark = pytest.mark.usefixtures("app")


def test_while_sending_is_frozen_nothing_starts_and_nothing_goes_out():
    story = a_story(2)
    story.start()
    dispatch.freeze(actor=LEAD, now=NOW)
    story.work()
    assert email_of(story).sent == []
    other = a_story(1)
    with pytest.raises(Refused, match="frozen"):
        other.start()
    dispatch.release(actor=LEAD, now=NOW)
    story.work()
    assert story.counts() == {"accepted": 2}


def test_the_freeze_is_kept_in_the_database():
    assert not dispatches.frozen()
    dispatch.freeze(actor=LEAD, now=NOW)
    db.session.expire_all()
    assert dispatches.frozen()


def test_a_notice_goes_out_at_its_time_and_not_before():
    story = a_story(2)
    notice_row(story.incident, story.notice).send_at = NOW + timedelta(hours=1)
    db.session.commit()
    assert sending.scheduled(NOW) == []
    with pytest.raises(Refused, match="later time"):
        story.start()
    story.clock.move(hours=2)
    assert sending.scheduled(story.clock()) == [story.notice]
    sending.start_scheduled(story.notice, only_sandbox=False, now=story.clock())
    assert sending.scheduled(story.clock()) == []
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2}


def test_what_was_only_rehearsed_at_its_time_does_not_go_out_by_itself_once_a_provider_is_set():
    story = a_story(1, real={})
    notice_row(story.incident, story.notice).send_at = NOW
    db.session.commit()
    sending.start_scheduled(story.notice, only_sandbox=True, now=NOW)
    assert sending.scheduled(NOW + timedelta(days=3)) == []


def test_while_sending_is_frozen_no_time_comes():
    story = a_story(1)
    notice_row(story.incident, story.notice).send_at = NOW
    db.session.commit()
    dispatch.freeze(actor=LEAD, now=NOW)
    assert sending.scheduled(NOW) == []


def test_a_start_that_is_refused_at_its_time_is_tried_once_and_then_shown_to_a_person(as_):
    story = a_story(2)
    notice_row(story.incident, story.notice).send_at = NOW
    db.session.commit()
    late = {"name": "Late", "email": "late@example.org", "place": "DE", "exposed": "email"}
    people.add(story.incident.ref, late, actor=LEAD, now=NOW)
    assert sending.scheduled(NOW) == [story.notice]
    sending.start_scheduled(story.notice, only_sandbox=False, now=NOW)
    assert sending.scheduled(NOW + timedelta(days=9)) == []
    assert story.verbs().count("dispatch.not_started") == 1
    page = as_(Role.LEAD).get(f"/incidents/{story.incident.ref}/notices/{story.notice}").get_data(as_text=True)
    assert "It did not go out" in page
    assert "The people this goes to changed after it was approved" in page
    listed = as_(Role.LEAD).get(f"/incidents/{story.incident.ref}/notices/").get_data(as_text=True)
    assert "did not go out" in listed
    assert email_of(story).sent == []


def test_a_start_that_is_refused_because_all_is_frozen_is_tried_again_after_the_release():
    story = a_story(1)
    notice_row(story.incident, story.notice).send_at = NOW
    db.session.commit()
    dispatch.freeze(actor=LEAD, now=NOW)
    sending.start_scheduled(story.notice, only_sandbox=False, now=NOW)
    dispatch.release(actor=LEAD, now=NOW)
    assert sending.scheduled(NOW) == [story.notice]
