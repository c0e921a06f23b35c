"""The way to the house's single sign-on and back, the binding of one's own account, and the switch that shuts it."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from hmac import compare_digest
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from incident.actions import sign_on as actions
from incident.actions.throttled import TooMany
from incident.domain import sign_on as rules
from incident.domain.access import MEMBER, PUBLIC
from incident.domain.errors import Missing, Refused
from incident.store import sign_on as rows
from incident.web import signin
from incident.web.access import actor, live_session, me, now, permit
from incident.web.languages import _
from notifiers.assertions import Assertion, Errand, NotAsserted, SignOn, Unavailable

bp = Blueprint("sign_on", __name__)


def provider() -> SignOn | None:
    """The single sign-on of this installation; None where none is set."""
    found: SignOn | None = current_app.extensions["sign_on"]
    return found


@bp.get("/sign-in/provider")
@permit(PUBLIC)
def begin() -> ResponseReturnValue:
    """Send the browser to the provider."""
    return _away("", signin.next_path() or "")


@bp.get("/account/sign-on/connect")
@permit(MEMBER, fresh="sign_on.connect")
def connect() -> ResponseReturnValue:
    """Send somebody who is signed in to the provider, so that it says who they are there."""
    row = live_session()
    return _away(row.ref if row is not None else "", url_for("account.show"))


@bp.get("/sign-in/provider/back")
@permit(PUBLIC)
def back() -> ResponseReturnValue:
    """Where the provider sends the browser back to, with a code or without."""
    kept: dict[str, Any] = session.pop("errand", None) or {}
    connecting, next_ = kept.get("connect", ""), kept.get("next", "")
    ask = partial(_asked, kept)
    try:
        if connecting:
            return _connected(connecting, ask)
        taken = _accepted()
        secret, whole = actions.sign_in(ask, kept.get("nonce", ""), accepted=taken, client=signin.client(), now=now())
    except Refused as refusal:
        return _home(refusal, "account.show" if connecting else "signin.password", next_)
    signin.leave_old_session()
    signin.begin(secret)
    return redirect((next_ or "/") if whole else url_for("signin.code", next=next_ or None))


@bp.post("/account/sign-on/disconnect")
@permit(MEMBER, fresh="account.show")
def disconnect() -> ResponseReturnValue:
    """Take the binding of one's own account away."""
    row = live_session()
    actions.disconnect(keep_session=row.ref if row is not None else "", actor=me().ref, now=now())
    flash("The single sign-on opens this account no more, and you are signed out everywhere else.")
    return redirect(url_for("account.show"))


@bp.post("/team/rules/sign-on/shut")
@permit("sign_on.shut")
def shut() -> ResponseReturnValue:
    """Let nobody in by the provider any more."""
    ended = actions.shut(actor=actor(), now=now())
    flash(_("The single sign-on is shut. Sessions that had begun there have ended: %(ended)s.", ended=ended), "met")
    return redirect(url_for("rules.index"))


@bp.post("/team/rules/sign-on/open")
@permit("sign_on.open", fresh="rules.index")
def reopen() -> ResponseReturnValue:
    """Let people in by the provider again."""
    actions.reopen(actor=actor(), now=now())
    flash("The single sign-on is open again.", "met")
    return redirect(url_for("rules.index"))


def _away(connect: str, next_: str) -> ResponseReturnValue:
    """To the provider, with fresh secrets of which this browser keeps a copy: the cookie is signed, and each counts once."""
    found = provider()
    if found is None:
        raise Missing()
    errand = found.errand()
    try:
        if rows.is_shut():
            raise Refused(rules.SHUT)
        place = found.address(errand, now())
    except Unavailable:
        return _home(Refused(actions.NO_ANSWER), "account.show" if connect else "signin.password", next_)
    except Refused as refusal:
        return _home(refusal, "account.show" if connect else "signin.password", next_)
    session["errand"] = asdict(errand) | {"at": int(now().timestamp()), "next": next_, "connect": connect}
    return redirect(place)


def _asked(kept: dict[str, Any]) -> Assertion:
    """What the provider says of whoever came back, once the answer belongs to this browser's question. Raises NotAsserted."""
    found, state = provider(), request.args.get("state", "")
    if found is None or not kept or not compare_digest(kept["state"].encode(), state.encode("utf-8", "replace")):
        raise NotAsserted("state")
    if not rules.is_in_time(datetime.fromtimestamp(kept["at"], UTC), now()):
        raise NotAsserted("too_late")
    if request.args.get("error"):
        raise NotAsserted("said_no")
    errand = Errand(kept["state"], kept["nonce"], kept["verifier"])
    return found.asserted(request.args.get("code", ""), errand, issuer=request.args.get("iss"), now=now())


def _connected(session_ref: str, ask: partial[Assertion]) -> ResponseReturnValue:
    row = live_session()
    if row is None or row.ref != session_ref:
        raise Refused("You are no longer signed in as you were. Sign in, and try again.")
    actions.connect(row.ref, ask, now=now())
    flash("Connected. You are signed out everywhere else.", "met")
    return redirect(url_for("account.show"))


def _accepted() -> tuple[str, ...]:
    found = provider()
    return found.second_factor if found is not None else ()


def _home(refusal: Refused, endpoint: str, next_: str) -> ResponseReturnValue:
    flash(refusal.sentence, "late")
    answer = current_app.make_response(redirect(url_for(endpoint, next=next_ or None)))
    if isinstance(refusal, TooMany):
        answer.headers["Retry-After"] = str(max(1, round((refusal.until - now()).total_seconds())))
    return answer
