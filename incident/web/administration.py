"""Administration as one place: the rooms of it, keys, copies, and every setting that is no secret."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template
from pydantic import SecretStr

from incident.actions import particulars
from incident.domain import editions
from incident.exports import csv
from incident.settings import Settings
from incident.store import audit, checkpoints
from incident.web.access import may_anywhere, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("administration", __name__, url_prefix="/administration")

ROOMS: Final = (
    (
        "particulars.show",
        Word("Your organisation"),
        Word("what notices and reports say of it, and what laws ask of it"),
    ),
    ("channels.index", Word("Ways to reach people"), Word("which of them work, and a test to yourself")),
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
ORIGINS: Final = {
    "environment": Word("environment"),
    "file": Word("settings file"),
    "page": Word("said on a page"),
}
"""Where a value comes from, as people read it; what nobody set has no such word."""
HIDDEN: Final = frozenset({"database_url"})
"""These may hold a password in their address, so that only the part without it is shown."""


@dataclass(frozen=True)
class Setting:
    """One setting as it may be shown."""

    name: str
    value: str
    origin: str
    says: str
    is_secret: bool = False


@bp.get("/")
@permit("administration.view")
@named(Word("Administration"))
def index() -> str:
    """Everything there is to look after."""
    views = current_app.view_functions
    backup, signed = audit.last("instance.backed_up"), checkpoints.latest()
    return render_template(
        "administration/show.html",
        rooms=[room for room in ROOMS if room[0] in views and may_anywhere(views[room[0]])],
        backup=datetime.fromisoformat(backup.at) if backup else None,
        signed=datetime.fromisoformat(signed.at) if signed else None,
        laws=editions.current(),
        settings=shown(current_app.extensions["settings"]),
        origins=ORIGINS,
    )


@bp.get("/settings.csv")
@permit("administration.view")
def table() -> Response:
    """Every setting as CSV."""
    return csv_answer(csv.rows(("setting", "value", "from", "about"), _lines()), "settings.csv")


def shown(settings: Settings) -> list[Setting]:
    """Every setting with its value and where that comes from; of a secret, whether it is set."""
    said = particulars.said(settings)
    origins = settings.origins() | dict.fromkeys(said, "page")
    settings = settings.model_copy(update=said)
    fields = type(settings).model_fields
    return [
        Setting(
            name,
            _value(name, getattr(settings, name)),
            origins[name],
            field.description or "",
            is_secret=isinstance(getattr(settings, name), SecretStr),
        )
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
