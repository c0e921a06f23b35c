"""Whom a notice is for: counted from the tally, read by number, never by a scan."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from incident.actions import people
from incident.domain.people import Audience
from incident.store import audiences
from incident.store.db import db
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
EVERYBODY = Audience()


@pytest.fixture
def incident(app):
    found = an_incident()
    for number, (place, language) in enumerate([("DE", "de"), ("FR", "fr"), ("US-TX", "en"), ("", "")], start=1):
        given = {"name": f"Person {number}", "email": f"p{number}@example.org", "place": place, "language": language}
        people.add(found.ref, given, actor="U-0AUTHOR0", now=NOW)
    return found


@pytest.mark.parametrize(
    ("audience", "numbers"),
    [
        (Audience(), [1, 2, 3, 4]),
        (Audience(places=("EU",)), [1, 2]),
        (Audience(places=("US",)), [3]),
        (Audience(places=("",)), [4]),
        (Audience(languages=("de", "en")), [1, 3]),
        (Audience(places=("EU",), languages=("fr",)), [2]),
        (Audience(waves=(1,)), [1, 2, 3, 4]),
        (Audience(waves=(2,)), []),
        (Audience(places=("JP",)), []),
    ],
)
def test_an_audience_takes_in_the_same_people_counted_or_listed(incident, audience, numbers):
    assert [number for _, number in audiences.members(incident.id, audience)] == numbers
    assert sum(group.people for group in audiences.counted(incident.id, audience)) == len(numbers)
    assert audiences.frozen(incident.id, audience)[0] == len(numbers)


def test_people_taken_off_the_list_are_in_no_audience(incident):
    before = audiences.frozen(incident.id, EVERYBODY)
    people.remove(incident.ref, "P-2", actor="U-0AUTHOR0", now=NOW)
    db.session.rollback()
    assert [number for _, number in audiences.members(incident.id, EVERYBODY)] == [1, 3, 4]
    assert audiences.frozen(incident.id, EVERYBODY) != before


def test_the_digest_says_who_not_how_many(incident):
    german = audiences.frozen(incident.id, Audience(languages=("de",)))
    french = audiences.frozen(incident.id, Audience(languages=("fr",)))
    assert german[0] == french[0] == 1
    assert german[1] != french[1]


def test_people_of_another_incident_are_never_in_it(incident):
    other = an_incident()
    assert audiences.members(other.id, EVERYBODY) == []
    assert audiences.groups(other.id) == []


def test_a_batch_goes_on_after_the_last_number(incident):
    first = audiences.members(incident.id, EVERYBODY, limit=2)
    rest = audiences.members(incident.id, EVERYBODY, after=first[-1][1], limit=2)
    assert [number for _, number in first + rest] == [1, 2, 3, 4]


def test_who_has_no_kinds_on_record_is_counted(incident):
    assert audiences.without_kinds(incident.id, Audience(places=("EU",))) == 2


def test_the_next_people_are_found_by_their_number_without_a_scan(incident):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the planner of PostgreSQL scans small tables whatever their indexes")
    plan = db.session.execute(
        text(
            "EXPLAIN QUERY PLAN SELECT id, number FROM person WHERE incident_id = 1 AND state = 'active' "
            "AND number > 5 ORDER BY number LIMIT 5000"
        )
    ).all()
    words = " ".join(row[-1] for row in plan)
    assert "incident_id=? AND number>?" in words
    assert "SCAN" not in words
    assert "TEMP B-TREE" not in words
