"""What is done with one report from outside: each form of its page, and its files."""

from flask import Response, current_app, flash, redirect, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from incident.actions import particulars, vulnerabilities
from incident.actions import tip_triage as actions
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.tips import Unfit
from incident.store import incidents
from incident.store import vulnerabilities as vulnerability_rows
from incident.store.incidents import Incident
from incident.web import tips
from incident.web.access import actor, now, permit
from incident.web.incidents import visible
from incident.web.languages import _
from incident.web.tips import bp as bp


@bp.post("/<tip>/take")
@permit("tip.triage")
def take(tip: str) -> ResponseReturnValue:
    """Take it in hand, or up again."""
    tips.known(tip)
    actions.take(tip, actor=actor(), now=now())
    return _back(tip, _("It is in your hands."))


@bp.post("/<tip>/kind")
@permit("tip.triage")
def sort(tip: str) -> ResponseReturnValue:
    """Say what it is about."""
    tips.known(tip)
    actions.sort(tip, request.form.get("kind", ""), actor=actor(), now=now())
    return _back(tip, _("Kept."))


@bp.post("/<tip>/answer")
@permit("tip.triage")
def answer(tip: str) -> ResponseReturnValue:
    """Write to whoever reported."""
    tips.known(tip)
    settle = request.form.get("settle") == "yes"
    try:
        actions.answer(tip, request.form.get("text", ""), settle=settle, actor=actor(), now=now())
    except Unfit as error:
        return tips.page(tip, {error.field: error.sentence}), 422
    return _back(tip, _("Answered and settled.") if settle else _("Answered."))


@bp.post("/<tip>/incident")
@permit("tip.triage")
def become(tip: str) -> ResponseReturnValue:
    """Open an incident or a near miss from it."""
    tips.known(tip)
    try:
        ref = actions.become(
            tip, request.form.get("title", ""), request.form.getlist("facts"),
            near_miss=request.form.get("near_miss") == "yes",
            house=particulars.own_facts(current_app.extensions["settings"]), actor=actor(), now=now(),
        )  # fmt: skip
    except Refused as error:
        return tips.page(tip, {"title": error.sentence}), 422
    flash(f"{ref} is open.", "met")
    return redirect(url_for("incidents.show", incident=ref))


@bp.post("/<tip>/join")
@permit("tip.triage")
def join(tip: str) -> ResponseReturnValue:
    """Put it to an incident that is open."""
    tips.known(tip)
    ref = request.form.get("incident", "")
    demand_known_case(ref)
    actions.join(tip, ref, request.form.getlist("facts"), actor=actor(), now=now())
    return _back(tip, _("It belongs to %(ref)s now.", ref=ref))


def demand_known_case(ref: str) -> None:
    """Raises Missing for an incident that this reader may not know of."""
    if not incidents.page(visible().where(Incident.ref == ref), before=None, limit=1):
        raise Missing("There is no such incident, or it is not yours to see.")


@bp.post("/<tip>/take-out")
@permit("tip.triage")
def take_out(tip: str) -> ResponseReturnValue:
    """Take it out of its incident again."""
    tips.known(tip)
    actions.take_out(tip, actor=actor(), now=now())
    return _back(tip, _("Taken out. Facts that were recorded from it stay; correct those that are wrong."))


@bp.post("/<tip>/link")
@permit("tip.triage")
def link(tip: str) -> ResponseReturnValue:
    """Say that it repeats another one."""
    tips.known(tip)
    original = request.form.get("original", "").strip().upper()
    tips.known(original)
    actions.link(tip, original, actor=actor(), now=now())
    return _back(tip, _("Linked to %(original)s.", original=original))


@bp.post("/<tip>/unlink")
@permit("tip.triage")
def unlink(tip: str) -> ResponseReturnValue:
    """Take that back."""
    tips.known(tip)
    actions.unlink(tip, actor=actor(), now=now())
    return _back(tip, _("The link is gone."))


@bp.post("/<tip>/set-aside")
@permit("tip.triage")
def set_aside(tip: str) -> ResponseReturnValue:
    """End it without anything coming of it."""
    tips.known(tip)
    actions.set_aside(tip, request.form.get("why", ""), actor=actor(), now=now())
    return _back(tip, _("Set aside."))


@bp.post("/<tip>/vulnerability")
@permit("tip.triage")
def register(tip: str) -> ResponseReturnValue:
    """Put it on the register of vulnerabilities, or to one that is on it."""
    tips.known(tip)
    existing = request.form.get("existing", "").strip().upper()
    if existing and vulnerability_rows.by_ref(existing) is None:
        return tips.page(tip, {"existing": _("There is no such vulnerability on the register.")}), 422
    try:
        title = request.form.get("vulnerability", "")
        ref = vulnerabilities.register(tip, title=title, existing=existing, actor=actor(), now=now())
    except Invalid as error:
        return tips.page(tip, {"vulnerability": error.sentence}), 422
    flash(_("It is on the register. Whoever reported it is answered here, and hears how it ends."), "met")
    return redirect(url_for("vulnerabilities.show", ref=ref))


@bp.get("/<tip>/files/<file>")
@permit("tip.triage")
def file(tip: str, file: str) -> Response:
    """A file as a download, never as a page; the look leaves a line."""
    tips.known(tip)
    return handed_out(tip, file)


def handed_out(tip: str, file: str) -> Response:
    """The bytes of a file, under a name of ours: what a stranger called it is not trusted."""
    folder = current_app.extensions["settings"].instance / "files"
    _, _, parts = actions.take_copy(tip, file, folder=folder, actor=actor(), now=now())
    answer = Response(stream_with_context(parts), mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}.bin"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<tip>/files/<file>/evidence")
@permit("tip.triage")
def as_evidence(tip: str, file: str) -> ResponseReturnValue:
    """Copy a file to the evidence of its incident."""
    tips.known(tip)
    folder = current_app.extensions["settings"].instance / "files"
    piece = actions.as_evidence(tip, file, folder=folder, actor=actor(), now=now())
    return _back(tip, _("Kept as evidence %(piece)s.", piece=piece))


def _back(tip: str, said: str) -> Response:
    flash(said, "met")
    return redirect(url_for(".show", tip=tip))  # type: ignore[return-value]
