"""The team, for programs: people, roles, invitations, locks."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, url_for
from pydantic import BaseModel, Field

from incident.actions import members, users
from incident.api.incidents import Ref, Strict
from incident.domain.access import Role
from incident.domain.errors import Missing
from incident.store import users as rows
from incident.store.users import Invitation, User
from incident.web.access import actor, may, now, permit

bp = APIBlueprint("api_team", __name__, url_prefix="/api/v1/team", tag="Team")


class Page(Strict):
    after: str = Field("", max_length=16, description="Go on behind the person with this reference.")
    limit: int = Field(100, ge=1, le=500)


class Person(BaseModel):
    ref: str
    name: str
    email: str | None = Field(description="For administrators only.")
    roles: list[str]
    active: bool
    second_factor: bool
    created_at: datetime


class People(BaseModel):
    people: list[Person]
    after: str | None = Field(description="Give this as `after` for the next page; null at the end.")


class RolesIn(Strict):
    roles: list[Role] = Field(min_length=1, max_length=len(Role))


class Change(BaseModel):
    waits: str | None = Field(
        description="The request that waits for a second person's yes; null: the roles count now."
    )


class InvitationIn(RolesIn):
    email: str = Field(max_length=254)


class InvitationOut(BaseModel):
    ref: str
    email: str
    roles: list[str]
    invited_by: str
    created_at: datetime
    expires_at: datetime


class Invitations(BaseModel):
    invitations: list[InvitationOut]


class Link(BaseModel):
    link: str = Field(description="One-time link to hand over; shown this once.")
    code: str = Field(
        description="The same to be read out, for where mail is not to be trusted; typed at /welcome/code."
    )


class NewInvitation(Ref, Link):
    """The invitation and its link."""


class LetIn(Strict):
    incident: str = Field(max_length=20)
    person: str = Field(max_length=16)


@bp.get("")
@permit("team.view")
@bp.input(Page, location="query", arg_name="page")
@bp.output(People)
def index(page: Page) -> dict[str, Any]:
    """Everybody who works here, by reference."""
    found = rows.every(after=page.after, most=page.limit)
    return {"people": [_person(user) for user in found], "after": found[-1].ref if len(found) == page.limit else None}


@bp.get("/<ref>")
@permit("team.view")
@bp.output(Person)
def show(ref: str) -> dict[str, Any]:
    """One person."""
    user = rows.by_ref(ref)
    if user is None:
        raise Missing()
    return _person(user)


@bp.put("/<ref>/roles")
@permit("team.change")
@bp.input(RolesIn, arg_name="given")
@bp.output(Change)
def roles(ref: str, given: RolesIn) -> dict[str, str | None]:
    """Give a person other roles; what is gained waits for a second person's yes where that is set."""
    return {"waits": users.change_roles(ref, given.roles, actor=actor(), now=now()) or None}


@bp.post("/<ref>/lock")
@permit("team.change")
@bp.output({}, status_code=204)
def lock(ref: str) -> str:
    """Close an account; its sessions and tokens end at once."""
    users.lock(ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/unlock")
@permit("team.change")
@bp.output({}, status_code=204)
def unlock(ref: str) -> str:
    """Open a locked account again."""
    users.unlock(ref, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/reset")
@permit("team.change")
@bp.output(Link)
def reset(ref: str) -> dict[str, str]:
    """Let somebody who lost password or second factor begin anew; approver and auditor are taken off."""
    secret = users.reset(ref, actor=actor(), now=now())
    return {"link": link_of(secret), "code": secret}


@bp.get("/invitations")
@permit("team.invite")
@bp.output(Invitations)
def invitations() -> dict[str, Any]:
    """Invitations that can still be taken up, latest first."""
    return {"invitations": [_invitation(row) for row in rows.open_invitations(now()) if row.email]}


@bp.post("/invitations")
@permit("team.invite")
@bp.input(InvitationIn, arg_name="given")
@bp.output(NewInvitation, status_code=201)
def invite(given: InvitationIn) -> dict[str, str]:
    """Invite somebody by a one-time link."""
    ref, secret = users.invite(given.email, given.roles, actor=actor(), now=now())
    return {"ref": ref, "link": link_of(secret), "code": secret}


@bp.delete("/invitations/<ref>")
@permit("team.invite")
@bp.output({}, status_code=204)
def take_back(ref: str) -> str:
    """Take an invitation back."""
    users.take_back(ref, actor=actor(), now=now())
    return ""


@bp.post("/access")
@permit("member.let_in")
@bp.input(LetIn, arg_name="given")
@bp.output({}, status_code=204)
def let_in(given: LetIn) -> str:
    """Put somebody on an incident that you do not see; the people on it see that you did."""
    members.let_in(given.incident, given.person, actor=actor(), now=now())
    return ""


def _person(user: User) -> dict[str, Any]:
    shown = {name: getattr(user, name) for name in ("ref", "name", "roles", "active", "created_at")}
    return shown | {"email": user.email if may("team.change") else None, "second_factor": user.has_second_factor}


def _invitation(row: Invitation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in InvitationOut.model_fields}


def link_of(secret: str) -> str:
    base: str = current_app.extensions["settings"].base_url
    return base + url_for("signin.link", secret=secret)
