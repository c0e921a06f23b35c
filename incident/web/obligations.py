"""The pages of duties: what is owed, open, not owed and met, by when and why; and what people decide about it."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import obligations as actions
from incident.domain import editions, lawbook
from incident.domain.errors import Invalid, Missing
from incident.domain.laws import Law
from incident.exports import csv
from incident.store import incidents, law_editions, reports, users
from incident.store import obligations as rows
from incident.store.obligations import FindingRow
from incident.web import answers, board, changes, details, dutyplot, findings, rail
from incident.web import questions as questions_of
from incident.web.access import actor, may, now, permit, zone
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("obligations", __name__, url_prefix="/incidents/<incident>/duties")

PAGE = 50
ASKED = 5


@bp.get("/")
@permit("duty.view")
@named(Word("Duties of this incident"))
def index(incident: str) -> str:
    """The duties of an incident by due time, on a time line and as a list, with the questions that decide most."""
    return board_page(answers.Answers())


def board_page(given: answers.Answers) -> str:
    """The board as the address asks for it, with what was typed into a question and what was wrong with it."""
    asked, every = board.sought(request.args), list(rows.current(g.incident.id).values())
    rail.remember(every)
    fitting = board.kept(every, asked)
    picked = board.items([row for row in fitting if board.is_in(row, asked.only)], fold=asked.fold == "yes", now=now())
    page, more = _page(picked)
    numbers = Counter({"all": len(fitting)}) + Counter(map(board.view_of, fitting))
    proposed = actions.proposed_among(every)
    assessed = rows.assessment(g.incident.id)
    open_questions = questions_of.asked(every, now())
    return render_template(
        "obligations/list.html",
        asked=asked,
        items=[_shown(item) for item in page],
        more=_address(asked, after=more) if more else "",
        first=_address(asked) if request.args.get("after") else "",
        tabs=[
            (words, _address(asked, only=word), word == asked.only, f"{numbers[word]}")
            for word, words in board.VIEWS.items()
        ],
        facets=board.facets(every),
        plot=dutyplot.drawn(fitting, now(), zone()),
        counts=board.counted(every),
        proposed=changes.proposed(proposed),
        seen=actions.seen_digest(proposed),
        questions=open_questions[:ASKED],
        further=max(0, len(open_questions) - ASKED),
        answered=questions_of.just_answered(g.incident.id, request.args.get("answered", ""), actor(), now()),
        given=given,
        zone=zone(),
        assessed=assessed,
        newer=bool(assessed and g.incident.state == "open" and assessed.library != editions.current().digest),
        kept=assessed is None or law_editions.book(assessed.library) is not None,
    )


def _address(asked: board.Sought, **changes: str) -> str:
    after: dict[str, Any] = {"after": changes.pop("after")} if "after" in changes else {}
    return url_for("obligations.index", incident=g.incident.ref, **asked.but(**changes), **after)


def _shown(item: board.Item) -> dict[str, Any]:
    return {
        "title": item.title,
        "key": item.key,
        "found": [findings.shown(row, now()) for row in item.rows],
        "dated": sum(1 for row in item.rows if row.due_at),
    }


def _page(picked: list[board.Item]) -> tuple[list[board.Item], str]:
    """The items after the one that `after` names, and the name of the last one if there are more."""
    after = request.args.get("after", "")
    start = next((place + 1 for place, item in enumerate(picked) if item.key == after), 0)
    page = picked[start : start + PAGE]
    return page, page[-1].key if len(picked) > start + PAGE else ""


@bp.get("/duties.csv")
@permit("duty.view")
def table(incident: str) -> Response:
    """Every finding that stands, or those that the address asks for, as CSV."""
    asked = board.sought({"only": "all", **request.args})
    fitting = board.kept(rows.current(g.incident.id).values(), asked)
    every = sorted((row for row in fitting if board.is_in(row, asked.only)), key=board.by_due)
    lines = (findings.cells(row, incident) for row in every)
    return csv_answer(csv.rows(findings.HEADER, lines), f"{incident}-duties.csv")


@bp.get("/questions")
@permit("duty.view")
@named(Word("Questions that decide duties"))
def questions(incident: str) -> str:
    """The open questions with the fields to answer them, those that decide most first."""
    return questions_page(answers.Answers())


def questions_page(given: answers.Answers) -> str:
    """All questions, with what was typed into one of them and what was wrong with it."""
    every = rows.current(g.incident.id).values()
    answered = questions_of.just_answered(g.incident.id, request.args.get("answered", ""), actor(), now())
    return render_template(
        "obligations/questions.html",
        questions=questions_of.asked(every, now()),
        answered=answered,
        given=given,
        zone=zone(),
    )


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
    past = [one for one in rows.history(g.incident.id, row.duty, row.wave) if one.id != row.id]
    older = _law_of_then(row)
    one = findings.shown(row, now(), older)
    beside = rows.current(g.incident.id).values() if one.duty and one.duty.stage else ()
    filed = reports.page(g.incident.id) if may("report.view") else ()
    return render_template(
        "obligations/show.html",
        one=one,
        older=older is not None,
        more=details.of(one, incidents.known(g.incident.id), beside, filed, now()),
        past=[findings.shown(other, now()) for other in past],
        names=users.by_refs({other.decided_by for other in (row, *past)}),
        typed=typed,
        errors=errors,
        zones=answers.zones(),
        zone=zone(),
        local_now=now().astimezone(zone()).strftime(answers.LOCAL),
    )


def _law_of_then(row: FindingRow) -> Law | None:
    """The text of the law by which a finding was made, where the library has another one today."""
    today = lawbook.library().laws.get(row.law)
    return law_editions.law(row.law_digest) if today is None or today.digest != row.law_digest else None


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
    return _with_reason(actions.waive, incident, ref, _("Waived, with your reason on record."))


@bp.post("/<ref>/take-back")
@permit("duty.decide")
def take_back(incident: str, ref: str) -> ResponseReturnValue:
    """Undo a settlement, with a reason."""
    reply = _with_reason(
        actions.take_back, incident, ref, _("Taken back. What was settled is kept in the history below.")
    )
    return reply if isinstance(reply, tuple) else redirect(url_for(".index", incident=incident))


def _with_reason(act: Any, incident: str, ref: str, said: str) -> ResponseReturnValue:
    try:
        act(incident, ref, request.form.get("reason", ""), actor=actor(), now=now())
    except Invalid as error:
        return _show_page(ref, request.form.to_dict(), {error.field: error.sentence}), 422
    flash(said, "met")
    return redirect(url_for(".show", incident=incident, ref=ref))
