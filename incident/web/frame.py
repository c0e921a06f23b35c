"""What every page shows around its own content: where one is, which mode, and how an incident stands."""

from typing import Any

from flask import Flask, current_app, g, request

from incident.settings import Settings
from incident.web import access, rail

NAVIGATION = (
    ("desk.home", "Desk", "desk"),
    ("incidents.index", "Incidents", "incidents"),
    ("duties.index", "Duties", "duties"),
    ("laws.index", "Laws", "laws"),
    ("all_notices.index", "Notices", "all_notices"),
    ("record.index", "Record", "record"),
    ("team.index", "Team", "team"),
)
"""Endpoint, word, and the blueprint under which the entry is current."""


def init(app: Flask) -> None:
    """Hands frame and rail to every page."""
    app.context_processor(_frame)
    app.jinja_env.globals["may"] = access.may


def _frame() -> dict[str, Any]:
    user = access.user()
    around: dict[str, Any] = {"mode": mode(), "navigation": _navigation() if user else (), "reader": user}
    if user and "incident" in g:
        is_part = request.headers.get("X-Fragment") == "1"  # only a part of a page is asked for: it has no rail
        around |= {"incident": g.incident, "rail": [] if is_part else rail.stops(g.incident)}
    return around


def _navigation() -> list[tuple[str, str, str]]:
    known = current_app.view_functions
    return [entry for entry in NAVIGATION if entry[0] in known and access.may_anywhere(known[entry[0]])]


def mode() -> dict[str, str]:
    """The mode of this installation in a word, its tone, and what it means. It cannot be overlooked."""
    if current_app.extensions.get("sending_frozen", lambda: False)():
        return {
            "word": "Sending frozen",
            "tone": "late",
            "means": "Nothing is sent until an administrator has reconciled and lifted the freeze.",
        }
    channels = current_app.extensions.get("channels")
    if channels is None or channels.only_sandbox:
        return {
            "word": "Sandbox",
            "tone": "soon",
            "means": "No provider is set: nothing leaves this machine, and nothing sent here counts as told.",
        }
    settings: Settings = current_app.extensions["settings"]
    if settings.test_mode:
        return {
            "word": "Test mode",
            "tone": "soon",
            "means": "A marked test installation; providers may be fakes on this machine.",
        }
    return {"word": "Live", "tone": "met", "means": "Approved notices reach real people."}
