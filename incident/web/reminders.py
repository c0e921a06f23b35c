"""The reminders of an incident's duties: what was sent to whom, and the one button that says "I have it"."""

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import reminders as actions
from incident.exports import csv
from incident.store.obligations import FindingRow
from incident.web import ladders
from incident.web.access import actor, now, permit
from incident.web.findings import shown
from incident.web.incidents import csv_answer
from incident.web.ladders import Ladder
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("reminders", __name__, url_prefix="/incidents/<incident>/reminders")


@bp.app_template_global()
def ladder_of(row: FindingRow) -> Ladder:
    """The ladder of a duty of the incident at hand, for its page."""
    return ladders.of_duty(g.incident, row)


@bp.app_template_global()
def colleagues() -> list[tuple[str, str]]:
    """Who may look after a duty of the incident at hand."""
    return ladders.colleagues(g.incident)


@bp.get("/")
@permit("duty.view")
@named(Word("Reminders of this incident"))
def index(incident: str) -> str:
    """Every duty whose clock runs: its owner, the latest reminder, who has it, and the next one."""
    found = ladders.of_incident(g.incident)
    return render_template(
        "reminders/list.html",
        found=[(ladder, shown(ladder.row, now()), ladders.last_words(ladder.last)) for ladder in found],
        waiting=[ladder.row.ref for ladder in found if ladder.is_waiting],
    )


@bp.get("/reminders.csv")
@permit("duty.view")
def table(incident: str) -> Response:
    """What was sent about duties whose clock runs, a line a message."""
    found = ladders.lines(ladders.of_incident(g.incident))
    return csv_answer(csv.rows(ladders.HEADER, found), f"{incident}-reminders.csv")


@bp.post("/acknowledge")
@permit("duty.own")
def acknowledge(incident: str) -> ResponseReturnValue:
    """Say that one has these duties."""
    number = actions.acknowledge(incident, request.form.getlist("duty"), actor=actor(), now=now())
    said = _("You have it") if number == 1 else _("You have %(number)s duties", number=number)
    flash(
        f"{said}. If a due time ahead passes unmet, reminders begin again." if number else "Choose a duty first.", "met"
    )
    return _back(incident)


@bp.post("/owner/<ref>")
@permit("duty.own")
def owner(incident: str, ref: str) -> ResponseReturnValue:
    """Say who looks after a duty."""
    form = request.form
    actions.hand_over(incident, ref, form.get("owner", ""), seen=form.get("seen"), actor=actor(), now=now())
    flash("Saved. The first reminder goes to that person.", "met")
    return redirect(url_for("obligations.show", incident=incident, ref=ref))


def _back(incident: str) -> Response:
    """To the duty's page where one came from it, else to the list."""
    ref = request.form.get("back", "")
    if ref and ref in request.form.getlist("duty"):
        return redirect(url_for("obligations.show", incident=incident, ref=ref))  # type: ignore[return-value]
    return redirect(url_for(".index", incident=incident))  # type: ignore[return-value]
