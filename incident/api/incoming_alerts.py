"""Alerts of other systems and MISP events, brought by a program with a token: each becomes a report in the queue."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app, request
from pydantic import BaseModel, Field

from incident.actions import incoming_alerts
from incident.api.incidents import Strict
from incident.domain.incoming_alerts import KINDS, LARGEST
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_incoming_alerts", __name__, url_prefix="/api/v1/alerts", tag="Reported to us")


class AlertIn(Strict):
    """An alert, or a MISP event alone."""

    id: str = Field("", max_length=200, description="Your own; the same one is taken once. Needed but for MISP.")
    title: str = Field("", max_length=300, description="Needed but for MISP.")
    text: str = ""
    source: str = Field("", max_length=120, description="Which system tells.")
    kind: str = Field("other", max_length=20, description=f"One of {', '.join(KINDS)}.")
    where: str = Field("", max_length=1_000, description="Of a leak or a vulnerability.")
    since: str = Field("", max_length=40, description="Of a leak or an account; without an offset in UTC.")
    url: str = Field("", max_length=1_000)
    Event: dict[str, Any] | None = Field(None, description="A MISP event with uuid and info.")


class TakenOut(BaseModel):
    ref: str
    again: bool = Field(description="It had been taken before; nothing was done now.")


@bp.post("")
@permit("tip.triage")
@bp.input(AlertIn, arg_name="given")
@bp.output(TakenOut, status_code=201)
def take_in(given: AlertIn) -> dict[str, Any]:
    """Bring an alert, or a MISP event: it becomes a report in the queue, with itself as its file."""
    request.max_content_length = LARGEST
    folder = current_app.extensions["settings"].instance / "files"
    taken = incoming_alerts.take_in(request.get_data(), folder=folder, actor=actor(), now=now())
    return {"ref": taken.ref, "again": taken.again}
