"""The check before a notice goes out, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import preflight
from incident.api.incidents import Ref, Strict
from incident.domain.errors import Missing
from incident.store import notices as rows
from incident.store.notices import Notice
from incident.web import preflights
from incident.web.access import actor, now, permit

bp = APIBlueprint(
    "api_preflights", __name__, url_prefix="/api/v1/incidents/<incident>/notices/<ref>/check", tag="Notices"
)

PAGE = 5_000


class LookOut(BaseModel):
    what: str
    verdict: Literal["ok", "warns", "blocks", "unknown"]
    title: str
    sentence: str
    people: int | None = Field(description="How many people it concerns; null where it concerns none in particular.")
    listed: str = Field(description="Give this as `what` to list them; empty: there is no list.")
    until: datetime | None = Field(description="Until when the last of them waits, for what waits for a fit hour.")


class CheckOut(BaseModel):
    ref: str = Field(description="The newest check of everybody's record; empty before the first.")
    state: str = Field(description="waiting, running, done or failed; empty before the first.")
    holds: bool = Field(description="False: something it depends on changed, or it is not done.")
    checked: int
    people: int
    people_digest: str = Field(description="Over the numbers of the people it looked at, as in an approval.")
    asked_at: datetime | None
    ended_at: datetime | None
    verdict: Literal["ok", "warns", "blocks", "unknown"]
    looks: list[LookOut]


class ListedIn(Strict):
    what: str = Field(max_length=40)
    after: int = Field(0, ge=0, description="Go on from here.")
    limit: int = Field(1_000, ge=1, le=PAGE)


class ListedOut(BaseModel):
    people: list[str]
    next: int | None


@bp.get("")
@permit("notice.view")
@bp.output(CheckOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """Every look at the notice, the gravest first."""
    found = preflights.of_notice(_notice(ref))
    run = found.run
    same = ("what", "title", "sentence", "people", "listed", "until")
    return {
        "ref": run.ref if run else "",
        "state": run.state if run else "",
        "holds": found.holds,
        "checked": run.checked if run else 0,
        "people": run.people if run else 0,
        "people_digest": run.people_digest if run else "",
        "asked_at": run.asked_at if run else None,
        "ended_at": run.ended_at if run else None,
        "verdict": found.verdict.value,
        "looks": [
            {name: getattr(one, name) for name in same} | {"verdict": one.verdict.value} for one in found.results
        ],
    }


@bp.post("")
@permit("preflight.ask")
@bp.output(Ref, status_code=202)
def ask(incident: str, ref: str) -> dict[str, str]:
    """Have everybody's record looked at, in the background; one that is under way is not doubled."""
    return {"ref": preflight.ask(incident, ref, actor=actor(), now=now())}


@bp.get("/people")
@permit("people.view")
@bp.input(ListedIn, location="query", arg_name="asked")
@bp.output(ListedOut)
def people(incident: str, ref: str, asked: ListedIn) -> dict[str, Any]:
    """The people behind a look, by number."""
    numbers = preflight.listed(g.incident, _notice(ref), asked.what, after=asked.after, limit=asked.limit)
    return {
        "people": [f"P-{number}" for number in numbers],
        "next": numbers[-1] if len(numbers) == asked.limit else None,
    }


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice
