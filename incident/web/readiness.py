"""What would fail on the day, looked at before there is one."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template, url_for

from incident.actions import readiness as actions
from incident.actions.readiness import Readiness
from incident.domain import editions, readiness, tip_words
from incident.domain.readiness import Check, Verdict
from incident.exports import csv
from incident.web.access import may_anywhere, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named
from incident.web.tips import spoken

bp = Blueprint("readiness", __name__, url_prefix="/readiness")

ROOMS: Final = {
    "team": "team.index",
    "account": "account.show",
    "channels": "channels.index",
    "organisation": "particulars.show",
    "notices": "all_notices.index",
    "sending": "desk.home",
    "record": "record.index",
    "laws": "law_updates.index",
    "drills": "drills.index",
    "improvements": "improvements.index",
    "lessons": "lessons.index",
}
"""Where each thing is put right; a room that this program has not, or that the reader may not enter, is no link."""


@bp.get("/")
@permit("readiness.view")
@named(Word("Readiness"))
def index() -> str:
    """Every check: what fails, what to look at, what is ready."""
    found = judged()
    groups = {verdict: [check for check in found.checks if check.verdict is verdict] for verdict in Verdict}
    harbour = tip_words.words(spoken())["harbour"]["words"]
    return render_template(
        "readiness/show.html",
        found=found,
        groups=groups,
        together=together,
        href=href,
        texts={readiness.HARBOUR: harbour},
    )


@bp.get("/readiness.csv")
@permit("readiness.view")
def table() -> Response:
    """The same as CSV."""
    return csv_answer(csv.rows(("what", "how it stands", "says", "do"), _lines(judged())), "readiness.csv")


def judged() -> Readiness:
    """How ready this installation is now."""
    settings, channels = current_app.extensions["settings"], current_app.extensions["channels"]
    return actions.judged(settings, channels, library=editions.current().digest, now=now())


def together(checks: list[Check]) -> list[list[Check]]:
    """Neighbours that are put right by the same thing, so that it is said once for all of them."""
    return [list(some) for _, some in groupby(checks, key=lambda check: (check.do, check.room) if check.do else check)]


def href(check: Check) -> str:
    """Where this is put right, if there is such a page for this reader."""
    endpoint = ROOMS.get(check.room, "")
    view = current_app.view_functions.get(endpoint)
    return url_for(endpoint) if view and may_anywhere(view) else ""


def _lines(found: Readiness) -> Iterator[tuple[Any, ...]]:
    yield from ((check.title, check.verdict, check.says, check.do) for check in found.checks)
