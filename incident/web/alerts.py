"""Where the team's alerts go, and whom no reminder reaches: for administrators."""

from collections.abc import Sequence
from typing import cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from incident.actions import alert_targets as actions
from incident.actions.alert_targets import WHY, Alerts
from incident.actions.ways import unreached
from incident.domain.access import may as holds
from incident.domain.errors import Invalid
from incident.domain.reminders import Level
from incident.exports import csv
from incident.store import reach, users
from incident.store.reach import AlertTarget
from incident.store.users import User
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import OFFERED, OWN_NAMES, Word, _, tag
from incident.web.pages import named
from incident.work import ways

bp = Blueprint("alerts", __name__, url_prefix="/team/alerts")

PAGE = 50
TRIED = WHY | {"accepted": Word("took the last test")}
LEVELS = [
    (Level.EVERYBODY.value, Word("Everybody on the case is called")),
    (Level.LEAD.value, Word("The lead is called")),
    (Level.OWNER.value, Word("The owner is called: every reminder")),
]


class TargetForm(FlaskForm):
    """A target, and when it is told."""

    name = StringField(Word("Name"), [InputRequired(), Length(max=80)])
    address = PasswordField(
        Word("Secret address"),
        [InputRequired(), Length(max=actions.LONGEST_ADDRESS)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    level = SelectField(Word("It is told when"), choices=LEVELS)
    person = SelectField(Word("Whose it is"), validate_choice=False)
    language = SelectField(Word("Language of what it is told"), choices=OFFERED, default=tag)
    hears_restricted = BooleanField(Word("May hear of restricted incidents"))


@bp.get("/")
@permit("alert.change")
@named(Word("Targets of alerts"))
def index() -> ResponseReturnValue:
    """The targets in use, a form for another one, and who cannot be reached."""
    return _page(TargetForm(formdata=None))


@bp.post("/")
@permit("alert.change", fresh="alerts.index")
def set_up() -> ResponseReturnValue:
    """Set a target up; nothing is sent by that."""
    form = TargetForm()
    if form.validate_on_submit():
        try:
            actions.set_up(
                form.name.data or "",
                form.address.data or "",
                level=form.level.data,
                person=form.person.data or "",
                hears_restricted=form.hears_restricted.data,
                language=form.language.data,
                alerts=alerts(),
                actor=actor(),
                now=now(),
            )
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            flash("Kept. Its address is sealed and not shown again. Now send it a test.", "met")
            return redirect(url_for(".index"))
    return _page(form), 422


@bp.post("/<ref>/test")
@permit("alert.change")
def try_out(ref: str) -> ResponseReturnValue:
    """Send a test to a target."""
    flash(actions.try_out(ref, alerts=alerts(), actor=actor(), now=now()))
    return redirect(url_for(".index"))


@bp.post("/<ref>/remove")
@permit("alert.change")
def remove(ref: str) -> ResponseReturnValue:
    """End a target; its address is forgotten."""
    actions.remove(ref, actor=actor(), now=now())
    flash("Removed. Its address is forgotten.")
    return redirect(url_for(".index"))


@bp.get("/unreached.csv")
@permit("alert.change")
def table() -> Response:
    """Who cannot be reached, as CSV."""
    found = ((one.ref, one.name, " ".join(one.roles)) for one in not_reached())
    return csv_answer(csv.rows(("reference", "name", "roles"), found), "unreached.csv")


@bp.get("/targets.csv")
@permit("alert.change")
def targets_table() -> Response:
    """The targets in use as CSV, without their addresses."""
    header = (
        "reference",
        "name",
        "kind",
        "told_from",
        "person",
        "hears_restricted",
        "language",
        "made_at",
        "tried_at",
        "tried",
    )
    names = _owners(reach.targets())
    found = (
        (
            one.ref,
            one.name,
            one.kind,
            one.level,
            names[one.user_id].ref if one.user_id in names else "",
            one.hears_restricted,
            one.language,
            one.made_at,
            one.tried_at,
            one.tried,
        )
        for one in reach.targets()
    )
    return csv_answer(csv.rows(header, found), "targets.csv")


def alerts() -> Alerts:
    """What sends alerts."""
    return cast(Alerts, current_app.extensions["alerts"])


def not_reached() -> list[User]:
    """The active people who may be called about a duty, and whom nothing would reach."""
    return unreached([user for user in users.every() if user.active and holds("duty.own", user.roles)], ways())


def _owners(found: Sequence[AlertTarget]) -> dict[int, User]:
    return {user.id: user for user in reach.people({one.user_id for one in found if one.user_id})}


def _page(form: TargetForm) -> str:
    found = list(reach.targets(after=request.args.get("after", ""), limit=PAGE + 1))
    form.person.choices = [("", _("The whole team"))] + [
        (user.ref, user.name) for user in users.every() if user.active and holds("duty.own", user.roles)
    ]
    open_ways = ways()
    return render_template(
        "alerts/list.html",
        found=found[:PAGE],
        more=url_for(".index", after=found[PAGE - 1].ref) if len(found) > PAGE else "",
        owners=_owners(found),
        levels=dict(LEVELS),
        tongues=OWN_NAMES,
        tried=TRIED,
        form=form,
        unreached=not_reached()[:PAGE],
        has_email="email" in open_ways.channels.real,
    )
