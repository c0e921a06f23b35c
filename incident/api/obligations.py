"""Duties, for programs: the same actions as the pages, and the law library itself."""

from datetime import date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import obligations as actions
from incident.api.incidents import Strict
from incident.domain import lawbook
from incident.domain.errors import Missing
from incident.domain.lawbook import Duty, Law
from incident.store import obligations as rows
from incident.store.obligations import FindingRow
from incident.web import questions as asking
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_obligations", __name__, url_prefix="/api/v1/incidents/<incident>/duties", tag="Duties")
library = APIBlueprint("api_laws", __name__, url_prefix="/api/v1/laws", tag="Laws")

PAGE = 100


class DutiesQuery(BaseModel):
    standing: Literal["owed", "open", "advised", "not_owed"] | None = None
    state: Literal["proposed", "accepted", "met", "waived"] | None = None
    after: int = Field(0, ge=0, description="Go on after the finding with this id.")
    limit: int = Field(50, ge=1, le=PAGE)


class CiteOut(BaseModel):
    place: str
    href: str
    read_on: date | None
    confidence: Literal["verified", "secondary", "memory"]


class FindingOut(BaseModel):
    id: int
    ref: str
    law: str
    duty: str = Field(description="The duty's name among all laws, such as EU-GDPR/tell-authority.")
    wave: str = Field(description="The wave of people found later for whom it is; empty for the incident as a whole.")
    law_digest: str = Field(description="SHA-256 of the law file by which it was found.")
    title: str
    to: str
    standing: Literal["owed", "open", "advised", "not_owed"]
    state: Literal["proposed", "accepted", "met", "waived"]
    because: list[str]
    wants: list[str] = Field(description="The facts that would decide it.")
    doubts: list[str] = Field(description="What would lift it if it were shown.")
    clock: Literal["running", "none_in_law", "not_started", "date_missing", "on_hold"]
    clock_words: str
    due_at: datetime | None
    start: str
    anchor: str
    made_at: datetime
    superseded_at: datetime | None
    decided_at: datetime | None
    decided_by: str
    met_at: datetime | None
    late_seconds: int | None
    reference: str
    note: str
    since_then: dict[str, Any] = Field(
        description="What the facts would say today of a settled duty, where it differs."
    )
    cite: CiteOut | None
    contents: list[str]
    forbidden: list[str]


class FindingList(BaseModel):
    findings: list[FindingOut]
    after: int | None = Field(description="Give this as `after` for the next page; null at the end.")
    seen: str = Field(description="Names what is proposed now; give it to accept all of it.")
    counts: dict[str, int]


class FindingHistory(BaseModel):
    findings: list[FindingOut]


class QuestionOut(BaseModel):
    key: str
    label: str
    decides: int
    nearest: datetime | None
    titles: list[str]


class QuestionList(BaseModel):
    questions: list[QuestionOut]


class SeenIn(Strict):
    seen: str = Field(max_length=64)


class Accepted(BaseModel):
    accepted: int


class MetIn(Strict):
    met_at: AwareDatetime
    reference: str = Field("", max_length=200)
    note: str = Field("", max_length=5_000)


class ReasonIn(Strict):
    reason: str = Field(min_length=1, max_length=5_000)


class LawOut(BaseModel):
    id: str
    name: str
    place: str
    authority: str
    in_force: bool
    status: str
    digest: str
    duties: list[dict[str, Any]]


class LawList(BaseModel):
    laws: list[LawOut]
    digest: str


@bp.get("")
@permit("duty.view")
@bp.input(DutiesQuery, location="query", arg_name="asked")
@bp.output(FindingList)
def index(incident: str, asked: DutiesQuery) -> dict[str, Any]:
    """What every duty says for this incident."""
    every = sorted(rows.current(g.incident.id).values(), key=lambda row: row.id)
    found = [row for row in every if row.id > asked.after and _asked(row, asked)]
    page = found[: asked.limit]
    return {
        "findings": [_finding(row) for row in page],
        "after": page[-1].id if len(found) > asked.limit else None,
        "seen": actions.seen_digest(actions.proposals(g.incident.id)),
        "counts": rows.counted(g.incident.id),
    }


