"""Passkeys in the browser: add, name and remove one's own; sign in with one. Codes work all the same without JavaScript."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import passkeys as actions
from incident.actions.throttled import TooMany
from incident.domain.access import MEMBER, OWN, PUBLIC
from incident.domain.errors import Invalid, Refused
from incident.store import passkeys as rows
from incident.web import signin
from incident.web.access import live_session, me, now, permit
from incident.web.challenges import place, remembered, taken
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("passkeys", __name__)

LONGEST = 20_000


@bp.get("/account/passkeys")
@permit(MEMBER, fresh="passkeys.index")
@named(Word("Your keys to sign in"))
def index() -> str:
    """One's own keys, and the form to add one."""
    return _page()


@bp.post("/account/passkeys")
@permit(MEMBER, fresh="passkeys.index")
def add() -> ResponseReturnValue:
    """Keep a new key."""
    where, row = place(), live_session()
    try:
        if where is None or row is None:
            raise Refused("Keys need an address by name over https.")
        actions.add(row.ref, where, _answer(), taken("add"), name=request.form.get("name", ""), now=now())
    except Refused as refusal:
        return _page(refusal.sentence, request.form.get("name", "")), 422
    flash("The key is added, and you are signed out everywhere else.", "met")
    return redirect(url_for(".index"))


@bp.post("/account/passkeys/<ref>/name")
@permit(MEMBER)
def rename(ref: str) -> ResponseReturnValue:
    """Give a key another name."""
    try:
        actions.rename(ref, request.form.get("name", ""), actor=me().ref, now=now())
    except Invalid as refusal:
        return _page(refusal.sentence), 422
    flash("Saved.")
    return redirect(url_for(".index"))


@bp.post("/account/passkeys/<ref>/remove")
@permit(MEMBER, fresh="passkeys.index")
def remove(ref: str) -> ResponseReturnValue:
    """End a key at once."""
    row = live_session()
    actions.remove(ref, keep_session=row.ref if row else "", actor=me().ref, now=now())
    flash("The key opens nothing any more, and you are signed out everywhere else.")
    return redirect(url_for(".index"))


@bp.post("/sign-in/code/passkey")
@permit(OWN)
def second() -> ResponseReturnValue:
    """A key as the second factor, once the password was given."""
    row, where = live_session(), place()
    if row is None or where is None or row.second_factor_at is not None:
        return redirect(url_for("signin.code", next=signin.next_path()))
    try:
        signin.go_on_with(actions.second_factor(row.ref, where, _answer(), taken("second"), now=now()))
    except Refused as refusal:
        return _again("signin.code", refusal)
    return redirect(signin.next_path() or "/")


@bp.post("/sign-in/passkey")
@permit(PUBLIC)
def first() -> ResponseReturnValue:
    """A key alone, which checked its owner by PIN or finger."""
    where = place()
    try:
        if where is None:
            raise Refused("Keys need an address by name over https.")
        secret = actions.sign_in(where, _answer(), taken("first"), client=signin.client(), now=now())
    except Refused as refusal:
        return _again("signin.password", refusal)
    signin.leave_old_session()
    signin.begin(secret)
    return redirect(signin.next_path() or "/")


def _page(refused: str = "", name: str = "") -> str:
    where = place()
    options = remembered("add", rows.to_register(where, me())) if where is not None else ""
    return render_template(
        "account/passkeys.html", keys=rows.of(me().id), options=options, refused=refused, name=name, most=actions.MOST
    )


def _again(endpoint: str, refusal: Refused) -> ResponseReturnValue:
    flash(refusal.sentence, "late")
    answer = current_app.make_response(redirect(url_for(endpoint, next=signin.next_path())))
    if isinstance(refusal, TooMany):
        answer.headers["Retry-After"] = str(max(1, round((refusal.until - now()).total_seconds())))
    return answer


def _answer() -> str:
    return request.form.get("answer", "")[:LONGEST]
