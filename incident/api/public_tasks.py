"""Telling the public and the media, for programs: the same actions as the pages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import current_app, g
from pydantic import BaseModel, Field

from incident.actions import media_copies, outlets
from incident.actions import public_tasks as actions
from incident.api.incidents import Place, Ref, Strict
from incident.domain.errors import Missing
from incident.store import announcements, notices, postings
from incident.store import outlets as rows
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_public_tasks", __name__, url_prefix="/api/v1/incidents/<incident>/public", tag="Public")
newsrooms = APIBlueprint("api_newsrooms", __name__, url_prefix="/api/v1/newsrooms", tag="Public")
media = APIBlueprint(
    "api_media", __name__, url_prefix="/api/v1/incidents/<incident>/notices/<ref>/newsrooms", tag="Public"
)


class TaskOut(BaseModel):
    key: str
    kind: Literal["substitute", "media"]
    duty: str
    law: str
    place: str
    allowed: Literal["yes", "open", "no"]
    says: str
    because: list[str]
    wants: list[str] = Field(description="Facts that would decide it.")
    by: list[str]
    days: int = Field(description="For how long a page has to stand; 0 where the law names no time.")
    due_at: datetime | None
    waits: bool = Field(description="Whether it is shown and nobody has decided.")
    decision: str = Field(description="drafted, declined, or empty.")


class TaskList(BaseModel):
    tasks: list[TaskOut]
    people: int
    unreachable: int = Field(description="How many no channel reaches.")
    doubtful: int
    cost: dict[str, Any] | None = Field(description="What telling each person would cost, with its source.")


class DraftTasksIn(Strict):
    tasks: list[str] = Field(min_length=1, description="Keys of tasks of one kind.")
    like: str = Field("", description="The notice of this incident whose text is taken.")


class DeclineIn(Strict):
    task: str
    reason: str


class LookOut(BaseModel):
    id: int
    look: str
    at: datetime
    sight: str
    outside: bool = Field(description="Whether it was asked at its public address, or inside the machine.")
    digest: str
    pages: list[dict[str, Any]]


class LookList(BaseModel):
    looks: list[LookOut]
    before: int | None


class NewsroomIn(Strict):
    name: str
    places: list[str]
    language: str = "en"
    email: str = ""
    address: str = ""


class NewsroomOut(NewsroomIn):
    ref: str


class NewsroomList(BaseModel):
    newsrooms: list[NewsroomOut]


class HandIn(Strict):
    newsrooms: list[str] = Field(min_length=1)
    way: Literal["email", "paper"]
    digest: str = Field(description="The digest of the approved version that you read.")
    because: str = Field("", description="Why it goes out once more to whom it is in doubt.")


class Handed(BaseModel):
    count: int


class CopyOut(BaseModel):
    ref: str
    newsroom: str
    attempt: int
    way: str
    language: str
    state: str
    reason: str
    simulated: bool
    changed_at: datetime


class CopyList(BaseModel):
    copies: list[CopyOut]


@bp.get("")
@permit("notice.view")
@bp.output(TaskList)
def index(incident: str) -> dict[str, Any]:
    """Where laws let or make the public or the media be told, with the figures that show it."""
    found = actions.of(g.incident.id)
    waiting = {task.key for task in found.waiting}
    listed = [
        {
            **{name: getattr(task, name) for name in ("key", "duty", "says", "days", "due_at")},
            "kind": task.kind.value,
            "law": task.cite.law,
            "place": task.cite.place,
            "allowed": task.truth.value,
            "because": list(task.because),
            "wants": list(task.wants),
            "by": list(task.by),
            "waits": task.key in waiting,
            "decision": found.decided[task.key].decision if task.key in found.decided else "",
        }
        for task in found.found
    ]
    figures = asdict(found.figures)
    return {"tasks": listed, **{name: figures[name] for name in ("people", "unreachable", "doubtful", "cost")}}


@bp.post("/draft")
@permit("notice.draft")
@bp.input(DraftTasksIn, arg_name="given")
@bp.output(Ref, status_code=201)
def draft(incident: str, given: DraftTasksIn) -> dict[str, str]:
    """Begin one notice for these tasks, with a prompt for each thing that their laws want in it."""
    return {"ref": actions.draft(incident, given.tasks, like=given.like, actor=actor(), now=now())}


@bp.post("/decline")
@permit("duty.decide")
@bp.input(DeclineIn, arg_name="given")
@bp.output({}, status_code=204)
def decline(incident: str, given: DeclineIn) -> str:
    """Say why the public is not told in place of each person, though a law allows it."""
    actions.decline(incident, given.task, reason=given.reason, actor=actor(), now=now())
    return ""


@bp.get("/pages/<slug>/looks")
@permit("notice.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(LookList)
def looks(incident: str, slug: str, place: Place) -> dict[str, Any]:
    """Every look at a public page, newest first: the proof of its posting period."""
    row = announcements.by_slug(slug)
    if row is None or row.incident_id != g.incident.id:
        raise Missing()
    found = postings.of(row.id, before=place.before, limit=place.limit)
    return {
        "looks": [{name: getattr(one, name) for name in LookOut.model_fields} for one in found],
        "before": found[-1].id if len(found) == place.limit else None,
    }


@newsrooms.get("")
@permit("outlet.view")
@newsrooms.output(NewsroomList)
def all_newsrooms() -> dict[str, Any]:
    """The newsrooms on the list; there are at most a few hundred."""
    return {"newsrooms": [{name: getattr(row, name) for name in NewsroomOut.model_fields} for row in rows.kept()]}


@newsrooms.post("")
@permit("outlet.change")
@newsrooms.input(NewsroomIn, arg_name="given")
@newsrooms.output(Ref, status_code=201)
def keep(given: NewsroomIn) -> dict[str, str]:
    """Put a newsroom on the list."""
    return {"ref": outlets.keep(**given.model_dump(), actor=actor(), now=now())}


@newsrooms.delete("/<outlet>")
@permit("outlet.change")
@newsrooms.output({}, status_code=204)
def remove(outlet: str) -> str:
    """Take a newsroom off the list; its addresses are forgotten."""
    outlets.remove(outlet, actor=actor(), now=now())
    return ""


@media.get("")
@permit("notice.view")
@media.output(CopyList)
def copies(incident: str, ref: str) -> dict[str, Any]:
    """What became of the standing version of this notice for each newsroom."""
    notice = notices.by_ref(g.incident.id, ref)
    version = notices.version(notice.id, notice.number) if notice else None
    if version is None:
        raise Missing()
    found = rows.copies(version.id)
    known = rows.by_ids([row.outlet_id for row in found])
    same = [name for name in CopyOut.model_fields if name != "newsroom"]
    return {
        "copies": [
            {**{name: getattr(row, name) for name in same}, "newsroom": known[row.outlet_id].ref} for row in found
        ]
    }


@media.post("")
@permit("media.send")
@media.input(HandIn, arg_name="given")
@media.output(Handed, status_code=202)
def hand_over(incident: str, ref: str, given: HandIn) -> dict[str, int]:
    """Hand the approved notice to newsrooms."""
    count = media_copies.ask(
        incident,
        ref,
        given.newsrooms,
        way=given.way,
        digest=given.digest,
        because=given.because,
        channels=current_app.extensions["channels"],
        actor=actor(),
        now=now(),
    )
    return {"count": count}


@media.post("/<copy>/said")
@permit("media.send")
@media.output({}, status_code=204)
def say(incident: str, ref: str, copy: str) -> str:
    """Say that the paper was handed over, or that what is in doubt did go out."""
    media_copies.say(incident, copy, actor=actor(), now=now())
    return ""
