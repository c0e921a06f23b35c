"""The register of vulnerabilities, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import current_app
from pydantic import BaseModel, Field

from incident.actions import particulars
from incident.actions import vulnerabilities as actions
from incident.api.incidents import Ref, Strict
from incident.domain.errors import Missing
from incident.store import vulnerabilities as rows
from incident.store.vulnerabilities import Vulnerability
from incident.web.access import actor, now, permit
from incident.web.incidents import visible
from incident.web.vulnerabilities import reported

bp = APIBlueprint("api_vulnerabilities", __name__, url_prefix="/api/v1/vulnerabilities", tag="Vulnerabilities")

State = Literal["reported", "confirmed", "fixed", "disclosed", "rejected"]
Exploited = Literal["unknown", "no", "yes"]


class VulnerabilityQuery(BaseModel):
    state: State | None = None
    exploited: Exploited | None = None
    before: int | None = Field(None, ge=1, description="Go on behind the one with this id.")
    limit: int = Field(50, ge=1, le=200)


class VulnerabilityIn(Strict):
    title: str = Field(max_length=200)
    product: str = Field("", max_length=200)
    cve: str = Field("", max_length=30, description="As CVE-2026-12345.")
    state: State = "reported"
    exploited: Exploited = "unknown"
    vector3: str = Field("", max_length=300, description="A whole vector of CVSS 3.0 or 3.1.")
    vector4: str = Field("", max_length=300, description="A whole vector of CVSS 4.0.")
    reported_at: datetime | None = Field(None, description="Null: now.")
    exploited_known_at: datetime | None = None
    fix_available_at: datetime | None = None
    disclosed_at: datetime | None = None
    details: str = Field("", max_length=20_000, description="Kept sealed.")


class VulnerabilityOut(BaseModel):
    id: int
    ref: str
    title: str
    product: str
    cve: str
    state: State
    exploited: Exploited
    level: str = Field(description="Of the newest CVSS; empty without a vector.")
    score3: float | None
    score4: float | None
    vector3: str
    vector4: str
    reported_at: datetime
    exploited_known_at: datetime | None
    fix_available_at: datetime | None
    disclosed_at: datetime | None
    changed_at: datetime


class VulnerabilitySheet(VulnerabilityOut):
    details: str
    incidents: list[str] = Field(description="References of the incidents that you may know of.")
    reports: list[str] = Field(description="References of the reports from outside that you may know of.")


class VulnerabilityList(BaseModel):
    vulnerabilities: list[VulnerabilityOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


@bp.get("/")
@permit("vulnerability.view")
@bp.input(VulnerabilityQuery, location="query", arg_name="asked")
@bp.output(VulnerabilityList)
def index(asked: VulnerabilityQuery) -> dict[str, Any]:
    """The register, newest first."""
    found = list(
        rows.page(state=asked.state or "", exploited=asked.exploited or "", before=asked.before, limit=asked.limit)
    )
    return {
        "vulnerabilities": [_shown(row) for row in found],
        "before": found[-1].id if len(found) == asked.limit else None,
    }


@bp.post("/")
@permit("vulnerability.change")
@bp.input(VulnerabilityIn, arg_name="given")
@bp.output(Ref, status_code=201)
def record(given: VulnerabilityIn) -> dict[str, str]:
    """Put one on the register."""
    return {"ref": actions.record(given.model_dump(), actor=actor(), now=now())}


@bp.get("/<ref>")
@permit("vulnerability.view")
@bp.output(VulnerabilitySheet)
def show(ref: str) -> dict[str, Any]:
    """One, with its details and incidents."""
    row = _one(ref)
    return _shown(row) | {
        "details": rows.details(row),
        "incidents": [one.ref for one in rows.incidents(row, visible())],
        "reports": [one.ref for one in reported(row)],
    }


@bp.put("/<ref>")
@permit("vulnerability.change")
@bp.input(VulnerabilityIn, arg_name="given")
@bp.output({}, status_code=204)
def change(ref: str, given: VulnerabilityIn) -> str:
    """Describe it anew, whole."""
    actions.change(ref, given.model_dump(), actor=actor(), now=now())
    return ""


@bp.put("/<ref>/incidents/<known>")
@permit("vulnerability.change")
@bp.output({}, status_code=204)
def link(ref: str, known: str) -> str:
    """Say that an incident has to do with it."""
    _knowing(known)
    actions.link(ref, known, actor=actor(), now=now())
    return ""


@bp.delete("/<ref>/incidents/<known>")
@permit("vulnerability.change")
@bp.output({}, status_code=204)
def unlink(ref: str, known: str) -> str:
    """Take that back."""
    _knowing(known)
    actions.unlink(ref, known, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/open")
@permit("incident.log")
@bp.output(Ref, status_code=201)
def open_incident(ref: str) -> dict[str, str]:
    """Open the incident that an exploited one is."""
    house = particulars.own_facts(current_app.extensions["settings"])
    return {"ref": actions.open_incident(ref, house=house, actor=actor(), now=now())}


def _one(ref: str) -> Vulnerability:
    row = rows.by_ref(ref)
    if row is None:
        raise Missing()
    return row


def _knowing(ref: str) -> None:
    if not rows.named(ref, visible()):
        raise Missing()


def _shown(row: Vulnerability) -> dict[str, Any]:
    return {name: getattr(row, name) for name in VulnerabilityOut.model_fields}
