"""One's own account: particulars, password, second factor, tokens, and where one is signed in."""

from typing import cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from incident.actions import signin, tokens, users
from incident.actions.signin import Client
from incident.actions.users import LANGUAGES
from incident.domain.access import MEANING, MEMBER, PUBLIC, Role
from incident.domain.errors import Invalid, Refused
from incident.domain.guests import PART_WORDS
from incident.domain.users import TOKEN_DAYS_MOST
from incident.store import incidents, members, passkeys, separation, sign_on
from incident.store import users as rows
from incident.store.users import Session
from incident.web.access import live_session, me, now, permit, user
from incident.web.languages import OFFERED, Word
from incident.web.pages import named
from incident.web.signin import next_path
from incident.web.zones import ZONES

bp = Blueprint("account", __name__, url_prefix="/account")


class ParticularsForm(FlaskForm):
    """What colleagues see, and how times are shown."""

    name = StringField(Word("Name"), [InputRequired(), Length(max=120)], render_kw={"autocomplete": "name"})
    time_zone = SelectField(Word("Time zone"), choices=ZONES)
    language = SelectField(Word("Language"), choices=OFFERED)


class NewPasswordForm(FlaskForm):
    """The present password and the one to come."""

    password = PasswordField(
        Word("Present password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "current-password"}
    )
    new_password = PasswordField(
        Word("New password"), [InputRequired(), Length(max=1000)], render_kw={"autocomplete": "new-password"}
    )


class TokenForm(FlaskForm):
    """What the token is for, and how long it lasts."""

    name = StringField(Word("What is it for?"), [InputRequired(), Length(max=80)], id="token-name")
    scope = SelectField(
        Word("What it may do"), choices=[("read", Word("read")), ("write", Word("read and write"))], default="read"
    )
    incident = StringField(Word("Only in this incident"), [Length(max=20)])
    days = IntegerField(Word("Days it lasts"), [InputRequired(), NumberRange(1, TOKEN_DAYS_MOST)], default=90)


@bp.get("/")
@permit(MEMBER)
@named(Word("Your account"))
def show() -> ResponseReturnValue:
    """Everything about one's own account."""
    return _page()


@bp.post("/particulars")
@permit(MEMBER)
def particulars() -> ResponseReturnValue:
    """Change name, time zone and language."""
    form = ParticularsForm()
    if not form.validate_on_submit():
        return _page(particulars=form)
    zone, language = form.time_zone.data, form.language.data
    seen, called = request.form.get("seen"), form.name.data or ""
    users.change_particulars(name=called, time_zone=zone, language=language, seen=seen, actor=me().ref, now=now())
    flash("Saved.")
    return redirect(url_for(".show"))


@bp.post("/language")
@permit(PUBLIC)
def speak() -> ResponseReturnValue:
    """Switch the language: in the account of whoever is signed in, for others as long as their browser stays open."""
    chosen, reader = request.form.get("language", ""), user()
    if chosen not in LANGUAGES:
        raise Invalid("language", "Choose one of the languages offered.")
    if reader is not None:
        mine = {"name": reader.name, "time_zone": reader.time_zone}
        users.change_particulars(**mine, language=chosen, actor=reader.ref, now=now())
    session["language"] = chosen
    return redirect(next_path() or "/")


@bp.post("/password")
@permit(MEMBER)
def password() -> ResponseReturnValue:
    """Change the password; all other sessions end."""
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _page(password=form)
    here = _here().ref
    try:
        client = Client(request.remote_addr, request.user_agent.string)
        signin.confirm_password(here, form.password.data or "", client=client, now=now())
        users.change_password(form.new_password.data or "", keep_session=here, actor=me().ref, now=now())
    except Refused as refusal:
        place = refusal.field if isinstance(refusal, Invalid) and refusal.field in form else "password"
        form[place].errors = [*form[place].errors, refusal.sentence]
        return _page(password=form)
    flash("Your password is changed, and you are signed out everywhere else.")
    return redirect(url_for(".show"))


@bp.post("/recovery-codes")
@permit(MEMBER, fresh="account.show")
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them once."""
    codes = signin.renew_recovery_codes(_here().ref, now=now())
    return render_template("signin/recovery_codes.html", codes=codes, next=url_for(".show"))


@bp.get("/second-factor")
@permit(MEMBER, fresh="account.second_factor")
def second_factor() -> ResponseReturnValue:
    """Go and set up another code generator, once the password is fresh."""
    session.pop("offered", None)
    return redirect(url_for("signin.second_factor", next=url_for(".show")))


@bp.post("/tokens")
@permit(MEMBER, fresh="account.show")
def issue_token() -> ResponseReturnValue:
    """Issue a token and show its secret once."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _page(token=form)
    name, days = form.name.data or "", cast(int, form.days.data)
    bounds = {"scope": form.scope.data or "", "incident": form.incident.data or ""}
    try:
        ref, secret = tokens.issue(me().ref, name=name, days=days, **bounds, actor=me().ref, now=now())
    except Invalid as refusal:
        form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        return _page(token=form)
    return render_template("account/token.html", ref=ref, secret=secret)


@bp.post("/tokens/<ref>/revoke")
@permit(MEMBER)
def revoke_token(ref: str) -> ResponseReturnValue:
    """End a token at once."""
    tokens.revoke(me().ref, ref, actor=me().ref, now=now())
    flash("The token is revoked. Nothing opens with it any more.")
    return redirect(url_for(".show"))


@bp.post("/sessions/<ref>/end")
@permit(MEMBER)
def end_session(ref: str) -> ResponseReturnValue:
    """Sign out one of one's own browsers."""
    signin.sign_out(ref, actor=me().ref, now=now())
    flash("That browser is signed out.")
    return redirect(url_for(".show"))


@bp.post("/sessions/end-all")
@permit(MEMBER)
def end_all() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    signin.sign_out_everywhere(actor=me().ref, now=now())
    session.clear()
    flash("You are signed out everywhere.")
    return redirect(url_for("signin.password"))


def _here() -> Session:
    return cast(Session, live_session())


def _page(**bad: FlaskForm) -> ResponseReturnValue:
    """The page, with the form that was refused in its place."""
    forms = {
        "particulars": bad.get("particulars") or ParticularsForm(formdata=None, obj=me()),
        "password": bad.get("password") or NewPasswordForm(formdata=None),
        "token": bad.get("token") or TokenForm(formdata=None),
    }
    lists = {
        "bound": incidents.by_ids([t.incident_id for t in rows.tokens_of(me().id) if t.incident_id]),
        "tokens": rows.tokens_of(me().id),
        "sessions": rows.sessions_of(me().id, now()),
    }
    duties = [MEANING[Role(role)] for role in me().roles]
    waits, places = separation.request_for(me().id, now()), members.guest_of(me().id, now())
    cases = incidents.by_ids([place.incident_id for place in places])
    invited = [(cases[place.incident_id], place, [PART_WORDS[part] for part in place.parts or ()]) for place in places]
    page = render_template(
        "account/show.html",
        person=me(),
        duties=duties,
        here=_here(),
        now=now(),
        waits=waits,
        invited=invited,
        keys=len(passkeys.of(me().id)),
        sign_on=current_app.extensions["sign_on"],
        identity=sign_on.of(me().id),
        **forms,
        **lists,
    )
    return page, 422 if bad else 200
