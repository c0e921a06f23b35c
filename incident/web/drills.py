"""Drills: the list of them, the scenarios to choose from, and how to begin one."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import drills as actions
from incident.actions import particulars, readiness
from incident.domain import plans, scenarios
from incident.domain.drills import FACTORS
from incident.domain.errors import Invalid, Missing
from incident.exports import csv
from incident.store import drills as rows
from incident.store import own
from incident.store.drills import Drill
from incident.store.incidents import Incident
from incident.web.access import actor, now, permit
from incident.web.drill_clock import COURSE_WORDS
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("drills", __name__, url_prefix="/drills")

PAGE: Final = 50
HEADER: Final = (
    "incident", "title", "scenario", "factor", "facilitator", "began (UTC)", "ended (UTC)", "minutes", "score", "in time",
    "late", "missed",
)  # fmt: skip


@bp.get("/")
@permit("drill.view")
@named(Word("Drills"))
def index() -> str:
    """All drills by a scenario, newest first, and the scenarios to choose from."""
    before = request.args.get("before", type=int)
    found = list(rows.page(seen(), before=before, limit=PAGE + 1))
    more = url_for(".index", before=found[PAGE - 1][0].incident_id) if len(found) > PAGE else ""
    return render_template(
        "drills/list.html",
        found=[shown(drill, case) for drill, case in found[:PAGE]],
        more=more,
        first=url_for(".index") if before else "",
        scenarios=scenarios.scenarios().values(),
        mistakes=own.scenario_mistakes(),
        next_by=readiness.next_drill(now()),
    )


@bp.get("/drills.csv")
@permit("drill.view")
def table() -> Response:
    """The same as CSV."""
    return csv_answer(csv.rows(HEADER, _lines()), "drills.csv")


@bp.get("/new/<scenario>")
@permit("drill.run")
def new(scenario: str) -> str:
    """What this scenario is, and how fast its clock is to run."""
    return _page(scenario, {})


@bp.post("/new/<scenario>")
@permit("drill.run")
def start(scenario: str) -> ResponseReturnValue:
    """Begin it."""
    try:
        ref = actions.start(
            scenario,
            factor=request.form.get("factor", ""),
            house=particulars.own_facts(current_app.extensions["settings"]),
            folder=current_app.extensions["settings"].instance / "files",
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _page(scenario, {error.field: error.sentence}), 422
    flash(_("The drill has begun. Tell the players its reference: they work in the incident as in a real one."), "met")
    return redirect(url_for("drill.lead", incident=ref))


def seen() -> Any:
    """The ids of the incidents that this reader may know of, as a query."""
    return visible().with_only_columns(Incident.id)


def shown(drill: Drill, case: Incident) -> dict[str, Any]:
    """One drill in ready words."""
    word, tone = COURSE_WORDS[drill.clock.course]
    return {
        "drill": drill,
        "incident": case,
        "course": word,
        "tone": tone,
        "minute": drill.clock.minute(now()),
        "score": drill.outcome.get("score") if drill.ended_at else None,
    }


def _page(scenario: str, errors: dict[str, str]) -> str:
    if scenario not in scenarios.scenarios():
        raise Missing()
    made = scenarios.named(scenario)
    chosen = request.form.get("factor", type=int) or made.factor
    book = plans.playbooks()[made.playbook].title
    return render_template(
        "drills/new.html", made=made, book=book, errors=errors, factors=[(one, made.minutes // one) for one in FACTORS],
        chosen=chosen,
    )  # fmt: skip


def _lines() -> Iterator[tuple[Any, ...]]:
    before: int | None = None
    while found := rows.page(seen(), before=before, limit=500):
        for drill, case in found:
            told = (drill.outcome.get(name, "") for name in ("score", "met", "late", "missed"))
            yield (
                case.ref, drill.script["title"], drill.scenario, drill.factor, drill.facilitator, drill.began_at,
                drill.ended_at, drill.clock.minute(now()), *told,
            )  # fmt: skip
        before = found[-1][0].incident_id
