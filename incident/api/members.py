"""The people on one incident, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import guests, members
from incident.api.incidents import Strict
from incident.api.team import link_of
from incident.domain.guests import MOST_DAYS, PART_WORDS, Stay
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
    until: datetime | None = Field(description="When it ends by itself: an emergency, a guest's stay.")
    capacity: str = Field(description="What a guest is here as; empty for whoever works here.")
    parts: list[str] | None = Field(description="What a guest may see; null for whoever works here.")


class GuestIn(Strict):
    email: str = Field(max_length=254)
    name: str = Field(max_length=120)
    capacity: Literal["counsel", "forensics", "insurer", "processor", "other"]
    parts: list[str] = Field(min_length=1, max_length=len(PART_WORDS), description=f"Of: {', '.join(PART_WORDS)}.")
    days: int = Field(30, ge=1, le=MOST_DAYS)


class GuestOut(BaseModel):
    person: str
    link: str | None = Field(description="One-time link to hand over, shown this once; null: the guest has an account.")
    code: str | None = Field(description="The same to be read out, typed at /welcome/code.")


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


@bp.post("/guests")
@permit("guest.invite")
@bp.input(GuestIn, arg_name="given")
@bp.output(GuestOut, status_code=201)
def invite(incident: str, given: GuestIn) -> dict[str, str | None]:
    """Let somebody from outside into parts of the incident; inviting them again changes parts and end."""
    stay = Stay(given.capacity, tuple(given.parts), given.days)
    ref, secret = guests.invite(incident, given.email, given.name, stay, actor=actor(), now=now())
    return {"person": ref, "link": link_of(secret) if secret else None, "code": secret or None}


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
    return person | {name: getattr(row, name) for name in ("added_by", "added_at", "until", "capacity", "parts")}
