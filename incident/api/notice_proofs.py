"""The proof of notice of one person, for programs."""

from apiflask import APIBlueprint
from flask import Response

from incident.api.scheme import a_file
from incident.web.access import permit
from incident.web.notice_proofs import handed_out

bp = APIBlueprint("api_notice_proofs", __name__, url_prefix="/api/v1/incidents/<incident>/people", tag="People")


@bp.post("/<person>/proof")
@permit("people.prove")
@bp.doc(
    responses=a_file("docs/record.md describes it.", "application/zip")
    | {429: {"description": "Thirty an hour are made for one person."}}
)
def make(incident: str, person: str) -> Response:
    """Make the proof of what this person was sent, when, and where the record shows it; verifiable alone."""
    return handed_out(incident, person)
