"""The pages of plans: what to do, by when, who does it, and what shows that it was done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import plans as actions
from incident.domain import plans as rules
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import vocabulary
from incident.domain.plans import PHASE_WORDS, Phase
from incident.exports import csv
from incident.store import asks, incidents, users
from incident.store import plans as rows
from incident.store.plans import Step
from incident.store.users import User
from incident.web import pages
from incident.web.access import actor, may, me, now, permit
from incident.web.dues import DueWords, due_words
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.lessons import of_step

bp = Blueprint("plans", __name__, url_prefix="/incidents/<incident>/plans")

LEADS = frozenset({Role.LEAD, Role.PRIVACY})
"""Who may leave out a mandatory step."""


@dataclass(frozen=True)
class Shown:
    """One step in ready words."""

    row: Step
    due: DueWords
    word: str
    tone: str
    owner: str
    wants: tuple[str, ...]
    undone: bool


@bp.get("/")
@permit("plan.view")
@pages.named(Word("Plan and steps"))
def index(incident: str) -> str:
    """What to do, phase by phase, and the playbooks that fit."""
    only = request.args.get("only", "")
    every = [shown(step, people()) for step in rows.steps(g.incident.id)]
    chosen = sorted((step for step in every if _picked(step, only)), key=_soonest)
    active = rows.of(g.incident.id)
    suggested = rules.suggested(incidents.known(g.incident.id), [plan.playbook for plan in active])
    return render_template(
        "plans/list.html",
        phases=[(phase, PHASE_WORDS[phase], [s for s in chosen if s.row.phase == phase]) for phase in Phase],
        active=active,
        suggested=suggested,
        others=_others(active, suggested),
        reworded={plan.ref for plan in active if _reworded(plan)},
        named=named,
        only=only,
        progress=rows.progress(g.incident.id),
        pressing=_pressing(every),
        blocking=sum(1 for step in every if step.row.mandatory and step.undone and step.row.need != "no"),
        unneeded=sum(1 for step in every if step.row.need == "no" and step.undone),
        total=len(every),
    )


def _picked(step: Shown, only: str) -> bool:
    if only == "mine":
        return step.undone and step.row.owner_id == me().id
    if only == "unneeded":
        return step.undone and step.row.need == "no"
    if only == "all":
        return True
    if only == "done":
        return not step.undone
    return step.undone and step.row.need != "no"


def _soonest(step: Shown) -> tuple[bool, bool, float]:
    """What is undone first, the soonest due before all; what has no time last. The playbook's order settles the rest."""
    at = step.row.due_at
    return not step.undone, at is None, at.timestamp() if at else 0.0


def _pressing(every: Sequence[Shown]) -> tuple[int, int]:
    """How many needed steps are late, and how many are due within a day."""
    tones = [step.due.tone for step in every if step.undone and step.row.need == "yes"]
    return tones.count("late"), tones.count("soon")


def _reworded(plan: rows.Plan) -> bool:
    """Whether the playbook reads otherwise today than when it was activated."""
    book = rules.playbooks().get(plan.playbook)
    return book is not None and book.digest != plan.digest


def _others(active: Sequence[Any], suggested: Sequence[rules.Suggestion]) -> list[rules.Playbook]:
    named = {plan.playbook for plan in active} | {suggestion.playbook.id for suggestion in suggested}
    return [book for book in rules.playbooks().values() if book.id not in named]


def people() -> dict[int, User]:
    """Everybody who works here, by id; read once a request."""
    if "people_by_id" not in g:
        g.people_by_id = {user.id: user for user in users.every()}
    return dict(g.people_by_id)


