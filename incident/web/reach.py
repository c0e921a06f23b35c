"""How one is reminded of duties, and one's own calendar of deadlines."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TelField
from wtforms.validators import InputRequired, Length

from incident.actions import feeds as calendars
from incident.actions import reach as actions
from incident.domain.access import MEMBER
from incident.domain.errors import Invalid, Refused
from incident.store import feeds
from incident.store import reach as rows
from incident.web.access import actor, me, now, permit
from incident.web.languages import Word
from incident.web.pages import named
from incident.web.summaries import site
from incident.work import ways

bp = Blueprint("reach", __name__, url_prefix="/account/reminders")


class ChannelsForm(FlaskForm):
    """The channels that remind the reader."""

    email = BooleanField(Word("E-mail"))
    sms = BooleanField(Word("Text message"))
    alert = BooleanField(Word("Alert target of your own"))


class PhoneForm(FlaskForm):
    """A number to prove."""

    phone = TelField(Word("Phone number"), [InputRequired(), Length(max=40)], render_kw={"autocomplete": "tel"})


class CodeForm(FlaskForm):
    """The code that was sent to it."""

    code = StringField(
        Word("Code"),
        [InputRequired(), Length(max=12)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )


@dataclass(frozen=True)
class Part:
    """What the account page shows of it."""

    channels: ChannelsForm
    phone: PhoneForm
    code: CodeForm
    number: str
    is_proved: bool
    awaits_code: bool
    has_email: bool
    has_sms: bool
    targets: tuple[str, ...]
    feed_since: datetime | None
    feed_used: datetime | None
    stands: tuple[bool, bool, bool]


@bp.app_template_global()
def reach_part() -> Part:
    """The reader's own reminders and calendar, with fresh forms."""
    return _part()


@bp.get("/")
@permit(MEMBER)
@named(Word("Your reminders and calendar"))
def show() -> str:
    """One's own reminders and calendar, on a page of their own."""
    return render_template("account/reminders.html", part=_part())


@bp.post("/")
@permit(MEMBER)
def choose() -> ResponseReturnValue:
    """Choose the channels."""
    form = ChannelsForm()
    try:
        actions.choose(
            email=form.email.data,
            sms=form.sms.data,
            alert=form.alert.data,
            ways=ways(),
            seen=request.form.get("seen"),
            actor=actor(),
            now=now(),
        )
    except Invalid as refusal:
        return _refused(form, refusal)
    flash("Saved.", "met")
    return redirect(url_for(".show"))


@bp.post("/phone")
@permit(MEMBER)
def offer_phone() -> ResponseReturnValue:
    """Have a code sent to a number."""
    form = PhoneForm()
    if not form.validate_on_submit():
        return _page(phone=form), 422
    try:
        actions.offer_phone(form.phone.data or "", ways=ways(), actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    flash("A code is on its way to that number. Type it in below.")
    return redirect(url_for(".show"))


@bp.post("/phone/code")
@permit(MEMBER)
def prove_phone() -> ResponseReturnValue:
    """Prove the number by its code."""
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(code=form), 422
    try:
        actions.prove_phone(form.code.data or "", actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    flash("Your number is proved, and text messages are on.", "met")
    return redirect(url_for(".show"))


@bp.post("/phone/remove")
@permit(MEMBER)
def remove_phone() -> ResponseReturnValue:
    """Forget the number."""
    actions.remove_phone(actor=actor(), now=now())
    flash("The number is forgotten.")
    return redirect(url_for(".show"))


@bp.post("/test/<channel>")
@permit(MEMBER)
def try_out(channel: str) -> ResponseReturnValue:
    """Send a test to oneself."""
    flash(actions.try_out(channel, ways=ways(), actor=actor(), now=now()))
    return redirect(url_for(".show"))


@bp.post("/calendar")
@permit(MEMBER, fresh="reach.show")
def issue_calendar() -> ResponseReturnValue:
    """Make a new calendar address and show it once."""
    secret = calendars.issue(actor=actor(), now=now())
    address = f"{site()}{url_for('feeds.read', secret=secret)}"
    return Response(render_template("account/calendar.html", address=address), headers={"Cache-Control": "no-store"})


@bp.post("/calendar/end")
@permit(MEMBER)
def end_calendar() -> ResponseReturnValue:
    """End the calendar address."""
    calendars.end(actor=actor(), now=now())
    flash("The address is dead. A calendar that still asks there gets nothing.")
    return redirect(url_for(".show"))


def _refused(form: FlaskForm, refusal: Refused) -> ResponseReturnValue:
    place = refusal.field if isinstance(refusal, Invalid) and refusal.field in form else next(iter(form)).name
    form[place].errors = [*form[place].errors, refusal.sentence]
    name = {ChannelsForm: "channels", PhoneForm: "phone", CodeForm: "code"}[type(form)]
    return _page(**{name: form}), 422


def _page(**bad: FlaskForm) -> str:
    return render_template("account/reminders.html", part=_part(**bad))


def _part(**bad: FlaskForm) -> Part:
    row, feed, open_ways = rows.one(me().id), feeds.live(me().id), ways()
    chosen = {"email": True, "sms": False, "alert": True}
    if row is not None:
        chosen = {"email": row.email, "sms": row.sms, "alert": row.alert}
    channels, phone, code = bad.get("channels"), bad.get("phone"), bad.get("code")
    return Part(
        channels=channels if isinstance(channels, ChannelsForm) else ChannelsForm(formdata=None, data=chosen),
        phone=phone if isinstance(phone, PhoneForm) else PhoneForm(formdata=None),
        code=code if isinstance(code, CodeForm) else CodeForm(formdata=None),
        number=actions.phone_of(me(), row),
        is_proved=row is not None and row.proved_at is not None,
        awaits_code=row is not None and row.code_until is not None and row.code_until > now(),
        has_email="email" in open_ways.channels.real,
        has_sms="sms" in open_ways.channels.real,
        targets=tuple(one.name for one in rows.targets() if one.user_id == me().id),
        feed_since=feed.made_at if feed else None,
        feed_used=feed.last_used_at if feed else None,
        stands=(chosen["email"], chosen["sms"], chosen["alert"]),
    )
