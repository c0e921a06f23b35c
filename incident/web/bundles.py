"""Everything about one incident as a download that anybody can check alone."""

from flask import Blueprint, Response, abort, current_app, request, stream_with_context

from incident.actions import bundles as actions
from incident.web.access import actor, may, now, permit
from incident.web.reports import company, house_zone

bp = Blueprint("bundles", __name__, url_prefix="/incidents/<incident>")


@bp.post("/bundle")
@permit("incident.bundle", fresh="audit.index")
def make(incident: str) -> Response:
    """The bundle, packed while it is handed out."""
    return handed_out(incident, privileged=taken_along(request.form.get("privileged")))


def taken_along(asked: object) -> bool:
    """Whether marked items go along: only where it was asked for, by somebody who may. 403 for anybody else who asks."""
    if asked and not may("privilege.export"):
        abort(403)
    return bool(asked)


def handed_out(incident: str, *, privileged: bool) -> Response:
    """A zip that grows while it is read; the record says first who asked for it."""
    folder = current_app.extensions["settings"].instance / "files"
    about = {"company": company(), "zone": house_zone(), "folder": folder, "privileged": privileged}
    pieces = actions.begun(incident, **about, actor=actor(), clock=now)
    headers = {"Content-Disposition": f'attachment; filename="{incident}.zip"'}
    return Response(stream_with_context(pieces), mimetype=actions.MIME, headers=headers)
