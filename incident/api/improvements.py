"""Improvements after incidents, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import improvements as actions
from incident.api.incidents import Place, Ref, Strict
from incident.domain.errors import Missing
from incident.domain.improvements import LONGEST, LONGEST_WORDS
from incident.store import improvements as rows
from incident.store import incidents, users
from incident.store.improvements import Improvement, ImprovementEvent
from incident.store.incidents import Incident
from incident.web.access import actor, now, permit
from incident.web.incidents import visible

bp = APIBlueprint("api_improvements", __name__, url_prefix="/api/v1/improvements", tag="Review and learning")
one = APIBlueprint(
    "api_improvement", __name__, url_prefix="/api/v1/incidents/<incident>/improvements", tag="Review and learning"
)

State = Literal["open", "done", "dropped"]


class ImprovementQuery(Place):
    state: State | None = None
    late: bool = Field(False, description="Only open ones past their time.")


class ImprovementOut(BaseModel):
    id: int
    ref: str
    incident: str
    text: str
    owner: str | None
    due_at: datetime
    state: State
    made_at: datetime
    made_by: str
    ended_at: datetime | None


class EventOut(BaseModel):
    did: str
    text: str
    evidence: list[str]
    handed_to: str
    due_at: datetime | None
    done_at: datetime
    done_by: str


class ImprovementSheet(ImprovementOut):
    events: list[EventOut]


class ImprovementList(BaseModel):
    improvements: list[ImprovementOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class ImprovementIn(Strict):
    text: str = Field(min_length=1, max_length=LONGEST)
    owner: str = Field(description="The reference of somebody who may work on the incident.")
    due_at: datetime


class FinishIn(Strict):
    note: str = Field("", max_length=LONGEST_WORDS, description="What was done, and what shows it.")
    evidence: list[str] = Field(default_factory=list, description="References of evidence of the incident.")


class ReasonIn(Strict):
    reason: str = Field(min_length=1, max_length=LONGEST_WORDS)


class MoveIn(ReasonIn):
    due_at: datetime


class OwnerIn(Strict):
    to: str


@bp.get("/")
@permit("improvement.view")
@bp.input(ImprovementQuery, location="query", arg_name="asked")
@bp.output(ImprovementList)
def index(asked: ImprovementQuery) -> dict[str, Any]:
    """Those of all incidents that you may know of, newest first."""
    query = rows.asked(
        visible().with_only_columns(Incident.id),
        state="open" if asked.late else asked.state or "",
        due_before=now() if asked.late else None,
    )
    found = list(rows.page(query, before=asked.before, limit=asked.limit))
    cases, owners = incidents.by_ids({row.incident_id for row in found}), users.refs_by_id()
    shown = [_shown(row, cases[row.incident_id].ref, owners) for row in found]
    return {"improvements": shown, "before": found[-1].id if len(found) == asked.limit else None}


@one.get("")
@permit("improvement.view")
@one.output(ImprovementList)
def of_incident(incident: str) -> dict[str, Any]:
    """All of one incident, in the order in which they were asked for."""
    owners = users.refs_by_id()
    shown = [_shown(row, incident, owners) for row in rows.of_incident(g.incident.id)]
    return {"improvements": shown, "before": None}


@one.post("")
@permit("improvement.change")
@one.input(ImprovementIn, arg_name="given")
@one.output(Ref, status_code=201)
def add(incident: str, given: ImprovementIn) -> dict[str, str]:
    """Ask for one."""
    return {"ref": actions.add(incident, given.text, owner=given.owner, due_at=given.due_at, actor=actor(), now=now())}


@one.get("/<ref>")
@permit("improvement.view")
@one.output(ImprovementSheet)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One, with what became of it."""
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    events = rows.events([row.id]).get(row.id, [])
    return _shown(row, incident, users.refs_by_id()) | {"events": [_event(event) for event in events]}


@one.post("/<ref>/finish")
@permit("improvement.change")
@one.input(FinishIn, arg_name="given")
@one.output({}, status_code=204)
def finish(incident: str, ref: str, given: FinishIn) -> str:
    """Say that it is done, with what shows it."""
    actions.finish(incident, ref, note=given.note, evidence=given.evidence, actor=actor(), now=now())
    return ""


@one.post("/<ref>/drop")
@permit("improvement.change")
@one.input(ReasonIn, arg_name="given")
@one.output({}, status_code=204)
def drop(incident: str, ref: str, given: ReasonIn) -> str:
    """Decide not to do it."""
    actions.drop(incident, ref, reason=given.reason, actor=actor(), now=now())
    return ""


@one.post("/<ref>/reopen")
@permit("improvement.change")
@one.input(ReasonIn, arg_name="given")
@one.output({}, status_code=204)
def reopen(incident: str, ref: str, given: ReasonIn) -> str:
    """Take it up again."""
    actions.reopen(incident, ref, reason=given.reason, actor=actor(), now=now())
    return ""


@one.post("/<ref>/move")
@permit("improvement.change")
@one.input(MoveIn, arg_name="given")
@one.output({}, status_code=204)
def move(incident: str, ref: str, given: MoveIn) -> str:
    """Give it another time."""
    actions.move(incident, ref, due_at=given.due_at, reason=given.reason, actor=actor(), now=now())
    return ""


@one.put("/<ref>/owner")
@permit("improvement.change")
@one.input(OwnerIn, arg_name="given")
@one.output({}, status_code=204)
def hand_over(incident: str, ref: str, given: OwnerIn) -> str:
    """Give it to somebody."""
    actions.hand_over(incident, ref, to=given.to, actor=actor(), now=now())
    return ""


def _shown(row: Improvement, incident: str, owners: dict[int, str]) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in ImprovementOut.model_fields if name not in {"incident", "owner"}}
    return {**own, "incident": incident, "owner": owners.get(row.owner_id) if row.owner_id else None}


def _event(row: ImprovementEvent) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EventOut.model_fields}
