"""The page of the end: what still stands in the way, the review, closing and reopening, and the summary."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import closing as actions
from incident.domain.closing import QUESTIONS, Gate
from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, Facts, vocabulary
from incident.domain.reviews import FACTORS, GROUPS, grouped
from incident.domain.scales import CAPTIONS, Scale, words
from incident.exports import csv
from incident.store import closings as rows
from incident.store import grades, incidents, standings, users
from incident.web.access import actor, now, permit, zone
from incident.web.filters import span
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _, value_words
from incident.web.pages import named

bp = Blueprint("closing", __name__, url_prefix="/incidents/<incident>/closing")

WHERE = {
    "steps": "plans.index",
    "findings_open": "obligations.index",
    "findings_owed": "obligations.index",
    "imports": "people.index",
    "suspects": "people.pairs",
    "notices": "notices.index",
    "under_way": "deliveries.index",
    "not_told": "deliveries.index",
    "reports": "reports.index",
    "enquiries": "enquiries.index",
}
"""The page on which each gate can be opened."""
SUMMARY = (
    "category",
    "occurred_from",
    "noticed_at",
    "aware_at",
    "contained_at",
    "handling_ended_at",
    "people_count",
    "risk_to_people",
)


@bp.get("/")
@permit("closing.view")
@named(Word("Close, reopen and review"))
def index(incident: str) -> str:
    """What stands in the way, the review, and how it ended."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    reviews, history = rows.reviews(g.incident.id), rows.history(g.incident.id)
    found = actions.gates(g.incident)
    facts = incidents.known(g.incident.id)
    return render_template(
        "closing/show.html",
        gates=[(gate, _where(gate)) for gate in found],
        shut=sum(1 for gate in found if not gate.open),
        questions=QUESTIONS,
        factors=grouped(),
        groups=GROUPS,
        terms=FACTORS,
        chosen=request.form.getlist("factors") if errors else reviews[0].factors if reviews else [],
        review=reviews[0] if reviews else None,
        earlier=reviews[1:],
        history=history,
        names=users.by_refs({row.written_by for row in reviews} | {row.done_by for row in history}),
        summary=_summary(facts),
        figures=_figures(),
        ended_known=facts.known("handling_ended_at"),
        typed=typed,
        errors=errors,
    )


def _where(gate: Gate) -> str:
    """The address where the gate can be opened; empty where that is this page, or the room is not there."""
    known = current_app.view_functions
    endpoint = WHERE.get(gate.key, "")
    return (
        url_for(endpoint, incident=g.incident.ref) if endpoint in known else ("#review" if gate.key == "review" else "")
    )


def _summary(facts: Facts) -> list[tuple[str, str, bool]]:
    """What is known of the main facts, in words."""
    return [
        (vocabulary()[key].label, value_words(key, facts[key], zone()), facts[key] is not UNKNOWN) for key in SUMMARY
    ]


def _figures() -> list[tuple[str, str]]:
    """What was done, in figures."""
    incident, counted = g.incident, standings.as_figures(standings.counted(g.incident.id))
    told, steps = counted["deliveries"], counted["steps"]
    ended = incident.closed_at or now()
    return [
        (_("Open for"), span(ended - incident.opened_at)),
        (_("Steps finished"), f"{steps.get('done', 0):,}"),
        (_("Steps left out"), f"{steps.get('skipped', 0):,}"),
        (_("Notices sent"), f"{counted['notices'].get('sent', 0):,}"),
        (
            _("People whose notice was accepted or delivered"),
            f"{told['accepted'] + told['delivered'] + told['confirmed']:,}",
        ),
        (_("People perhaps not told"), f"{sum(told[word] for word in standings.NEEDS_CARE):,}"),
        (_("Enquiries answered"), f"{counted['enquiries'].get('answered', 0):,}"),
        (_("Enquiries open"), f"{counted['enquiries'].get('open', 0):,}"),
        (_("Reports filed"), f"{counted['reports'].get('filed', 0):,}"),
        (_("Pieces of evidence"), f"{counted['evidence']:,}"),
        *((CAPTIONS[Scale(scale)], words(row.level)) for scale, row in grades.current(incident.id).items()),
    ]


@bp.get("/summary.csv")
@permit("closing.view")
def table(incident: str) -> Response:
    """The closing summary as CSV."""
    facts = incidents.known(g.incident.id)

    def lines() -> Iterator[tuple[Any, ...]]:
        yield ("Reference", g.incident.ref)
        yield ("State", g.incident.state)
        yield from ((label, value) for label, value, _ in _summary(facts))
        yield from _figures()
        yield from ((gate.title, "yes" if gate.open else gate.words) for gate in actions.gates(g.incident))

    return csv_answer(csv.rows(("what", "value"), lines()), f"{incident}-summary.csv")


@bp.post("/review")
@permit("incident.review")
def write_review(incident: str) -> ResponseReturnValue:
    """Keep a review."""
    try:
        factors = request.form.getlist("factors")
        actions.write_review(incident, request.form.to_dict(), factors=factors, actor=actor(), now=now())
    except Invalid as error:
        return _page(request.form.to_dict(), {error.field: error.sentence}), 422
    flash("The review is kept. A later one stands beside it.", "met")
    return redirect(url_for(".index", incident=incident) + "#review")


@bp.post("/close")
@permit("incident.close")
def close(incident: str) -> ResponseReturnValue:
    """Close the incident."""
    try:
        actions.close(incident, request.form.get("words", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(request.form.to_dict(), {error.field: error.sentence}), 422
    flash("Closed. Everything stays readable; nothing can be changed until it is reopened.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/reopen")
@permit("incident.close")
def reopen(incident: str) -> ResponseReturnValue:
    """Open it again, with a reason."""
    try:
        actions.reopen(incident, request.form.get("reason", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(request.form.to_dict(), {error.field: error.sentence}), 422
    flash("Open again.", "met")
    return redirect(url_for(".index", incident=incident))
