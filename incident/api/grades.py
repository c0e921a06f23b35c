"""Grades, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import grades as actions
from incident.actions import intake
from incident.actions.intake import LONGEST_SOURCE
from incident.api.incidents import Place, Ref, Strict
from incident.domain.errors import Invalid
from incident.domain.grading import notification
from incident.domain.texts import storable
from incident.store import grades as rows
from incident.store import incidents
from incident.store.grades import Grade
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_grades", __name__, url_prefix="/api/v1/incidents/<incident>/grades", tag="Grades")


class GradeOut(BaseModel):
    id: int
    ref: str
    scale: str = Field(description="operational, people, china or cvss")
    basis: str = Field(description="suggested by the rules, or chosen by a person")
    level: str
    score: float | None
    inputs: dict[str, Any]
    reasons: list[str]
    open: list[str] = Field(description="The facts that could still change it.")
    note: str
    made_at: datetime
    made_by: str


class RiskOut(BaseModel):
    suggested: str = Field(description="unlikely, risk or high")
    reasons: list[str]
    open: list[str]
    decided: str | None


class GradesOut(BaseModel):
    current: list[GradeOut]
    suggested: list[GradeOut]
    risk_to_people: RiskOut


class HistoryOut(BaseModel):
    grades: list[GradeOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class LevelIn(Strict):
    level: str = Field(max_length=20)
    note: str = Field(min_length=1, max_length=5_000)


class SeverityIn(Strict):
    category: Literal["simple", "behavioural", "financial", "sensitive"]
    adjust: int = Field(0, ge=-3, le=3)
    ei: float
    confidentiality: str
    integrity: str
    availability: str
    malicious_intent: bool
    reasons: dict[str, str] = Field(description="A reason for each input, by its name.")
    note: str = Field(min_length=1, max_length=5_000)


class RiskIn(Strict):
    risk_to_people: Literal["unlikely", "risk", "high"]
    reason: str = Field(min_length=1, max_length=LONGEST_SOURCE)


class VectorIn(Strict):
    vector: str = Field(max_length=300)
    note: str = Field("", max_length=5_000)


@bp.get("")
@permit("grade.view")
@bp.output(GradesOut)
def index(incident: str) -> dict[str, Any]:
    """What counts on each scale, what the rules suggest, and the suggested risk to people."""
    facts = incidents.known(g.incident.id)
    told = notification(facts)
    latest = rows.latest(g.incident.id)
    return {
        "current": [_grade(row) for row in rows.current(g.incident.id).values()],
        "suggested": [_grade(row) for (_, basis), row in latest.items() if basis == "suggested"],
        "risk_to_people": {
            "suggested": told.judgement.risk.word,
            "reasons": list(told.reasons),
            "open": list(told.judgement.open),
            "decided": facts.get("risk_to_people"),
        },
    }


@bp.get("/history")
@permit("grade.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(HistoryOut)
def history(incident: str, place: Place) -> dict[str, Any]:
    """Every grade there ever was, newest first."""
    found = rows.history(g.incident.id, before=place.before, limit=place.limit)
    return {"grades": [_grade(row) for row in found], "before": found[-1].id if len(found) == place.limit else None}


@bp.post("/risk")
@permit("grade.choose")
@bp.input(RiskIn, arg_name="given")
@bp.output({}, status_code=204)
def decide(incident: str, given: RiskIn) -> str:
    """Decide on the risk to people; it becomes the fact `risk_to_people`, with the reason as its source."""
    source = storable(given.reason)
    if not source:
        raise Invalid("reason", "Say why; the reason stands beside the fact.")
    facts = {"risk_to_people": given.risk_to_people}
    intake.record_facts(incident, facts, source=source, confidence="high", actor=actor(), now=now())
    return ""


@bp.post("/operational")
@permit("grade.choose")
@bp.input(LevelIn, arg_name="given")
@bp.output(Ref, status_code=201)
def operational(incident: str, given: LevelIn) -> dict[str, str]:
    """Choose the operational level: low, moderate, high or critical."""
    return {"ref": actions.choose_level(incident, "operational", given.level, given.note, actor=actor(), now=now())}


@bp.post("/china")
@permit("grade.choose")
@bp.input(LevelIn, arg_name="given")
@bp.output(Ref, status_code=201)
def china(incident: str, given: LevelIn) -> dict[str, str]:
    """Choose the grade in China: general, relatively_major, major or particularly_major."""
    return {"ref": actions.choose_level(incident, "china", given.level, given.note, actor=actor(), now=now())}


@bp.post("/people")
@permit("grade.choose")
@bp.input(SeverityIn, arg_name="given")
@bp.output(Ref, status_code=201)
def people(incident: str, given: SeverityIn) -> dict[str, str]:
    """Choose the inputs of the severity for people, each with its reason."""
    inputs = given.model_dump(exclude={"reasons", "note"}) | {"malicious_intent": str(given.malicious_intent).lower()}
    return {"ref": actions.choose_severity(incident, inputs, given.reasons, given.note, actor=actor(), now=now())}


@bp.post("/cvss")
@permit("grade.choose")
@bp.input(VectorIn, arg_name="given")
@bp.output(Ref, status_code=201)
def cvss(incident: str, given: VectorIn) -> dict[str, str]:
    """Score a vulnerability by its CVSS vector."""
    return {"ref": actions.choose_vector(incident, given.vector, given.note, actor=actor(), now=now())}


def _grade(row: Grade) -> dict[str, Any]:
    return {name: getattr(row, name) for name in GradeOut.model_fields}
