"""Review, closing and reopening, for programs: the same actions as the page."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import closing as actions
from incident.api.incidents import Ref, Strict
from incident.domain.closing import LONGEST, LONGEST_WORDS, QUESTIONS
from incident.domain.reviews import FACTORS
from incident.store import closings as rows
from incident.store import standings
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_closing", __name__, url_prefix="/api/v1/incidents/<incident>/closing", tag="Closing")


class GateOut(BaseModel):
    key: str
    title: str
    open: bool = Field(description="True: this does not stand in the way.")
    words: str


class ReviewOut(BaseModel):
    ref: str
    went_well: str
    went_badly: str
    root_cause: str
    lessons: str
    measures: str
    factors: list[str] = Field(description="Causes and factors by key, in terms of VERIS.")
    written_at: datetime
    written_by: str


class DoneOut(BaseModel):
    ref: str
    did: str
    words: str
    figures: dict[str, Any]
    done_at: datetime
    done_by: str


class ClosingOut(BaseModel):
    state: str
    closable: bool
    gates: list[GateOut]
    review: ReviewOut | None
    history: list[DoneOut]
    figures: dict[str, Any]


class ReviewIn(Strict):
    went_well: str = Field(max_length=LONGEST)
    went_badly: str = Field(max_length=LONGEST)
    root_cause: str = Field(max_length=LONGEST)
    lessons: str = Field(max_length=LONGEST)
    measures: str = Field(max_length=LONGEST)
    factors: list[str] = Field(default_factory=list, description=f"Of these: {', '.join(FACTORS)}.")


class CloseIn(Strict):
    words: str = Field(max_length=LONGEST_WORDS, description="How it ended, in a sentence or two.")


class ReopenIn(Strict):
    reason: str = Field(max_length=LONGEST_WORDS)


@bp.get("")
@permit("closing.view")
@bp.output(ClosingOut)
def show(incident: str) -> dict[str, Any]:
    """What stands in the way of closing, the review, and how it ended."""
    gates = actions.gates(g.incident)
    review = rows.review(g.incident.id)
    return {
        "state": g.incident.state,
        "closable": g.incident.state == "open" and all(gate.open for gate in gates),
        "gates": [vars(gate) for gate in gates],
        "review": {name: getattr(review, name) for name in ReviewOut.model_fields} if review else None,
        "history": [{name: getattr(row, name) for name in DoneOut.model_fields} for row in rows.history(g.incident.id)],
        "figures": standings.as_figures(standings.counted(g.incident.id)),
    }


@bp.post("/review")
@permit("incident.review")
@bp.input(ReviewIn, arg_name="given")
@bp.output(Ref, status_code=201)
def write_review(incident: str, given: ReviewIn) -> dict[str, str]:
    """Keep a review; earlier ones stay beside it."""
    answers = {name: getattr(given, name) for name in QUESTIONS}
    return {"ref": actions.write_review(incident, answers, factors=given.factors, actor=actor(), now=now())}


@bp.post("/close")
@permit("incident.close")
@bp.input(CloseIn, arg_name="given")
@bp.output(Ref, status_code=201)
def close(incident: str, given: CloseIn) -> dict[str, str]:
    """Close the incident; refused, naming every gate, while something stands in the way."""
    return {"ref": actions.close(incident, given.words, actor=actor(), now=now())}


@bp.post("/reopen")
@permit("incident.close")
@bp.input(ReopenIn, arg_name="given")
@bp.output(Ref, status_code=201)
def reopen(incident: str, given: ReopenIn) -> dict[str, str]:
    """Open it again, with a reason."""
    return {"ref": actions.reopen(incident, given.reason, actor=actor(), now=now())}
