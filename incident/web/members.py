"""The people on one incident, and whether others know of it."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.validators import InputRequired

from incident.actions import emergencies, members
from incident.domain.access import Role, may
from incident.domain.errors import Invalid
from incident.store import members as rows
from incident.store import separation, users
from incident.web.access import actor, me, now, permit

bp = Blueprint("members", __name__, url_prefix="/incidents/<incident>/team")


class AddForm(FlaskForm):
    """Whom to put on the incident."""

    person = SelectField("Person", [InputRequired()], validate_choice=False)


@bp.get("/")
@permit("member.view")
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


def _page(form: AddForm) -> str:
    on_it, opened = rows.of(g.incident.id), separation.emergencies(g.incident.id)
    adders = users.by_refs({row.added_by for row in on_it} | {row.reviewed_by for row in opened})
    taken = {row.user_id for row in on_it}
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
        verdicts=emergencies.VERDICTS,
        now=now(),
        me=actor(),
    )
