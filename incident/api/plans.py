"""Plans and steps, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import plans as actions
from incident.api.incidents import Ref, Strict
from incident.domain import plans as rules
from incident.domain.errors import Missing
from incident.store import incidents, users
from incident.store import plans as rows
from incident.store.plans import Step, StepEvent
from incident.web.access import actor, me, now, permit
from incident.web.plans import LEADS

bp = APIBlueprint("api_plans", __name__, url_prefix="/api/v1/incidents/<incident>/plans", tag="Plans")


class PlanOut(BaseModel):
    ref: str
    playbook: str
    title: str
    digest: str
    activated_at: datetime
    activated_by: str


class SuggestionOut(BaseModel):
    playbook: str
    title: str
    summary: str
    certain: bool = Field(description="False: it fits if the facts named in `open` turn out so.")
    because: list[str]
    open: list[str]


class PlansOut(BaseModel):
    plans: list[PlanOut]
    suggested: list[SuggestionOut]
    playbooks: list[str] = Field(description="Every playbook there is, by its id.")


class ActivateIn(Strict):
    playbook: str = Field(max_length=40, description="The id of a playbook, such as ransomware.")


class EventOut(BaseModel):
    did: str
    text: str
    evidence: list[str]
    handed_to: str
    done_at: datetime
    done_by: str


class StepOut(BaseModel):
    ref: str
    plan: str
    key: str
    phase: str
    title: str
    detail: str
    role: str
    mandatory: bool
    asks: str = Field(description="What has to be shown to finish it.")
    need: str = Field(description="yes, no or open")
    need_open: list[str] = Field(description="The facts that would decide whether it is needed.")
    due_at: datetime | None
    due_words: str
    state: str = Field(description="open, taken, done or skipped")
    owner: str | None
    finished_at: datetime | None
    events: list[EventOut]


class StepsOut(BaseModel):
    steps: list[StepOut]


class FinishIn(Strict):
    note: str = Field("", max_length=rules.LONGEST_NOTE)
    evidence: list[str] = Field(default_factory=list, max_length=50)


class ReasonIn(Strict):
    reason: str = Field(min_length=1, max_length=rules.LONGEST_REASON)


class OwnerIn(Strict):
    to: str = Field(max_length=20, description="The reference of a person, such as U-7K3MXW2Q.")


@bp.get("")
@permit("plan.view")
@bp.output(PlansOut)
def index(incident: str) -> dict[str, Any]:
    """Active plans, and the playbooks that fit what is known."""
    active = rows.of(g.incident.id)
    suggested = rules.suggested(incidents.known(g.incident.id), [plan.playbook for plan in active])
    return {
        "plans": [_plan(plan) for plan in active],
        "suggested": [_suggestion(one) for one in suggested],
        "playbooks": list(rules.playbooks()),
    }


@bp.post("")
@permit("plan.activate")
@bp.input(ActivateIn, arg_name="given")
@bp.output(Ref, status_code=201)
def activate(incident: str, given: ActivateIn) -> dict[str, str]:
    """Activate a playbook in its wording of today."""
    return {"ref": actions.activate(incident, given.playbook, actor=actor(), now=now())}


@bp.get("/steps")
@permit("plan.view")
@bp.output(StepsOut)
def steps(incident: str) -> dict[str, Any]:
    """Every step of every plan, in order."""
    found = rows.steps(g.incident.id)
    plans = {plan.id: plan.ref for plan in rows.of(g.incident.id)}
    events, owners = rows.events([step.id for step in found]), users.refs_by_id()
    return {"steps": [_step(step, plans[step.plan_id], events.get(step.id, []), owners) for step in found]}


@bp.get("/steps/<step>")
@permit("plan.view")
@bp.output(StepOut)
def show(incident: str, step: str) -> dict[str, Any]:
    """One step with what became of it."""
    row = rows.step(g.incident.id, step)
    if row is None:
        raise Missing()
    plans = {plan.id: plan.ref for plan in rows.of(g.incident.id)}
    return _step(row, plans[row.plan_id], rows.events([row.id]).get(row.id, []), users.refs_by_id())


@bp.post("/steps/<step>/take")
@permit("step.change")
@bp.output({}, status_code=204)
def take(incident: str, step: str) -> str:
    """Take the step on yourself."""
    actions.take(incident, step, actor=actor(), now=now())
    return ""


@bp.post("/steps/<step>/finish")
@permit("step.change")
@bp.input(FinishIn, arg_name="given")
@bp.output({}, status_code=204)
def finish(incident: str, step: str, given: FinishIn) -> str:
    """Say that it is done, and what shows it."""
    actions.finish(incident, step, note=given.note, evidence=given.evidence, actor=actor(), now=now())
    return ""


@bp.post("/steps/<step>/skip")
@permit("step.change")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def skip(incident: str, step: str, given: ReasonIn) -> str:
    """Leave it out, with a reason; mandatory ones by a lead or privacy officer only."""
    by_lead = bool(LEADS & set(me().roles))
    actions.skip(incident, step, reason=given.reason, by_lead=by_lead, actor=actor(), now=now())
    return ""


@bp.post("/steps/<step>/reopen")
@permit("step.change")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def reopen(incident: str, step: str, given: ReasonIn) -> str:
    """Take a finished or skipped step up again, with a reason."""
    actions.reopen(incident, step, reason=given.reason, actor=actor(), now=now())
    return ""


@bp.put("/steps/<step>/owner")
@permit("step.change")
@bp.input(OwnerIn, arg_name="given")
@bp.output({}, status_code=204)
def hand_over(incident: str, step: str, given: OwnerIn) -> str:
    """Give it to somebody."""
    actions.hand_over(incident, step, to=given.to, actor=actor(), now=now())
    return ""


def _plan(row: rows.Plan) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PlanOut.model_fields}


def _suggestion(one: rules.Suggestion) -> dict[str, Any]:
    book = one.playbook
    facts = {"certain": one.certain, "because": list(one.because), "open": list(one.open)}
    return {"playbook": book.id, "title": book.title, "summary": book.summary, **facts}


def _step(row: Step, plan: str, events: list[StepEvent], owners: dict[int, str]) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in StepOut.model_fields if name not in {"plan", "owner", "events"}}
    told = [{name: getattr(event, name) for name in EventOut.model_fields} for event in events]
    return {**own, "plan": plan, "owner": owners.get(row.owner_id) if row.owner_id else None, "events": told}
