"""The closing summary as a download, and the deadlines of an incident as a calendar."""

from flask import Blueprint, Response, current_app, request

from incident.actions import summaries as actions
from incident.exports import ics
from incident.web.access import actor, now, permit, zone
from incident.web.bundles import taken_along
from incident.web.languages import tag
from incident.web.reports import company, download, house_zone

bp = Blueprint("summaries", __name__, url_prefix="/incidents/<incident>")


@bp.post("/summary/<kind>")
@permit("report.export")
def export(incident: str, kind: str) -> Response:
    """The summary as it stands; its digest goes into the record."""
    along = taken_along(request.form.get("privileged"))
    made = actions.export(
        incident,
        kind,
        company=company(),
        zone=house_zone(),
        privileged=along,
        language=tag(),
        actor=actor(),
        now=now(),
    )
    return download(made)


@bp.get("/deadlines.ics")
@permit("duty.view")
def deadlines(incident: str) -> Response:
    """Duties and steps with their due times, for a calendar."""
    made = actions.deadlines(incident, zone=zone(), site=site(), language=tag(), now=now())
    return calendar(incident, made)


def site() -> str:
    """The address of this installation, as a calendar elsewhere opens it."""
    address: str = current_app.extensions["settings"].base_url
    return address


def calendar(incident: str, made: bytes) -> Response:
    """A calendar to keep."""
    return Response(
        made, mimetype=ics.MIME, headers={"Content-Disposition": f'attachment; filename="{incident}-deadlines.ics"'}
    )
