"""Settings that are no secrets, ways to reach people, and a test of each, for programs."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app
from pydantic import BaseModel, Field

from incident.actions import channel_trials
from incident.api.scheme import a_file
from incident.web.access import actor, now, permit
from incident.web.administration import shown
from incident.web.channels import sampled, ways

bp = APIBlueprint("api_administration", __name__, url_prefix="/api/v1/administration", tag="Administration")


class SettingOut(BaseModel):
    name: str
    value: str = Field(description="Of a secret, `set` or nothing.")
    origin: Literal["environment", "file", "page", "default"]
    says: str


class SettingList(BaseModel):
    settings: list[SettingOut]


class ChannelOut(BaseModel):
    channel: Literal["email", "sms", "call", "letter", "push"]
    provider: str = Field(description="Empty: only the sandbox.")
    verdict: Literal["fails", "look", "ready"]
    says: str
    tried_at: datetime | None = Field(
        description="When it was last tried with this provider, or a sending went out by it."
    )
    trial: Literal["", "test", "sheet"] = Field(description="How it is tried; empty: not at all.")
    lacks: Literal["", "number", "device"] = Field(
        description="What you have to prove under your account before a test reaches you."
    )


class ChannelList(BaseModel):
    channels: list[ChannelOut]


class TestOut(BaseModel):
    said: str = Field(description="What became of the test, in a sentence.")


@bp.get("/settings")
@permit("administration.view")
@bp.output(SettingList)
def settings() -> dict[str, Any]:
    """Every setting with its value and where that comes from."""
    found = shown(current_app.extensions["settings"])
    return {"settings": [{"name": o.name, "value": o.value, "origin": o.origin, "says": o.says} for o in found]}


@bp.get("/channels")
@permit("channel.view")
@bp.output(ChannelList)
def channels() -> dict[str, Any]:
    """Every way to reach people: its provider, and when it was last tried."""
    return {
        "channels": [
            {
                "channel": way.word,
                "provider": way.channel.provider,
                "verdict": way.check.verdict.value,
                "says": way.check.says,
                "tried_at": way.channel.used_at,
                "trial": way.trial,
                "lacks": way.lacks,
            }
            for way in ways()
        ]
    }


@bp.post("/channels/<channel>/test")
@permit("channel.test")
@bp.output(TestOut)
def test(channel: str) -> dict[str, str]:
    """Send yourself a test by e-mail, text, call or push; a call says its words when you press 1."""
    opened = current_app.extensions["channels"]
    return {"said": channel_trials.send(channel, channels=opened, actor=actor(), now=now())}


@bp.post("/channels/letter/sample")
@permit("channel.test")
@bp.doc(responses=a_file("The sheet.", "application/pdf"))
def sample() -> Response:
    """Have a letter made to look at; nothing is posted."""
    return sampled()
