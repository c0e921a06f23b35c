"""What changed on an incident since its reader last looked: noted after the page was sent, so that nobody waits for it."""

from datetime import datetime

import structlog
from flask import Flask, Response, after_this_request, current_app
from sqlalchemy.exc import SQLAlchemyError

from incident.store import glances
from incident.store.incidents import Incident
from incident.web.access import me, now

log = structlog.get_logger()


def last_look(incident: Incident) -> datetime | None:
    """When the reader's visit before this one ended; None at the first. This look is noted once the page is out."""
    found = glances.since(me().id, incident.id, now=now())
    if found.to_note:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        who, which, at = me().id, incident.id, now()

        def note(response: Response) -> Response:
            response.call_on_close(lambda: _note(app, who, which, found.at, at))
            return response

        after_this_request(note)
    return found.at


def _note(app: Flask, user_id: int, incident_id: int, before: datetime | None, at: datetime) -> None:
    """A look that cannot be noted is lost: the next one tells a little more as new than it is."""
    try:
        with app.app_context():
            glances.note(user_id, incident_id, before, now=at)
    except SQLAlchemyError as error:
        log.warning("look.not_noted", reason=type(error).__name__)
