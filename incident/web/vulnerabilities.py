"""The register of vulnerabilities: list, one with its scores and incidents, and the incident that an exploited one is."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import particulars
from incident.actions import vulnerabilities as actions
from incident.domain import vulnerabilities as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.tips import LABELS
from incident.domain.vulnerabilities import Exploited, State
from incident.exports import csv
from incident.store import tips
from incident.store import vulnerabilities as rows
from incident.store.incidents import Incident
from incident.store.tips import Tip
from incident.store.vulnerabilities import Vulnerability
from incident.web.access import actor, may, now, permit, zone
from incident.web.answers import LOCAL, instant
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("vulnerabilities", __name__, url_prefix="/vulnerabilities")

PAGE: Final = 50
TIMES: Final = ("reported_at", "exploited_known_at", "fix_available_at", "disclosed_at")
STATES: Final = {
    State.REPORTED: Word("reported"),
    State.CONFIRMED: Word("confirmed"),
    State.FIXED: Word("fixed"),
    State.DISCLOSED: Word("disclosed"),
    State.REJECTED: Word("rejected"),
}
EXPLOITED: Final = {
    Exploited.UNKNOWN: Word("not known"),
    Exploited.NO: Word("no sign of it"),
    Exploited.YES: Word("yes, actively"),
}


@bp.get("/")
@permit("vulnerability.view")
@named(Word("Vulnerabilities"))
def index() -> str:
    """All of them, newest first."""
    chosen: dict[str, Any] = _chosen()
    found = list(rows.page(**chosen, before=request.args.get("before", type=int), limit=PAGE + 1))
    more = url_for(".index", **chosen, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return render_template(
        "vulnerabilities/list.html",
        found=found[:PAGE],
        more=more,
        chosen=chosen,
        states=STATES,
        words=EXPLOITED,
        tones=rules.TONES,
    )


@bp.get("/vulnerabilities.csv")
@permit("vulnerability.view")
def table() -> Response:
    """The same as CSV."""
    header = (
        "reference", "title", "product", "cve", "state", "exploited", "level", "cvss 3", "cvss 4", "reported (UTC)",
        "exploitation known (UTC)", "fix available (UTC)", "disclosed (UTC)",
    )  # fmt: skip
    return csv_answer(csv.rows(header, _lines(_chosen())), "vulnerabilities.csv")


@bp.get("/new")
@permit("vulnerability.change")
@named(Word("Put a vulnerability on the register"))
def new() -> str:
    """Put one on the register."""
    return _form(None, {}, {})


@bp.post("/")
@permit("vulnerability.change")
def record() -> ResponseReturnValue:
    """Keep a new one."""
    try:
        ref = actions.record(_given(), actor=actor(), now=now())
    except Invalid as error:
        return _form(None, request.form, {error.field: error.sentence}), 422
    flash(_("It is on the register."), "met")
    return redirect(url_for(".show", ref=ref))


@bp.get("/<ref>")
@permit("vulnerability.view")
def show(ref: str) -> str:
    """One, with its incidents."""
    return _page(_one(ref), {}, {})


@bp.post("/<ref>")
@permit("vulnerability.change")
def change(ref: str) -> ResponseReturnValue:
    """Describe it anew."""
    try:
        actions.change(ref, _given(), seen=request.form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _page(_one(ref), request.form, {error.field: error.sentence}), 422
    flash(_("Kept."), "met")
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/incidents")
@permit("vulnerability.change")
def link(ref: str) -> ResponseReturnValue:
    """Say which incident has to do with it."""
    wanted = request.form.get("incident", "").strip().upper()
    if not _knows(wanted):
        return _page(_one(ref), {}, {"incident": _("There is no such incident that you may know of.")}), 422
    actions.link(ref, wanted, actor=actor(), now=now())
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/incidents/<known>/unlink")
@permit("vulnerability.change")
def unlink(ref: str, known: str) -> ResponseReturnValue:
    """Take that back."""
    if not _knows(known):
        raise Missing()
    actions.unlink(ref, known, actor=actor(), now=now())
    return redirect(url_for(".show", ref=ref))


@bp.post("/<ref>/open")
@permit("incident.log")
def open_incident(ref: str) -> ResponseReturnValue:
    """Open the incident that an exploited one is."""
    made = actions.open_incident(
        ref, house=particulars.own_facts(current_app.extensions["settings"]), actor=actor(), now=now()
    )
    flash(_("Opened. Its duties follow from what is known: look at them first."), "met")
    return redirect(url_for("obligations.index", incident=made))


def _one(ref: str) -> Vulnerability:
    row = rows.by_ref(ref)
    if row is None:
        raise Missing()
    return row


def _knows(ref: str) -> bool:
    """Whether this reader may know of the incident."""
    return any(one.ref == ref for one in rows.named(ref, visible()))


def _chosen() -> dict[str, str]:
    words = {"state": set[str](State), "exploited": set[str](Exploited)}
    return {name: word for name, known in words.items() if (word := request.args.get(name, "")) in known}


def _given() -> dict[str, Any]:
    """What a form says, its times in the reader's zone. Raises Invalid."""
    form = request.form
    return {**form.to_dict(), **{name: instant(form.get(name, ""), zone(), name) for name in TIMES}}


def typed(row: Vulnerability) -> dict[str, Any]:
    """The form as it stands for one."""
    held = {
        name: getattr(row, name) for name in ("title", "product", "cve", "state", "exploited", "vector3", "vector4")
    }
    times: dict[str, datetime | None] = {name: getattr(row, name) for name in TIMES}
    local = {name: at.astimezone(zone()).strftime(LOCAL) if at else "" for name, at in times.items()}
    return {**held, **local, "details": rows.details(row)}


def _page(row: Vulnerability, form: Any, errors: dict[str, str]) -> str:
    return render_template(
        "vulnerabilities/show.html",
        row=row,
        typed=form or typed(row),
        errors=errors,
        states=STATES,
        words=EXPLOITED,
        tones=rules.TONES,
        incidents=rows.incidents(row, visible()),
        reports=reported(row),
        labels=LABELS,
        seen=row.changed_at.isoformat(),
    )


def reported(row: Vulnerability) -> Sequence[Tip]:
    """The reports from outside that tell of it, as far as this reader may know of them; who sent one stands there."""
    if not may("tip.view"):
        return ()
    query = tips.visible(visible().with_only_columns(Incident.id)).where(Tip.id.in_(rows.tip_ids(row)))
    return tips.page(query, before=None, limit=PAGE)


def _form(row: Vulnerability | None, form: Any, errors: dict[str, str]) -> str:
    return render_template(
        "vulnerabilities/new.html", row=row, typed=form, errors=errors, states=STATES, words=EXPLOITED
    )


def _lines(chosen: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    before: int | None = None
    while found := rows.page(**chosen, before=before, limit=500):
        yield from (
            (
                o.ref, o.title, o.product, o.cve, o.state, o.exploited, o.level, o.score3, o.score4, o.reported_at,
                o.exploited_known_at, o.fix_available_at, o.disclosed_at,
            )
            for o in found
        )  # fmt: skip
        before = found[-1].id
