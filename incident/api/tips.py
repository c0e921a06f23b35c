"""What somebody outside reported, for programs: the same actions as the pages of the desk."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app
from pydantic import BaseModel, Field

from incident.actions import particulars, vulnerabilities
from incident.actions import tip_triage as actions
from incident.api.incidents import Place, Ref, Strict
from incident.api.scheme import a_file
from incident.domain import tips as rules
from incident.domain.tips import Kind
from incident.store import incidents
from incident.store import tips as rows
from incident.store.tips import Tip
from incident.web.access import actor, now, permit
from incident.web.tip_acts import demand_known_case, handed_out
from incident.web.tips import known, seen, taken_down

bp = APIBlueprint("api_tips", __name__, url_prefix="/api/v1/reported", tag="Reported to us")

Word = Literal["leak", "account", "vulnerability", "supplier", "other"]


class TipQuery(Place):
    waiting: bool = Field(False, description="Only those that somebody has to look at.")


class TipOut(BaseModel):
    id: int
    ref: str
    kind: Word
    way: Literal["page", "mail", "desk"]
    language: str
    state: Literal["new", "in_hand", "settled"]
    outcome: str
    waits: bool = Field(description="Whether they wrote something since we last did.")
    received_at: datetime
    settled_at: datetime | None
    taken_by: str
    incident: str = Field(description="The incident it belongs to, or empty.")
    repeats: str = Field(description="The report that it repeats, or empty.")


class TipList(BaseModel):
    reports: list[TipOut]
    before: int | None


class SaidOut(BaseModel):
    by_us: bool
    by: str
    at: datetime
    text: str
    mail: str = Field(description="What became of it by e-mail, or empty.")


class FileOut(BaseModel):
    ref: str
    name: str
    size: int
    sha256: str


class FactOut(BaseModel):
    key: str
    value: Any
    sure: bool
    why: str


class TipSheet(TipOut):
    said: dict[str, Any] = Field(description="In the words of whoever reported, by field; unchecked.")
    messages: list[SaidOut]
    files: list[FileOut]
    suggested: list[FactOut] = Field(description="Facts that it supports.")


class TipIn(Strict):
    """What somebody told a colleague, written down. Times without an offset are in the caller's zone."""

    kind: Word
    said: dict[str, str] = Field(description="By field, as the page for reports asks.")
    language: str = Field("en", max_length=12)


class AnswerIn(Strict):
    text: str = Field(min_length=1, max_length=rules.LONGEST_TEXT)
    settle: bool = False


class BecomeIn(Strict):
    title: str = Field(min_length=1, max_length=200)
    near_miss: bool = False
    facts: list[str] = Field(default_factory=list, description="Keys of suggested facts to record.")


class JoinIn(Strict):
    incident: str
    facts: list[str] = Field(default_factory=list, description="Keys of suggested facts; what it knows stays.")


class LinkIn(Strict):
    original: str


class RegisterIn(Strict):
    title: str = Field("", max_length=200, description="Empty: made of the report's reference.")
    vulnerability: str = Field("", max_length=20, description="One that is on the register already; empty: a new one.")


class AsideIn(Strict):
    why: Literal["nothing_in_it", "not_about_us", "unwanted", "cannot_be_followed"]


class KindIn(Strict):
    kind: Word


@bp.get("")
@permit("tip.view")
@bp.input(TipQuery, location="query", arg_name="asked")
@bp.output(TipList)
def index(asked: TipQuery) -> dict[str, Any]:
    """The reports that you may know of, newest first."""
    query = rows.queue(seen()) if asked.waiting else seen()
    found = list(rows.page(query, before=asked.before, limit=asked.limit))
    return {"reports": _all(found), "before": found[-1].id if len(found) == asked.limit else None}


@bp.post("")
@permit("tip.triage")
@bp.input(TipIn, arg_name="given")
@bp.output(Ref, status_code=201)
def write_down(given: TipIn) -> dict[str, str]:
    """Write down what somebody told you."""
    return {"ref": taken_down(Kind(given.kind), given.said, language=given.language)}


@bp.get("/<tip>")
@permit("tip.view")
@bp.output(TipSheet)
def show(tip: str) -> dict[str, Any]:
    """One report opened; the look leaves a line in the record."""
    sheet = actions.read(tip, among=seen(), actor=actor(), now=now())
    return {
        **_all([sheet.tip])[0],
        "said": dict(sheet.said),
        "messages": [
            {"by_us": one.by_us, "by": one.by, "at": one.at, "text": one.text, "mail": mail.state if mail else ""}
            for one, mail in sheet.messages
        ],
        "files": [{"ref": one.ref, "name": name, "size": one.size, "sha256": one.sha256} for one, name in sheet.files],
        "suggested": [
            {"key": one.key, "value": one.value, "sure": one.sure, "why": one.why} for one in sheet.suggested
        ],
    }


