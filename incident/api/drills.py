"""Drills, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app, g
from pydantic import BaseModel, Field

from incident.actions import after_action, particulars
from incident.actions import drills as actions
from incident.api.incidents import Ref, Strict
from incident.api.scheme import a_file
from incident.domain import scenarios
from incident.domain.drills import Arrival
from incident.domain.errors import Missing
from incident.exports import after_action as exports
from incident.store import drills as rows
from incident.store.drills import Drill, DrillInject
from incident.web.access import actor, now, permit, zone
from incident.web.drill import told
from incident.web.drill_clock import drill, is_facilitator
from incident.web.drills import seen
from incident.web.reports import company, download

bp = APIBlueprint("api_drills", __name__, url_prefix="/api/v1/drills", tag="Drills")
one = APIBlueprint("api_drill", __name__, url_prefix="/api/v1/incidents/<incident>/drill", tag="Drills")

Factor = Literal[1, 6, 12, 24, 60]
Course = Literal["running", "paused", "ended"]
State = Literal["waiting", "arrived", "skipped"]


class DrillQuery(BaseModel):
    before: int | None = Field(None, ge=1, description="Go on behind the drill with this id.")
    limit: int = Field(50, ge=1, le=200)


class DrillIn(Strict):
    scenario: str = Field(max_length=40, description="As `/api/v1/drills/scenarios` names it.")
    factor: Factor = Field(24, description="How many minutes of the drill pass in one.")


class ScenarioOut(BaseModel):
    id: str
    title: str
    summary: str
    playbook: str
    minutes: int
    factor: int
    people: int
    digest: str


class ScenarioList(BaseModel):
    scenarios: list[ScenarioOut]


class DrillOut(BaseModel):
    id: int
    incident: str
    title: str
    scenario: str
    factor: int
    facilitator: str
    course: Course
    began_at: datetime
    ended_at: datetime | None
    minute: int = Field(description="Of the drill, at this moment.")
    clock_reads: datetime = Field(description="What the clock of the drill shows at this moment.")
    score: int | None = Field(description="Of 100, once it has ended.")


class DrillList(BaseModel):
    drills: list[DrillOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class InjectOut(BaseModel):
    ref: str
    key: str
    minute: int
    kind: str
    sender: str
    title: str
    text: str
    state: State
    wants_answer: bool
    arrived_at: datetime | None
    answer: str
    answered_at: datetime | None
    answered_by: str


class DrillSheet(DrillOut):
    brief: str
    injects: list[InjectOut] = Field(description="What came in; for the facilitator also what will.")


class InjectIn(Strict):
    kind: Literal["message", "press", "regulator", "person", "mail", "fact", "provider"] = "message"
    sender: str = Field(max_length=200)
    title: str = Field(max_length=200)
    text: str = Field(max_length=5_000)
    after: int | None = Field(None, ge=0, le=100_000, description="Minutes of the drill from now; null: by hand alone.")
    wants_answer: bool = False


class AnswerIn(Strict):
    text: str = Field(max_length=5_000)


class RemarkIn(Strict):
    kind: Literal["helped", "hurt", "lesson"]
    text: str = Field(max_length=5_000)


class LessonOut(BaseModel):
    lesson: str = Field(description="Reference of the proposed lesson.")


@bp.get("/scenarios")
@permit("drill.view")
@bp.output(ScenarioList)
def known() -> dict[str, Any]:
    """The scenarios to choose from."""
    names = ScenarioOut.model_fields
    return {"scenarios": [{name: getattr(made, name) for name in names} for made in scenarios.scenarios().values()]}


@bp.get("/")
@permit("drill.view")
@bp.input(DrillQuery, location="query", arg_name="asked")
@bp.output(DrillList)
def index(asked: DrillQuery) -> dict[str, Any]:
    """All drills by a scenario, newest first."""
    found = rows.page(seen(), before=asked.before, limit=asked.limit)
    return {
        "drills": [_shown(row, case.ref) for row, case in found],
        "before": found[-1][0].incident_id if len(found) == asked.limit else None,
    }


@bp.post("/")
@permit("drill.run")
@bp.input(DrillIn, arg_name="given")
@bp.output(Ref, status_code=201)
def start(given: DrillIn) -> dict[str, str]:
    """Begin a drill; the reference of its incident."""
    settings = current_app.extensions["settings"]
    ref = actions.start(
        given.scenario,
        factor=given.factor,
        house=particulars.own_facts(settings),
        folder=settings.instance / "files",
        actor=actor(),
        now=now(),
    )
    return {"ref": ref}


@one.get("/")
@permit("drill.view")
@one.output(DrillSheet)
def show(incident: str) -> dict[str, Any]:
    """One drill and what came in; for its facilitator also what will."""
    row = _row()
    states = () if is_facilitator() or row.ended_at else (Arrival.ARRIVED,)
    found = [_inject(one) for one in rows.injects(g.incident.id, states)]
    return _shown(row, incident) | {"brief": row.script["brief"], "injects": found}


@one.post("/pause")
@permit("drill.run")
@one.output({}, status_code=204)
def pause(incident: str) -> str:
    """Stop its clock."""
    actions.pause(incident, actor=actor(), now=now())
    return ""


@one.post("/resume")
@permit("drill.run")
@one.output({}, status_code=204)
def resume(incident: str) -> str:
    """Let its clock go on."""
    actions.resume(incident, actor=actor(), now=now())
    return ""


@one.post("/end")
@permit("drill.run")
@one.output({}, status_code=204)
def end(incident: str) -> str:
    """End it for good; its incident is closed as it stands."""
    actions.end(incident, actor=actor(), now=now())
    return ""


@one.post("/take-over")
@permit("drill.run")
@one.output({}, status_code=204)
def take_over(incident: str) -> str:
    """Facilitate it in place of who does now."""
    actions.take_over(incident, actor=actor(), now=now())
    return ""


@one.post("/injects")
@permit("drill.run")
@one.input(InjectIn, arg_name="given")
@one.output(Ref, status_code=201)
def add_inject(incident: str, given: InjectIn) -> dict[str, str]:
    """Write an inject of one's own."""
    return {"ref": actions.add_inject(incident, **given.model_dump(), actor=actor(), now=now())}


