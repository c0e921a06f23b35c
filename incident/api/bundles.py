"""The bundle of an incident, for programs."""

from apiflask import APIBlueprint
from flask import Response

from incident.web.access import permit
from incident.web.bundles import handed_out

bp = APIBlueprint("api_bundles", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Record")


@bp.post("/bundle")
@permit("incident.bundle")
@bp.doc(responses={200: "A zip file; docs/record.md describes it."})
def make(incident: str) -> Response:
    """Put together everything about the incident: data, reports, evidence in clear, and its lines of the record."""
    return handed_out(incident)
