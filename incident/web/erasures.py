"""What of an incident is kept and what was erased: the legal hold, erasures with their certificates, the second person's yes."""

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import erasing, keeping, particulars
from incident.domain.erasures import WHY
from incident.domain.errors import Invalid, Missing
from incident.exports import csv, erasure, pdf
from incident.store import erasures as rows
from incident.store import users
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("erasures", __name__, url_prefix="/incidents/<incident>/erasures")

PAGE: Final = 50
STATES: Final = {
    "asked": (Word("waits for a second person"), "soon"),
    "done": (Word("erased"), "met"),
    "refused": (Word("refused"), "idle"),
}


@bp.get("/")
@permit("erasure.view")
@named(Word("Keep and erase"))
def index(incident: str) -> str:
    """The hold, what was erased, and what may be."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    found = rows.page(g.incident.id, before=request.args.get("before", type=int), limit=PAGE + 1)
    holds = rows.holds(g.incident.id)
    people = {row.asked_by for row in found} | {row.decided_by for row in found}
    people |= {row.placed_by for row in holds} | {row.lifted_by for row in holds}
    more = url_for(".index", incident=g.incident.ref, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return render_template(
        "erasures/list.html",
        found=found[:PAGE],
        more=more,
        hold=rows.hold(g.incident.id),
        holds=holds,
        names={ref: user.name for ref, user in users.by_refs(filter(None, people)).items()},
        why=WHY,
        states=STATES,
        erased=erasing.is_gone(g.incident.id),
        going=keeping.going(keeping.only(g.incident.id)),
        by_two=by_two(),
        typed=typed,
        errors=errors,
        me=actor(),
    )


def by_two() -> bool:
    """Whether a second person has to agree here."""
    wanted: bool = current_app.extensions["settings"].erasing_by_two
    return wanted


def folder() -> Path:
    """Where sealed files are kept."""
    instance: Path = current_app.extensions["settings"].instance
    return instance / "files"


@bp.get("/erasures.csv")
@permit("erasure.view")
def table(incident: str) -> Response:
    """The same list as CSV."""
    header = ("erasure", "about", "why", "state", "asked by", "asked (UTC)", "decided by", "decided (UTC)", "sha256")
    return csv_answer(csv.rows(header, _lines(g.incident.id, incident)), f"{incident}-erasures.csv")


def _lines(incident_id: int, incident: str) -> Any:
    before: int | None = None
    while found := rows.page(incident_id, before=before, limit=500):
        for row in found:
            yield (
                row.ref, row.person or incident, row.why, row.state, row.asked_by, row.asked_at, row.decided_by or "",
                row.decided_at or "", row.sha256 or "",
            )  # fmt: skip
        before = found[-1].id


@bp.post("/")
@permit("people.erase")
def ask(incident: str) -> ResponseReturnValue:
    """Erase all personal data of the incident, or ask a second person to agree."""
    form = request.form
    try:
        answer = erasing.ask(
            incident,
            confirm=form.get("confirm", ""),
            why=form.get("why", ""),
            by_two=by_two(),
            folder=folder(),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _page(form.to_dict(), {error.field: error.sentence}), 422
    flash(_said(answer), "met")
    return redirect(url_for(".index", incident=incident))


def _said(answer: erasing.Answer) -> str:
    if not answer.done:
        return _("Asked for. A second person has to agree before anything is erased.")
    return _("Erased for good. The certificate %(ref)s says what went and what stays.", ref=answer.ref)


@bp.post("/<ref>/agree")
@permit("erasure.agree")
def agree(incident: str, ref: str) -> ResponseReturnValue:
    """The second person's yes."""
    try:
        answer = erasing.agree(
            incident, ref, confirm=request.form.get("confirm", ""), folder=folder(), actor=actor(), now=now()
        )
    except Invalid as error:
        return _page(request.form.to_dict(), {f"{ref}:{error.field}": error.sentence}), 422
    flash(_said(answer), "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/<ref>/decline")
@permit("erasure.agree")
def decline(incident: str, ref: str) -> ResponseReturnValue:
    """Say no; nothing is erased."""
    erasing.decline(incident, ref, actor=actor(), now=now())
    flash("Refused. Nothing was erased.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.get("/<ref>/certificate.<kind>")
@permit("erasure.view")
def certificate(incident: str, ref: str, kind: str) -> Response:
    """The certificate as PDF or as the very JSON that was kept."""
    return certified(incident, ref, kind)


def certified(incident: str, ref: str, kind: str) -> Response:
    """The certificate as a file. Raises Missing."""
    kept = erasing.certificate(incident, ref).certificate or ""
    if kind not in {"json", "pdf"}:
        raise Missing
    company = particulars.known(current_app.extensions["settings"]).company_name
    content, mime = kept.encode(), erasure.JSON_MIME
    if kind == "pdf":
        content, mime = erasure.pdf_bytes(kept, company=company), pdf.MIME
    named = {"Content-Disposition": f'attachment; filename="{ref}.{kind}"'}
    return Response(content, mimetype=mime, headers=named)


@bp.post("/hold")
@permit("hold.place")
def hold(incident: str) -> ResponseReturnValue:
    """Place a legal hold."""
    try:
        keeping.place_hold(incident, request.form.get("reason", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(request.form.to_dict(), {error.field: error.sentence}), 422
    flash("The hold stands. Nothing of this incident is erased until it is lifted.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/lift")
@permit("hold.lift")
def lift(incident: str) -> ResponseReturnValue:
    """Lift the legal hold."""
    try:
        keeping.lift_hold(incident, request.form.get("lifted_why", ""), actor=actor(), now=now())
    except Invalid as error:
        return _page(request.form.to_dict(), {error.field: error.sentence}), 422
    flash("Lifted. What the rules of retention say goes within the hour.", "met")
    return redirect(url_for(".index", incident=incident))
