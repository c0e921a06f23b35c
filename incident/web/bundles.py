"""Everything about one incident as a download that anybody can check alone."""

from flask import Blueprint, Response, current_app, stream_with_context

from incident.actions import bundles as actions
from incident.web.access import actor, now, permit
from incident.web.reports import company, house_zone

bp = Blueprint("bundles", __name__, url_prefix="/incidents/<incident>")


@bp.post("/bundle")
@permit("incident.bundle", fresh="audit.index")
def make(incident: str) -> Response:
    """The bundle, packed while it is handed out."""
    return handed_out(incident)


def handed_out(incident: str) -> Response:
    """A zip that grows while it is read; the record says first who asked for it."""
    folder = current_app.extensions["settings"].instance / "files"
    pieces = actions.begun(incident, company=company(), zone=house_zone(), folder=folder, actor=actor(), clock=now)
    headers = {"Content-Disposition": f'attachment; filename="{incident}.zip"'}
    return Response(stream_with_context(pieces), mimetype=actions.MIME, headers=headers)
