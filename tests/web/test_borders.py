"""What belongs to one incident is not reached through another: every route that names a thing, with things of a neighbour."""

import io
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from incident import clock
from incident.actions import members
from incident.domain.access import CASE_TEAM
from incident.store.audit import AuditLine
from incident.store.db import db
from incident.store.incidents import Incident
from tests.builders import a_notice, a_user, an_incident

FACTS = {"personal_data": "yes", "aware_at": "2026-11-20T09:00:00Z", "category": "ransomware", "risk_to_people": "high"}
EXPECTED = {"evidence", "finding", "note", "notice", "report", "step"}


def neighbours_things(incident: Incident) -> dict[str, str]:
    """One reference of each kind of thing that belongs to this incident, found by the tables themselves."""
    found = {}
    for table in db.metadata.sorted_tables:
        if {"incident_id", "ref"} <= set(table.c.keys()):
            ref = db.session.scalar(select(table.c.ref).where(table.c.incident_id == incident.id).limit(1))
            if ref is not None:
                found[table.name] = ref
    return found


@pytest.fixture
def neighbour(app: APIFlask, token_for) -> tuple[Incident, dict[str, str]]:
    """A restricted incident of other people, with things of every kind, and their references."""
    owner = a_user(*CASE_TEAM)
    incident = an_incident(title="Unspoken", facts=FACTS)
    members.restrict(incident.ref, actor=owner.ref, now=clock.now())
    call, header, base = app.test_client(), token_for(user=owner), f"/api/v1/incidents/{incident.ref}"
    made = [
        call.post(f"{base}/notes", json={"text": "Unspoken"}, headers=header),
        call.post(
            f"{base}/evidence",
            data={"file": (io.BytesIO(b"Unspoken"), "log.txt"), "brought_by": "somebody"},
            headers=header,
        ),
        call.post(f"{base}/plans", json={"playbook": "ransomware"}, headers=header),
        call.post(f"{base}/reports", json={"form": "eu-gdpr-33"}, headers=header),
    ]
    assert [answer.status_code for answer in made] == [201] * 4, [answer.text for answer in made]
    a_notice(incident)
    things = neighbours_things(incident)
    assert things.keys() >= EXPECTED
    return incident, things


def attempts(app: APIFlask, mine: str, things: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every method and address that names a thing inside an incident: my incident, the neighbour's thing."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        named = [name for name in rule.arguments if name != "incident"]
        texts = [name for name in named if type(rule._converters[name]).__name__ == "UnicodeConverter"]
        if "incident" not in rule.arguments or not texts:
            continue
        for ref in things.values():
            values = {name: ref if name in texts else 1 for name in named}
            path = adapter.build(rule.endpoint, {"incident": mine, **values})
            yield from ((method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def test_nothing_of_a_neighbour_is_reached_through_an_incident_of_ones_own(app: APIFlask, as_, token_for, neighbour):
    other, things = neighbour
    mine, me = an_incident(title="Mine", facts=FACTS).ref, a_user(*CASE_TEAM)
    browser, header = as_(user=me), token_for(user=me)
    reached = []
    for method, path in attempts(app, mine, things):
        answer = _call(app, browser, header, method, path)
        opened = answer.status_code < 400 and answer.status_code != 302
        if answer.status_code >= 500 or (method == "GET" and opened) or "Unspoken" in answer.text:
            reached.append((method, path, answer.status_code))
    assert not reached, "\n".join(map(str, reached))
    db.session.rollback()
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.actor == me.ref, AuditLine.subject.in_(things.values()))
    )
    assert [(line.verb, line.subject) for line in lines] == []
    lines = db.session.scalars(select(AuditLine).where(AuditLine.actor == me.ref, AuditLine.incident == other.ref))
    assert [(line.verb, line.subject) for line in lines] == []


def _call(app: APIFlask, browser: FlaskClient, header: dict[str, str], method: str, path: str):
    if path.startswith("/api/"):
        return app.test_client().open(path, method=method, headers=header, json={} if method != "GET" else None)
    return browser.open(path, method=method)
