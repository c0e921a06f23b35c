"""Endpoints of webhooks, and what became of each event: for administrators."""

from collections.abc import Sequence
from typing import cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from incident.actions import webhooks as actions
from incident.actions.webhooks import Sender
from incident.domain.errors import Invalid, Missing
from incident.domain.handovers import State
from incident.domain.webhooks import OLD_SECRET, WORDS, nouns
from incident.exports import csv
from incident.store import webhooks as rows
from incident.store.webhooks import WebhookEndpoint, WebhookEvent
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("webhooks", __name__, url_prefix="/team/webhooks")

PAGE = 50
TONES = {State.ACCEPTED: "met", State.FAILED: "late", State.CANCELLED: "idle"}
OFF = {
    "by_hand": Word("switched off by hand"),
    "gone": Word("switched off: it answered that it is gone for good"),
    "failing": Word("switched off: it took nothing for three days"),
}
HEADER = ("reference", "event", "line", "state", "tries", "reason", "code", "made_at", "changed_at", "next_at")


class EndpointForm(FlaskForm):
    """An endpoint, and what it is told."""

    name = StringField(Word("Name"), [InputRequired(), Length(max=80)])
    address = StringField(
        Word("Address"),
        [Length(max=1_000)],
        render_kw={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"},
    )
    types = TextAreaField(Word("Types of events"), [InputRequired(), Length(max=8_000)], render_kw={"rows": 4})
    hears_restricted = BooleanField(Word("May hear of restricted incidents"))

    def words(self) -> list[str]:
        """The types that were typed, in lines or with commas."""
        return (self.types.data or "").replace(",", " ").split()


@bp.get("/")
@permit("webhook.change")
@named(Word("Webhooks"))
def index() -> ResponseReturnValue:
    """The endpoints in use, and a form for another one."""
    return _list(EndpointForm(formdata=None))


@bp.post("/")
@permit("webhook.change", fresh="webhooks.index")
def set_up() -> ResponseReturnValue:
    """Set an endpoint up, and show its secret once; nothing is sent by that."""
    form = EndpointForm()
    if form.validate_on_submit():
        try:
            ref, secret = actions.set_up(
                form.name.data or "",
                form.address.data or "",
                form.words(),
                hears_restricted=form.hears_restricted.data,
                sender=sender(),
                actor=actor(),
                now=now(),
            )
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            return render_template("webhooks/secret.html", ref=ref, secret=secret, fresh=True)
    return _list(form), 422


@bp.get("/endpoints.csv")
@permit("webhook.change")
def table() -> Response:
    """The endpoints in use as CSV, with the host of each address alone."""
    header = ("reference", "name", "host", "types", "hears_restricted", "made_at", "taken_at", "off_at", "off_why")
    found = (
        (
            one.ref,
            one.name,
            actions.host_of(one),
            " ".join(one.types),
            one.hears_restricted,
            one.made_at,
            one.taken_at,
            one.off_at,
            one.off_why,
        )
        for one in rows.endpoints()
    )
    return csv_answer(csv.rows(header, found), "webhooks.csv")


@bp.get("/<ref>/")
@permit("webhook.change")
def show(ref: str) -> ResponseReturnValue:
    """One endpoint, and its log."""
    row = _endpoint(ref)
    return _one(row, _form_of(row))


@bp.post("/<ref>/")
@permit("webhook.change", fresh="webhooks.index")
def change(ref: str) -> ResponseReturnValue:
    """Change an endpoint."""
    form = EndpointForm()
    if form.validate_on_submit():
        try:
            actions.change(
                ref,
                name=form.name.data or "",
                address=form.address.data or "",
                types=form.words(),
                hears_restricted=form.hears_restricted.data,
                revision=request.form.get("revision", 0, type=int),
                sender=sender(),
                actor=actor(),
                now=now(),
            )
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            flash("Saved.", "met")
            return redirect(url_for(".show", ref=ref))
    return _one(_endpoint(ref), form), 422


@bp.post("/<ref>/secret")
@permit("webhook.change", fresh="webhooks.index")
def rotate(ref: str) -> ResponseReturnValue:
    """Give it another secret, and show it once."""
    secret = actions.rotate(ref, sender=sender(), actor=actor(), now=now())
    return render_template("webhooks/secret.html", ref=ref, secret=secret, fresh=False)


@bp.post("/<ref>/test")
@permit("webhook.change")
def try_out(ref: str) -> ResponseReturnValue:
    """Send it a test event."""
    flash(actions.try_out(ref, sender=sender(), actor=actor(), now=now()))
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/off")
@permit("webhook.change")
def switch_off(ref: str) -> ResponseReturnValue:
    """Tell it nothing for now."""
    actions.switch_off(ref, actor=actor(), now=now())
    flash("Switched off. What happens meanwhile is kept for it.")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/on")
@permit("webhook.change")
def switch_on(ref: str) -> ResponseReturnValue:
    """Tell it again."""
    actions.switch_on(ref, skip="skip" in request.form, actor=actor(), now=now())
    flash("Switched on.", "met")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/remove")
@permit("webhook.change")
def remove(ref: str) -> ResponseReturnValue:
    """End it."""
    actions.remove(ref, actor=actor(), now=now())
    flash("Removed. Its address and its secrets are forgotten.")
    return redirect(url_for(".index"))


@bp.post("/<ref>/events/again")
@permit("webhook.change")
def replay_failed(ref: str) -> ResponseReturnValue:
    """Send once more all that failed."""
    number = actions.replay_failed(ref, actor=actor(), now=now())
    flash(f"{number} events are sent once more.")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/events/<event>/again")
@permit("webhook.change")
def replay(ref: str, event: str) -> ResponseReturnValue:
    """Send one event once more."""
    actions.replay(ref, event, actor=actor(), now=now())
    flash("The event is sent once more, under the same id.")
    return redirect(url_for(".show", ref=ref))


@bp.get("/<ref>/events.csv")
@permit("webhook.change")
def log_table(ref: str) -> Response:
    """The whole log of an endpoint as CSV."""
    found = rows.log(_endpoint(ref).id, limit=None)
    return csv_answer(csv.rows(HEADER, (_cells(one) for one in found)), f"webhook-{ref}.csv")


def sender() -> Sender:
    """What sends events."""
    return cast(Sender, current_app.extensions["webhooks"])


def _cells(one: WebhookEvent) -> tuple[csv.Cell, ...]:
    moments = (one.made_at, one.changed_at, one.next_at if one.state == State.WAITING else None)
    return (one.ref, one.verb, one.line, one.state, one.tries, one.reason, one.code, *moments)


def _endpoint(ref: str) -> WebhookEndpoint:
    row = rows.endpoint(ref)
    if row is None:
        raise Missing()
    return row


def _form_of(row: WebhookEndpoint) -> EndpointForm:
    return EndpointForm(
        formdata=None,
        data={"name": row.name, "types": "\n".join(row.types), "hears_restricted": row.hears_restricted},
    )


def _list(form: EndpointForm) -> str:
    found = list(rows.endpoints(after=request.args.get("after", ""), limit=PAGE + 1))
    return render_template(
        "webhooks/list.html",
        found=found[:PAGE],
        more=url_for(".index", after=found[PAGE - 1].ref) if len(found) > PAGE else "",
        hosts={one.ref: actions.host_of(one) for one in found},
        counts=rows.counts([one.id for one in found]),
        off=OFF,
        form=form,
        nouns=nouns(),
    )


def _one(row: WebhookEndpoint, form: EndpointForm) -> str:
    state = request.args.get("state", "")
    before = request.args.get("before", type=int)
    found: Sequence[WebhookEvent] = rows.log(row.id, state=state, before=before, limit=PAGE + 1)
    return render_template(
        "webhooks/show.html",
        one=row,
        host=actions.host_of(row),
        form=form,
        found=found[:PAGE],
        more=url_for(".show", ref=row.ref, state=state, before=found[PAGE - 1].id) if len(found) > PAGE else "",
        counts=rows.counts([row.id]).get(row.id, {}),
        words=WORDS,
        tones=TONES,
        off=OFF,
        both_until=row.rotated_at + OLD_SECRET if row.rotated_at and now() < row.rotated_at + OLD_SECRET else None,
        nouns=nouns(),
    )
