"""The calendar at a secret address: no session, no cookie; who has the address reads the deadlines of one person."""

from hashlib import sha256

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from incident.actions import feeds as actions
from incident.exports import ics
from incident.web.access import now, permit
from incident.web.summaries import site

bp = Blueprint("feeds", __name__, url_prefix="/calendar")

FRESH = 300  # seconds


@bp.get("/<secret>.ics")
@permit("public")
def read(secret: str) -> ResponseReturnValue:
    """The deadlines as they stand; 304 where the calendar has them already."""
    made = actions.read(secret, address=request.remote_addr, site=site(), now=now())
    calendar = Response(made, mimetype=ics.MIME)
    calendar.set_etag(sha256(made).hexdigest())
    calendar.headers["Cache-Control"] = f"private, max-age={FRESH}"
    calendar.headers["Referrer-Policy"] = "no-referrer"
    return calendar.make_conditional(request)
