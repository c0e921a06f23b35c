"""Reminders of duties, for programs: what was sent to whom, acknowledging, and who looks after a duty."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import reminders as actions
from incident.api.incidents import Strict
from incident.domain.errors import Missing
from incident.store import obligations
from incident.web import ladders
from incident.web.access import actor, now, permit
from incident.web.ladders import Ladder

bp = APIBlueprint("api_reminders", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Reminders")


class MessageOut(BaseModel):
    to: str = Field(description="Reference of a person (U-…) or of a target (A-…).")
    channel: str
    state: str
    changed_at: datetime


class RungOut(BaseModel):
    rung: str
    level: str
    moment: datetime = Field(description="When it should go.")
    given_at: datetime
    overtaken: bool = Field(description="Not sent, since a later one was due already.")
    messages: list[MessageOut]


class LadderOut(BaseModel):
    ref: str = Field(description="The finding.")
    duty: str
    due_at: datetime | None
    owner: str = Field(description="Reference of who looks after it; empty: the incident's lead.")
    next_at: datetime | None
    waits_for_an_answer: bool
    acknowledged_at: datetime | None
    rungs: list[RungOut]


class LadderList(BaseModel):
    duties: list[LadderOut]


class Which(Strict):
    duties: list[str] = Field(min_length=1, max_length=actions.MOST_AT_ONCE, description="References of findings.")


class Count(BaseModel):
    count: int


class OwnerIn(Strict):
    owner: str = Field(max_length=16, description="Reference of a person; empty gives it back to the lead.")


@bp.get("/reminders")
@permit("duty.view")
@bp.output(LadderList)
def index(incident: str) -> dict[str, Any]:
    """The duties whose clock runs, soonest first, with their reminders."""
    return {"duties": [_out(one) for one in ladders.of_incident(g.incident)]}


@bp.get("/duties/<ref>/reminders")
@permit("duty.view")
@bp.output(LadderOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """The reminders of one duty, newest first."""
    row = obligations.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    return _out(ladders.of_duty(g.incident, row))


@bp.post("/reminders/acknowledge")
@permit("duty.own")
@bp.input(Which, arg_name="given")
@bp.output(Count)
def acknowledge(incident: str, given: Which) -> dict[str, int]:
    """Say that you have these duties: nobody is reminded until a due time passes unmet."""
    return {"count": actions.acknowledge(incident, given.duties, actor=actor(), now=now())}


@bp.put("/duties/<ref>/owner")
@permit("duty.own")
@bp.input(OwnerIn, arg_name="given")
@bp.output({}, status_code=204)
def owner(incident: str, ref: str, given: OwnerIn) -> str:
    """Say who looks after a duty."""
    actions.hand_over(incident, ref, given.owner, actor=actor(), now=now())
    return ""


def _out(one: Ladder) -> dict[str, Any]:
    return {
        "ref": one.row.ref,
        "duty": one.row.duty,
        "due_at": one.row.due_at,
        "owner": one.owner_ref,
        "next_at": one.next_at,
        "waits_for_an_answer": one.is_waiting,
        "acknowledged_at": one.answers[0][1] if one.answers else None,
        "rungs": [
            {
                "rung": given.name,
                "level": given.level.value,
                "moment": given.moment,
                "given_at": given.made_at,
                "overtaken": given.overtaken,
                "messages": [
                    {"to": told.ref, "channel": told.channel, "state": told.state, "changed_at": told.at}
                    for told in given.told
                ],
            }
            for given in one.given
        ],
    }
