"""The reports of providers are copied to another index: none is lost, repeats are still told, and none can be changed."""

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from incident.store.db import db

ADD = text(
    "INSERT INTO provider_event (provider, event_id, ref, provider_id, status, reason, code, received_at, fields)"
    " VALUES ('p', :id, :ref, '', 'delivered', '', '', '2026-03-06 16:00:00', '{}')"
)
ALL = text("SELECT id, provider, event_id, ref, status FROM provider_event ORDER BY id")


def written(statement, **values):
    with db.engine.begin() as connection:
        connection.execute(statement, values)


def test_reports_stay_what_they_were_and_stay_guarded(app):
    db.session.remove()
    downgrade(revision="0017")
    for number in range(3):
        written(ADD, id=f"E{number}", ref=f"R{number}")
    with pytest.raises(DBAPIError):
        written(ADD, id="E1", ref="another")
    with db.engine.connect() as connection:
        before = connection.execute(ALL).fetchall()
    upgrade()
    with db.engine.connect() as connection:
        assert connection.execute(ALL).fetchall() == before
    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        written(ADD, id="E1", ref="R1")
    for change in ("UPDATE provider_event SET status = 'bounced'", "DELETE FROM provider_event"):
        with pytest.raises(DBAPIError, match="append-only"):
            written(text(change))
