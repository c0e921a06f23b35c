"""One drill: what the players see of it, what its facilitator sees and does, and how it went."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import after_action
from incident.actions import drills as actions
from incident.domain import digits
from incident.domain.after_action import AfterAction
from incident.domain.drills import Arrival, Course, Kind, Remark, Verdict, span_words
from incident.domain.errors import Invalid, Missing, Refused
from incident.exports import after_action as exports
from incident.exports import plots
from incident.exports.catalogue import speaker
from incident.store import drills as rows
from incident.store.drills import Drill, DrillInject
from incident.web.access import actor, now, permit, zone
from incident.web.drill_clock import COURSE_WORDS, drill, is_facilitator
from incident.web.languages import Word, _, tag
from incident.web.pages import named
from incident.web.reports import company, download

bp = Blueprint("drill", __name__, url_prefix="/incidents/<incident>/drill")

WIDTHS: Final = {"wide": plots.WIDE, "narrow": plots.NARROW}
KINDS: Final = {
    Kind.MESSAGE: (Word("message"), "owed"),
    Kind.FACT: (Word("new fact"), "open"),
    Kind.PRESS: (Word("press"), "soon"),
    Kind.REGULATOR: (Word("authority"), "late"),
    Kind.PERSON: (Word("person affected"), "soon"),
    Kind.PROVIDER: (Word("provider"), "idle"),
    Kind.MAIL: (Word("returned mail"), "idle"),
}
ARRIVALS: Final = {
    Arrival.WAITING: Word("to come"),
    Arrival.ARRIVED: Word("came in"),
    Arrival.SKIPPED: Word("left out"),
}
VERDICTS: Final = {
    Verdict.MET: (Word("in time"), "met"),
    Verdict.LATE: (Word("late"), "soon"),
    Verdict.MISSED: (Word("missed"), "late"),
    Verdict.WAITING: (Word("still to come"), "idle"),
    Verdict.OVERDUE: (Word("overdue"), "late"),
}
REMARKS: Final = {
    Remark.HELPED: Word("What helped?"),
    Remark.HURT: Word("What hurt?"),
    Remark.LESSON: Word("What is to be learnt?"),
}
NOT_YET: Final = "The report opens when the drill is over; until then only its facilitator sees what is expected."


@bp.get("/")
@permit("drill.view")
@named(Word("What came in (drill)"))
def show(incident: str) -> str:
    """What the players see: what came in, and where they answer."""
    return _players({}, {})


@bp.get("/arrived")
@permit("drill.view")
def arrived(incident: str) -> Response:
    """What came in since the page was made, as a fragment for a page that stays open."""
    return _fragment("drills/_news.html", **_news(_row(), request.args.get("shown", 0, type=int)))


@bp.post("/injects/<ref>/answer")
@permit("drill.answer")
def answer(incident: str, ref: str) -> ResponseReturnValue:
    """Answer what came in."""
    try:
        actions.answer(incident, ref, request.form.get("text", ""), actor=actor(), now=now())
    except Invalid as error:
        return _players({ref: error.sentence}, {ref: request.form.get("text", "")}), 422
    flash(_("Answered. It stands in the record with its time."), "met")
    return redirect(url_for(".show", incident=incident))


@bp.get("/lead")
@permit("drill.run")
@named(Word("Facilitate this drill"))
def lead(incident: str) -> str:
    """What its facilitator sees: everything that will come in, and what is expected by when."""
    return _lead({}, {})


@bp.get("/standing")
@permit("drill.run")
def standing(incident: str) -> Response:
    """The same, as a fragment for a page that stays open."""
    row = _row()
    _demand_facilitator()
    return _fragment("drills/_standing.html", **_for_facilitator(row))


@bp.post("/pause")
@permit("drill.run")
def pause(incident: str) -> ResponseReturnValue:
    """Stop the clock."""
    return _led(incident, actions.pause, _("The clock stands. Nothing comes in, and deadlines wait."))


@bp.post("/resume")
@permit("drill.run")
def resume(incident: str) -> ResponseReturnValue:
    """Let the clock go on."""
    return _led(incident, actions.resume, _("The clock goes on. What was due later is later by the pause."))


@bp.post("/end")
@permit("drill.run")
def end(incident: str) -> ResponseReturnValue:
    """End it for good."""
    actions.end(incident, actor=actor(), now=now())
    flash(_("The drill is over. Say now, while it is fresh, what helped and what hurt."), "met")
    return redirect(url_for(".report", incident=incident))


@bp.post("/take-over")
@permit("drill.run")
def take_over(incident: str) -> ResponseReturnValue:
    """Facilitate it in place of who does now."""
    return _led(incident, actions.take_over, _("You facilitate this drill now."))


@bp.post("/injects")
@permit("drill.run")
def add_inject(incident: str) -> ResponseReturnValue:
    """Write an inject of one's own."""
    form = request.form
    try:
        actions.add_inject(
            incident,
            kind=form.get("kind", ""),
            sender=form.get("sender", ""),
            title=form.get("title", ""),
            text=form.get("text", ""),
            after=_minutes(form.get("after", "")),
            wants_answer="answer" in form,
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _lead({error.field: error.sentence}, form), 422
    flash(_("Kept. It comes in at its minute, or when you let it in."), "met")
    return redirect(url_for(".lead", incident=incident))


@bp.post("/injects/<ref>/let-in")
@permit("drill.run")
def let_in(incident: str, ref: str) -> ResponseReturnValue:
    """Let one come in now."""
    actions.let_in(incident, ref, actor=actor(), now=now())
    return redirect(url_for(".lead", incident=incident))


@bp.post("/injects/<ref>/skip")
@permit("drill.run")
def skip(incident: str, ref: str) -> ResponseReturnValue:
    """Leave one out."""
    actions.skip(incident, ref, actor=actor(), now=now())
    return redirect(url_for(".lead", incident=incident))


# ---------------------------------------------------------------- afterwards


@bp.get("/report")
@permit("drill.view")
@named(Word("How this drill went"))
def report(incident: str) -> str:
    """What was expected, what was done, what helped and what hurt. Raises Refused for players while it runs."""
    return _report({}, {})


@bp.get("/report/line.svg")
@permit("drill.view")
def picture(incident: str) -> Response:
    """The drill on one line of time."""
    look, width = request.args.get("look", "light"), request.args.get("width", "wide")
    if look not in plots.LOOKS or width not in WIDTHS:
        raise Missing()
    drawn = exports.picture(told(), look=look, width=WIDTHS[width], language=tag())
    return Response(drawn, mimetype="image/svg+xml", headers={"Cache-Control": "private, max-age=60"})


@bp.post("/report.<kind>")
@permit("report.export")
def export(incident: str, kind: str) -> Response:
    """The report as a file; its digest goes into the record."""
    about = told()
    made = after_action.export(
        incident,
        kind,
        company=company().name,
        zone=zone(),
        names=_names(about),
        language=tag(),
        actor=actor(),
        now=now(),
    )
    return download(made)


@bp.post("/remarks")
@permit("drill.answer")
def remark(incident: str) -> ResponseReturnValue:
    """Say what helped, what hurt, or what is to be learnt."""
    form = request.form
    try:
        actions.remark(incident, form.get("kind", ""), form.get("text", ""), actor=actor(), now=now())
    except Invalid as error:
        return _report({error.field: error.sentence}, form), 422
    flash(_("Noted."), "met")
    return redirect(url_for(".report", incident=incident) + "#remarks")


@bp.post("/remarks/<ref>/propose")
@permit("drill.answer")
def propose(incident: str, ref: str) -> ResponseReturnValue:
    """Propose a lesson for decision."""
    made = actions.propose(incident, ref, actor=actor(), now=now())
    flash(
        _("Proposed as %(lesson)s. It is tracked with all lessons until it is adopted or declined.", lesson=made), "met"
    )
    return redirect(url_for(".report", incident=incident) + "#remarks")


# ---------------------------------------------------------------- ready words


def _row() -> Drill:
    found = drill()
    if found is None:
        raise Missing()
    return found


def _led(incident: str, act: Callable[..., None], said: str) -> ResponseReturnValue:
    act(incident, actor=actor(), now=now())
    flash(said, "met")
    return redirect(url_for(".lead", incident=incident))


def _demand_facilitator() -> None:
    if not is_facilitator():
        raise Missing()


def _minutes(given: str) -> int | None:
    text = given.strip()
    if not text:
        return None
    minutes = digits.whole(text)
    if minutes is None or minutes >= 1_000_000:
        raise Invalid("after", "Give whole minutes of the drill, or leave it empty.")
    return minutes


def _players(errors: dict[str, str], typed: dict[str, str]) -> str:
    row = _row()
    return render_template("drills/show.html", **_for_players(row, errors, typed))


def _for_players(row: Drill, errors: dict[str, str], typed: dict[str, str]) -> dict[str, Any]:
    found = [one for one in rows.injects(g.incident.id, (Arrival.ARRIVED,)) if one.arrived_at]
    ordered = sorted(found, key=lambda one: one.arrived_at or row.began_at, reverse=True)
    names = actions.names([one.answered_by for one in ordered])
    return {
        **_course(row),
        "found": [_inject(one, row, names) for one in ordered],
        "new": 0,
        "shown": len(ordered),
        "is_facilitator": is_facilitator(),
        "errors": errors,
        "typed": typed,
    }


def _news(row: Drill, shown: int) -> dict[str, Any]:
    found = rows.injects(g.incident.id, (Arrival.ARRIVED,))
    newest = max(found, key=lambda one: one.arrived_at or row.began_at, default=None)
    return {**_course(row), "new": len(found) - shown, "newest": newest, "shown": shown}


def _course(row: Drill) -> dict[str, Any]:
    word, tone = COURSE_WORDS[row.clock.course]
    return {
        "row": row,
        "script": row.script,
        "course": word,
        "tone": tone,
        "running": row.clock.course is Course.RUNNING,
        "ended": row.clock.course is Course.ENDED,
        "reads": row.clock.reads(now()),
        "span": _said_span(row.clock.passed(now())),
        "planned": _said_span(timedelta(minutes=row.script["minutes"])),
    }


def _inject(one: DrillInject, row: Drill, names: dict[str, str]) -> dict[str, Any]:
    word, tone = KINDS[Kind(one.kind)]
    came = row.clock.minute(one.arrived_at) if one.arrived_at else one.minute
    return {
        "one": one,
        "word": word,
        "tone": tone,
        "state": ARRIVALS[Arrival(one.state)],
        "at": _said_span(timedelta(minutes=came)),
        "by": names.get(one.answered_by, one.answered_by),
        "open": one.wants_answer and one.answered_at is None,
    }


def _lead(errors: dict[str, str], typed: Any) -> str:
    row = _row()
    if not is_facilitator():
        who = actions.names([row.facilitator]).get(row.facilitator, row.facilitator)
        return render_template("drills/take_over.html", **_course(row), who=who)
    return render_template(
        "drills/lead.html", **_for_facilitator(row), errors=errors, typed=typed, kinds=KINDS, remarks=REMARKS
    )


def _for_facilitator(row: Drill) -> dict[str, Any]:
    found = rows.injects(g.incident.id)
    names = actions.names([one.answered_by for one in found])
    judged = after_action.judged(g.incident, row, now())
    return {
        **_course(row),
        "found": [_inject(one, row, names) for one in found],
        "judged": [_verdict(one) for one in judged],
        "arrivals": Arrival,
    }


def _verdict(one: Any) -> dict[str, Any]:
    word, tone = VERDICTS[one.verdict]
    return {
        "expected": one.expected,
        "word": word,
        "tone": tone,
        "due": _said_span(timedelta(minutes=one.due or 0)),
        "done": _said_span(timedelta(minutes=one.done)) if one.done is not None else "",
        "late": _said_span(timedelta(minutes=one.late_by)) if one.late_by is not None else "",
        "line": one.line,
    }


def told() -> AfterAction:
    """The report of this drill. Raises Refused for players while it runs, Missing."""
    row = _row()
    if row.ended_at is None and not is_facilitator():
        raise Refused(NOT_YET)
    return after_action.told(g.incident, row, now=now())


def _names(of: AfterAction) -> dict[str, str]:
    return actions.names([of.facilitator, *(one.who for one in of.done), *(one.who for one in of.remarks)])


def _report(errors: dict[str, str], typed: Any) -> str:
    about, row = told(), _row()
    return render_template(
        "drills/report.html",
        **_course(row),
        of=about,
        judged=[_verdict(one) for one in about.judged],
        thrown=[(one, KINDS[Kind(one.kind)][0], _span(one.arrived), _span(one.answered)) for one in about.thrown],
        done=[(one, _span(one.minute)) for one in about.done],
        said=[(kind, word, [one for one in about.remarks if one.kind == kind]) for kind, word in REMARKS.items()],
        names=_names(about),
        verdicts=VERDICTS,
        errors=errors,
        typed=typed,
    )


def _span(minutes: int | None) -> str:
    return _said_span(timedelta(minutes=minutes)) if minutes is not None else ""


def _fragment(template: str, **told: Any) -> Response:
    page = Response(render_template(template, **told))
    page.headers["X-Fragment"] = "1"
    return page


def _said_span(gap: timedelta) -> str:
    """A length of time of the drill, in the reader's language."""
    return span_words(gap, speaker(tag()))
