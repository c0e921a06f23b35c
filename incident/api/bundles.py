"""The bundle of an incident, for programs."""

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from incident.api.incidents import Strict
from incident.api.scheme import a_file
from incident.web.access import permit
from incident.web.bundles import handed_out, taken_along

bp = APIBlueprint("api_bundles", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Record")


class Along(Strict):
    privileged: bool = Field(False, description="Take along what is marked as privileged; needs privilege.export.")


@bp.post("/bundle")
@permit("incident.bundle")
@bp.input(Along, location="query", arg_name="along")
@bp.doc(responses=a_file("docs/record.md describes it.", "application/zip"))
def make(incident: str, along: Along) -> Response:
    """Put together everything about the incident: data, reports, evidence in clear, and its lines of the record."""
    return handed_out(incident, privileged=taken_along(along.privileged))
