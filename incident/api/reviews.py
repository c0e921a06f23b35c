"""The review of an incident, its meeting and its time line, for programs: the same actions as the page."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import BaseModel, Field

from incident.actions import reviews as actions
from incident.actions.reviews import Moment
from incident.api.bundles import Along
from incident.api.incidents import Ref, Strict
from incident.api.scheme import DOCX, a_file
from incident.domain.reviews import LONGEST_MOMENT
from incident.store import closings
from incident.store import reviews as rows
from incident.web.access import actor, now, permit
from incident.web.bundles import taken_along
from incident.web.reports import company, download, house_zone

bp = APIBlueprint("api_reviews", __name__, url_prefix="/api/v1/incidents/<incident>/review", tag="Review and learning")


class MeetingOut(BaseModel):
    ref: str
    at: datetime
    people: list[str]
    planned_at: datetime
    planned_by: str
    reminded_at: datetime | None


class MomentOut(BaseModel):
    ref: str
    at: datetime
    text: str
    line: int | None = Field(description="The line of the record it was taken from; null: written by hand.")
    written_at: datetime
    written_by: str


class ReviewOut(BaseModel):
    written: bool
    factors: list[str] = Field(description="Causes and factors by key, in terms of VERIS.")
    meeting: MeetingOut | None
    moments: list[MomentOut]


class MeetingIn(Strict):
    at: datetime
    people: list[str] = Field(min_length=1, max_length=200, description="References of those who take part.")


class MomentIn(Strict):
    text: str = Field(min_length=1, max_length=LONGEST_MOMENT)
    at: datetime | None = Field(None, description="Null for a line of the record: its own time counts.")
    line: int | None = Field(None, ge=0, description="A line of the record about this incident.")


class MomentsIn(Strict):
    moments: list[MomentIn] = Field(min_length=1, max_length=100)


class EditIn(Strict):
    text: str = Field(min_length=1, max_length=LONGEST_MOMENT)
    at: datetime


class AddedOut(BaseModel):
    added: int


@bp.get("")
@permit("review.view")
@bp.output(ReviewOut)
def show(incident: str) -> dict[str, Any]:
    """The meeting and what happened as the review tells it; its words are with the closing."""
    review, meeting = closings.review(g.incident.id), rows.meeting(g.incident.id)
    return {
        "written": review is not None,
        "factors": review.factors if review else [],
        "meeting": {name: getattr(meeting, name) for name in MeetingOut.model_fields} if meeting else None,
        "moments": [
            {name: getattr(row, name) for name in MomentOut.model_fields} for row in rows.moments(g.incident.id)
        ],
    }


@bp.post("/meeting")
@permit("incident.review")
@bp.input(MeetingIn, arg_name="given")
@bp.output(Ref, status_code=201)
def plan_meeting(incident: str, given: MeetingIn) -> dict[str, str]:
    """Say when the review meets and who takes part; each is reminded a day before."""
    return {"ref": actions.plan_meeting(incident, at=given.at, people=given.people, actor=actor(), now=now())}


@bp.post("/moments")
@permit("incident.review")
@bp.input(MomentsIn, arg_name="given")
@bp.output(AddedOut, status_code=201)
def add_moments(incident: str, given: MomentsIn) -> dict[str, int]:
    """Put moments into the time line; a line of the record that it tells already is passed over."""
    told = [Moment(one.at, one.text, one.line) for one in given.moments]
    return {"added": actions.add_moments(incident, told, actor=actor(), now=now())}


@bp.put("/moments/<moment>")
@permit("incident.review")
@bp.input(EditIn, arg_name="given")
@bp.output({}, status_code=204)
def edit_moment(incident: str, moment: str, given: EditIn) -> str:
    """Tell a moment in other words, or at another time."""
    actions.edit_moment(incident, moment, text=given.text, at=given.at, actor=actor(), now=now())
    return ""


@bp.delete("/moments/<moment>")
@permit("incident.review")
@bp.output({}, status_code=204)
def take_out(incident: str, moment: str) -> str:
    """Take a moment out of the time line; the record keeps its line."""
    actions.take_out(incident, moment, actor=actor(), now=now())
    return ""


@bp.post("/file/<kind>")
@permit("report.export")
@bp.input(Along, location="query", arg_name="along")
@bp.doc(responses=a_file("The file: pdf, docx or json.", "application/pdf", DOCX, "application/json"))
def export(incident: str, kind: str, along: Along) -> Response:
    """Make the review as a file; its digest goes into the record."""
    about: dict[str, Any] = {"company": company(), "zone": house_zone(), "privileged": taken_along(along.privileged)}
    return download(actions.export(incident, kind, **about, actor=actor(), now=now()))
