"""Incidents, facts, notes and evidence, for programs: the same actions as the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from incident.actions import evidence as evidence_actions
from incident.actions import intake, particulars
from incident.api.scheme import a_file
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import vocabulary
from incident.store import deadlines, searches, users
from incident.store import incidents as rows
from incident.store.deadlines import Deadline
from incident.store.incidents import Custody, Evidence, Fact, Incident
from incident.store.searches import Search
from incident.web import story
from incident.web.access import actor, may, me, now, permit
from incident.web.marked import hidden

bp = APIBlueprint("api_incidents", __name__, url_prefix="/api/v1/incidents", tag="Incidents")

PAGE = 100


class Strict(BaseModel):
    """What is sent to us: unknown fields are refused, so that a slip of the pen is not lost."""

    model_config = ConfigDict(extra="forbid")


class Place(BaseModel):
    """Where in a list to go on."""

    before: int | None = Field(None, description="Go on from the entry with this id.")
    limit: int = Field(50, ge=1, le=PAGE)


class IncidentQuery(Place):
    kind: Literal["incident", "near_miss", "drill"] | None = None
    state: Literal["open", "closed"] | None = None


class FactsIn(Strict):
    """Values by key, as docs/concepts.md lists them; null means unknown."""

    facts: dict[str, Any] = Field(min_length=1)
    source: str = Field("", max_length=300)
    confidence: Literal["", "low", "medium", "high"] = ""
    learnt_at: AwareDatetime | None = None


class IncidentIn(Strict):
    kind: Literal["incident", "near_miss", "drill"] = "incident"
    title: str = Field(min_length=1, max_length=200)
    lead: str = Field("", description="The reference of a person, such as U-7K3MXW2Q.")
    facts: dict[str, Any] = Field(default_factory=dict)
    source: str = Field("", max_length=300)
    confidence: Literal["", "low", "medium", "high"] = ""


class IncidentChange(Strict):
    title: str | None = Field(None, max_length=200)
    version: int | None = Field(None, description="The version you saw; needed to change the title.")
    lead: str | None = None


class NoteIn(Strict):
    text: str = Field(min_length=1, max_length=20_000)
    purpose: Literal["", "handover"] = Field("", description="`handover` for what the next shift must know.")


class CustodyIn(Strict):
    holder: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500)


class IncidentOut(BaseModel):
    id: int
    ref: str
    kind: str
    title: str
    category: str
    state: str
    restricted: bool
    lead: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    next_due_at: datetime | None = Field(
        description="When the first owed duty is due that has a time and is neither met nor waived; null where there is none."
    )
    version: int


class IncidentList(BaseModel):
    incidents: list[IncidentOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class FactOut(BaseModel):
    key: str
    value: Any
    source: str
    confidence: str
    learnt_at: datetime
    recorded_at: datetime
    recorded_by: str


class FactList(BaseModel):
    facts: list[FactOut]


class Changed(BaseModel):
    changed: list[str]


class Ref(BaseModel):
    ref: str


class Happening(BaseModel):
    seq: int
    at: datetime
    who: str
    sentence: str
    text: str
    facts: list[dict[str, str]]


class Happenings(BaseModel):
    happenings: list[Happening]


class CustodyOut(BaseModel):
    holder: str
    reason: str
    moved_at: datetime
    recorded_by: str


class EvidenceOut(BaseModel):
    ref: str
    name: str
    description: str
    sha256: str
    size: int
    brought_by: str
    added_at: datetime
    added_by: str
    custody: list[CustodyOut]
    malware: str | None = Field(description="`nothing`, `too_large`, or what was found; null: not searched.")


class EvidenceList(BaseModel):
    evidence: list[EvidenceOut]


@bp.get("")
@permit("incident.view")
@bp.input(IncidentQuery, location="query", arg_name="asked")
@bp.output(IncidentList)
def index(asked: IncidentQuery) -> dict[str, Any]:
    """Incidents you may know of, newest first."""
    query = rows.visible(me().id, sees_all=Role.AUDITOR in me().roles, at=now())
    if asked.kind:
        query = query.where(Incident.kind == asked.kind)
    if asked.state:
        query = query.where(Incident.state == asked.state)
    found = list(rows.page(query, before=asked.before, limit=asked.limit))
    leads, due = users.refs_by_id(), deadlines.of([one.id for one in found])
    return {
        "incidents": [_incident(one, leads, due.get(one.id)) for one in found],
        "before": found[-1].id if len(found) == asked.limit else None,
    }


@bp.post("")
@permit("incident.log")
@bp.input(IncidentIn, arg_name="given")
@bp.output(Ref, status_code=201)
def log(given: IncidentIn) -> dict[str, str]:
    """Log an incident, near miss or drill."""
    house = particulars.own_facts(current_app.extensions["settings"])
    return {"ref": intake.log(**given.model_dump(), house=house, actor=actor(), now=now())}


@bp.get("/<incident>")
@permit("incident.view")
@bp.output(IncidentOut)
def show(incident: str) -> dict[str, Any]:
    """One incident."""
    return _alone(g.incident)


@bp.patch("/<incident>")
@permit("incident.change")
@bp.input(IncidentChange, arg_name="given")
@bp.output(IncidentOut)
def change(incident: str, given: IncidentChange) -> dict[str, Any]:
    """Give it another title."""
    if given.title is not None:
        if given.version is None:
            raise Invalid("version", "Give the version you saw, so that nobody's change is lost.")
        intake.rename(incident, given.title, version=given.version, actor=actor(), now=now())
    found = rows.by_ref(incident)
    return _alone(found or g.incident)


class LeadIn(Strict):
    lead: str = Field(description="The reference of a person; empty for nobody.")


@bp.put("/<incident>/lead")
@permit("incident.lead")
@bp.input(LeadIn, arg_name="given")
@bp.output({}, status_code=204)
def lead(incident: str, given: LeadIn) -> str:
    """Put somebody in the lead."""
    intake.lead_by(incident, given.lead, actor=actor(), now=now())
    return ""


@bp.get("/<incident>/facts")
@permit("fact.view")
@bp.output(FactList)
def facts(incident: str) -> dict[str, Any]:
    """The current value of every fact that was ever recorded."""
    known = rows.current_facts(g.incident.id)
    shown = known.keys() - hidden("fact")
    return {"facts": [_fact(known[entry.key]) for entry in vocabulary() if entry.key in shown]}


@bp.get("/<incident>/facts/<key>")
@permit("fact.view")
@bp.output(FactList)
def history(incident: str, key: str) -> dict[str, Any]:
    """Every value one fact has had, newest first."""
    if key not in vocabulary():
        raise Missing()
    return {"facts": [_fact(row) for row in rows.history(g.incident.id, key)]}


@bp.post("/<incident>/facts")
@permit("incident.change")
@bp.input(FactsIn, arg_name="given")
@bp.output(Changed, status_code=201)
def record(incident: str, given: FactsIn) -> dict[str, Any]:
    """Record facts; grade, duties and plan are worked out again in the same transaction."""
    changed = intake.record_facts(
        incident,
        given.facts,
        source=given.source,
        confidence=given.confidence,
        learnt_at=given.learnt_at,
        actor=actor(),
        now=now(),
    )
    return {"changed": changed}


@bp.get("/<incident>/timeline")
@permit("timeline.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(Happenings)
def timeline(incident: str, place: Place) -> dict[str, Any]:
    """What happened, newest first, in sentences."""
    found = story.latest(g.incident, limit=place.limit, before=place.before, hidden=hidden)
    return {"happenings": [vars(one) for one in found]}


@bp.post("/<incident>/notes")
@permit("incident.change")
@bp.input(NoteIn, arg_name="given")
@bp.output(Ref, status_code=201)
def add_note(incident: str, given: NoteIn) -> dict[str, str]:
    """Write something down."""
    return {"ref": intake.add_note(incident, given.text, purpose=given.purpose, actor=actor(), now=now())}


@bp.get("/<incident>/evidence")
@permit("evidence.view")
@bp.output(EvidenceList)
def evidence(incident: str) -> dict[str, Any]:
    """All pieces of evidence with their custody."""
    custody: dict[int, list[Custody]] = {}
    for move in rows.custody(g.incident.id):
        custody.setdefault(move.evidence_id, []).append(move)
    shown = [piece for piece in rows.evidence(g.incident.id) if piece.ref not in hidden("evidence")]
    searched = searches.latest(piece.id for piece in shown)
    return {"evidence": [_piece(piece, custody.get(piece.id, []), searched.get(piece.id)) for piece in shown]}


@bp.post("/<incident>/evidence")
@permit("evidence.change")
@bp.output(Ref, status_code=201)
@bp.doc(description="Multipart form: `file`, `brought_by`, `description`.")
def bring(incident: str) -> dict[str, str]:
    """Bring a piece of evidence."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid("file", "Send the file as multipart form data, in the field `file`.")
    ref = evidence_actions.bring(
        incident,
        upload.stream,
        name=upload.filename,
        brought_by=request.form.get("brought_by", ""),
        description=request.form.get("description", ""),
        folder=_folder(),
        actor=actor(),
        now=now(),
    )
    return {"ref": ref}


