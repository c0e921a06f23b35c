"""What every page shows around its own content: where one is, which mode, and how an incident stands."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from flask import Flask, current_app, g, request
from werkzeug.local import LocalProxy

from incident.settings import Settings
from incident.web import access, bar, drill_clock, dues, rail
from incident.web.bar import Entry
from incident.web.languages import Word, _

NAVIGATION = (
    Entry("desk.home", Word("Desk"), "desk", "d"),
    Entry("incidents.index", Word("Incidents"), "incidents", "i"),
    Entry("tips.index", Word("Reported"), "tips", "b"),
    Entry("duties.index", Word("Duties"), "duties", "u"),
    Entry("vulnerabilities.index", Word("Vulnerabilities"), "vulnerabilities", "v"),
    Entry("laws.index", Word("Laws"), "laws", "l"),
    Entry("all_notices.index", Word("Notices"), "all_notices", "n"),
    Entry("measures.index", Word("Measures"), "measures", "m"),
    Entry("readiness.index", Word("Readiness"), "readiness", "y"),
    Entry("drills.index", Word("Drills"), "drills", "x"),
    Entry("record.index", Word("Record"), "record", "r"),
    Entry("team.index", Word("Team"), "team", "t"),
    Entry("administration.index", Word("Administration"), "administration", "z"),
)
BELONGS: Final[Mapping[str, str]] = {
    "all_enquiries": "desk",
    "channels": "readiness",
    "sending": "desk",
    "unsent": "desk",
    "law_updates": "laws",
    "newsrooms": "all_notices",
    "improvements": "measures",
    "lessons": "measures",
    "checkpoints": "record",
    "record_keys": "record",
    "alerts": "team",
    "rules": "team",
    "webhooks": "team",
    "particulars": "administration",
    "reference": "administration",
    "retention": "administration",
}
"""Rooms without an entry of their own, and the entry that is current in them."""


def init(app: Flask) -> None:
    """Hands frame and rail to every page."""
    app.context_processor(_frame)
    app.jinja_env.globals.update(
        may=access.may, next_deadline=bar.next_deadline, may_search=bar.may_search, tick_words=dues.patterns
    )


def _frame() -> dict[str, Any]:
    """What surrounds a page; its mode is read where it is shown: strangers' pages have none."""
    user = access.user()
    around: dict[str, Any] = {
        "mode": LocalProxy(cache(mode)),
        "navigation": _navigation() if user else (),
        "bar_room": bar_room(),
        "reader": user,
    }
    around["printed_at"] = access.now()
    if user and "incident" in g:
        is_part = request.headers.get("X-Fragment") == "1"  # only a part of a page is asked for: it has no rail
        around |= {"incident": g.incident, "rail": [] if is_part else rail.stops(g.incident)}
    return around


def bar_room() -> str:
    """The room of the bar in which the reader is: all pages of an incident are under the incidents."""
    return "incidents" if "incident" in g else BELONGS.get(request.blueprint or "", request.blueprint or "")


def _navigation() -> list[Entry]:
    known = current_app.view_functions
    return [entry for entry in NAVIGATION if entry.endpoint in known and access.may_anywhere(known[entry.endpoint])]


def mode() -> dict[str, str]:
    """The mode of this installation in a word, its tone, and what it means. It cannot be overlooked."""
    if _is_frozen():
        return {
            "word": Word("Sending frozen"),
            "tone": "late",
            "means": _("Nothing is sent until an administrator has reconciled and lifted the freeze."),
        }
    if drilling := drill_clock.mode():
        return drilling
    channels = current_app.extensions.get("channels")
    if channels is None or channels.only_sandbox:
        return {
            "word": Word("Sandbox"),
            "tone": "soon",
            "means": _("No provider is set: nothing leaves this machine, and nothing sent here counts as told."),
        }
    settings: Settings = current_app.extensions["settings"]
    if settings.test_mode:
        return {
            "word": Word("Test mode"),
            "tone": "soon",
            "means": _("A marked test installation; providers may be fakes on this machine."),
        }
    return {"word": Word("Live"), "tone": "met", "means": _("Approved notices reach real people.")}


def _is_frozen() -> bool:
    """Whether sending is frozen: for who is signed in, read with what else is around the page."""
    if access.user() is not None:
        return bar.around().frozen
    frozen: bool = current_app.extensions["sending_frozen"]()
    return frozen