def _all(found: list[Tip]) -> list[dict[str, Any]]:
    cases = incidents.by_ids({row.incident_id for row in found if row.incident_id is not None})
    originals = rows.by_ids([row.original_id for row in found])
    same = [name for name in TipOut.model_fields if name not in {"incident", "repeats"}]
    return [
        {
            **{name: getattr(row, name) for name in same},
            "incident": cases[row.incident_id].ref if row.incident_id is not None else "",
            "repeats": originals[row.original_id].ref if row.original_id is not None else "",
        }
        for row in found
    ]


@bp.post("/<tip>/take")
@permit("tip.triage")
@bp.output({}, status_code=204)
def take(tip: str) -> str:
    """Take it in hand, or up again."""
    known(tip)
    actions.take(tip, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/kind")
@permit("tip.triage")
@bp.input(KindIn, arg_name="given")
@bp.output({}, status_code=204)
def sort(tip: str, given: KindIn) -> str:
    """Say what it is about."""
    known(tip)
    actions.sort(tip, given.kind, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/answer")
@permit("tip.triage")
@bp.input(AnswerIn, arg_name="given")
@bp.output({}, status_code=204)
def answer(tip: str, given: AnswerIn) -> str:
    """Write to whoever reported; by e-mail too where they gave an address."""
    known(tip)
    actions.answer(tip, given.text, settle=given.settle, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/incident")
@permit("tip.triage")
@bp.input(BecomeIn, arg_name="given")
@bp.output(Ref, status_code=201)
def become(tip: str, given: BecomeIn) -> dict[str, str]:
    """Open an incident or a near miss from it, with the suggested facts that you name."""
    known(tip)
    house = particulars.own_facts(current_app.extensions["settings"])
    ref = actions.become(
        tip, given.title, given.facts, near_miss=given.near_miss, house=house, actor=actor(), now=now()
    )
    return {"ref": ref}


@bp.post("/<tip>/join")
@permit("tip.triage")
@bp.input(JoinIn, arg_name="given")
@bp.output({}, status_code=204)
def join(tip: str, given: JoinIn) -> str:
    """Put it to an incident that is open."""
    known(tip)
    demand_known_case(given.incident)
    actions.join(tip, given.incident, given.facts, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/take-out")
@permit("tip.triage")
@bp.output({}, status_code=204)
def take_out(tip: str) -> str:
    """Take it out of its incident again; facts stay."""
    known(tip)
    actions.take_out(tip, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/link")
@permit("tip.triage")
@bp.input(LinkIn, arg_name="given")
@bp.output({}, status_code=204)
def link(tip: str, given: LinkIn) -> str:
    """Say that it repeats another one."""
    known(tip)
    known(given.original)
    actions.link(tip, given.original, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/unlink")
@permit("tip.triage")
@bp.output({}, status_code=204)
def unlink(tip: str) -> str:
    """Take that back."""
    known(tip)
    actions.unlink(tip, actor=actor(), now=now())
    return ""


@bp.post("/<tip>/vulnerability")
@permit("tip.triage")
@bp.input(RegisterIn, arg_name="given")
@bp.output(Ref, status_code=201)
def register(tip: str, given: RegisterIn) -> dict[str, str]:
    """Put it on the register of vulnerabilities, or to one that is on it; the vulnerability's reference."""
    known(tip)
    by = {"title": given.title, "existing": given.vulnerability}
    return {"ref": vulnerabilities.register(tip, **by, actor=actor(), now=now())}


@bp.post("/<tip>/set-aside")
@permit("tip.triage")
@bp.input(AsideIn, arg_name="given")
@bp.output({}, status_code=204)
def set_aside(tip: str, given: AsideIn) -> str:
    """End it without anything coming of it."""
    known(tip)
    actions.set_aside(tip, given.why, actor=actor(), now=now())
    return ""


@bp.get("/<tip>/files/<file>")
@permit("tip.triage")
@bp.doc(responses=a_file("The file as it was sent.", "application/octet-stream"))
def file(tip: str, file: str) -> Response:
    """The bytes of a file; the look leaves a line in the record."""
    known(tip)
    return handed_out(tip, file)


@bp.post("/<tip>/files/<file>/evidence")
@permit("tip.triage")
@bp.output(Ref, status_code=201)
def as_evidence(tip: str, file: str) -> dict[str, str]:
    """Copy a file to the evidence of its incident."""
    known(tip)
    folder = current_app.extensions["settings"].instance / "files"
    return {"ref": actions.as_evidence(tip, file, folder=folder, actor=actor(), now=now())}
