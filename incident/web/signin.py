"""Sign in, set up the second factor, sign out; the one-time links of invitations and of the first set-up."""

from base64 import b64encode
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import EmailField, Form, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from incident import parts
from incident.actions import particulars, signin, users
from incident.actions.signin import Client
from incident.actions.throttled import TooMany
from incident.domain import second_factor as codes
from incident.domain.access import OWN, PUBLIC
from incident.domain.errors import Invalid, Refused
from incident.store import sign_on
from incident.store import users as rows
from incident.store.credentials import key_of
from incident.store.users import Session
from incident.web import languages
from incident.web.access import live_session, me, now, permit
from incident.web.challenges import asked
from incident.web.languages import Word
from incident.web.zones import ZONES
from notifiers.assertions import SignOn

if TYPE_CHECKING:
    import qrcode
    from qrcode.image import svg
else:
    qrcode, svg = parts.later("qrcode"), parts.later("qrcode.image.svg")

bp = Blueprint("signin", __name__)


class PasswordForm(FlaskForm):
    """The first step."""

    email = EmailField(Word("Mail address"), [InputRequired(), Length(max=254)], render_kw={"autocomplete": "username"})
    password = PasswordField(
        Word("Password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "current-password"}
    )


class CodeForm(FlaskForm):
    """A code of the generator, or a recovery code."""

    code = StringField(
        Word("Code"), [InputRequired(), Length(max=40)], render_kw={"autocomplete": "one-time-code", "autofocus": True}
    )


class HandedForm(FlaskForm):
    """The code of a one-time link."""

    code = StringField(
        Word("Code"), [InputRequired(), Length(max=60)], render_kw={"autocomplete": "off", "spellcheck": "false"}
    )


class AgainForm(FlaskForm):
    """The password once more, before a sensitive act."""

    password = PasswordField(
        Word("Password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "current-password"}
    )


class WelcomeForm(FlaskForm):
    """What a new account needs of its owner."""

    email = EmailField(Word("Mail address"), [Length(max=254)], render_kw={"autocomplete": "username"})
    name = StringField(
        Word("Your name, as colleagues know it"), [InputRequired(), Length(max=120)], render_kw={"autocomplete": "name"}
    )
    time_zone = SelectField(
        Word("Your time zone"),
        choices=ZONES,
        default=lambda: particulars.known(current_app.extensions["settings"]).time_zone,
    )
    new_password = PasswordField(
        Word("Password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "new-password"}
    )


@bp.route("/sign-in", methods=["GET", "POST"])
@permit(PUBLIC)
def password() -> ResponseReturnValue:
    """Mail address and password."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            secret = signin.with_password(form.email.data or "", form.password.data or "", client=client(), now=now())
        except Refused as refusal:
            return _page("signin/password.html", form, refusal, "password", **_provider())
        leave_old_session()
        begin(secret)
        return redirect(url_for(".code", next=next_path()))
    return _page("signin/password.html", form, **asked("first", None), **_provider())


@bp.route("/sign-in/code", methods=["GET", "POST"])
@permit(OWN)
def code() -> ResponseReturnValue:
    """The second factor; whoever has none sets it up first."""
    row = _present()
    if row.second_factor_at is not None:
        return redirect(next_path() or "/")
    if not row.user.has_second_factor:
        return redirect(url_for(".second_factor", next=next_path()))
    form = CodeForm()
    if form.validate_on_submit():
        try:
            go_on_with(signin.with_code(row.ref, form.code.data or "", now=now()))
        except Refused as refusal:
            return _page("signin/code.html", form, refusal, "code")
        return redirect(next_path() or "/")
    return _page("signin/code.html", form, **asked("second", row.user))


@bp.route("/sign-in/second-factor", methods=["GET", "POST"])
@permit(OWN)
def second_factor() -> ResponseReturnValue:
    """Set up the code generator: show its key, take a code as proof, show the recovery codes once."""
    row = _present()
    if row.user.has_second_factor and row.second_factor_at is None:
        return redirect(url_for(".code", next=next_path()))
    form = CodeForm()
    secret = _offered_secret()
    if form.validate_on_submit():
        try:
            renewed, recovery = signin.set_up_second_factor(row.ref, secret, form.code.data or "", now=now())
        except Refused as refusal:
            return _page("signin/second_factor.html", form, refusal, "code", **_generator(secret))
        session.pop("offered", None)
        go_on_with(renewed)
        return render_template("signin/recovery_codes.html", codes=recovery, next=next_path() or "/")
    return _page("signin/second_factor.html", form, **_generator(secret))


@bp.route("/sign-in/again", methods=["GET", "POST"])
@permit(OWN)
def again() -> ResponseReturnValue:
    """The password once more, before a sensitive act."""
    form = AgainForm()
    if form.validate_on_submit():
        try:
            signin.confirm_password(_present().ref, form.password.data or "", client=client(), now=now())
        except Refused as refusal:
            return _page("signin/again.html", form, refusal, "password")
        return redirect(next_path() or "/")
    return _page("signin/again.html", form)


@bp.post("/sign-out")
@permit(OWN)
def out() -> ResponseReturnValue:
    """End this session."""
    by_provider = bool(_present().asserted)
    signin.sign_out(_present().ref, actor=me().ref, now=now())
    session.clear()
    flash("You are signed out.")
    answer = redirect(url_for(".password", left=1 if by_provider else None))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'  # the cookie holds nothing any more
    return answer


@bp.get("/welcome/<secret>")
@permit(PUBLIC)
def link(secret: str) -> ResponseReturnValue:
    """Take the secret of a one-time link out of the address bar at once; opening it changes nothing."""
    session["welcome"] = codes.typed(secret[:100])
    return redirect(url_for(".welcome"))


@bp.route("/welcome/code", methods=["GET", "POST"])
@permit(PUBLIC)
def handed_code() -> ResponseReturnValue:
    """Type the code of a one-time link that was read out or written down, where a link cannot be sent."""
    form = HandedForm()
    if form.validate_on_submit():
        secret = codes.typed((form.code.data or "").strip())
        try:
            users.demand_open(secret, client=client(), now=now())
        except Refused as refusal:
            return _page("signin/handed_code.html", form, refusal, "code")
        session["welcome"] = secret
        return redirect(url_for(".welcome"))
    return _page("signin/handed_code.html", form)


@bp.route("/welcome", methods=["GET", "POST"])
@permit(PUBLIC)
def welcome() -> ResponseReturnValue:
    """Take up an invitation, or set this installation up as its first administrator."""
    secret = session.get("welcome", "")
    invitation = rows.invitation_by_key(key_of(secret), now()) if secret else None
    if invitation is None:
        return render_template("signin/spent.html"), 410
    form = WelcomeForm()
    if form.validate_on_submit():
        try:
            _accept(secret, form)
        except Refused as refusal:
            return _page("signin/welcome.html", form, refusal, "new_password", invitation=invitation)
        return redirect(url_for(".second_factor"))
    if not form.is_submitted():
        form.time_zone.render_kw = {"data-own-zone": "yes"}
    return _page("signin/welcome.html", form, invitation=invitation)


def _provider() -> dict[str, Any]:
    """What the first page says of the single sign-on, where one is set."""
    found: SignOn | None = current_app.extensions["sign_on"]
    if found is None:
        return {}
    if sign_on.is_shut():
        return {"sign_on_shut": found.name}
    return {"sign_on": found.name, "way_out": found.way_out(now()) if "left" in request.args else ""}


def _accept(secret: str, form: WelcomeForm) -> None:
    """Make the account and begin its first session."""
    mine = {"email": form.email.data or "", "name": form.name.data or "", "password": form.new_password.data or ""}
    agent = request.user_agent.string
    spoken = {"time_zone": form.time_zone.data, "language": languages.tag()}
    begin(users.accept(secret, **mine, **spoken, user_agent=agent, now=now()))


def client() -> Client:
    """Where this request comes from."""
    return Client(request.remote_addr, request.user_agent.string)


def _present() -> Session:
    return cast(Session, live_session())


def leave_old_session() -> None:
    """Who signs in again in the same browser leaves no open session behind."""
    old = live_session()
    if old is not None:
        signin.sign_out(old.ref, actor=old.user.ref, now=now())


def begin(secret: str) -> None:
    """A new session takes nothing over from what was before it."""
    session.clear()
    go_on_with(secret)


def go_on_with(secret: str) -> None:
    """Let this browser hold the session with this secret from now on."""
    session["sid"] = secret
    session["seen"] = int(now().timestamp())


def next_path() -> str | None:
    """Where the reader wanted to go: a path of ours, nothing else."""
    path = request.args.get("next", "")
    parts = urlsplit(path)
    strange = (
        parts.scheme
        or parts.netloc
        or not path.startswith("/")
        or path.startswith(("//", "/\\"))
        or not path.isprintable()
    )
    return None if strange or len(path) > 500 else path


def _offered_secret() -> str:
    """The key offered to this browser; the cookie is signed, and the key counts only once a code of it came back."""
    if "offered" not in session:
        session["offered"] = codes.new_secret()
    return cast(str, session["offered"])


def _generator(secret: str) -> dict[str, Any]:
    image = qrcode.make(codes.address(secret, me().email), image_factory=svg.SvgPathFillImage, border=2)
    return {"drawing": b64encode(image.to_string()).decode(), "key": codes.grouped(secret)}


def _page(
    template: str, form: Form, refusal: Refused | None = None, field: str = "", **more: object
) -> ResponseReturnValue:
    """The form, with the refusal at its field; 422, or 429 with the time to wait."""
    if refusal is None:
        return render_template(template, form=form, next=next_path(), **more), 422 if form.errors else 200
    place = refusal.field if isinstance(refusal, Invalid) and refusal.field in form else field
    form[place].errors = [*form[place].errors, refusal.sentence]
    answer: Response = current_app.make_response(render_template(template, form=form, next=next_path(), **more))
    answer.status_code = 429 if isinstance(refusal, TooMany) else 422
    if isinstance(refusal, TooMany):
        answer.headers["Retry-After"] = str(max(1, round((refusal.until - now()).total_seconds())))
    return answer
