"""What was said of the organisation before counts as taken up: open incidents change by what is said from now on alone."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from incident.domain.particulars import FACTS
from incident.store import particulars, readiness
from incident.store.db import db

SAID = "INSERT INTO particular (name, words, changed_by, changed_at) VALUES ('company_places', 'DE', 'U-1', '2026-03-06 16:00:00')"
TRIED = "INSERT INTO channel_trial (channel, provider, tried_at, tried_by) VALUES ('sms', 'twilio', '2026-03-06 16:00:00', 'U-1')"


def test_nothing_that_was_said_before_waits_and_what_was_tried_stays_tried(app):
    db.session.remove()
    downgrade(revision="0052")
    with db.engine.begin() as connection:
        connection.execute(text(SAID))
        connection.execute(text(TRIED))
    upgrade()
    assert particulars.waiting(FACTS) == {}
    assert list(readiness.tried({"sms": "twilio"})) == ["sms"]
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE particular SET changed_at = '2026-03-07 16:00:00'"))
    db.session.rollback()
    assert list(particulars.waiting(FACTS)) == ["company_places"]
