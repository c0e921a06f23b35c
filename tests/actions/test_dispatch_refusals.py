"""What a sending refuses to begin, to go on with and to end; and what other machines hear of at once."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from incident.actions import dispatch, ledger, sending
from incident.domain.deliveries import Course
from incident.domain.errors import Missing, Refused
from incident.store.db import db
from tests.actions.waves import LEAD, NOW, a_story, email_of
from tests.builders import notice_row

pytestmark = pytest.mark.usefixtures("app")
BY = {"actor": LEAD, "now": NOW}


def version_of(story):
    return dispatch.approved_version(story.notice)


def test_a_notice_to_nobody_does_not_begin():
    story = a_story(1)
    version_of(story).people = 0
    db.session.commit()
    with pytest.raises(Refused, match="nobody in this audience"):
        story.start()
    assert "dispatch.started" not in story.verbs()


@pytest.mark.parametrize(("late", "begins"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_a_notice_with_a_time_begins_at_that_very_time(late, begins):
    story = a_story(1)
    notice_row(story.incident, story.notice).send_at = NOW + late
    db.session.commit()
    if not begins:
        with pytest.raises(Refused, match="at a later time"):
            story.start()
        return
    story.start()
    story.work()
    assert story.counts() == {"accepted": 1}


def test_while_all_is_frozen_nothing_that_was_paused_goes_on():
    story = a_story(1)
    story.start()
    dispatch.pause(story.incident.ref, story.dispatch, **BY)
    dispatch.freeze(**BY)
    with pytest.raises(Refused, match="frozen"):
        dispatch.go_on(story.incident.ref, story.dispatch, **BY)
    assert story.row().course == Course.PAUSED


def test_what_is_done_does_not_go_on():
    story = a_story(1)
    story.start()
    story.work()
    with pytest.raises(Refused, match="Nothing is left"):
        dispatch.go_on(story.incident.ref, story.dispatch, **BY)


def test_what_starts_and_what_goes_on_is_told_to_other_machines_at_once(monkeypatch):
    told = []
    monkeypatch.setattr(ledger.jobs, "defer_if_anybody_works", lambda wanted: told.extend(map(tuple, wanted)))
    story = a_story(1)
    told.clear()
    story.start()
    assert told == [("sending", story.dispatch)]
    dispatch.pause(story.incident.ref, story.dispatch, **BY)
    told.clear()
    dispatch.go_on(story.incident.ref, story.dispatch, **BY)
    assert told == [("sending", story.dispatch)]


def test_a_rehearsal_may_be_stopped_while_its_list_is_made():
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    assert dispatch.stop(story.incident.ref, story.dispatch, typed="0", **BY) == 0
    assert story.row().course == Course.STOPPED


def test_what_is_stopped_stands_by_counts_that_are_true_or_not_at_all():
    story = a_story(3)
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    db.session.execute(text("UPDATE delivery SET state = 'failed' WHERE id = 1"))
    db.session.commit()
    with pytest.raises(RuntimeError, match="tocsin check"):
        dispatch.stop(story.incident.ref, story.dispatch, typed="3", **BY)
    assert story.row().course == Course.SENDING
    assert [row.state for row in story.rows()] == ["failed", "waiting", "waiting"]


def test_of_a_rehearsal_nothing_is_sent_again():
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    while sending.prepare(story.dispatch, story.channels.sandbox, now=NOW):
        pass
    db.session.execute(text("UPDATE person SET sealed = :garbage WHERE number = 1"), {"garbage": b"garbage"})
    db.session.commit()
    story.work()
    assert story.counts() == {"failed": 1, "simulated": 1}
    with pytest.raises(Refused, match="nobody here"):
        dispatch.repeat_failed(story.incident.ref, story.dispatch, **BY)


def test_a_real_incident_pretends_nothing_and_a_rehearsal_takes_no_attempt():
    story = a_story(1)
    story.start()
    row = story.row()
    assert (row.life, row.first_attempt, row.fell_out) == ({}, 1, None)
    assert email_of(story).sent == []


@pytest.mark.parametrize("act", [dispatch.pause, dispatch.go_on, dispatch.repeat_failed])
def test_a_sending_or_an_incident_that_is_not_there_is_missing(act):
    story = a_story(1)
    story.start()
    for incident, ref in (("INC-1999-0001", story.dispatch), (story.incident.ref, "S-NOWHERE0")):
        with pytest.raises(Missing):
            act(incident, ref, **BY)
