"""The check before a notice goes out: every look at it, how far the look at everybody got, and who is behind each number."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import merging, notices, preflight
from incident.actions.preflight import Standing
from incident.domain import prices
from incident.domain.errors import Missing
from incident.domain.hours import USUAL
from incident.domain.notices import Stage
from incident.domain.pace import Pace
from incident.domain.preflight import Result, Verdict
from incident.exports import csv
from incident.store import notices as rows
from incident.store.notices import Notice
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word

bp = Blueprint("preflights", __name__, url_prefix="/incidents/<incident>/notices/<ref>/check")

PAGE = 50
TONES: Mapping[Verdict, tuple[str, str]] = {
    Verdict.BLOCKS: (Word("keeps it back"), "late"),
    Verdict.WARNS: (Word("look at this"), "soon"),
    Verdict.UNKNOWN: (Word("not checked"), "idle"),
    Verdict.STANDS: (Word("in order"), "met"),
}


@bp.get("/")
@permit("notice.view")
def show(incident: str, ref: str) -> str:
    """Every look, the gravest first."""
    notice = _notice(ref)
    return render_template("notices/check.html", notice=notice, found=of_notice(notice), tones=TONES)


@bp.post("/")
@permit("preflight.ask")
def ask(incident: str, ref: str) -> ResponseReturnValue:
    """Have everybody looked at."""
    preflight.ask(incident, ref, actor=actor(), now=now())
    flash("Everybody’s record is being looked at. This page keeps itself fresh.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.get("/progress")
@permit("notice.view")
def progress(incident: str, ref: str) -> Response:
    """How far it got, for a page that keeps itself fresh."""
    page = Response(render_template("notices/check_progress.html", run=of_notice(_notice(ref)).run))
    page.headers["X-Fragment"] = "1"
    return page


@bp.get("/people")
@permit("people.view")
def people(incident: str, ref: str) -> str:
    """The people behind a look, by number. No names: a reference leads to the person."""
    notice, what = _notice(ref), request.args.get("what", "")
    after = max(0, request.args.get("after", 0, type=int))
    numbers = preflight.listed(g.incident, notice, what, after=after, limit=PAGE + 1)
    shown, look = numbers[:PAGE], _look(of_notice(notice), what)
    more = url_for(".people", incident=incident, ref=ref, what=what, after=shown[-1]) if len(numbers) > PAGE else ""
    first = url_for(".people", incident=incident, ref=ref, what=what) if after else ""
    return render_template(
        "notices/check_people.html", notice=notice, what=what, look=look, numbers=shown, more=more, first=first
    )


@bp.get("/people.csv")
@permit("people.view")
def table(incident: str, ref: str) -> Response:
    """The same as CSV."""
    notice, what = _notice(ref), request.args.get("what", "")
    case = g.incident
    preflight.listed(case, notice, what, limit=1)

    def lines() -> Iterator[tuple[Any, ...]]:
        after = 0
        while numbers := preflight.listed(case, notice, what, after=after, limit=5_000):
            yield from ((f"P-{number}", what) for number in numbers)
            after = numbers[-1]

    return csv_answer(csv.rows(("person", "found"), lines()), f"{ref}-{what}.csv")


def of_notice(notice: Notice, hurdles: int | None = None) -> Standing:
    """Where a notice of this incident stands. What its text lacks is counted anew unless the caller knows it."""
    settings = current_app.extensions["settings"]
    version = rows.version(notice.id, notice.number) if notice.stage not in (Stage.DRAFT, Stage.WITHDRAWN) else None
    if hurdles is None:
        hurdles = 0 if version else _hurdles(notice)
    pace = Pace.from_json(version.pace) if version else None
    table = settings.sms_price_table()
    return preflight.standing(
        g.incident,
        notice,
        current_app.extensions["channels"],
        hurdles=hurdles,
        now=now(),
        at_any_hour=pace is not None and pace.at_any_hour,
        day=pace.day if pace else USUAL,
        cost=(lambda segments: prices.cost(segments, table).words) if table else None,
    )


def _hurdles(notice: Notice) -> int:
    house = merging.house(current_app.extensions["settings"])
    return len(notices.standing(g.incident, notice, house=house, now=now()).hurdles)


def _look(found: Standing, what: str) -> Result | None:
    return next((one for one in found.results if one.listed == what), None)


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice
