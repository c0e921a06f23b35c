"""The pages of duties: what is owed, open, not owed and met, by when and why; and what people decide about it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import obligations as actions
from incident.domain.errors import Invalid, Missing
from incident.domain.obligations import Standing
from incident.exports import csv
from incident.store import incidents, users
from incident.store import obligations as rows
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.web import answers, findings
from incident.web.access import actor, now, permit, zone
from incident.web.incidents import csv_answer, visible

bp = Blueprint("obligations", __name__, url_prefix="/incidents/<incident>/duties")
duties = Blueprint("duties", __name__, url_prefix="/duties")

PAGE = 50
ORDER = ("running", "date_missing", "none_in_law", "on_hold", "not_started")
VIEWS = {"owed": "Owed", "open": "Open", "not_owed": "Not owed", "settled": "Met and waived", "all": "All"}


@bp.get("/")
@permit("duty.view")
def index(incident: str) -> str:
    """The duties of an incident by due time, with the questions that decide most."""
    only = request.args.get("only", "owed")
    only = only if only in VIEWS else "owed"
    every = list(rows.current(g.incident.id).values())
    proposed = actions.proposals(g.incident.id)
    picked = sorted((row for row in every if _in(row, only)), key=_by_due)
    page, more = _page(picked)
    return render_template(
        "obligations/list.html",
        found=[findings.shown(row, now()) for row in page],
        more=url_for(".index", incident=incident, only=only, after=more) if more else "",
        first=url_for(".index", incident=incident, only=only) if request.args.get("after") else "",
        only=only,
        tabs=[
            (words, url_for(".index", incident=incident, only=word), word == only, _number(every, word))
            for word, words in VIEWS.items()
        ],
        counts=rows.counted(g.incident.id),
        change=findings.change(proposed).words() if proposed else "",
        proposed=len(proposed),
        seen=actions.seen_digest(proposed),
        questions=findings.questions(every, incident, now())[:5],
        assessed=rows.assessment(g.incident.id),
    )


def _in(row: FindingRow, only: str) -> bool:
    if only == "all":
        return True
    if row.state in findings.SETTLED:
        return only == "settled"
    return only == {Standing.ADVISED.value: "owed"}.get(row.standing, row.standing)


def _number(every: list[FindingRow], only: str) -> str:
    return f"{sum(1 for row in every if _in(row, only))}"


def _by_due(row: FindingRow) -> tuple[int, datetime, str]:
    """Dated ones first; then those to do at once though the law names no time; last those whose clock has not started."""
    if row.standing == Standing.NOT_OWED:
        return len(ORDER) + 1, now(), row.duty
    return (0 if row.due_at else 1 + ORDER.index(row.clock)), row.due_at or now(), row.duty


def _page(picked: list[FindingRow]) -> tuple[list[FindingRow], str]:
    """The rows after the one that `after` names, and the name of the last one if there are more."""
    after = request.args.get("after", "")
    start = next((place + 1 for place, row in enumerate(picked) if row.ref == after), 0)
    page = picked[start : start + PAGE]
    return page, page[-1].ref if len(picked) > start + PAGE else ""


@bp.get("/duties.csv")
@permit("duty.view")
def table(incident: str) -> Response:
    """Every finding that stands, as CSV."""
    every = sorted(rows.current(g.incident.id).values(), key=_by_due)
    return csv_answer(csv.rows(findings.HEADER, _lines((row, incident) for row in every)), f"{incident}-duties.csv")


def _lines(found: Any) -> Iterator[tuple[Any, ...]]:
    return (tuple(findings.line(row, incident)[name] for name in findings.HEADER) for row, incident in found)


@bp.get("/questions")
@permit("duty.view")
def questions(incident: str) -> str:
    """The open questions, those that decide most first."""
    every = rows.current(g.incident.id).values()
    return render_template("obligations/questions.html", questions=findings.questions(every, incident, now()))


@bp.post("/accept")
@permit("duty.decide")
def accept_all(incident: str) -> ResponseReturnValue:
    """Accept everything that is proposed and was seen."""
    number = actions.accept_all(incident, request.form.get("seen", ""), actor=actor(), now=now())
    flash(
        f"Accepted: {number} findings." if number else "Nothing was waiting to be accepted.",
        "met" if number else "info",
    )
    return redirect(url_for(".index", incident=incident))


@bp.get("/<ref>")
@permit("duty.view")
def show(incident: str, ref: str) -> str:
    """One duty: what it says and why, its clock, what it must contain, its history, and the acts."""
    return _show_page(ref, {}, {})


def _show_page(ref: str, typed: dict[str, str], errors: dict[str, str]) -> str:
    row = rows.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    past = [one for one in rows.history(g.incident.id, row.duty) if one.id != row.id]
    return render_template(
        "obligations/show.html",
        one=findings.shown(row, now()),
        past=[findings.shown(other, now()) for other in past],
        names=users.by_refs({other.decided_by for other in (row, *past)}),
        typed=typed,
        errors=errors,
        zones=answers.zones(),
        zone=zone(),
        local_now=now().astimezone(zone()).strftime(answers.LOCAL),
    )


@bp.post("/<ref>/accept")
@permit("duty.decide")
def accept(incident: str, ref: str) -> ResponseReturnValue:
    """Accept one finding."""
    actions.accept(incident, ref, actor=actor(), now=now())
    flash("Accepted.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/met")
@permit("duty.decide")
def met(incident: str, ref: str) -> ResponseReturnValue:
    """Say that the duty was done."""
    form = request.form
    try:
        met_at = answers.moment(form.get("met_at", ""), answers.zone_of(form, zone()), "met_at")
        actions.mark_met(
            incident,
            ref,
            met_at=met_at,
            reference=form.get("reference", ""),
            note=form.get("note", ""),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _show_page(ref, form.to_dict(), {error.field: error.sentence}), 422
    flash("Met. Its start, due time and lateness are kept as they are now.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/waive")
@permit("duty.decide")
def waive(incident: str, ref: str) -> ResponseReturnValue:
    """Decide, with a reason, not to act on it."""
    return _with_reason(actions.waive, incident, ref, "Waived, with your reason on record.")


@bp.post("/<ref>/take-back")
@permit("duty.decide")
def take_back(incident: str, ref: str) -> ResponseReturnValue:
    """Undo a settlement, with a reason."""
    reply = _with_reason(actions.take_back, incident, ref, "Taken back. What was settled is kept in the history below.")
    return reply if isinstance(reply, tuple) else redirect(url_for(".index", incident=incident))


def _with_reason(act: Any, incident: str, ref: str, said: str) -> ResponseReturnValue:
    try:
        act(incident, ref, request.form.get("reason", ""), actor=actor(), now=now())
    except Invalid as error:
        return _show_page(ref, request.form.to_dict(), {error.field: error.sentence}), 422
    flash(said, "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


# ---------------------------------------------------------------- over all incidents


@duties.get("/", endpoint="index")
@permit("duty.view")
def index_all() -> str:
    """What is due soonest over all incidents that this reader may know of."""
    only = "open" if request.args.get("only") == "open" else "owed"
    found = list(rows.soonest(_unsettled(only), after=_after(), limit=PAGE + 1))
    last = found[PAGE - 1] if len(found) > PAGE else None
    where = incidents.by_ids({row.incident_id for row in found})
    return render_template(
        "obligations/all.html",
        found=[(findings.shown(row, now()), where[row.incident_id]) for row in found[:PAGE]],
        more=url_for(".index", only=only, after=_key(last)) if last else "",
        first=url_for(".index", only=only) if request.args.get("after") else "",
        only=only,
    )


@duties.get("/duties.csv")
@permit("duty.view")
def table_all() -> Response:
    """The same as CSV: every duty that somebody still has to act on."""

    def found() -> Iterator[tuple[FindingRow, str]]:
        after: tuple[datetime | None, int] | None = None
        while page := rows.soonest(_unsettled("owed"), after=after, limit=500):
            where = incidents.by_ids({row.incident_id for row in page})
            yield from ((row, where[row.incident_id].ref) for row in page)
            after = (page[-1].due_at, page[-1].id)

    return csv_answer(csv.rows(findings.HEADER, _lines(found())), "duties.csv")


def _unsettled(only: str) -> Any:
    mine = visible().where(Incident.state == "open").with_only_columns(Incident.id)
    return rows.unsettled(mine, ("open",) if only == "open" else rows.ACTIVE)


def _key(row: FindingRow) -> str:
    return f"{row.due_at.isoformat() if row.due_at else ''},{row.id}"


def _after() -> tuple[datetime | None, int] | None:
    """The place in the list that the address names; from the start if it names none. Raises Invalid."""
    raw = request.args.get("after", "")
    if not raw:
        return None
    due, _, last = raw.partition(",")
    try:
        moment = datetime.fromisoformat(due.replace(" ", "+")) if due else None
        if moment is None or moment.tzinfo is not None:
            return moment, int(last[:18])
    except ValueError:
        pass
    raise Invalid("after", "This is not a place in the list. Start from the top.")
