"""Who fell out of a correction between its approval and its start, for programs."""

from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel

from incident.domain.errors import Missing
from incident.store import dispatches
from incident.web.access import permit
from incident.web.rolls import left_out

bp = APIBlueprint("api_rolls", __name__, url_prefix="/api/v1/incidents/<incident>/sendings", tag="Sending")


class LeftOutOut(BaseModel):
    """References of people whom a correction was approved for and who were not told by the old text after all."""

    people: list[str]


@bp.get("/<sending>/left-out")
@permit("sending.view")
@bp.output(LeftOutOut)
def show(incident: str, sending: str) -> dict[str, Any]:
    """Whom a correction left out; nobody for any other sending."""
    row = dispatches.by_ref(g.incident.id, sending)
    if row is None:
        raise Missing()
    return {"people": [f"P-{number}" for number in left_out(row)]}
