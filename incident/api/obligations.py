"""Duties, for programs: the same actions as the pages."""

from datetime import date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import obligations as actions
from incident.api.incidents import Strict
from incident.domain.errors import Missing
from incident.domain.lawbook import Duty, Lawbook
from incident.store import incidents, law_editions, reports
from incident.store import obligations as rows
from incident.store.obligations import FindingRow
from incident.web import board, details, findings
from incident.web import questions as asking
from incident.web.access import actor, may, now, permit

bp = APIBlueprint("api_obligations", __name__, url_prefix="/api/v1/incidents/<incident>/duties", tag="Duties")

PAGE = 100


class DutiesQuery(BaseModel):
    standing: Literal["owed", "open", "advised", "not_owed"] | None = None
    state: Literal["proposed", "accepted", "met", "waived"] | None = None
    q: str = Field("", max_length=100, description="Words in title, law, place or citation.")
    to: str = Field("", max_length=30, description="The recipient's word, such as authority or individuals.")
    place: str = Field("", max_length=10, description="A place and what lies in it, such as US or US-TX.")
    law: str = Field("", max_length=40, description="The law's id, such as EU-GDPR.")
    confidence: Literal["", "verified", "secondary", "memory"] = ""
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
    first_decided_at: datetime | None = Field(
        description="When somebody first accepted it, or recorded it as met or waived; null where that is not known."
    )
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


class HeldOut(BaseModel):
    says: str
    truth: Literal["yes", "no", "open"] = Field(description="Whether it holds by what is known.")
    because: list[str]
    wants: list[str]


class ExceptionOut(HeldOut):
    keep: str = Field(description="What must be kept, and told to whom, to rely on it.")


class InsteadOut(HeldOut):
    by: str
    days: int


class WayOut(BaseModel):
    by: str
    says: str


class DetailsOut(BaseModel):
    ways: list[WayOut]
    instead: list[InsteadOut] = Field(
        description="Notice in place of telling each person; proposed where truth is yes."
    )
    exceptions: list[ExceptionOut]
    languages: list[str]
    guardians: str
    form: str
    stages: list[str] = Field(description="References of the findings of the same report, in their order of time.")
    reports: list[str]


class FindingHistory(BaseModel):
    findings: list[FindingOut]
    details: DetailsOut


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


@bp.get("")
@permit("duty.view")
@bp.input(DutiesQuery, location="query", arg_name="asked")
@bp.output(FindingList)
def index(incident: str, asked: DutiesQuery) -> dict[str, Any]:
    """What every duty says for this incident."""
    sought = board.Sought(q=asked.q, to=asked.to, place=asked.place, law=asked.law, confidence=asked.confidence)
    every = sorted(board.kept(rows.current(g.incident.id).values(), sought), key=lambda row: row.id)
    found = [row for row in every if row.id > asked.after and _asked(row, asked)]
    page = found[: asked.limit]
    book = law_editions.of_incident(g.incident.id)
    return {
        "findings": [_finding(row, book) for row in page],
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
    beside = rows.current(g.incident.id).values()
    filed = reports.page(g.incident.id) if may("report.view") else ()
    book = law_editions.of_incident(g.incident.id)
    one = findings.shown(row, now(), book.laws.get(row.law))
    more = details.of(one, incidents.known(g.incident.id), beside, filed, now())
    return {"findings": [_finding(each, book) for each in (row, *past)], "details": _details(more)}


def _details(more: details.Details) -> dict[str, Any]:
    return {
        "ways": [{"by": by, "says": says} for by, says in more.ways],
        "instead": [{**_held(one.held), "by": one.by, "days": one.days} for one in more.instead],
        "exceptions": [{**_held(one), "keep": one.keep} for one in more.exceptions],
        "languages": list(more.languages),
        "guardians": more.guardians,
        "form": " ".join(filter(None, more.form or ())),
        "stages": [one.row.ref for one in more.stages],
        "reports": [report.ref for report in more.filed],
    }


def _held(one: details.Held) -> dict[str, Any]:
    wants = [ask["key"] for ask in one.wants]
    return {"says": one.says, "truth": one.truth, "because": list(one.because), "wants": wants}


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


def _finding(row: FindingRow, book: Lawbook) -> dict[str, Any]:
    """The finding with what its duty asks by these laws: those that the incident goes by."""
    duty = book.duty(row.duty)
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
