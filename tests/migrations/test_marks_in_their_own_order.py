"""Lists taken in before their marks waited in pieces: those that are done stay on the list, the others are read on."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from incident.domain.imports import State
from incident.store.db import db
from tests.builders import an_incident

ADD = text(
    "INSERT INTO person_import (ref, incident_id, name, size, sha256, stored_as, kind, encoding, delimiter, has_header,"
    " reading, wave, state, trouble, fence, holder, cursor, position, height, rows, taken, suspects, refused, empty,"
    " doubtful, uploaded_at, uploaded_by) VALUES (:ref, :incident, 'l', 1, '', '', 'csv', '', '', :yes, '{}', 1, :state,"
    " '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, '2026-03-06 16:00:00', '')"
)


def test_what_is_done_is_settled_and_what_is_not_is_read_on(app):
    incident_id = an_incident().id
    db.session.remove()
    downgrade(revision="0024")
    with db.engine.begin() as connection:
        for state in State:
            connection.execute(ADD, {"ref": state.value, "incident": incident_id, "yes": True, "state": state.value})
    upgrade()
    with db.engine.connect() as connection:
        found = dict(connection.execute(text("SELECT state, step FROM person_import")).all())
    assert found == dict.fromkeys(("mapping", "waiting", "running"), "reading") | dict.fromkeys(
        ("done", "failed", "withdrawn"), "settled"
    )
