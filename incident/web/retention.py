"""The rules of retention, and what goes when by them: before they are set, as a preview, and as they stand."""

from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import keeping
from incident.domain.errors import Invalid
from incident.domain.retention import ACCOUNTS, RULES, days
from incident.exports import csv
from incident.store import erasures
from incident.store.incidents import Incident
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("retention", __name__, url_prefix="/retention")

SHOWN: Final = 200


@bp.get("/")
@permit("retention.view")
@named(Word("How long things are kept"))
def index() -> ResponseReturnValue:
    """The rules, and what they take next. With days in the address, what they would take."""
    try:
        return _page(_tried(), {})
    except Invalid as error:
        return _page({}, {error.field: error.sentence}), 422


def _page(tried: dict[str, str], errors: dict[str, str]) -> str:
    in_force = keeping.days_now()
    supposed = in_force | {name: days(words) for name, words in tried.items()}
    return render_template(
        "retention/show.html",
        rules=RULES,
        days=supposed,
        in_force=in_force,
        is_trial=supposed != in_force,
        set_by=erasures.rules(),
        going=keeping.going(mine(), days=supposed, limit=SHOWN),
        shown=SHOWN,
        accounts=ACCOUNTS,
        now=now(),
        errors=errors,
    )


def mine() -> Any:
    """The incidents this reader may know of, as a query of ids."""
    return visible().with_only_columns(Incident.id)


def _tried() -> dict[str, str]:
    return {name: request.args[name] for name in RULES if name in request.args}


@bp.get("/going.csv")
@permit("retention.view")
def table() -> Response:
    """What goes when as CSV."""
    header = ("rule", "what", "incident", "ended (UTC)", "goes (UTC)", "legal hold")
    found = keeping.going(mine(), limit=5_000)
    lines = ((one.rule, one.ref, one.incident, one.ended_at, one.goes_at, "yes" if one.held else "") for one in found)
    return csv_answer(csv.rows(header, lines), "retention.csv")


@bp.post("/")
@permit("retention.change")
def change() -> ResponseReturnValue:
    """Set the rules."""
    wanted = {name: request.form[name] for name in RULES if name in request.form}
    try:
        changed = keeping.change(wanted, seen=request.form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _page({}, {error.field: error.sentence}), 422
    flash("The rules are set. What is due by them goes within the hour." if changed else "Nothing was changed.", "met")
    return redirect(url_for(".index"))
