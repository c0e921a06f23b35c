"""Administration as one place: the rooms of it, channels with a test, keys, copies, and every setting that is no secret."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from incident.actions import channel_trials, merging, particulars
from incident.actions.trials import BY_HAND
from incident.domain import editions
from incident.exports import csv
from incident.exports.letters import MIME
from incident.settings import Settings
from incident.store import audit, checkpoints, readiness
from incident.web.access import actor, may_anywhere, now, permit
from incident.web.boards import CHANNEL_LABELS
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named
from notifiers.contract import Channels

bp = Blueprint("administration", __name__, url_prefix="/administration")

ROOMS: Final = (
    ("particulars.show", Word("Your organisation"), Word("what notices and reports say of it")),
    ("team.index", Word("Team"), Word("who works here, invitations, locks and resets")),
    ("rules.index", Word("Who may do what"), Word("roles, permits, and what two people decide")),
    ("alerts.index", Word("Alerts"), Word("chats, pagers and push services that hear of the team’s reminders")),
    ("webhooks.index", Word("Webhooks"), Word("programs of yours that are told of the record")),
    ("record_keys.index", Word("Keys of the record"), Word("which key signs, since when, and who witnesses")),
    ("retention.index", Word("Retention"), Word("how long what is kept once it has ended")),
    ("laws.index", Word("Laws"), Word("the library in use, and newer ones")),
    ("readiness.index", Word("Readiness"), Word("what would fail if it happened tonight")),
    ("reference.index", Word("API"), Word("every call of a program, to be tried")),
    ("account.show", Word("Your tokens"), Word("programs that act for you")),
)
"""Endpoint, name, and what is done there; those that the reader may not enter are left out."""
CHANNELS: Final = ("email", "sms", "call", "letter", "push")
TESTS: Final = {
    "call": Word("It calls the number that you proved under Account, and says the words of the test when you press 1."),
    "letter": Word("A letter to look at; nothing is posted."),
    "push": Word(
        "No test from here: push reaches devices that your app or site made known for people affected, and of yours none is known. "
        "The preview of a notice takes the token of a device."
    ),
    BY_HAND: Word("Your own people make the calls here, so there is no call to test."),
}
"""What a test of a channel does, or why there is none; by the word of the channel, and for calls that people make by their provider."""
HIDDEN: Final = frozenset({"database_url"})
"""These may hold a password in their address, so that only the part without it is shown."""


@dataclass(frozen=True)
class Tried:
    """One channel: its name, its provider if one is set, and how it is tried: by a test, a sheet to look at, or not from here."""

    word: str
    provider: str

    @property
    def label(self) -> str:
        """What people call it."""
        return CHANNEL_LABELS[self.word]

    @property
    def way(self) -> str:
        """`test`, `sheet`, or nothing."""
        if self.provider in ("", BY_HAND):
            return ""
        return "sheet" if self.word == "letter" else "test" if self.word in channel_trials.CHANNELS else ""

    @property
    def about(self) -> str:
        """What the test does, or why there is none."""
        if not self.provider:
            return ""
        return TESTS[BY_HAND] if self.provider == BY_HAND else TESTS.get(self.word, "")


@dataclass(frozen=True)
class Setting:
    """One setting as it may be shown."""

    name: str
    value: str
    origin: str
    says: str


@bp.get("/")
@permit("administration.view")
@named(Word("Administration"))
def index() -> str:
    """Everything there is to look after."""
    channels: Channels = current_app.extensions["channels"]
    providers = {word: notifier.provider for word, notifier in channels.real.items()}
    views = current_app.view_functions
    backup, signed = audit.last("instance.backed_up"), checkpoints.latest()
    return render_template(
        "administration/show.html",
        rooms=[room for room in ROOMS if room[0] in views and may_anywhere(views[room[0]])],
        channels=[Tried(word, providers.get(word, "")) for word in CHANNELS],
        tried=readiness.tried(providers),
        backup=datetime.fromisoformat(backup.at) if backup else None,
        signed=datetime.fromisoformat(signed.at) if signed else None,
        laws=editions.current(),
        settings=shown(current_app.extensions["settings"]),
    )


@bp.get("/settings.csv")
@permit("administration.view")
def table() -> Response:
    """Every setting as CSV."""
    return csv_answer(csv.rows(("setting", "value", "from", "about"), _lines()), "settings.csv")


@bp.post("/channels/<channel>/test")
@permit("channel.test")
def test(channel: str) -> ResponseReturnValue:
    """Send oneself a test by a channel."""
    channels: Channels = current_app.extensions["channels"]
    flash(channel_trials.send(channel, channels=channels, actor=actor(), now=now()))
    return redirect(url_for(".index"))


@bp.post("/channels/letter/sample")
@permit("channel.test")
def sample() -> Response:
    """A letter to look at as it would lie in the envelope."""
    return sampled()


def sampled() -> Response:
    """The sheet as PDF, for pages and programs."""
    settings: Settings = current_app.extensions["settings"]
    made = channel_trials.sample_sheet(
        channels=current_app.extensions["channels"],
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


def shown(settings: Settings) -> list[Setting]:
    """Every setting with its value and where that comes from; of a secret, whether it is set."""
    said = particulars.said(settings)
    origins = settings.origins() | dict.fromkeys(said, "page")
    settings = settings.model_copy(update=said)
    fields = type(settings).model_fields
    return [
        Setting(name, _value(name, getattr(settings, name)), origins[name], field.description or "")
        for name, field in fields.items()
    ]


def _value(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    if name in HIDDEN:
        scheme, _, rest = str(value).partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}" if rest else scheme
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _lines() -> Iterator[tuple[str, ...]]:
    settings: Settings = current_app.extensions["settings"]
    yield from ((f"TOCSIN_{one.name.upper()}", one.value, one.origin, one.says) for one in shown(settings))
