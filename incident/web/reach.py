"""How one is reminded of duties, the telephone and the device that are one's own, and one's own calendar of deadlines."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Length

from incident.actions import devices
from incident.actions import feeds as calendars
from incident.actions import reach as actions
from incident.actions.ways import Ways, machine
from incident.domain.access import MEMBER
from incident.domain.errors import Invalid, Refused
from incident.store import feeds
from incident.store import reach as rows
from incident.store.reach import OwnDevice, Reach
from incident.web.access import actor, me, now, permit
from incident.web.languages import Word, _
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
    """The code that came to it."""

    code = StringField(
        Word("Code"),
        [InputRequired(), Length(max=12)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )


class DeviceForm(FlaskForm):
    """A device to prove."""

    token = TextAreaField(
        Word("Token of your device"),
        [InputRequired(), Length(max=devices.LONGEST_TOKEN)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class DeviceCodeForm(FlaskForm):
    """The code that a push carried to it."""

    device_code = StringField(
        Word("Code"),
        [InputRequired(), Length(max=12)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )


@dataclass(frozen=True)
class Phone:
    """The reader's own number: as far as it is shown, whether it is proved, and how a code may come to it."""

    number: str
    is_proved: bool
    awaits_code: bool
    awaits_call: bool
    has_sms: bool
    has_call: bool


@dataclass(frozen=True)
class Device:
    """The reader's own device: the end of its token, whether it is proved, and when its token died."""

    shown: str
    is_proved: bool
    awaits_code: bool
    gone_at: datetime | None
    has_push: bool


@dataclass(frozen=True)
class Part:
    """What the account page shows of it."""

    channels: ChannelsForm
    phone_form: PhoneForm
    code: CodeForm
    token: DeviceForm
    device_code: DeviceCodeForm
    phone: Phone
    device: Device
    has_email: bool
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
    """Have a code sent to a number, or read out by a call."""
    form, by = PhoneForm(), request.form.get("by", "sms")
    if not form.validate_on_submit():
        return _page(phone=form), 422
    try:
        actions.offer_phone(form.phone.data or "", by=by, ways=ways(), actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    if by == "call":
        flash(_("Your telephone rings in a moment. Press 1, and type in below what the voice says."))
    else:
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
        by_text = actions.prove_phone(form.code.data or "", actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    said = _("Your number is proved, and text messages are on.") if by_text else _("Your number is proved.")
    flash(said, "met")
    return redirect(url_for(".show"))


@bp.post("/phone/remove")
@permit(MEMBER)
def remove_phone() -> ResponseReturnValue:
    """Forget the number."""
    actions.remove_phone(actor=actor(), now=now())
    flash("The number is forgotten.")
    return redirect(url_for(".show"))


@bp.post("/device")
@permit(MEMBER)
def offer_device() -> ResponseReturnValue:
    """Have a code sent to a device by push."""
    form = DeviceForm()
    if not form.validate_on_submit():
        return _page(token=form), 422
    try:
        devices.offer(form.token.data or "", ways=ways(), actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    flash(_("A code is on its way to that device. Type it in below."))
    return redirect(url_for(".show", _anchor="your-device"))


@bp.post("/device/code")
@permit(MEMBER)
def prove_device() -> ResponseReturnValue:
    """Prove the device by its code."""
    form = DeviceCodeForm()
    if not form.validate_on_submit():
        return _page(device_code=form), 422
    try:
        devices.prove(form.device_code.data or "", actor=actor(), now=now())
    except Refused as refusal:
        return _refused(form, refusal)
    flash(_("Your device is proved."), "met")
    return redirect(url_for(".show", _anchor="your-device"))


@bp.post("/device/remove")
@permit(MEMBER)
def remove_device() -> ResponseReturnValue:
    """Forget the device."""
    devices.remove(actor=actor(), now=now())
    flash(_("The device is forgotten."))
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
    return _page(**{NAMES[type(form)]: form}), 422


NAMES = {
    ChannelsForm: "channels",
    PhoneForm: "phone",
    CodeForm: "code",
    DeviceForm: "token",
    DeviceCodeForm: "device_code",
}


def _page(**bad: FlaskForm) -> str:
    return render_template("account/reminders.html", part=_part(**bad))


def _part(**bad: FlaskForm) -> Part:
    row, device = rows.own(me().id)
    feed, open_ways = feeds.live(me().id), ways()
    chosen = {"email": True, "sms": False, "alert": True}
    if row is not None:
        chosen = {"email": row.email, "sms": row.sms, "alert": row.alert}
    channels, phone, code = bad.get("channels"), bad.get("phone"), bad.get("code")
    token, device_code = bad.get("token"), bad.get("device_code")
    return Part(
        channels=channels if isinstance(channels, ChannelsForm) else ChannelsForm(formdata=None, data=chosen),
        phone_form=phone if isinstance(phone, PhoneForm) else PhoneForm(formdata=None),
        code=code if isinstance(code, CodeForm) else CodeForm(formdata=None),
        token=token if isinstance(token, DeviceForm) else DeviceForm(formdata=None),
        device_code=device_code if isinstance(device_code, DeviceCodeForm) else DeviceCodeForm(formdata=None),
        phone=_phone(row, open_ways),
        device=_device(device, open_ways),
        has_email="email" in open_ways.channels.real,
        targets=tuple(one.name for one in rows.targets() if one.user_id == me().id),
        feed_since=feed.made_at if feed else None,
        feed_used=feed.last_used_at if feed else None,
        stands=(chosen["email"], chosen["sms"], chosen["alert"]),
    )


def _phone(row: Reach | None, open_ways: Ways) -> Phone:
    return Phone(
        number=actions.phone_of(me(), row),
        is_proved=row is not None and row.proved_at is not None,
        awaits_code=row is not None and row.code_until is not None and row.code_until > now(),
        awaits_call=row is not None and bool(row.call_ref),
        has_sms="sms" in open_ways.channels.real,
        has_call=machine(open_ways.channels, "call") is not None,
    )


def _device(row: OwnDevice | None, open_ways: Ways) -> Device:
    return Device(
        shown=devices.device_of(me(), row),
        is_proved=row is not None and row.proved_at is not None,
        awaits_code=row is not None and row.code_until is not None and row.code_until > now(),
        gone_at=row.gone_at if row else None,
        has_push="push" in open_ways.channels.real,
    )
