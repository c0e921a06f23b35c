"""Pages that stood before there were looks are looked at from now on; those of drills are marked, and ended ones left alone."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from incident import clock
from incident.actions import announcements
from incident.actions.notices import approved_version
from incident.store.db import db
from tests.builders import a_notice, an_incident

WHO = "U-0AUTHOR0"
ROWS = text("SELECT slug, simulated, look_at IS NOT NULL FROM announcement")


def published(kind):
    incident = an_incident(kind=kind, facts={"data_kinds": ["email"]})
    ref = a_notice(incident, channels=("announcement",), stage="approved")
    digest = approved_version(ref).digest
    slug = announcements.publish(
        incident.ref, ref, digest=digest, starts_at=None, ends_at=None, actor=WHO, now=clock.now()
    )
    return incident.ref, ref, slug


def test_what_stands_is_looked_at_and_what_is_of_a_drill_is_marked(app):
    (_, _, standing), (_, _, drill) = published("incident"), published("drill")
    incident, ref, down = published("incident")
    announcements.take_down(incident, ref, reason="Mistaken", actor=WHO, now=clock.now())
    db.session.remove()
    downgrade(revision="0010")
    upgrade()
    with db.engine.connect() as connection:
        found = {slug: (bool(simulated), bool(looks)) for slug, simulated, looks in connection.execute(ROWS)}
    assert found == {standing: (False, True), drill: (True, False), down: (False, False)}