def _asked(row: FindingRow, asked: DutiesQuery) -> bool:
    return asked.standing in {None, row.standing} and asked.state in {None, row.state}


@bp.get("/questions")
@permit("duty.view")
@bp.output(QuestionList)
def questions(incident: str) -> dict[str, Any]:
    """The unknown facts that decide something: those that decide most first."""
    return {"questions": [_question(one) for one in asking.asked(rows.current(g.incident.id).values(), now())]}


def _question(one: asking.Question) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": one.entry.label,
        "decides": one.decides,
        "nearest": one.nearest,
        "titles": [row.title for row in one.waiting],
    }


@bp.post("/accept")
@permit("duty.decide")
@bp.input(SeenIn, arg_name="given")
@bp.output(Accepted)
def accept_all(incident: str, given: SeenIn) -> dict[str, int]:
    """Accept everything that is proposed, if it is still what you saw."""
    return {"accepted": actions.accept_all(incident, given.seen, actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("duty.view")
@bp.output(FindingHistory)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One finding, and after it every other answer that its duty has given."""
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    past = [other for other in rows.history(g.incident.id, row.duty, row.wave) if other.id != row.id]
    return {"findings": [_finding(one) for one in (row, *past)]}


@bp.post("/<ref>/accept")
@permit("duty.decide")
@bp.output({}, status_code=204)
def accept(incident: str, ref: str) -> str:
    """Accept one finding."""
    actions.accept(incident, ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/met")
@permit("duty.decide")
@bp.input(MetIn, arg_name="given")
@bp.output({}, status_code=204)
def met(incident: str, ref: str, given: MetIn) -> str:
    """Say that a duty was done."""
    actions.mark_met(incident, ref, **given.model_dump(), actor=actor(), now=now())
    return ""


@bp.post("/<ref>/waive")
@permit("duty.decide")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def waive(incident: str, ref: str, given: ReasonIn) -> str:
    """Decide, with a reason, not to act on a duty."""
    actions.waive(incident, ref, given.reason, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/take-back")
@permit("duty.decide")
@bp.input(ReasonIn, arg_name="given")
@bp.output({}, status_code=204)
def take_back(incident: str, ref: str, given: ReasonIn) -> str:
    """Undo a settlement, with a reason."""
    actions.take_back(incident, ref, given.reason, actor=actor(), now=now())
    return ""


def _finding(row: FindingRow) -> dict[str, Any]:
    duty = lawbook.library().duty(row.duty)
    stored = {name: getattr(row, name) for name in FindingOut.model_fields if hasattr(row, name)}
    said = (
        {"contents": list(duty.contents), "forbidden": list(duty.forbidden)}
        if duty
        else {"contents": [], "forbidden": []}
    )
    return {**stored, **said, "cite": _cite(duty) if duty else None}


def _cite(duty: Duty) -> dict[str, Any]:
    cite = duty.cite
    return {"place": cite.place, "href": cite.href, "read_on": cite.read_on, "confidence": duty.confidence.value}


@library.get("")
@permit("duty.view")
@library.output(LawList)
def laws() -> dict[str, Any]:
    """The law library: every law with its duties and where they stand in it."""
    book = lawbook.library()
    return {"laws": [_law(law) for law in book], "digest": book.digest}


@library.get("/<law>")
@permit("duty.view")
@library.output(LawOut)
def law(law: str) -> dict[str, Any]:
    """One law."""
    book = lawbook.library()
    if law not in book:
        raise Missing()
    return _law(book[law])


def _law(law: Law) -> dict[str, Any]:
    stored = {name: getattr(law, name) for name in LawOut.model_fields if name != "duties"}
    return {**stored, "duties": [_duty(duty) for duty in law.duties]}


def _duty(duty: Duty) -> dict[str, Any]:
    return {
        "id": duty.id,
        "title": duty.title,
        "to": duty.to,
        "stage": duty.stage,
        "voluntary": duty.voluntary,
        "contents": list(duty.contents),
        "forbidden": list(duty.forbidden),
        "since": duty.since.isoformat() if duty.since else None,
        "cite": {**_cite(duty), "read_on": duty.cite.read_on.isoformat() if duty.cite.read_on else None},
    }
