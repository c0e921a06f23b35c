"""Who may do what here: the policy in force, the roles that wait for a second yes, and the way into a restricted incident."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from incident.actions import emergencies, roles
from incident.domain.access import MEANING, PARTS, PERMITS, Role, held_by, in_words
from incident.domain.errors import Invalid
from incident.domain.guests import PART_WORDS
from incident.domain.separation import LONGEST_WORDS
from incident.domain.team_mails import ONES_OWN, SUBJECTS
from incident.exports import csv
from incident.store import separation as rows
from incident.store import sign_on, users
from incident.web.access import actor, may, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("rules", __name__, url_prefix="/team/rules")

AT_ONCE = 500


class EmergencyForm(FlaskForm):
    """Which incident, and why it cannot wait."""

    incident = StringField(Word("Reference of the incident"), [InputRequired(), Length(max=20)])
    reason = TextAreaField(Word("Why it cannot wait"), [InputRequired(), Length(max=LONGEST_WORDS)])


@bp.get("/")
@permit("team.view")
@named(Word("Who may do what"))
def index() -> str:
    """The rules in words, since when, and what waits for an answer."""
    waiting = rows.requests(now())
    people = users.by_refs({row.asked_by for row in waiting})
    return render_template(
        "team/rules.html",
        policy=rows.policy(),
        since=rows.latest(),
        waiting=waiting,
        people=people,
        me=actor(),
        mails=rows.mails(limit=20, but=ONES_OWN) if may("roles.confirm") else (),
        subjects=SUBJECTS,
        sign_on=current_app.extensions["sign_on"],
        switch=sign_on.switch(),
        bound=sign_on.count(),
        holders=[(role, MEANING[role], in_words(held_by(role))) for role in Role],
        parts=[(PART_WORDS.get(part, ""), in_words(permits)) for part, permits in PARTS.items()],
    )


@bp.get("/roles.csv")
@permit("team.view")
def roles_table() -> Response:
    """Every permit, and who holds it: a column for each role, and the parts by which a guest holds it."""
    header = ("permit", *(role.value for role in Role), "guest, by part")
    lines = (
        (
            name,
            *("yes" if role in roles else "" for role in Role),
            " ".join(part for part, permits in PARTS.items() if name in permits),
        )
        for name, roles in sorted(PERMITS.items())
    )
    return csv_answer(csv.rows(header, lines), "roles.csv")


@bp.get("/requests.csv")
@permit("roles.confirm")
def table() -> Response:
    """Every request for roles and its answer, as CSV."""
    header = ("request", "person", "had", "to have", "why", "asked by", "asked (UTC)", "answer", "by", "answered (UTC)")

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := rows.requests_before(before, limit=AT_ONCE):
            for row in found:
                decided = row.decided_at.isoformat() if row.decided_at else ""
                had, wanted = " ".join(row.held), " ".join(row.wanted)
                asked = row.asked_at.isoformat()
                yield (
                    row.ref,
                    row.user.ref,
                    had,
                    wanted,
                    row.why,
                    row.asked_by,
                    asked,
                    row.state,
                    row.decided_by,
                    decided,
                )
            before = found[-1].id

    return csv_answer(csv.rows(header, lines()), "role-requests.csv")


@bp.post("/requests/<ref>/yes")
@permit("roles.confirm", fresh="rules.index")
def confirm(ref: str) -> ResponseReturnValue:
    """Say yes to roles that somebody asked for."""
    roles.confirm(ref, actor=actor(), now=now())
    flash("Given. The roles count from now on, and all leads are told.", "met")
    return redirect(url_for(".index"))


@bp.post("/requests/<ref>/no")
@permit("roles.confirm")
def decline(ref: str) -> ResponseReturnValue:
    """Say no, or take one's own request back."""
    roles.decline(ref, actor=actor(), now=now())
    flash("Declined. Nothing changed for the person.")
    return redirect(url_for(".index"))


@bp.get("/emergency")
@permit("emergency.open", fresh="rules.emergency")
@named(Word("Open a restricted incident in an emergency"))
def emergency() -> str:
    """What breaking the glass means, and the form for it."""
    return _emergency(EmergencyForm(formdata=None, data={"incident": request.args.get("incident", "")[:20]}))


@bp.post("/emergency")
@permit("emergency.open", fresh="rules.emergency")
def break_glass() -> ResponseReturnValue:
    """Open a restricted incident in an emergency."""
    form = EmergencyForm()
    if form.validate_on_submit():
        try:
            ref, _ = emergencies.open_(form.incident.data or "", form.reason.data or "", actor=actor(), now=now())
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            flash("Open to you until the time below. All leads are told, and somebody on it reviews this.", "soon")
            return redirect(url_for("members.index", incident=ref))
    return _emergency(form), 422


def _emergency(form: EmergencyForm) -> str:
    return render_template("team/emergency.html", form=form, policy=rows.policy())
