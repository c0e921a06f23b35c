"""The closing summary and the deadlines of an incident, for programs."""

from apiflask import APIBlueprint
from flask import Response

from incident.actions import summaries as actions
from incident.api.bundles import Along
from incident.api.scheme import DOCX, a_file
from incident.web.access import actor, now, permit, zone
from incident.web.bundles import taken_along
from incident.web.reports import company, download, house_zone
from incident.web.summaries import calendar, site

bp = APIBlueprint("api_summaries", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Reports")


@bp.post("/summary/<kind>")
@permit("report.export")
@bp.input(Along, location="query", arg_name="along")
@bp.doc(
    responses=a_file(
        "The file: pdf, docx, json, stix (STIX 2.1), veris or misp.",
        "application/pdf",
        DOCX,
        "application/json",
        "application/stix+json",
    )
)
def export(incident: str, kind: str, along: Along) -> Response:
    """Make the summary as it stands; its digest goes into the record."""
    also = taken_along(along.privileged)
    return download(
        actions.export(incident, kind, company=company(), zone=house_zone(), privileged=also, actor=actor(), now=now())
    )


@bp.get("/deadlines.ics")
@permit("duty.view")
@bp.doc(responses=a_file("An iCalendar file.", "text/calendar"))
def deadlines(incident: str) -> Response:
    """Duties and steps with their due times, for a calendar that sends a token."""
    made = actions.deadlines(incident, zone=zone(), site=site(), now=now())
    return calendar(incident, made)