def named(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Facts with their labels, for “open for want of”; what the vocabulary has dropped is left out."""
    known = vocabulary()
    return [(key, known[key].label) for key in keys if key in known]


def shown(step: Step, team: dict[int, User]) -> Shown:
    """The step in ready words."""
    undone = step.state in rows.UNDONE
    word, tone = _standing(step, undone)
    due = due_words(step.due_at, now(), none=_("no fixed time") if not step.due_from else _("clock not started"))
    if not undone:
        due = DueWords(word, "met", step.finished_at)
    owner = team[step.owner_id].name if step.owner_id in team else ""
    return Shown(step, due, word, tone, owner, tuple(step.need_open), undone)


def _standing(step: Step, undone: bool) -> tuple[str, str]:
    if not undone:
        return {"done": (_("done"), "met"), "skipped": (_("left out"), "idle")}[step.state]
    if step.need == "no":
        return _("not needed"), "idle"
    if step.need == "open":
        return "open", "open"
    return {"open": (_("to do"), "idle"), "taken": (_("taken"), "owed")}[step.state]


@bp.post("/")
@permit("plan.activate")
def activate(incident: str) -> ResponseReturnValue:
    """Activate a playbook."""
    actions.activate(incident, request.form.get("playbook", ""), actor=actor(), now=now())
    flash("The plan is active, in the wording of today. Give each step to somebody.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.get("/steps.csv")
@permit("plan.view")
def table(incident: str) -> Response:
    """Every step with how it stands, as CSV."""
    header = (
        "reference",
        "plan",
        "phase",
        "step",
        "role",
        "owner",
        "mandatory",
        "needed",
        "state",
        "due (UTC)",
        "due rule",
        "finished (UTC)",
    )
    plans, team = {plan.id: plan for plan in rows.of(g.incident.id)}, people()

    def lines() -> Iterator[tuple[Any, ...]]:
        for row in rows.steps(g.incident.id):
            yield (
                row.ref,
                plans[row.plan_id].playbook,
                row.phase,
                row.title,
                row.role,
                team[row.owner_id].ref if row.owner_id in team else "",
                "yes" if row.mandatory else "no",
                row.need,
                row.state,
                row.due_at.isoformat() if row.due_at else "",
                row.due_words,
                row.finished_at.isoformat() if row.finished_at else "",
            )

    return csv_answer(csv.rows(header, lines()), f"{incident}-steps.csv")


@bp.get("/steps/<step>")
@permit("plan.view")
def show(incident: str, step: str) -> str:
    """One step: what to do, by when, who has it, what was said."""
    return _page(_step(step), {}, {})


def _step(ref: str) -> Step:
    found = rows.step(g.incident.id, ref)
    if found is None:
        raise Missing()
    return found


def _asked(row: Step) -> list[tuple[Any, Any]]:
    """What systems were asked for this step, each with how it stands."""
    found = asks.of_step(row.incident_id, row.ref) if may("ask.view") else ()
    stands = asks.standings(found)
    return [(one, stands[one.id]) for one in found]


def _page(row: Step, typed: dict[str, Any], errors: dict[str, str]) -> str:
    events = rows.events([row.id]).get(row.id, [])
    plan = next(plan for plan in rows.of(g.incident.id) if plan.id == row.plan_id)
    book, lesson = of_step(plan.playbook, row.key)
    return render_template(
        "plans/show.html",
        step=shown(row, people()),
        phase=PHASE_WORDS[Phase(row.phase)],
        plan=plan,
        book=book,
        lesson=lesson,
        events=events,
        asked=_asked(row),
        names=users.by_refs(
            {event.done_by for event in events} | {event.handed_to for event in events if event.handed_to}
        ),
        team=actions.able(g.incident.id),
        pieces=incidents.evidence(g.incident.id),
        may_leave_out=not row.mandatory or bool(LEADS & set(me().roles)),
        named=named,
        typed=typed,
        errors=errors,
    )


@bp.post("/steps/<step>/take")
@permit("step.change")
def take(incident: str, step: str) -> ResponseReturnValue:
    """Take the step on oneself."""
    actions.take(incident, step, actor=actor(), now=now())
    flash("This step is yours.", "met")
    return _back(step)


@bp.post("/steps/<step>/finish")
@permit("step.change")
def finish(incident: str, step: str) -> ResponseReturnValue:
    """Say that it is done, and what shows it."""
    note, evidence = request.form.get("note", ""), request.form.getlist("evidence")
    try:
        actions.finish(incident, step, note=note, evidence=evidence, actor=actor(), now=now())
    except Invalid as error:
        return _page(_step(step), {"note": note, "evidence": evidence}, {error.field: error.sentence}), 422
    flash("Finished.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/steps/<step>/skip")
@permit("step.change")
def skip(incident: str, step: str) -> ResponseReturnValue:
    """Leave it out, with a reason."""
    reason = request.form.get("reason", "")
    try:
        actions.skip(incident, step, reason=reason, by_lead=bool(LEADS & set(me().roles)), actor=actor(), now=now())
    except Invalid as error:
        return _page(_step(step), {"reason": reason}, {error.field: error.sentence}), 422
    flash("Left out. The reason stays with the step.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/steps/<step>/reopen")
@permit("step.change")
def reopen(incident: str, step: str) -> ResponseReturnValue:
    """Take it up again, with a reason."""
    reason = request.form.get("reason", "")
    try:
        actions.reopen(incident, step, reason=reason, actor=actor(), now=now())
    except Invalid as error:
        return _page(_step(step), {"reason": reason}, {error.field: error.sentence}), 422
    flash("Open again.", "met")
    return _back(step)


@bp.post("/steps/<step>/owner")
@permit("step.change")
def hand_over(incident: str, step: str) -> ResponseReturnValue:
    """Give it to somebody."""
    try:
        form = request.form
        actions.hand_over(incident, step, to=form.get("to", ""), seen=form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _page(_step(step), {}, {error.field: error.sentence}), 422
    flash("Handed over.", "met")
    return _back(step)


def _back(step: str) -> ResponseReturnValue:
    """To the list if the reader came from it, or to the step."""
    if request.form.get("back") == "list":
        return redirect(url_for(".index", incident=g.incident.ref) + f"#{step}")
    return redirect(url_for(".show", incident=g.incident.ref, step=step))