@bp.post("/<incident>/evidence/<piece>/custody")
@permit("evidence.change")
@bp.input(CustodyIn, arg_name="given")
@bp.output({}, status_code=204)
def hand_on(incident: str, piece: str, given: CustodyIn) -> str:
    """Record that a piece went to somebody else."""
    evidence_actions.hand_on(incident, piece, holder=given.holder, reason=given.reason, actor=actor(), now=now())
    return ""


class CopyIn(Strict):
    despite: bool = Field(False, description="You know that malware was found in it, and want it all the same.")


@bp.get("/<incident>/evidence/<piece>/file")
@permit("evidence.copy")
@bp.input(CopyIn, location="query", arg_name="given")
@bp.doc(responses=a_file("The piece as it was brought.", "application/octet-stream"))
def download(incident: str, piece: str, given: CopyIn) -> Response:
    """The piece itself. The look leaves a line; what malware was found in needs `despite`."""
    found, pieces = evidence_actions.take_copy(
        incident, piece, folder=_folder(), despite=given.despite, actor=actor(), now=now()
    )
    headers = {"Content-Disposition": f'attachment; filename="{found.ref}"', "Content-Length": str(found.size)}
    return Response(pieces, mimetype="application/octet-stream", headers=headers)


def _alone(row: Incident) -> dict[str, Any]:
    due = deadlines.of([row.id]).get(row.id) if may("duty.view") else None
    return _incident(row, users.refs_by_id(), due)


def _incident(row: Incident, leads: Mapping[int, str], due: Deadline | None) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in IncidentOut.model_fields if name not in {"lead", "next_due_at"}}
    shown["next_due_at"] = due.due_at if due else None
    return shown | {"lead": leads.get(row.lead_id) if row.lead_id else None}


def _fact(row: Fact) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FactOut.model_fields}


def _piece(piece: Evidence, moves: list[Custody], search: Search | None) -> dict[str, Any]:
    shown = {name: getattr(piece, name) for name in EvidenceOut.model_fields if name not in {"custody", "malware"}}
    shown["malware"] = (search.name or search.verdict) if search is not None else None
    return shown | {"custody": [{name: getattr(move, name) for name in CustodyOut.model_fields} for move in moves]}


def _folder() -> Any:
    return current_app.extensions["settings"].instance / "files"
