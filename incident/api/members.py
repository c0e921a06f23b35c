"""The people on one incident, for programs."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import members
from incident.api.incidents import Strict
from incident.store import members as rows
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_members", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Team")


class Member(BaseModel):
    ref: str
    name: str
    roles: list[str]
    active: bool
    added_by: str
    added_at: datetime


class Members(BaseModel):
    restricted: bool = Field(description="Whether only these people and auditors know of the incident.")
    members: list[Member]


class Restriction(Strict):
    restricted: bool


@bp.get("/members")
@permit("member.view")
@bp.output(Members)
def index(incident: str) -> dict[str, Any]:
    """Who is on the incident."""
    return {"restricted": g.incident.restricted, "members": [_member(row) for row in rows.of(g.incident.id)]}


@bp.put("/members/<ref>")
@permit("member.add")
@bp.output({}, status_code=204)
def add(incident: str, ref: str) -> str:
    """Put a person on the incident."""
    members.add(incident, ref, actor=actor(), now=now())
    return ""


@bp.delete("/members/<ref>")
@permit("member.remove")
@bp.output({}, status_code=204)
def remove(incident: str, ref: str) -> str:
    """Take a person off the incident."""
    members.remove(incident, ref, actor=actor(), now=now())
    return ""


@bp.put("/restriction")
@permit("incident.restrict")
@bp.input(Restriction, arg_name="given")
@bp.output({}, status_code=204)
def restrict(incident: str, given: Restriction) -> str:
    """Hide the incident from all but its members and auditors, or open it to the team."""
    act = members.restrict if given.restricted else members.unrestrict
    act(incident, actor=actor(), now=now())
    return ""


def _member(row: rows.Membership) -> dict[str, Any]:
    person = {name: getattr(row.user, name) for name in ("ref", "name", "roles", "active")}
    return person | {"added_by": row.added_by, "added_at": row.added_at}
