"""What the organisation's own systems are asked to do, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import asks as actions
from incident.actions.asks import Wanted
from incident.api.incidents import Place, Ref, Strict
from incident.domain.asks import Standing
from incident.domain.errors import Missing
from incident.domain.people import Audience
from incident.store import asks as rows
from incident.store.asks import SystemAsk
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_asks", __name__, url_prefix="/api/v1/incidents/<incident>/asks", tag="Asks of your own systems")


class AskIn(Strict):
    endpoint: str = Field("", description="Reference of an endpoint of webhooks that names ask.* among its types.")
    kind: Literal["reset_passwords", "end_sessions", "revoke_tokens", "lock_accounts"]
    hours: int = Field(24, ge=1, le=2_160, description="Within how many hours it is to be done.")
    waves: list[int] = Field(default_factory=list, description="None: everybody on the list.")
    step: str = Field("", description="Reference of a step of the plan that it belongs to.")


class AskOut(BaseModel):
    ref: str
    kind: str
    step: str
    accounts: int
    left_out: int = Field(description="People without a reference of yours that may be sent.")
    batches: int
    taken: int
    done: int
    failed: int
    refused: int = Field(description="Batches that the system refused.")
    left: int
    simulated: bool
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None


class AskList(BaseModel):
    asks: list[AskOut]
    before: int | None


class BatchQuery(BaseModel):
    after: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=500)


class BatchOut(BaseModel):
    number: int
    size: int
    state: str
    reason: str
    code: str
    tries: int
    done: int | None
    failed: int | None
    told_at: datetime | None


class BatchList(BaseModel):
    batches: list[BatchOut]
    after: int | None


class OutcomeIn(Strict):
    done: int = Field(ge=0)
    failed: int = Field(0, ge=0)


class Repeated(BaseModel):
    count: int


@bp.get("")
@permit("ask.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(AskList)
def index(incident: str, place: Place) -> dict[str, Any]:
    """What was asked in this incident, newest first."""
    found = rows.page(g.incident.id, before=place.before, limit=place.limit)
    stands = rows.standings(found)
    return {
        "asks": [_shown(row, stands[row.id]) for row in found],
        "before": found[-1].id if len(found) == place.limit else None,
    }


@bp.post("")
@permit("ask.make")
@bp.input(AskIn, arg_name="given")
@bp.output(Ref, status_code=201)
def ask(incident: str, given: AskIn) -> dict[str, str]:
    """Ask a system. In a drill nothing leaves."""
    wanted = Wanted(given.endpoint, given.kind, given.hours, Audience(waves=tuple(given.waves)), given.step)
    return {"ref": actions.ask(incident, wanted, actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("ask.view")
@bp.output(AskOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One ask, and how it stands."""
    row = _one(ref)
    return _shown(row, rows.standings([row])[row.id])


@bp.get("/<ref>/batches")
@permit("ask.view")
@bp.input(BatchQuery, location="query", arg_name="asked")
@bp.output(BatchList)
def batches(incident: str, ref: str, asked: BatchQuery) -> dict[str, Any]:
    """Its batches by number."""
    found = rows.batches(_one(ref).id, after=asked.after, limit=asked.limit)
    listed = [{name: getattr(one, name) for name in BatchOut.model_fields} for one in found]
    return {"batches": listed, "after": found[-1].number if len(found) == asked.limit else None}


@bp.put("/<ref>/batches/<int:batch>")
@permit("ask.make")
@bp.input(OutcomeIn, arg_name="given")
@bp.output({}, status_code=204)
def tell(incident: str, ref: str, batch: int, given: OutcomeIn) -> str:
    """Say what became of a batch; a later word takes the place of an earlier one."""
    actions.tell(incident, ref, batch, given.done, given.failed, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/again")
@permit("ask.make")
@bp.output(Repeated)
def again(incident: str, ref: str) -> dict[str, int]:
    """Hand over once more what was refused."""
    return {"count": actions.again(incident, ref, actor=actor(), now=now())}


def _one(ref: str) -> SystemAsk:
    row = rows.by_ref(ref)
    if row is None or row.incident_id != g.incident.id:
        raise Missing()
    return row


def _shown(row: SystemAsk, stands: Standing) -> dict[str, Any]:
    names = ("ref", "kind", "step", "left_out", "batches", "simulated", "made_at", "due_at", "ended_at")
    counts = ("accounts", "taken", "done", "failed", "refused", "left")
    return {name: getattr(row, name) for name in names} | {name: getattr(stands, name) for name in counts}
