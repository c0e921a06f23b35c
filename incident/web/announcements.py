"""Making an announcement public and taking it down: the team's side; the pages themselves are in web/public."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import announcements as actions
from incident.web.access import actor, now, permit, zone
from incident.web.answers import instant

bp = Blueprint("announcements", __name__, url_prefix="/incidents/<incident>/notices/<ref>/announcement")


@bp.post("/publish")
@permit("announcement.publish")
def publish(incident: str, ref: str) -> ResponseReturnValue:
    """Make the approved text public."""
    form = request.form
    slug = actions.publish(
        incident,
        ref,
        digest=form.get("digest", ""),
        starts_at=instant(form.get("starts_at", ""), zone(), "starts_at"),
        ends_at=instant(form.get("ends_at", ""), zone(), "ends_at"),
        actor=actor(),
        now=now(),
    )
    flash(f"Published as {slug}.", "met")
    return redirect(url_for("notices.show", incident=incident, ref=ref))


@bp.post("/take-down")
@permit("announcement.take_down")
def take_down(incident: str, ref: str) -> ResponseReturnValue:
    """End the public page before its time."""
    actions.take_down(incident, ref, reason=request.form.get("reason", ""), actor=actor(), now=now())
    flash("Taken down.", "met")
    return redirect(url_for("notices.show", incident=incident, ref=ref))
