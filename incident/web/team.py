"""The team: who works here with which roles; invitations, locks and resets by administrators."""

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, SelectMultipleField, StringField, widgets
from wtforms.validators import InputRequired, Length

from incident.actions import members, users
from incident.domain.access import MEANING, Role, may
from incident.domain.errors import Invalid, Missing
from incident.exports import csv
from incident.store import separation
from incident.store import users as rows
from incident.store.users import User
from incident.web.access import actor, me, now, permit
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("team", __name__, url_prefix="/team")

PAGE = 100
ROLES = [(role.value, f"{role.value}: {MEANING[role]}") for role in Role]


BOXES = {"widget": widgets.ListWidget(prefix_label=False), "option_widget": widgets.CheckboxInput()}


class InviteForm(FlaskForm):
    """Whom to invite, and as what."""

    email = EmailField(Word("Mail address"), [InputRequired(), Length(max=254)])
    roles = SelectMultipleField(Word("Roles"), choices=ROLES, **BOXES)


class RolesForm(FlaskForm):
    """The roles of one person."""

    roles = SelectMultipleField(Word("Roles"), choices=ROLES, **BOXES)


class LetInForm(FlaskForm):
    """An incident that the administrator does not see, and who shall."""

    incident = StringField(Word("Reference of the incident"), [InputRequired(), Length(max=20)])
    person = SelectField(Word("Person"), [InputRequired()], validate_choice=False)


@bp.get("/")
@permit("team.view")
@named(Word("Team"))
def index() -> ResponseReturnValue:
    """Everybody who works here, by key, and for administrators what is out as invitations."""
    found = list(rows.every(after=request.args.get("after", ""), most=PAGE + 1))
    more = url_for(".index", after=found[PAGE - 1].ref) if len(found) > PAGE else ""
    wanted = [role for role in request.args.getlist("role") if role in set(Role)]
    invite = InviteForm(formdata=None, data={"roles": wanted})
    return _list(found[:PAGE], more, invite, LetInForm(formdata=None))


@bp.get("/team.csv")
@permit("team.view")
def table() -> Response:
    """The same list as CSV."""
    header = ("reference", "name", "roles", "state", "second factor", "since (UTC)")
    people = ((p.ref, p.name, " ".join(p.roles), _state(p), p.has_second_factor, p.created_at) for p in rows.every())
    answer = current_app.response_class(csv.rows(header, people), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=team.csv"
    return answer


@bp.post("/invitations")
@permit("team.invite", fresh="team.index")
def invite() -> ResponseReturnValue:
    """Invite somebody; the link is shown once, to be handed over."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            _, secret = users.invite(form.email.data or "", form.roles.data or [], actor=actor(), now=now())
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            return link_page(secret, form.email.data or "", "invitation")
    return _list(list(rows.every(most=PAGE)), "", form, LetInForm(formdata=None)), 422


@bp.post("/invitations/<ref>/take-back")
@permit("team.invite")
def take_back(ref: str) -> ResponseReturnValue:
    """Take an invitation back."""
    users.take_back(ref, actor=actor(), now=now())
    flash("The invitation is taken back; its link opens nothing any more.")
    return redirect(url_for(".index"))


@bp.post("/access")
@permit("member.let_in", fresh="team.index")
def let_in() -> ResponseReturnValue:
    """Put somebody on an incident by its reference, without seeing it."""
    form = LetInForm()
    if form.validate_on_submit():
        incident, person = form.incident.data or "", form.person.data or ""
        try:
            members.let_in(incident, person, actor=actor(), now=now())
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            flash("Done. The people on the incident see that you did this.")
            return redirect(url_for(".index"))
    return _list(list(rows.every(most=PAGE)), "", InviteForm(formdata=None), form), 422


@bp.get("/<ref>")
@permit("team.view")
def show(ref: str) -> ResponseReturnValue:
    """One person: roles and state, and for administrators what can be done about the account."""
    person = _person(ref)
    return _one(person, RolesForm(formdata=None, data={"roles": person.roles}))


@bp.post("/<ref>/roles")
@permit("team.change", fresh="team.show")
def roles(ref: str) -> ResponseReturnValue:
    """Give a person other roles."""
    form = RolesForm()
    if not form.validate_on_submit():
        return _one(_person(ref), form), 422
    try:
        seen = request.form.get("seen")
        waits = users.change_roles(ref, form.roles.data or [], seen=seen, actor=actor(), now=now())
    except Invalid as refusal:
        form.roles.errors = [*form.roles.errors, refusal.sentence]
        return _one(_person(ref), form), 422
    flash(
        "Asked for. The roles change once another administrator or a lead says yes; they have been told."
        if waits
        else "The roles are changed. They count from now on, in every session and for every token."
    )
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/lock")
@permit("team.change")
def lock(ref: str) -> ResponseReturnValue:
    """Close an account at once."""
    users.lock(ref, actor=actor(), now=now())
    flash("The account is locked; all its sessions and tokens have ended.")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/unlock")
@permit("team.change", fresh="team.show")
def unlock(ref: str) -> ResponseReturnValue:
    """Open a locked account again."""
    users.unlock(ref, actor=actor(), now=now())
    flash("The account is open again. Its tokens stay ended.")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/reset")
@permit("team.change", fresh="team.show")
def reset(ref: str) -> ResponseReturnValue:
    """Let somebody who lost password or second factor begin anew."""
    person = _person(ref)
    return link_page(users.reset(ref, actor=actor(), now=now()), person.email, "reset")


def _person(ref: str) -> User:
    person = rows.by_ref(ref)
    if person is None:
        raise Missing()
    return person


def _state(person: User) -> str:
    if not person.active:
        return "locked"
    return "active" if person.has_second_factor else _("has not signed in yet")


def _list(people: list[User], more: str, invite: FlaskForm, let_in: FlaskForm) -> str:
    """The page of the team; invitations for whoever may invite."""
    invitations = [i for i in rows.open_invitations(now()) if i.email] if may("team.invite", me().roles) else []
    everybody = rows.every() if may("member.let_in", me().roles) else []
    let_in.person.choices = [(person.ref, person.name) for person in everybody if members.can_join(person)]
    inviters = rows.by_refs(i.invited_by for i in invitations)
    shown = [(person, _state(person)) for person in people]
    return render_template(
        "team/list.html",
        people=shown,
        more=more,
        invite=invite,
        let_in=let_in,
        invitations=invitations,
        inviters=inviters,
        asked=separation.requests_to_answer(me(), now(), limit=PAGE) if may("roles.confirm", me().roles) else (),
    )


def _one(person: User, form: FlaskForm) -> str:
    duties = [(role, MEANING[Role(role)]) for role in person.roles]
    waits, by_two = separation.request_for(person.id, now()), separation.policy().roles_by_two
    return render_template(
        "team/show.html", person=person, state=_state(person), duties=duties, form=form, waits=waits, by_two=by_two
    )


def link_page(secret: str, email: str, why: str) -> str:
    """The one-time link, shown once; the secret stands nowhere else."""
    base = current_app.extensions["settings"].base_url
    link, place = base + url_for("signin.link", secret=secret), base + url_for("signin.handed_code")
    return render_template("team/link.html", link=link, code=secret, place=place, email=email, why=why)
