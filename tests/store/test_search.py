"""What is searched for is found by the keys of its tables, and by the words of the laws that an incident goes by."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select

from incident.domain import editions
from incident.domain.obligations import Standing
from incident.store import search
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.people import Mark, Pair, Person
from tests.actions.test_law_updates import newer
from tests.builders import an_incident
from tests.store.test_overview import _plans

FACTS = {"personal_data": True, "residents": {"DE": 10}, "role": "controller", "risk_to_people": "risk"}
AUTHORITY = "supervisory authority"
ANYBODY = {
    "wave": 1, "state": "active", "place": "", "language": "", "exposed": "", "age": "", "represented": False,
    "has_email": True, "has_phone": False, "has_address": False, "has_push": False, "doubts": "",
    "whole": b"0" * 16, "sealed": b"",
}  # fmt: skip


@pytest.fixture(autouse=True)
def the_shipped_laws() -> Iterator[None]:
    editions.use(None)
    yield
    editions.use(None)


def every():
    return select(Incident)


def marked(*pairs, number=1):
    """Have these marks be held by one person; each by one of their own, where `number` is None."""
    rows = [
        {"incident_id": incident, "mark": mark, "number": number or place}
        for place, (incident, mark) in enumerate(pairs, 1)
    ]
    db.session.execute(insert(Mark), rows)


def peopled(*incidents, count=1):
    for incident in incidents:
        members = range(1, count + 1)
        db.session.add_all(Person(incident_id=incident, number=number, **ANYBODY) for number in members)
    db.session.flush()


def holders(*marks):
    return [(person.incident_id, person.number) for person in search.holders(marks)]


def found(text, limit=8):
    return {row.duty for row in search.duties(every(), text, limit=limit)}


def test_a_mark_is_found_in_its_own_incident_alone(app):
    one, other = an_incident().id, an_incident().id
    peopled(one, other)
    marked((one, b"1" * 16), (other, b"2" * 16))
    assert holders((one, b"1" * 16), (other, b"1" * 16)) == [(one, 1)]
    assert holders((one, b"2" * 16), (other, b"1" * 16)) == []
    assert holders((one, b"1" * 16), (one, b"3" * 16), (other, b"2" * 16)) == [(other, 1), (one, 1)]
    assert holders() == []


def test_those_who_may_be_one_with_whoever_holds_a_mark_come_along_from_either_side(app):
    one, other = an_incident().id, an_incident().id
    peopled(one, other, count=5)
    marked((one, b"1" * 16), (one, b"2" * 16), number=2)
    paired = {"by": "email", "identical": False, "state": "open", "decided_by": ""}
    for incident, later, earlier in ((one, 3, 2), (one, 2, 1), (one, 5, 4), (other, 4, 2)):
        db.session.add(Pair(incident_id=incident, number=later, twin=earlier, **paired))
    db.session.flush()
    assert holders((one, b"1" * 16), (one, b"2" * 16)) == [(one, 1), (one, 2), (one, 3)]


def test_no_more_than_a_page_comes_of_one_incident(app, monkeypatch):
    monkeypatch.setattr(search, "MOST_HOLDERS", 2)
    one, other = an_incident().id, an_incident().id
    peopled(one, other, count=3)
    marked(*((one, bytes([number]) * 16) for number in range(1, 4)), number=None)
    marked((other, b"9" * 16), number=3)
    every_mark = [(one, bytes([number]) * 16) for number in range(1, 4)]
    assert holders(*every_mark, (other, b"9" * 16)) == [(other, 3), (one, 1), (one, 2)]


def test_marks_are_looked_up_one_by_one_and_never_all_read(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about the planner of SQLite")
    plan = _plans(lambda: search.holders([(1, b"1" * 16), (2, b"2" * 16)]))
    assert "SEARCH person_mark USING PRIMARY KEY (incident_id=? AND mark=?)" in plan
    assert not re.search(r"SCAN person\w*", plan), plan


def test_findings_are_looked_up_by_the_duties_that_are_called_so(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about the planner of SQLite")
    an_incident(facts=FACTS)
    plan = _plans(lambda: search.duties(every(), AUTHORITY, limit=8))
    assert "uq_finding_current (incident_id=? AND duty=?)" in plan
    assert "ix_finding_incident" not in plan


def test_a_duty_is_found_by_a_word_of_its_title_in_any_case_and_by_its_law(app):
    an_incident(facts=FACTS)
    assert "EU-GDPR/tell-authority" in found(AUTHORITY.upper(), limit=200)
    assert {duty.partition("/")[0] for duty in found("eu gdpr", limit=200)} == {"EU-GDPR"}
    assert found("100%") == found("no law says this") == set()


def test_a_duty_that_is_still_open_is_found_and_one_not_owed_is_not(app):
    an_incident(facts=FACTS | {"risk_to_people": "unlikely"})
    standings = {row.standing for row in search.duties(every(), "eu-gdpr", limit=200)}
    assert standings <= {Standing.OWED, Standing.ADVISED, Standing.OPEN}
    assert "EU-GDPR/tell-individuals" not in found("eu-gdpr", limit=200)


def test_an_incident_that_goes_by_older_laws_is_found_by_their_words(app):
    old = an_incident(facts=FACTS)
    title = search.duties(every(), AUTHORITY, limit=200)[0].title
    editions.use(newer(changed={"eu/gdpr.toml": (AUTHORITY, "watchful owl")}))
    assert found("watchful owl") == set()
    new = an_incident(facts=FACTS)
    assert {row.incident_id for row in search.duties(every(), "watchful owl", limit=8)} == {new.id}
    assert {row.incident_id for row in search.duties(every(), title, limit=200)} >= {old.id}


def test_words_that_very_many_duties_have_are_found_in_the_newest_incidents(app, monkeypatch):
    monkeypatch.setattr(search, "MOST_FINDINGS", 1)
    monkeypatch.setattr(search, "FEWEST", 1)
    _, newest = an_incident(), an_incident()
    assert {row.incident_id for row in search.duties(every(), "e", limit=500)} == {newest.id}
