"""One's own account, for programs: who am I, and which tokens do I have."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.actions import passkeys, sign_on, signin, tokens, users
from incident.api.incidents import Ref, Strict
from incident.domain.access import MEMBER, PERMITS, Scope, may
from incident.domain.users import TOKEN_DAYS_MOST
from incident.store import passkeys as passkey_rows
from incident.store import sign_on as sign_on_rows
from incident.store import users as rows
from incident.store.users import ApiToken
from incident.web.access import me, now, permit

bp = APIBlueprint("api_account", __name__, url_prefix="/api/v1/me", tag="Your account")


class Me(BaseModel):
    ref: str
    name: str
    email: str
    roles: list[str]
    permits: list[str] = Field(description="What these roles allow.")
    time_zone: str
    language: str


class Particulars(Strict):
    name: str | None = Field(None, max_length=120)
    time_zone: str | None = Field(None, max_length=64, description="Such as Europe/Berlin.")
    language: str | None = Field(None, max_length=12)


class SessionOut(BaseModel):
    ref: str
    device: str
    started_at: datetime
    second_factor_at: datetime | None = Field(description="Null while the sign-in is not complete.")
    expires_at: datetime


class SessionList(BaseModel):
    sessions: list[SessionOut]


class TokenIn(Strict):
    name: str = Field(min_length=1, max_length=80, description="What the token is for.")
    scope: Scope = Field(Scope.WRITE, description="`read` leaves out everything that changes something.")
    incident: str = Field("", max_length=20, description="Opens this incident alone; empty: all that you see.")
    days: int = Field(90, ge=1, le=TOKEN_DAYS_MOST)


class TokenOut(BaseModel):
    ref: str
    prefix: str = Field(description="The first letters of the secret, to tell tokens apart.")
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="Kept to within a few minutes.")
    revoked_at: datetime | None


class TokenList(BaseModel):
    tokens: list[TokenOut]


class KeyOut(BaseModel):
    ref: str
    name: str
    synced: bool = Field(description="Kept in step between several devices by its maker.")
    added_at: datetime
    last_used_at: datetime | None


class BindingOut(BaseModel):
    ref: str | None = Field(description="Null: not bound.")
    bound_at: datetime | None
    last_used_at: datetime | None


class KeyList(BaseModel):
    passkeys: list[KeyOut]


class KeyIn(Strict):
    name: str = Field(min_length=1, max_length=80)


class NewToken(Ref):
    secret: str = Field(description="Shown this once; only its hash is kept.")


@bp.get("")
@permit(MEMBER)
@bp.output(Me)
def show() -> dict[str, Any]:
    """Who you are, and what you may do."""
    shown = {name: getattr(me(), name) for name in Me.model_fields if name != "permits"}
    return shown | {"permits": [name for name in PERMITS if may(name, me().roles)]}


@bp.patch("")
@permit(MEMBER)
@bp.input(Particulars, arg_name="given")
@bp.output({}, status_code=204)
def change(given: Particulars) -> str:
    """Change your name, time zone or language; what is left out stays."""
    wanted = {name: getattr(me(), name) for name in Particulars.model_fields} | given.model_dump(exclude_none=True)
    users.change_particulars(**wanted, actor=me().ref, now=now())
    return ""


@bp.get("/sessions")
@permit(MEMBER)
@bp.output(SessionList)
def session_list() -> dict[str, Any]:
    """Where you are signed in, latest first."""
    found = rows.sessions_of(me().id, now())
    return {"sessions": [{name: getattr(row, name) for name in SessionOut.model_fields} for row in found]}


@bp.delete("/sessions/<ref>")
@permit(MEMBER)
@bp.output({}, status_code=204)
def end_session(ref: str) -> str:
    """Sign out one of your browsers."""
    signin.sign_out(ref, actor=me().ref, now=now())
    return ""


@bp.delete("/sessions")
@permit(MEMBER)
@bp.output({}, status_code=204)
def end_all() -> str:
    """Sign out all your browsers; tokens stay."""
    signin.sign_out_everywhere(actor=me().ref, now=now())
    return ""


@bp.get("/passkeys")
@permit(MEMBER)
@bp.output(KeyList)
def key_list() -> dict[str, Any]:
    """Your passkeys and security keys; they are added in the browser, where they are."""
    found = passkey_rows.of(me().id)
    return {"passkeys": [{name: getattr(row, name) for name in KeyOut.model_fields} for row in found]}


@bp.patch("/passkeys/<ref>")
@permit(MEMBER)
@bp.input(KeyIn, arg_name="given")
@bp.output({}, status_code=204)
def rename_key(ref: str, given: KeyIn) -> str:
    """Give one of your keys another name."""
    passkeys.rename(ref, given.name, actor=me().ref, now=now())
    return ""


@bp.delete("/passkeys/<ref>")
@permit(MEMBER)
@bp.output({}, status_code=204)
def remove_key(ref: str) -> str:
    """End one of your keys; all your browsers are signed out."""
    passkeys.remove(ref, actor=me().ref, now=now())
    return ""


@bp.get("/sign-on")
@permit(MEMBER)
@bp.output(BindingOut)
def binding() -> dict[str, Any]:
    """Whether your account is bound to the single sign-on; that is done in the browser, where you are signed in there."""
    row = sign_on_rows.of(me().id)
    return {name: getattr(row, name, None) for name in BindingOut.model_fields}


@bp.delete("/sign-on")
@permit(MEMBER)
@bp.output({}, status_code=204)
def disconnect() -> str:
    """Take the binding away; all your browsers are signed out."""
    sign_on.disconnect(actor=me().ref, now=now())
    return ""


@bp.get("/tokens")
@permit(MEMBER)
@bp.output(TokenList)
def token_list() -> dict[str, Any]:
    """Your tokens, latest first, ended ones too."""
    return {"tokens": [_token(token) for token in rows.tokens_of(me().id)]}


@bp.post("/tokens")
@permit(MEMBER)
@bp.input(TokenIn, arg_name="given")
@bp.output(NewToken, status_code=201)
def issue(given: TokenIn) -> dict[str, str]:
    """Issue a token, such as one that is to follow this one."""
    ref, secret = tokens.issue(me().ref, **given.model_dump(), actor=me().ref, now=now())
    return {"ref": ref, "secret": secret}


@bp.delete("/tokens/<ref>")
@permit(MEMBER)
@bp.output({}, status_code=204)
def revoke(ref: str) -> str:
    """End a token at once."""
    tokens.revoke(me().ref, ref, actor=me().ref, now=now())
    return ""


def _token(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TokenOut.model_fields}
