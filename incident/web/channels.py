"""Ways to reach people: which of them work here, and a test to whoever asks before any notice needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from incident.actions import channel_trials, devices, merging, reach
from incident.actions import readiness as actions
from incident.domain import readiness
from incident.domain.readiness import BY_HAND, Channel, Check
from incident.exports.letters import MIME
from incident.settings import Settings
from incident.store import reach as reach_rows
from incident.store import users
from incident.web.access import actor, me, now, permit
from incident.web.boards import CHANNEL_LABELS
from incident.web.languages import Word
from incident.web.pages import named
from notifiers.contract import Channels

bp = Blueprint("channels", __name__, url_prefix="/channels")

ABOUT: Final = {
    "email": Word("The test goes to your own address."),
    "sms": Word("The test goes to the number that you proved under Account."),
    "call": Word("It calls the number that you proved under Account, and says the words of the test when you press 1."),
    "letter": Word("A letter to look at; nothing is posted."),
    "push": Word("The test goes to the device that you proved under Account."),
}
"""What a test of a channel does, by the word of the channel."""
NUMBER, DEVICE = "number", "device"
NEEDS: Final = {"sms": NUMBER, "call": NUMBER, "push": DEVICE}
"""What of their own somebody has to prove before this channel can reach them."""


@dataclass(frozen=True)
class Way:
    """One channel: how it stands, how it is tried, where a test to the reader goes, and what they have to prove first."""

    channel: Channel
    check: Check
    goes_to: str = ""
    lacks: str = ""
    by: str = ""

    @property
    def word(self) -> str:
        """The channel's word."""
        return self.channel.word

    @property
    def label(self) -> str:
        """What people call it."""
        return CHANNEL_LABELS[self.word]

    @property
    def trial(self) -> str:
        """How it is tried: by a `test`, by a `sheet` to look at, or not at all."""
        if self.channel.provider in ("", BY_HAND):
            return ""
        return "sheet" if self.word == "letter" else "test"

    @property
    def about(self) -> str:
        """What the test does."""
        return ABOUT[self.word] if self.trial else ""


@bp.get("/")
@permit("channel.view")
@named(Word("Ways to reach people"))
def index() -> str:
    """Every channel: its provider, when it was last tried, and a test to oneself."""
    return render_template("channels/list.html", ways=ways())


@bp.post("/<channel>/test")
@permit("channel.test")
def test(channel: str) -> ResponseReturnValue:
    """Send oneself a test by a channel."""
    flash(channel_trials.send(channel, channels=_channels(), actor=actor(), now=now()))
    return redirect(url_for(".index"))


@bp.post("/letter/sample")
@permit("channel.test")
def sample() -> Response:
    """A letter to look at as it would lie in the envelope."""
    return sampled()


def sampled() -> Response:
    """The sheet as PDF, for pages and programs."""
    settings: Settings = current_app.extensions["settings"]
    made = channel_trials.sample_sheet(
        channels=_channels(),
        form=settings.letters,
        country=settings.letters_country,
        house=merging.house(settings),
        actor=actor(),
        now=now(),
    )
    answer = Response(made, mimetype=MIME)
    answer.headers["Content-Disposition"] = 'attachment; filename="sample-letter.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def ways() -> list[Way]:
    """How each channel stands, for the reader."""
    own, channels = _own(), actions.tried(_channels())
    people = users.by_refs({channel.tried_by for channel in channels if channel.tried_by})
    return [
        _way(channel, own, people[channel.tried_by].name if channel.tried_by in people else "") for channel in channels
    ]


def _way(channel: Channel, own: Mapping[str, str], by: str) -> Way:
    check, need = readiness.of_channel(channel, now()), NEEDS.get(channel.word, "")
    goes_to = me().email if channel.word == "email" else own.get(need, "")
    return Way(channel, check, goes_to=goes_to, lacks=need if need and not own[need] else "", by=by)


def _own() -> dict[str, str]:
    """The reader's own number and device, as far as they are shown; empty where they are not proved."""
    number, device = reach_rows.own(me().id)
    return {
        NUMBER: reach.phone_of(me(), number) if number and number.proved_at else "",
        DEVICE: devices.device_of(me(), device) if device and device.proved_at else "",
    }


def _channels() -> Channels:
    channels: Channels = current_app.extensions["channels"]
    return channels
