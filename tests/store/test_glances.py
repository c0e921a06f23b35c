"""What a person is told to have changed since their last visit to an incident begins where that visit ended."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from incident.store import glances
from incident.store.db import db
from incident.store.glances import Glance
from tests.builders import a_user, an_incident

MORNING = datetime(2026, 3, 6, 8, tzinfo=UTC)


def look(user, incident, at):
    """What is said at this look, asked in a request of its own."""
    said, to_note = glances.since(user, incident, now=at)
    db.session.rollback()
    if to_note:
        glances.note(user, incident, said, now=at)
    return said


def looked(*minutes):
    """What is said at each of these looks, in minutes after the first morning."""
    user, incident = a_user("lead").id, an_incident().id
    return [look(user, incident, MORNING + timedelta(minutes=one)) for one in minutes]


def test_the_first_visit_has_nothing_before_it(app):
    assert looked(0, 10) == [None, None]


def test_a_visit_begins_where_the_last_one_ended_however_often_its_page_is_opened(app):
    assert looked(0, 10, 120, 130, 149) == [None, None, *[MORNING + timedelta(minutes=10)] * 3]


def test_a_look_is_noted_every_few_minutes_and_not_each_time(app):
    user, incident = a_user("lead").id, an_incident().id
    for seconds in (0, 60, 240, 301, 400):
        look(user, incident, MORNING + timedelta(seconds=seconds))
    assert db.session.scalar(select(Glance.seen_at)) == MORNING + timedelta(seconds=301)


def test_two_people_have_visits_of_their_own(app):
    incident = an_incident().id
    for hours in (0, 2):
        look(a_user("lead").id, incident, MORNING + timedelta(hours=hours))
    assert db.session.scalars(select(Glance.since)).all() == [None, None]
