"""The privilege log of an incident, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import privilege as actions
from incident.api.incidents import Ref, Strict
from incident.domain.privilege import LONGEST, Basis, Kind
from incident.web.access import actor, now, permit
from incident.web.marked import marked

bp = APIBlueprint("api_privilege", __name__, url_prefix="/api/v1/incidents/<incident>/privilege", tag="Record")


class MarkOut(BaseModel):
    number: int = Field(description="Its place in the log.")
    ref: str
    kind: Kind
    item: str = Field(description="A reference; the key of a fact.")
    basis: Basis
    description: str
    at: datetime
    by: str


class Log(BaseModel):
    marked: list[MarkOut]


class MarkIn(Strict):
    kind: Literal["note", "evidence", "fact", "report"]
    item: str = Field(min_length=1, max_length=60)
    basis: Literal["attorney_client", "work_product", "common_interest", "other"]
    description: str = Field(min_length=1, max_length=LONGEST, description="As the log may tell it to the other side.")


class LiftIn(Strict):
    kind: Literal["note", "evidence", "fact", "report"]
    item: str = Field(min_length=1, max_length=60)
    reason: str = Field(min_length=1, max_length=LONGEST)


@bp.get("")
@permit("privilege.view")
@bp.output(Log)
def index(incident: str) -> dict[str, Any]:
    """What is marked now, numbered as in the log."""
    return {"marked": [{"number": n, **vars(one)} for n, one in enumerate(marked(), 1)]}


@bp.post("")
@permit("privilege.mark")
@bp.input(MarkIn, arg_name="given")
@bp.output(Ref, status_code=201)
def mark(incident: str, given: MarkIn) -> dict[str, str]:
    """Mark an item as privileged: it stays out of exports."""
    about = {"basis": given.basis, "description": given.description}
    return {"ref": actions.mark(incident, given.kind, given.item, **about, actor=actor(), now=now())}


@bp.post("/lift")
@permit("privilege.mark")
@bp.input(LiftIn, arg_name="given")
@bp.output({}, status_code=204)
def lift(incident: str, given: LiftIn) -> str:
    """Lift a mark, with the reason."""
    actions.lift(incident, given.kind, given.item, reason=given.reason, actor=actor(), now=now())
    return ""
