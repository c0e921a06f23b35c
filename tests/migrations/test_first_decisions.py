"""When a duty was first decided on is read from the record, where marking it as met had written over it; else it is unknown."""

from datetime import timedelta

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, update

from incident import clock
from incident.actions import intake, obligations
from incident.store import obligations as findings
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.obligations import FindingRow
from tests.builders import an_incident

WHO = {"actor": "U-0LEAD000"}
FACTS = {
    "personal_data": True,
    "residents": {"DE": 500},
    "role": "controller",
    "aware_at": "2026-11-18T08:10:00Z",
    "risk_to_people": "high",
}
TO_AUTHORITY, TO_PEOPLE, RECORD = "EU-GDPR/tell-authority", "EU-GDPR/tell-people", "EU-GDPR/document"
NOW = clock.now() - timedelta(hours=9)


def at(hours: float):
    """So many hours after the incident was opened."""
    return NOW + timedelta(hours=hours)


def met(one, duty, hours):
    ref = findings.current(one.id)[duty].ref
    obligations.mark_met(one.ref, ref, met_at=at(0.5), **WHO, now=at(hours))


def accepted(one, duty, hours):
    obligations.accept(one.ref, findings.current(one.id)[duty].ref, **WHO, now=at(hours))


def all_accepted(one, hours):
    seen = obligations.seen_digest(obligations.proposals(one.id))
    obligations.accept_all(one.ref, seen, **WHO, now=at(hours))


def hours_first(one, duty):
    row = findings.current(one.id)[duty]
    return None if row.first_decided_at is None else round((row.first_decided_at - NOW) / timedelta(hours=1), 3)


def down_and_up(app):
    """What was there before this column was."""
    db.session.remove()
    downgrade(revision="0055")
    assert "first_decided_at" not in {column["name"] for column in inspect(db.engine).get_columns("finding")}
    upgrade()


@pytest.fixture
def one(app):
    return an_incident(facts=FACTS, now=NOW)


def test_what_was_accepted_by_itself_or_with_all_others_and_then_met_is_known_again(app, one):
    accepted(one, TO_AUTHORITY, 1)
    all_accepted(one, 2)
    met(one, TO_AUTHORITY, 3)
    met(one, TO_PEOPLE, 4)
    before = {ref: row.first_decided_at for ref, row in findings.current(one.id).items()}
    assert (hours_first(one, TO_AUTHORITY), hours_first(one, TO_PEOPLE)) == (1, 2)
    down_and_up(app)
    assert {ref: row.first_decided_at for ref, row in findings.current(one.id).items()} == before


def test_what_was_met_and_never_accepted_was_decided_on_then(app, one):
    met(one, TO_AUTHORITY, 3)
    all_accepted(one, 5)
    down_and_up(app)
    assert hours_first(one, TO_AUTHORITY) == 3
    assert hours_first(one, TO_PEOPLE) == 5


def test_a_second_round_of_accepting_all_names_what_changed_since_the_first(app, one):
    all_accepted(one, 1)
    said = {"source": "a test", "confidence": "high", **WHO, "now": at(2)}
    intake.record_facts(one.ref, {"aware_at": "2026-11-18T09:10:00Z"}, **said)
    all_accepted(one, 3)
    met(one, TO_AUTHORITY, 4)
    down_and_up(app)
    assert hours_first(one, TO_AUTHORITY) == 3
    earlier = findings.history(one.id, TO_AUTHORITY)[1]
    assert earlier.first_decided_at == earlier.decided_at == at(1)


def test_what_the_record_does_not_tell_stays_unknown(app, one):
    all_accepted(one, 1)
    met(one, TO_AUTHORITY, 2)
    row = findings.current(one.id)[TO_PEOPLE]
    db.session.execute(update(FindingRow).where(FindingRow.id == row.id).values(ref="D-00000000"))
    db.session.commit()
    down_and_up(app)
    assert hours_first(one, TO_AUTHORITY) is None
    assert hours_first(one, TO_PEOPLE) == 1
    assert db.session.scalars(select(AuditLine.verb).where(AuditLine.verb == "findings.accepted")).all()
