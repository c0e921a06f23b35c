"""A question that a page asks twice is asked of the database once, and never once something may have changed."""

import pytest
from sqlalchemy import event

from incident import clock
from incident.actions import intake
from incident.store import incidents, reading
from incident.store.db import db
from tests.builders import an_incident

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def asked():
    seen = []

    def note(*given):
        seen.append(given[2])

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_while_a_page_is_read_the_same_question_is_asked_once(asked):
    incident = an_incident(facts={"people_count": 3})
    reading.begin()
    first = incidents.current_facts(incident.id)
    asked.clear()
    assert incidents.current_facts(incident.id) is first
    assert asked == []
    assert incidents.current_facts(incident.id, clock.now()) is not first


def test_elsewhere_it_is_asked_each_time(asked):
    incident = an_incident(facts={"people_count": 3})
    first = incidents.current_facts(incident.id)
    asked.clear()
    assert incidents.current_facts(incident.id) is not first
    assert len(asked) == 1


def test_what_was_read_before_a_change_is_read_anew_after_it():
    incident = an_incident(facts={"people_count": 3})
    reading.begin()
    assert incidents.known(incident.id)["people_count"] == 3
    more = {"people_count": 4}
    intake.record_facts(incident.ref, more, source="a test", confidence="high", actor="U-0TEST000", now=clock.now())
    assert incidents.known(incident.id)["people_count"] == 4


def test_nothing_is_kept_within_a_change(asked):
    incident = an_incident(facts={"people_count": 3})
    reading.begin()
    with reading.suspended():
        first = incidents.current_facts(incident.id)
        asked.clear()
        assert incidents.current_facts(incident.id) is not first
        assert len(asked) == 1
