"""Legal holds, erasures with their certificates, and rules of retention, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import BaseModel, ConfigDict, Field

from incident.actions import erasing, keeping
from incident.api.incidents import Strict
from incident.api.scheme import a_file
from incident.domain.erasures import LONGEST_REASON, WHY
from incident.domain.retention import LONGEST_DAYS
from incident.store import erasures as rows
from incident.web.access import actor, now, permit
from incident.web.erasures import by_two, certified, folder
from incident.web.retention import mine

bp = APIBlueprint("api_erasures", __name__, url_prefix="/api/v1/incidents/<incident>/erasures", tag="Erasure")
whole = APIBlueprint("api_retention", __name__, url_prefix="/api/v1/retention", tag="Erasure")


class PageQuery(BaseModel):
    before: int | None = Field(None, ge=1, description="Go on behind the erasure with this id.")
    limit: int = Field(50, ge=1, le=200)


class ErasureOut(BaseModel):
    id: int
    ref: str
    person: str = Field(description="Empty where it is the whole incident.")
    why: str
    state: Literal["asked", "done", "refused"]
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    sha256: str | None = Field(description="Of the certificate, once it was done.")


class ErasureList(BaseModel):
    erasures: list[ErasureOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class AskIn(Strict):
    person: str = Field("", max_length=12, description="A reference such as P-12; empty for the whole incident.")
    confirm: str = Field(max_length=40, description="The reference of the person or the incident, once more.")
    why: str = Field(max_length=20, description=f"One of {', '.join(WHY)}.")


class ConfirmIn(Strict):
    confirm: str = Field(max_length=40, description="The reference of the person or the incident.")


class AnswerOut(BaseModel):
    ref: str
    done: bool = Field(description="False: a second person has to agree first.")
    people: int


class ReasonIn(Strict):
    reason: str = Field(max_length=LONGEST_REASON)


class HoldOut(BaseModel):
    ref: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_why: str
    lifted_by: str | None
    lifted_at: datetime | None


class HoldList(BaseModel):
    stands: bool
    holds: list[HoldOut]


class Ref(BaseModel):
    ref: str


class RulesOut(BaseModel):
    incident: int | None = Field(description="Days after closing; null for ever.")
    drill: int | None
    list: int | None = Field(description="Days for the file of a list after it was taken in.")
    letters: int | None = Field(description="Days for print files after the letters were posted.")


class RulesIn(Strict):
    model_config = ConfigDict(extra="forbid")

    incident: int | None = Field(None, ge=1, le=LONGEST_DAYS)
    drill: int | None = Field(None, ge=1, le=LONGEST_DAYS)
    list: int | None = Field(None, ge=1, le=LONGEST_DAYS)
    letters: int | None = Field(None, ge=1, le=LONGEST_DAYS)


class GoingOut(BaseModel):
    rule: str
    ref: str
    incident: str
    ended_at: datetime
    goes_at: datetime
    held: bool


class GoingList(BaseModel):
    going: list[GoingOut]


class Changed(BaseModel):
    changed: list[str]


@bp.get("")
@permit("erasure.view")
@bp.input(PageQuery, location="query", arg_name="asked")
@bp.output(ErasureList)
def index(incident: str, asked: PageQuery) -> dict[str, Any]:
    """What was erased, or waits for a second person, newest first."""
    found = rows.page(g.incident.id, before=asked.before, limit=asked.limit)
    return {
        "erasures": [_erasure(row) for row in found],
        "before": found[-1].id if len(found) == asked.limit else None,
    }


def _erasure(row: rows.Erasure) -> dict[str, Any]:
    names = ("id", "ref", "person", "why", "state", "asked_by", "asked_at", "decided_by", "decided_at", "sha256")
    return {name: getattr(row, name) for name in names}


@bp.post("")
@permit("people.erase")
@bp.input(AskIn, arg_name="given")
@bp.output(AnswerOut, status_code=201)
def ask(incident: str, given: AskIn) -> dict[str, Any]:
    """Erase a person or the incident for good; where two people have to agree, ask for it."""
    answer = erasing.ask(
        incident,
        given.person,
        confirm=given.confirm,
        why=given.why,
        by_two=by_two(),
        folder=folder(),
        actor=actor(),
        now=now(),
    )
    return {"ref": answer.ref, "done": answer.done, "people": answer.people}


@bp.post("/<ref>/agree")
@permit("erasure.agree")
@bp.input(ConfirmIn, arg_name="given")
@bp.output(AnswerOut)
def agree(incident: str, ref: str, given: ConfirmIn) -> dict[str, Any]:
    """The second person's yes: now it is erased."""
    answer = erasing.agree(incident, ref, confirm=given.confirm, folder=folder(), actor=actor(), now=now())
    return {"ref": answer.ref, "done": answer.done, "people": answer.people}


@bp.post("/<ref>/decline")
@permit("erasure.agree")
@bp.output({}, status_code=204)
def decline(incident: str, ref: str) -> str:
    """Say no, or take one's own wish back."""
    erasing.decline(incident, ref, actor=actor(), now=now())
    return ""


@bp.get("/<ref>/certificate/<kind>")
@permit("erasure.view")
@bp.doc(responses=a_file("The certificate: pdf, or json as it was kept.", "application/pdf", "application/json"))
def certificate(incident: str, ref: str, kind: str) -> Response:
    """The certificate of an erasure that was done."""
    return certified(incident, ref, kind)


@bp.get("/holds")
@permit("erasure.view")
@bp.output(HoldList)
def holds(incident: str) -> dict[str, Any]:
    """Every legal hold that was placed, newest first."""
    found = keeping.holds(incident)
    names = ("ref", "reason", "placed_by", "placed_at", "lifted_why", "lifted_by", "lifted_at")
    return {
        "stands": any(row.lifted_at is None for row in found),
        "holds": [{name: getattr(row, name) for name in names} for row in found],
    }


@bp.post("/holds")
@permit("hold.place")
@bp.input(ReasonIn, arg_name="given")
@bp.output(Ref, status_code=201)
def place(incident: str, given: ReasonIn) -> dict[str, str]:
    """Stop all erasing of this incident."""
    return {"ref": keeping.place_hold(incident, given.reason, actor=actor(), now=now())}


@bp.post("/holds/lift")
@permit("hold.lift")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def lift(incident: str, given: ReasonIn) -> str:
    """Lift the hold that stands."""
    keeping.lift_hold(incident, given.reason, actor=actor(), now=now())
    return ""


@whole.get("")
@permit("retention.view")
@whole.output(RulesOut)
def rules() -> dict[str, Any]:
    """How many days what is kept after its end."""
    return keeping.days_now()


@whole.patch("")
@permit("retention.change")
@whole.input(RulesIn, arg_name="given")
@whole.output(Changed)
def change(given: RulesIn) -> dict[str, Any]:
    """Set rules; what is not named stays. What is due by them goes within the hour, for good."""
    return {"changed": keeping.change(given.model_dump(exclude_unset=True), actor=actor(), now=now())}


@whole.get("/going")
@permit("retention.view")
@whole.input(RulesIn, location="query", arg_name="asked")
@whole.output(GoingList)
def going(asked: RulesIn) -> dict[str, Any]:
    """What goes when by the rules, soonest first; with days, what would go by those."""
    supposed = keeping.days_now() | asked.model_dump(exclude_unset=True)
    names = ("rule", "ref", "incident", "ended_at", "goes_at", "held")
    return {"going": [{name: getattr(one, name) for name in names} for one in keeping.going(mine(), days=supposed)]}
