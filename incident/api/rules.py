"""Who may do what, for programs: the policy, requests for roles, restricted incidents opened in an emergency."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import emergencies, roles, sign_on
from incident.api.incidents import Strict
from incident.domain.separation import LONGEST_WORDS
from incident.store import separation as rows
from incident.store import sign_on as sign_on_rows
from incident.store.separation import Emergency, RoleRequest
from incident.web.access import actor, now, permit
from incident.web.sign_on import provider

bp = APIBlueprint("api_rules", __name__, url_prefix="/api/v1/team", tag="Team")
one = APIBlueprint("api_emergencies", __name__, url_prefix="/api/v1/incidents/<incident>/emergencies", tag="Team")


class PolicyOut(BaseModel):
    roles_by_two: bool = Field(description="A role is gained by two people.")
    release_by_third: bool = Field(description="Who wrote or approved a notice does not start its sending.")
    lessons_by_two: bool = Field(description="A lesson is accepted by a second person before it is adopted.")
    strict_codes: bool = Field(description="A code of a generator counts for its 30 seconds alone.")
    emergency_hours: int = Field(description="How long a restricted incident opens in an emergency.")
    since: datetime | None = Field(description="Null: the defaults, never taken up.")
    sentences: list[str]


class PlaceIn(Strict):
    before: int | None = Field(None, description="Go on from here.")
    limit: int = Field(100, ge=1, le=500)


class RequestOut(BaseModel):
    id: int
    ref: str
    person: str
    held: list[str]
    wanted: list[str]
    why: Literal["change", "invitation", "reset"]
    asked_by: str
    asked_at: datetime
    state: Literal["open", "granted", "declined", "ended"]
    decided_by: str
    decided_at: datetime | None


class Requests(BaseModel):
    requests: list[RequestOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class EmergencyIn(Strict):
    incident: str = Field(max_length=20)
    reason: str = Field(max_length=LONGEST_WORDS, description="Why it cannot wait; all leads are told.")


class OpenedOut(BaseModel):
    incident: str
    until: datetime


class EmergencyOut(BaseModel):
    ref: str
    person: str
    reason: str
    opened_at: datetime
    ends_at: datetime
    reviewed_at: datetime | None = Field(description="Null: it waits for its review.")
    reviewed_by: str
    verdict: str
    words: str


class Emergencies(BaseModel):
    emergencies: list[EmergencyOut]


class ReviewIn(Strict):
    verdict: Literal["justified", "not_justified"]
    words: str = Field(max_length=LONGEST_WORDS)


class SignOnOut(BaseModel):
    name: str = Field(description="What people call it; empty: none is set.")
    shut: bool = Field(description="Nobody signs in by it just now.")
    since: datetime | None = Field(description="Since when it is shut or open; null: always open.")
    bound: int = Field(description="How many accounts are bound to it.")


@bp.get("/rules")
@permit("team.view")
@bp.output(PolicyOut)
def policy() -> dict[str, Any]:
    """What is set about who may do what, and since when."""
    row, found = rows.latest(), rows.policy()
    return found.to_json() | {"since": row.since if row else None, "sentences": list(found.sentences())}


@bp.get("/sign-on")
@permit("team.view")
@bp.output(SignOnOut)
def single_sign_on() -> dict[str, Any]:
    """The single sign-on of this installation, and whether it is shut."""
    found, switch = provider(), sign_on_rows.switch()
    return {
        "name": found.name if found is not None else "",
        "shut": switch is not None and switch.shut,
        "since": switch.since if switch is not None else None,
        "bound": sign_on_rows.count(),
    }


@bp.post("/sign-on/shut")
@permit("sign_on.shut")
@bp.output({}, status_code=204)
def shut_sign_on() -> str:
    """Let nobody in by the single sign-on any more; sessions that began there end."""
    sign_on.shut(actor=actor(), now=now())
    return ""


@bp.post("/sign-on/open")
@permit("sign_on.open")
@bp.output({}, status_code=204)
def open_sign_on() -> str:
    """Let people in by the single sign-on again."""
    sign_on.reopen(actor=actor(), now=now())
    return ""


@bp.get("/requests")
@permit("roles.confirm")
@bp.input(PlaceIn, location="query", arg_name="place")
@bp.output(Requests)
def requests(place: PlaceIn) -> dict[str, Any]:
    """Every request for roles, newest first."""
    found = rows.requests_before(place.before, limit=place.limit)
    return {
        "requests": [_request(row) for row in found],
        "before": found[-1].id if len(found) == place.limit else None,
    }


@bp.post("/requests/<ref>/yes")
@permit("roles.confirm")
@bp.output({}, status_code=204)
def confirm(ref: str) -> str:
    """Say yes to roles that somebody else asked for; they count at once."""
    roles.confirm(ref, actor=actor(), now=now())
    return ""


@bp.post("/requests/<ref>/no")
@permit("roles.confirm")
@bp.output({}, status_code=204)
def decline(ref: str) -> str:
    """Say no to a request, or take your own back."""
    roles.decline(ref, actor=actor(), now=now())
    return ""


@bp.post("/emergency")
@permit("emergency.open")
@bp.input(EmergencyIn, arg_name="given")
@bp.output(OpenedOut, status_code=201)
def break_glass(given: EmergencyIn) -> dict[str, Any]:
    """Open a restricted incident to yourself in an emergency; all leads are told, and somebody on it reviews it."""
    ref, until = emergencies.open_(given.incident, given.reason, actor=actor(), now=now())
    return {"incident": ref, "until": until}


@one.get("")
@permit("member.view")
@one.output(Emergencies)
def index(incident: str) -> dict[str, Any]:
    """Every opening of this incident in an emergency, newest first."""
    return {"emergencies": [_emergency(row) for row in rows.emergencies(g.incident.id)]}


@one.post("/<ref>/review")
@permit("emergency.review")
@one.input(ReviewIn, arg_name="given")
@one.output({}, status_code=204)
def review(incident: str, ref: str, given: ReviewIn) -> str:
    """Say whether an opening was justified; one that was not ends at once."""
    emergencies.review(incident, ref, given.verdict, given.words, actor=actor(), now=now())
    return ""


@one.post("/<ref>/end")
@permit("emergency.open")
@one.output({}, status_code=204)
def end(incident: str, ref: str) -> str:
    """End an access before its time."""
    emergencies.end(incident, ref, actor=actor(), now=now())
    return ""


def _request(row: RoleRequest) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RequestOut.model_fields if name != "person"}
    return shown | {"person": row.user.ref}


def _emergency(row: Emergency) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in EmergencyOut.model_fields if name != "person"}
    return shown | {"person": row.user.ref}
