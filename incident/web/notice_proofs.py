"""The proof of notice of one person as a download that anybody can check alone."""

from flask import Blueprint, Response

from incident.actions import notice_proofs as actions
from incident.web.access import actor, now, permit
from incident.web.reports import company, house_zone

bp = Blueprint("notice_proofs", __name__, url_prefix="/incidents/<incident>/people")


@bp.post("/<person>/proof")
@permit("people.prove", fresh="people.show")
def make(incident: str, person: str) -> Response:
    """What this person was sent, and where the record shows it."""
    return handed_out(incident, person)


def handed_out(incident: str, person: str) -> Response:
    """The zip; no browser or proxy keeps it, for it holds somebody's notice in clear."""
    made = actions.make(incident, person, author=company().name, zone=house_zone(), actor=actor(), clock=now)
    answer = Response(made, mimetype=actions.MIME)
    answer.headers["Content-Disposition"] = f'attachment; filename="{incident}-{person}-proof.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
