"""The people on one incident, and whether others know of it."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, IntegerField, SelectField, SelectMultipleField, StringField, widgets
from wtforms.validators import InputRequired, Length, NumberRange

from incident.actions import emergencies, guests, members
from incident.domain import guests as guest_rules
from incident.domain.access import Role, may
from incident.domain.errors import Invalid
from incident.store import members as rows
from incident.store import separation, users
from incident.web.access import actor, me, now, permit
from incident.web.languages import Word
from incident.web.pages import named
from incident.web.team import link_page

bp = Blueprint("members", __name__, url_prefix="/incidents/<incident>/team")

BOXES = {"widget": widgets.ListWidget(prefix_label=False), "option_widget": widgets.CheckboxInput()}


class GuestForm(FlaskForm):
    """Whom to let in from outside, as what, into which parts, for how long."""

    email = EmailField(Word("Mail address"), [InputRequired(), Length(max=254)])
    name = StringField(Word("Name"), [InputRequired(), Length(max=120)])
    capacity = SelectField(
        Word("Here as"), choices=[(word, Word(label)) for word, label in guest_rules.CAPACITIES.items()]
    )
    parts = SelectMultipleField(
        Word("May see"), choices=[(word, Word(label)) for word, label in guest_rules.PART_WORDS.items()], **BOXES
    )
    days = IntegerField(Word("For how many days"), [InputRequired(), NumberRange(1, guest_rules.MOST_DAYS)], default=30)


class AddForm(FlaskForm):
    """Whom to put on the incident."""

    person = SelectField(Word("Person"), [InputRequired()], validate_choice=False)


@bp.get("/")
@permit("member.view")
@named(Word("Who may see this incident"))
def index(incident: str) -> ResponseReturnValue:
    """Who is on the incident."""
    return _page(AddForm(formdata=None))


@bp.post("/")
@permit("member.add")
def add(incident: str) -> ResponseReturnValue:
    """Put somebody on the incident."""
    form = AddForm()
    if form.validate_on_submit():
        try:
            members.add(incident, form.person.data or "", actor=actor(), now=now())
        except Invalid as refusal:
            form.person.errors = [*form.person.errors, refusal.sentence]
        else:
            flash("Added.")
            return redirect(url_for(".index", incident=incident))
    return _page(form), 422


@bp.post("/guests")
@permit("guest.invite", fresh="members.index")
def invite(incident: str) -> ResponseReturnValue:
    """Invite a guest, or change what one sees; the link of a new guest is shown once."""
    form = GuestForm()
    if form.validate_on_submit():
        stay = guest_rules.Stay(form.capacity.data or "", tuple(form.parts.data or ()), form.days.data or 0)
        try:
            _, secret = guests.invite(
                incident, form.email.data or "", form.name.data or "", stay, actor=actor(), now=now()
            )
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            return _invited(incident, secret, form.email.data or "")
    return _page(AddForm(formdata=None), form), 422


def _invited(incident: str, secret: str, email: str) -> ResponseReturnValue:
    if not secret:
        flash("The guest has an account; what they see counts from now on.", "met")
        return redirect(url_for(".index", incident=incident))
    return link_page(secret, email, "invitation")


@bp.post("/<ref>/remove")
@permit("member.remove")
def remove(incident: str, ref: str) -> ResponseReturnValue:
    """Take somebody off the incident."""
    members.remove(incident, ref, actor=actor(), now=now())
    flash("Removed. On a restricted incident they see nothing of it from now on.")
    gone = g.incident.restricted and ref == actor()
    return redirect(url_for("incidents.index") if gone else url_for(".index", incident=incident))


@bp.post("/restrict")
@permit("incident.restrict")
def restrict(incident: str) -> ResponseReturnValue:
    """Hide the incident from all others."""
    members.restrict(incident, actor=actor(), now=now())
    flash("Restricted. Only the people on this page, and auditors, know of the incident now.")
    return redirect(url_for(".index", incident=incident))


@bp.post("/unrestrict")
@permit("incident.restrict")
def unrestrict(incident: str) -> ResponseReturnValue:
    """Show the incident to the whole team again."""
    members.unrestrict(incident, actor=actor(), now=now())
    flash("Open to the whole team.")
    return redirect(url_for(".index", incident=incident))


@bp.post("/emergencies/<ref>/review")
@permit("emergency.review")
def review_emergency(incident: str, ref: str) -> ResponseReturnValue:
    """Say whether it was right that somebody opened the incident in an emergency."""
    verdict, words = request.form.get("verdict", ""), request.form.get("words", "")
    emergencies.review(incident, ref, verdict, words, actor=actor(), now=now())
    flash("The review is kept.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/emergencies/<ref>/end")
@permit("emergency.open")
def end_emergency(incident: str, ref: str) -> ResponseReturnValue:
    """End an access before its time."""
    emergencies.end(incident, ref, actor=actor(), now=now())
    flash("Ended.")
    own = separation.emergency(g.incident.id, ref)
    gone = g.incident.restricted and own is not None and own.user_id == me().id
    return redirect(url_for("incidents.index") if gone else url_for(".index", incident=incident))


def _page(form: AddForm, guest: GuestForm | None = None) -> str:
    everyone, opened = rows.of(g.incident.id), separation.emergencies(g.incident.id)
    on_it = [row for row in everyone if not row.capacity]
    adders = users.by_refs({row.added_by for row in everyone} | {row.reviewed_by for row in opened})
    taken = {row.user_id for row in everyone}
    everybody = [user for user in users.every() if user.active]
    form.person.choices = [
        (user.ref, f"{user.name} ({', '.join(user.roles)})")
        for user in everybody
        if user.id not in taken and members.can_join(user)
    ]
    watching = sum(Role.AUDITOR in user.roles for user in everybody)
    able = sum(may("incident.view", user.roles) for user in everybody)
    return render_template(
        "members/list.html",
        members=on_it,
        adders=adders,
        form=form,
        auditors=watching,
        able=able,
        emergencies=opened,
        guests=[row for row in everyone if row.capacity],
        guest=guest or GuestForm(formdata=None),
        capacities=guest_rules.CAPACITIES,
        part_words=guest_rules.PART_WORDS,
        verdicts=emergencies.VERDICTS,
        now=now(),
        me=actor(),
    )
