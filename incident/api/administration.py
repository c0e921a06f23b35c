"""Settings that are no secrets, and a test of a channel, for programs."""

from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app
from pydantic import BaseModel, Field

from incident.actions import channel_trials
from incident.web.access import actor, now, permit
from incident.web.administration import sampled, shown

bp = APIBlueprint("api_administration", __name__, url_prefix="/api/v1/administration", tag="Administration")


class SettingOut(BaseModel):
    name: str
    value: str = Field(description="Of a secret, `set` or nothing.")
    origin: Literal["environment", "file", "page", "default"]
    says: str


class SettingList(BaseModel):
    settings: list[SettingOut]


class TestOut(BaseModel):
    said: str = Field(description="What became of the test, in a sentence.")


@bp.get("/settings")
@permit("administration.view")
@bp.output(SettingList)
def settings() -> dict[str, Any]:
    """Every setting with its value and where that comes from."""
    found = shown(current_app.extensions["settings"])
    return {"settings": [{"name": o.name, "value": o.value, "origin": o.origin, "says": o.says} for o in found]}


@bp.post("/channels/<channel>/test")
@permit("channel.test")
@bp.output(TestOut)
def test(channel: str) -> dict[str, str]:
    """Send yourself a test by e-mail, text or call; a call says its words when you press 1."""
    channels = current_app.extensions["channels"]
    return {"said": channel_trials.send(channel, channels=channels, actor=actor(), now=now())}


@bp.post("/channels/letter/sample")
@permit("channel.test")
@bp.doc(responses={200: "The sheet: pdf."})
def sample() -> Response:
    """Have a letter made to look at; nothing is posted."""
    return sampled()
