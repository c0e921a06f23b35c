"""Targets of alerts that stood before they had a language go on in English."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from incident.store import reach
from incident.store.db import db

STOOD = (
    "INSERT INTO alert_target (id, ref, name, kind, sealed, level, hears_restricted, made_at, made_by, tried) VALUES "
    "(1, 'A-1', 'Chat', 'JSON', :sealed, 'lead', :no, '2026-03-06 16:00:00', 'U-1', '')"
)


def test_a_target_that_stood_before_is_told_in_english(app):
    db.session.remove()
    downgrade(revision="0054")
    with db.engine.begin() as connection:
        connection.execute(text(STOOD), {"sealed": b"x", "no": False})
    upgrade()
    [target] = reach.targets()
    assert (target.ref, target.language, target.level) == ("A-1", "en", "lead")
