"""Lessons, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import lessons as actions
from incident.api.incidents import Place, Ref, Strict
from incident.domain.lessons import LONGEST_CHANGE, LONGEST_TITLE, LONGEST_WORDS
from incident.store import incidents, users
from incident.store import lessons as rows
from incident.store.incidents import Incident
from incident.store.lessons import Lesson
from incident.web.access import actor, now, permit
from incident.web.incidents import visible
from incident.web.lessons import known

bp = APIBlueprint("api_lessons", __name__, url_prefix="/api/v1/lessons", tag="Review and learning")
proposing = APIBlueprint(
    "api_proposing", __name__, url_prefix="/api/v1/incidents/<incident>/lessons", tag="Review and learning"
)

State = Literal["proposed", "accepted", "adopted", "declined"]
Kind = Literal["playbook", "text", "law", "practice"]


class LessonQuery(Place):
    state: State | None = None
    kind: Kind | None = None
    q: str = Field("", max_length=100, description="Words of its title, its place, or its reference.")


class LessonOut(BaseModel):
    id: int
    ref: str
    incident: str
    title: str
    kind: Kind
    target: str = Field(description="What it changes, such as phishing/call_the_bank; empty for practice.")
    source: Literal["review", "drill"]
    state: State
    owner: str | None
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str
    adopted_at: datetime | None
    adopted_by: str


class LessonSheet(LessonOut):
    why: str
    before: str = Field(description="What stood there when it was proposed; empty for something new.")
    after: str
    reason: str = Field(description="Why it was declined, or what is done otherwise now.")


class LessonList(BaseModel):
    lessons: list[LessonOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class LessonIn(Strict):
    """What is asked for depends on the kind: playbook: book, step, phase, step_title, detail, role; text: language, part,
    text; law: file, text; practice: nothing more."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    why: str = Field(min_length=1, max_length=LONGEST_WORDS)
    kind: Kind
    source: Literal["review", "drill"] = "review"
    owner: str = ""
    book: str = Field("", description="A playbook, or common for the steps that all share.")
    step: str = Field("", description="The key of the step to change; empty: a new one.")
    key: str = Field("", max_length=40, description="The key of a new step; empty: made of its title.")
    phase: str = ""
    step_title: str = Field("", max_length=200)
    detail: str = Field("", max_length=5_000)
    role: str = ""
    hours: int | None = Field(None, ge=1, description="Null: no fixed time.")
    due_from: str = Field("opened_at", description="The fact that starts the clock, or opened_at.")
    evidence: str = Field("", max_length=500)
    mandatory: bool = False
    needed_when: dict[str, Any] | None = Field(
        None, description='A condition as playbooks have it, such as {"malicious": true}; {}: always. Null: as it was.'
    )
    language: str = ""
    part: str = ""
    file: str = Field("", description="The name of an own law file, such as our-insurer.toml.")
    text: str = Field("", max_length=LONGEST_CHANGE)


class AdoptIn(Strict):
    note: str = Field("", max_length=LONGEST_WORDS, description="For practice: what is done otherwise now.")


class DeclineIn(Strict):
    reason: str = Field(min_length=1, max_length=LONGEST_WORDS)


class OwnerIn(Strict):
    to: str


@bp.get("/")
@permit("lesson.view")
@bp.input(LessonQuery, location="query", arg_name="asked")
@bp.output(LessonList)
def index(asked: LessonQuery) -> dict[str, Any]:
    """The lessons of all incidents that you may know of, newest first."""
    mine = visible().with_only_columns(Incident.id)
    query = rows.asked(mine, state=asked.state or "", kind=asked.kind or "", words=asked.q)
    found = list(rows.page(query, before=asked.before, limit=asked.limit))
    cases, owners = incidents.by_ids({row.incident_id for row in found}), users.refs_by_id()
    shown = [_shown(row, cases[row.incident_id].ref, owners) for row in found]
    return {"lessons": shown, "before": found[-1].id if len(found) == asked.limit else None}


@proposing.post("")
@permit("lesson.propose")
@proposing.input(LessonIn, arg_name="given")
@proposing.output(Ref, status_code=201)
def propose(incident: str, given: LessonIn) -> dict[str, str]:
    """Put a lesson up for decision."""
    source, told = given.source, given.model_dump(exclude={"source"})
    return {"ref": actions.propose(incident, told, source=source, actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("lesson.view")
@bp.output(LessonSheet)
def show(ref: str) -> dict[str, Any]:
    """One, with what stands before and after."""
    row = known(ref)
    case = incidents.by_ids({row.incident_id})[row.incident_id]
    told = {"why": row.why, "before": row.before, "after": actions.shown_after(row), "reason": row.reason}
    return _shown(row, case.ref, users.refs_by_id()) | told


@bp.post("/<ref>/accept")
@permit("lesson.decide")
@bp.output({}, status_code=204)
def accept(ref: str) -> str:
    """Say yes as a second person."""
    known(ref)
    actions.accept(ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/adopt")
@permit("lesson.decide")
@bp.input(AdoptIn, arg_name="given")
@bp.output({}, status_code=204)
def adopt(ref: str, given: AdoptIn) -> str:
    """Have the installation go by it; refused where somebody changed the same place since."""
    known(ref)
    actions.adopt(ref, note=given.note, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/decline")
@permit("lesson.decide")
@bp.input(DeclineIn, arg_name="given")
@bp.output({}, status_code=204)
def decline(ref: str, given: DeclineIn) -> str:
    """Say no, with a reason."""
    known(ref)
    actions.decline(ref, reason=given.reason, actor=actor(), now=now())
    return ""


@bp.put("/<ref>/owner")
@permit("lesson.propose")
@bp.input(OwnerIn, arg_name="given")
@bp.output({}, status_code=204)
def hand_over(ref: str, given: OwnerIn) -> str:
    """Have somebody look after it."""
    known(ref)
    actions.hand_over(ref, to=given.to, actor=actor(), now=now())
    return ""


def _shown(row: Lesson, incident: str, owners: dict[int, str]) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in LessonOut.model_fields if name not in {"incident", "owner"}}
    return {**own, "incident": incident, "owner": owners.get(row.owner_id) if row.owner_id else None}
