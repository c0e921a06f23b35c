"""Your own reminders and calendar, and the team's alert targets, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import url_for
from pydantic import BaseModel, Field

from incident.actions import alert_targets, devices, feeds, reach
from incident.actions.ways import machine
from incident.api.incidents import Ref, Strict
from incident.domain.access import MEMBER
from incident.store import feeds as feed_rows
from incident.store import reach as rows
from incident.store.reach import AlertTarget
from incident.web.access import actor, me, now, permit
from incident.web.alerts import alerts, not_reached
from incident.web.summaries import site
from incident.work import ways

bp = APIBlueprint("api_reach", __name__, url_prefix="/api/v1/me", tag="Your account")
targets = APIBlueprint("api_alerts", __name__, url_prefix="/api/v1/alert-targets", tag="Team")


class Channels(Strict):
    email: bool
    sms: bool
    alert: bool


class ChannelsOut(Channels):
    phone: str = Field(description="Your number with its middle hidden; empty without one.")
    phone_proved: bool
    has_email: bool = Field(description="Whether a provider for e-mail is set up here.")
    has_sms: bool
    has_call: bool = Field(description="Whether a provider makes calls here, which may read out a code.")
    device: str = Field(description="The end of the token of your own device; empty without one.")
    device_proved: bool
    device_gone_at: datetime | None = Field(description="When the push service said that its token is dead.")
    has_push: bool


class PhoneIn(Strict):
    phone: str = Field(min_length=1, max_length=40, description="With its country code, such as +49 151 5550100.")
    by: Literal["sms", "call"] = Field("sms", description="Whether a text brings the code, or a call reads it out.")


class DeviceIn(Strict):
    token: str = Field(
        min_length=1, max_length=devices.LONGEST_TOKEN, description="As the app or the browser on the device has it."
    )


class CodeIn(Strict):
    code: str = Field(min_length=1, max_length=12)


class TestIn(Strict):
    channel: Literal["email", "sms"]


class Said(BaseModel):
    said: str


class FeedOut(BaseModel):
    made_at: datetime | None
    last_used_at: datetime | None = Field(description="Kept to within a few minutes.")


class FeedAddress(BaseModel):
    address: str = Field(description="Shown this once; only its hash is kept.")


class TargetIn(Strict):
    name: str = Field(min_length=1, max_length=80)
    address: str = Field(min_length=1, max_length=alert_targets.LONGEST_ADDRESS, description="As apprise writes it.")
    level: Literal["owner", "lead", "everybody"] = Field("everybody", description="From when on it is told.")
    person: str = Field("", max_length=16, description="Whose own target it is; empty: the team's.")
    hears_restricted: bool = False
    language: Literal["en", "zh-Hans"] = Field(
        "en", description="Of what it is told; one's own speaks one's own language."
    )


class TargetOut(BaseModel):
    ref: str
    name: str
    kind: str
    level: str
    person: str
    hears_restricted: bool
    language: str
    made_at: datetime
    tried_at: datetime | None
    tried: str


class TargetQuery(Strict):
    after: str = Field("", max_length=20, description="Go on behind the target with this reference.")
    limit: int = Field(50, ge=1, le=100)


class TargetList(BaseModel):
    targets: list[TargetOut]
    after: str | None


class Unreached(BaseModel):
    people: list[str] = Field(description="References of people who may be called, and whom no channel reaches.")


@bp.get("/reminders")
@permit(MEMBER)
@bp.output(ChannelsOut)
def show() -> dict[str, Any]:
    """How you are reminded of duties, and what is proved to be your own."""
    (row, device), channels = rows.own(me().id), ways().channels
    real = channels.real
    chosen = (
        {"email": row.email, "sms": row.sms, "alert": row.alert}
        if row
        else {"email": True, "sms": False, "alert": True}
    )
    phone = {"phone": reach.phone_of(me(), row), "phone_proved": row is not None and row.proved_at is not None}
    own = {
        "device": devices.device_of(me(), device),
        "device_proved": device is not None and device.proved_at is not None,
        "device_gone_at": device.gone_at if device else None,
    }
    has = {"has_email": "email" in real, "has_sms": "sms" in real, "has_push": "push" in real}
    return chosen | phone | own | has | {"has_call": machine(channels, "call") is not None}


@bp.put("/reminders")
@permit(MEMBER)
@bp.input(Channels, arg_name="given")
@bp.output({}, status_code=204)
def choose(given: Channels) -> str:
    """Choose your channels."""
    reach.choose(email=given.email, sms=given.sms, alert=given.alert, ways=ways(), actor=actor(), now=now())
    return ""


@bp.post("/reminders/phone")
@permit(MEMBER)
@bp.input(PhoneIn, arg_name="given")
@bp.output({}, status_code=204)
def offer_phone(given: PhoneIn) -> str:
    """Have a code sent to a number of yours, or read out by a call."""
    reach.offer_phone(given.phone, by=given.by, ways=ways(), actor=actor(), now=now())
    return ""


@bp.post("/reminders/phone/code")
@permit(MEMBER)
@bp.input(CodeIn, arg_name="given")
@bp.output({}, status_code=204)
def prove_phone(given: CodeIn) -> str:
    """Prove the number by its code; text messages are on from then where a text brought it."""
    reach.prove_phone(given.code, actor=actor(), now=now())
    return ""


@bp.delete("/reminders/phone")
@permit(MEMBER)
@bp.output({}, status_code=204)
def remove_phone() -> str:
    """Forget your number."""
    reach.remove_phone(actor=actor(), now=now())
    return ""


@bp.post("/device")
@permit(MEMBER)
@bp.input(DeviceIn, arg_name="given")
@bp.output({}, status_code=204)
def offer_device(given: DeviceIn) -> str:
    """Have a code sent to a device of yours by push."""
    devices.offer(given.token, ways=ways(), actor=actor(), now=now())
    return ""


@bp.post("/device/code")
@permit(MEMBER)
@bp.input(CodeIn, arg_name="given")
@bp.output({}, status_code=204)
def prove_device(given: CodeIn) -> str:
    """Prove the device by its code; tests by push go there from then."""
    devices.prove(given.code, actor=actor(), now=now())
    return ""


@bp.delete("/device")
@permit(MEMBER)
@bp.output({}, status_code=204)
def remove_device() -> str:
    """Forget your device."""
    devices.remove(actor=actor(), now=now())
    return ""


@bp.post("/reminders/test")
@permit(MEMBER)
@bp.input(TestIn, arg_name="given")
@bp.output(Said)
def try_out(given: TestIn) -> dict[str, str]:
    """Send a test to yourself."""
    return {"said": reach.try_out(given.channel, ways=ways(), actor=actor(), now=now())}


@bp.get("/calendar")
@permit(MEMBER)
@bp.output(FeedOut)
def calendar() -> dict[str, Any]:
    """Whether you have a calendar address, and when it was last read."""
    row = feed_rows.live(me().id)
    return {"made_at": row.made_at if row else None, "last_used_at": row.last_used_at if row else None}


@bp.post("/calendar")
@permit(MEMBER)
@bp.output(FeedAddress, status_code=201)
def issue_calendar() -> dict[str, str]:
    """Make a new calendar address, which ends the one before."""
    secret = feeds.issue(actor=actor(), now=now())
    return {"address": f"{site()}{url_for('feeds.read', secret=secret)}"}


@bp.delete("/calendar")
@permit(MEMBER)
@bp.output({}, status_code=204)
def end_calendar() -> str:
    """End your calendar address at once."""
    feeds.end(actor=actor(), now=now())
    return ""


@targets.get("")
@permit("alert.change")
@targets.input(TargetQuery, location="query", arg_name="query")
@targets.output(TargetList)
def target_list(query: TargetQuery) -> dict[str, Any]:
    """The targets in use, without their addresses."""
    found = list(rows.targets(after=query.after, limit=query.limit + 1))
    owners = {user.id: user.ref for user in rows.people({one.user_id for one in found if one.user_id})}
    page = found[: query.limit]
    return {
        "targets": [_target(one, owners) for one in page],
        "after": page[-1].ref if len(found) > query.limit else None,
    }


@targets.post("")
@permit("alert.change")
@targets.input(TargetIn, arg_name="given")
@targets.output(Ref, status_code=201)
def set_up(given: TargetIn) -> dict[str, str]:
    """Set a target up; nothing is sent by that."""
    return {"ref": alert_targets.set_up(**given.model_dump(), alerts=alerts(), actor=actor(), now=now())}


@targets.post("/<ref>/test")
@permit("alert.change")
@targets.output(Said)
def try_target(ref: str) -> dict[str, str]:
    """Send a test to a target."""
    return {"said": alert_targets.try_out(ref, alerts=alerts(), actor=actor(), now=now())}


@targets.delete("/<ref>")
@permit("alert.change")
@targets.output({}, status_code=204)
def remove(ref: str) -> str:
    """End a target; its address is forgotten."""
    alert_targets.remove(ref, actor=actor(), now=now())
    return ""


@targets.get("/unreached")
@permit("alert.change")
@targets.output(Unreached)
def people() -> dict[str, list[str]]:
    """Who may be called about a duty, and is reached by no channel."""
    return {"people": [user.ref for user in not_reached()]}


def _target(row: AlertTarget, owners: dict[int, str]) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in TargetOut.model_fields if name != "person"}
    return plain | {"person": owners.get(row.user_id, "") if row.user_id else ""}
