"""Calls by hand, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import calls as actions
from incident.api.incidents import Strict
from incident.domain import calls as rules
from incident.domain import hours
from incident.store import calls as rows
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_calls", __name__, url_prefix="/api/v1/incidents/<incident>/calls", tag="Sending")


class CallsIn(Strict):
    language: str = Field("", max_length=12)
    why: Literal["", "first", "call_back"] = ""
    after: AwareDatetime | None = Field(None, description="Go on from this `not_before` …")
    after_delivery: int = Field(0, ge=0, description="… and this number.")
    limit: int = Field(100, ge=1, le=500)


class CallOut(BaseModel):
    attempt_ref: str
    delivery: int = Field(description="Its number, to go on from.")
    person: str
    notice: str
    why: str = Field(description="first: the notice reaches them by telephone; call_back: they asked to be called back")
    tries: int
    language: str
    place: str
    not_before: datetime
    quiet_now: bool = Field(description="It is no time to call where they live.")
    held_by: str


class CallsOut(BaseModel):
    calls: list[CallOut]
    count: int
    next: tuple[datetime, int] | None


class NextIn(Strict):
    language: str = Field("", max_length=12, description="Only people who read this.")


class OpenedOut(BaseModel):
    ref: str
    person: str
    name: str
    phone: str
    language: str
    script: str
    around: dict[str, str] = Field(description="What to say first, to somebody else, to a machine, and at the end.")
    held_until: datetime


class OutcomeIn(Strict):
    outcome: Literal["told", "voice_mail", "no_answer", "call_back", "wrong_number", "refused"]
    note: str = Field("", max_length=500)
    back_at: AwareDatetime | None = Field(None, description="For call_back: when.")


class AfterOut(BaseModel):
    done: bool = Field(description="They are off the list of calls.")
    tries: int
    not_before: datetime


@bp.get("")
@permit("sending.view")
@bp.input(CallsIn, location="query", arg_name="wanted")
@bp.output(CallsOut)
def index(incident: str, wanted: CallsIn) -> dict[str, Any]:
    """Who is to be called, soonest first; no names and no numbers."""
    after = (wanted.after, wanted.after_delivery) if wanted.after else None
    found = rows.page(g.incident.id, language=wanted.language, why=wanted.why, after=after, limit=wanted.limit)
    last = found[-1][0] if len(found) == wanted.limit else None
    return {
        "calls": [_call(*one) for one in found],
        "count": rows.open_count(g.incident.id),
        "next": (last.due_at, last.delivery_id) if last else None,
    }


@bp.post("/next")
@permit("call.make")
@bp.input(NextIn, arg_name="given")
@bp.output(OpenedOut)
def take_next(incident: str, given: NextIn) -> dict[str, Any]:
    """Take the next call, and see number and script; that leaves a line."""
    return _opened(actions.take_next(incident, language=given.language, actor=actor(), now=now()))


@bp.post("/<attempt>/take")
@permit("call.make")
@bp.output(OpenedOut)
def take(incident: str, attempt: str) -> dict[str, Any]:
    """Take this very call, and see number and script; that leaves a line."""
    return _opened(actions.take(incident, attempt, actor=actor(), now=now()))


@bp.post("/<attempt>/outcome")
@permit("call.make")
@bp.input(OutcomeIn, arg_name="given")
@bp.output(AfterOut)
def record(incident: str, attempt: str, given: OutcomeIn) -> dict[str, Any]:
    """Say what became of the call that you took."""
    then = actions.record(
        incident, attempt, outcome=given.outcome, note=given.note, back_at=given.back_at, actor=actor(), now=now()
    )
    return {"done": then.is_done, "tries": then.tries, "not_before": then.due_at}


@bp.post("/<attempt>/back")
@permit("call.make")
@bp.output({}, status_code=204)
def let_go(incident: str, attempt: str) -> str:
    """Give the call back without having made it."""
    actions.let_go(incident, attempt, actor=actor(), now=now())
    return ""


def _call(task: Any, row: Any, told: Any) -> dict[str, Any]:
    return {
        "attempt_ref": row.ref,
        "delivery": row.id,
        "person": f"P-{row.person_number}",
        "notice": told.notice_ref,
        "why": task.why,
        "tries": task.tries,
        "language": task.language,
        "place": task.place,
        "not_before": task.due_at,
        "quiet_now": hours.is_quiet(task.place, now()),
        "held_by": task.holder if rules.is_held(task.holder, task.held_until, now()) else "",
    }


def _opened(call: actions.Opened) -> dict[str, Any]:
    return {
        "ref": call.ref,
        "person": call.person,
        "name": call.name,
        "phone": call.phone,
        "language": call.language,
        "script": call.script,
        "around": dict(call.around),
        "held_until": call.held_until,
    }
