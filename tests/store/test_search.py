"""What is searched for is found by the keys of its tables, and by the words of the laws that an incident goes by."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select

from incident.domain import editions
from incident.domain.obligations import Standing
from incident.store import search
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.people import Mark
from tests.actions.test_law_updates import newer
from tests.builders import an_incident
from tests.store.test_overview import _plans

FACTS = {"personal_data": True, "residents": {"DE": 10}, "role": "controller", "risk_to_people": "risk"}
AUTHORITY = "supervisory authority"


@pytest.fixture(autouse=True)
def the_shipped_laws() -> Iterator[None]:
    editions.use(None)
    yield
    editions.use(None)


def every():
    return select(Incident)


def marked(*pairs):
    rows = [{"incident_id": number, "mark": mark, "number": 1} for number, mark in pairs]
    db.session.execute(insert(Mark), rows)


def found(text, limit=8):
    return {row.duty for row in search.duties(every(), text, limit=limit)}


def test_a_mark_is_found_in_its_own_incident_alone(app):
    one, other = an_incident().id, an_incident().id
    marked((one, b"1" * 16), (other, b"2" * 16))
    assert search.holding([(one, b"1" * 16), (other, b"1" * 16)]) == {one}
    assert search.holding([(one, b"2" * 16), (other, b"1" * 16)]) == set()
    assert search.holding([(one, b"1" * 16), (one, b"3" * 16), (other, b"2" * 16)]) == {one, other}
    assert search.holding([]) == set()


def test_marks_are_looked_up_one_by_one_and_never_all_read(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about the planner of SQLite")
    plan = _plans(lambda: search.holding([(1, b"1" * 16), (2, b"2" * 16)]))
    assert "SEARCH person_mark USING PRIMARY KEY (incident_id=? AND mark=?)" in plan


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