@one.post("/injects/<ref>/let-in")
@permit("drill.run")
@one.output({}, status_code=204)
def let_in(incident: str, ref: str) -> str:
    """Let one come in now."""
    actions.let_in(incident, ref, actor=actor(), now=now())
    return ""


@one.post("/injects/<ref>/skip")
@permit("drill.run")
@one.output({}, status_code=204)
def skip(incident: str, ref: str) -> str:
    """Leave one out."""
    actions.skip(incident, ref, actor=actor(), now=now())
    return ""


@one.post("/injects/<ref>/answer")
@permit("drill.answer")
@one.input(AnswerIn, arg_name="given")
@one.output({}, status_code=204)
def answer(incident: str, ref: str, given: AnswerIn) -> str:
    """Answer what came in."""
    actions.answer(incident, ref, given.text, actor=actor(), now=now())
    return ""


@one.get("/report")
@permit("drill.view")
@one.output({})
def report(incident: str) -> dict[str, Any]:
    """How it went: score, what was expected, what was done. 409 for players while it runs."""
    return exports.plain(told())


@one.post("/report.<kind>")
@permit("report.export")
@one.doc(responses=a_file("The file: pdf, json or csv.", "application/pdf", "application/json", "text/csv"))
def export(incident: str, kind: str) -> Response:
    """The same as a file (pdf, json, csv); its digest goes into the record."""
    about = told()
    made = after_action.export(
        incident,
        kind,
        company=company().name,
        zone=zone(),
        names=actions.names([about.facilitator]),
        actor=actor(),
        now=now(),
    )
    return download(made)


@one.post("/remarks")
@permit("drill.answer")
@one.input(RemarkIn, arg_name="given")
@one.output(Ref, status_code=201)
def remark(incident: str, given: RemarkIn) -> dict[str, str]:
    """Say what helped, what hurt, or what is to be learnt."""
    return {"ref": actions.remark(incident, given.kind, given.text, actor=actor(), now=now())}


@one.post("/remarks/<ref>/propose")
@permit("drill.answer")
@one.output(LessonOut)
def propose(incident: str, ref: str) -> dict[str, str]:
    """Propose a lesson for decision."""
    return {"lesson": actions.propose(incident, ref, actor=actor(), now=now())}


def _row() -> Drill:
    found = drill()
    if found is None:
        raise Missing()
    return found


def _shown(row: Drill, incident: str) -> dict[str, Any]:
    work = row.clock
    return {
        "id": row.incident_id,
        "incident": incident,
        "title": row.script["title"],
        "scenario": row.scenario,
        "factor": row.factor,
        "facilitator": row.facilitator,
        "course": work.course.value,
        "began_at": row.began_at,
        "ended_at": row.ended_at,
        "minute": work.minute(now()),
        "clock_reads": work.reads(now()),
        "score": row.outcome.get("score") if row.ended_at else None,
    }


def _inject(row: DrillInject) -> dict[str, Any]:
    return {name: getattr(row, name) for name in InjectOut.model_fields}
