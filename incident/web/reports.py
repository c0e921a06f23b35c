"""The pages of reports to authorities: list, prepare, file, look at what was filed."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import cases, dossier, particulars
from incident.actions import reports as actions
from incident.actions.cases import Case
from incident.domain import filings, forms
from incident.domain.dossier import Company
from incident.domain.errors import Missing, Refused
from incident.domain.filings import CHANNEL_LABELS
from incident.domain.reports import State, Typed
from incident.exports import csv
from incident.exports.files import KINDS, File
from incident.store import incidents, users
from incident.store import reports as rows
from incident.store.reports import Report
from incident.web import answers, reporting
from incident.web.access import actor, may, now, permit, zone
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.marked import hidden
from incident.web.pages import named

bp = Blueprint("reports", __name__, url_prefix="/incidents/<incident>/reports")

PAGE = 50


@bp.get("/")
@permit("report.view")
@named(Word("Reports to authorities"))
def index(incident: str) -> str:
    """The reports of an incident, newest first, and what may be begun."""
    return _list_page({}, {})


@bp.get("/reports.csv")
@permit("report.view")
def table(incident: str) -> Response:
    """The same list as CSV."""
    header = (
        "report",
        "form",
        "stage",
        "authority",
        "state",
        "due (UTC)",
        "filed (UTC)",
        "late",
        "missing",
        "sha256 of the answers",
    )
    return csv_answer(csv.rows(header, _lines(g.incident.id)), f"{incident}-reports.csv")


@bp.post("/")
@permit("report.prepare")
def start(incident: str) -> ResponseReturnValue:
    """Begin a report."""
    form = request.form
    try:
        ref = actions.start(
            incident,
            form=form.get("form", ""),
            stage=form.get("stage", ""),
            authority=form.get("authority", ""),
            language=form.get("language", ""),
            duty=form.get("duty", ""),
            zone=house_zone(),
            actor=actor(),
            now=now(),
        )
    except Refused as refusal:
        return _list_page(form, {getattr(refusal, "field", "form"): refusal.sentence}), 422
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.get("/<ref>")
@permit("report.view")
def show(incident: str, ref: str) -> str:
    """One report: the page to write it while it is a draft, else what was filed."""
    report = _report(ref)
    if report.state == State.DRAFT and may("report.prepare"):
        return _prepare_page(report)
    if report.state == State.FILED:
        return _filed_page(report, {}, {})
    return render_template("reports/show.html", page=reporting.read_only(_case(report), now()), errors={}, typed={})


@bp.post("/<ref>")
@permit("report.prepare")
def save(incident: str, ref: str) -> ResponseReturnValue:
    """Keep what was written; then stay, or go on to filing."""
    report, typed = _report(ref), _typed()
    try:
        actions.save(incident, ref, version=_version(), typed=typed, company=company(), actor=actor(), now=now())
    except Refused as refusal:
        status = 422 if hasattr(refusal, "field") else 409
        return _prepare_page(_report(ref), typed, refusal), status
    if request.form.get("then") == "file" and may("report.file"):
        return redirect(url_for(".file_form", incident=incident, ref=report.ref))
    flash("Saved.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/discard")
@permit("report.prepare")
def discard(incident: str, ref: str) -> ResponseReturnValue:
    """Put a draft away."""
    actions.discard(incident, ref, version=_version(), actor=actor(), now=now())
    flash("The draft is put away. Nothing was filed.", "info")
    return redirect(url_for(".index", incident=incident))


@bp.get("/<ref>/file")
@permit("report.file")
def file_form(incident: str, ref: str) -> str:
    """Where a person notes that the report went out: when, how, and what the authority answered."""
    return _file_page(_report(ref), {}, {})


@bp.post("/<ref>/file")
@permit("report.file")
def file(incident: str, ref: str) -> ResponseReturnValue:
    """Note that the report went out; it stays as it is from now on."""
    form = request.form
    try:
        actions.file(
            incident,
            ref,
            version=_version(),
            filed_at=answers.moment(form.get("filed_at", ""), answers.zone_of(form, zone()), "filed_at"),
            channel=form.get("channel", ""),
            reference=form.get("reference", ""),
            evidence=form.get("evidence", ""),
            missing_accepted=form.get("missing_accepted") == "yes",
            company=company(),
            actor=actor(),
            now=now(),
        )
    except Refused as refusal:
        field = getattr(refusal, "field", "")
        return _file_page(_report(ref), form, {field or "missing_accepted": refusal.sentence}), 422 if field else 409
    flash("Filed. The answers and files stay as they are; what becomes known goes into the next stage.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/receipts")
@permit("report.file")
def add_receipt(incident: str, ref: str) -> ResponseReturnValue:
    """Add what the authority answered."""
    form = request.form
    try:
        actions.add_receipt(
            incident,
            ref,
            reference=form.get("reference", ""),
            evidence=form.get("evidence", ""),
            actor=actor(),
            now=now(),
        )
    except Refused as refusal:
        field = getattr(refusal, "field", "")
        return _filed_page(_report(ref), form, {field or "reference": refusal.sentence}), 422 if field else 409
    flash("Added.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.post("/<ref>/files/<kind>")
@permit("report.export")
def export(incident: str, ref: str, kind: str) -> Response:
    """A file of the draft as it stands; its digest goes into the record."""
    return download(actions.export(incident, ref, kind, company=company(), actor=actor(), now=now()))


@bp.get("/<ref>/files/<kind>")
@permit("report.view")
def kept_file(incident: str, ref: str, kind: str) -> Response:
    """A file of a filed report, as it was made on filing."""
    report = _report(ref)
    if report.state != State.FILED:
        raise Missing()
    return download(actions.kept(report, kind))


def download(made: File) -> Response:
    """A file to keep: never shown as a page, its digest beside it."""
    digest = b64encode(bytes.fromhex(made.sha256)).decode()
    headers = {
        "Content-Disposition": f'attachment; filename="{made.name}"',
        "Repr-Digest": f"sha-256=:{digest}:",  # RFC 9530
    }
    return Response(made.content, content_type=made.mime, headers=headers)


def company() -> Company:
    """What the settings say of the organisation."""
    return dossier.company(current_app.extensions["settings"])


def house_zone() -> ZoneInfo:
    """The organisation's time zone, for forms that prescribe none."""
    return ZoneInfo(particulars.known(current_app.extensions["settings"]).time_zone)


# ---------------------------------------------------------------- pages


def _list_page(typed: Any, errors: dict[str, str]) -> str:
    found = list(rows.page(g.incident.id, before=request.args.get("before", type=int), limit=PAGE + 1))
    more = url_for(".index", incident=g.incident.ref, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return render_template(
        "reports/list.html",
        found=reporting.entries(g.incident.id, [one for one in found[:PAGE] if one.ref not in hidden("report")], now()),
        more=more,
        owed=reporting.owed(g.incident.id, now()) if may("report.prepare") else (),
        forms=forms.library().values(),
        typed=typed,
        errors=errors,
    )


def _prepare_page(report: Report, typed: dict[str, Typed] | None = None, refusal: Refused | None = None) -> str:
    if report.state != State.DRAFT:
        return render_template(
            "reports/show.html",
            page=reporting.read_only(_case(report), now()),
            errors={"": refusal.sentence if refusal else ""},
            typed={},
        )
    return render_template(
        "reports/prepare.html", page=reporting.draft(_case(report), now(), typed or {}, refusal), kinds=KINDS
    )


def _filed_page(report: Report, typed: Any, errors: dict[str, str]) -> str:
    return render_template(
        "reports/show.html",
        page=reporting.read_only(_case(report), now()),
        pieces=incidents.evidence(g.incident.id),
        typed=typed,
        errors=errors,
    )


def _file_page(report: Report, typed: Any, errors: dict[str, str]) -> str:
    filings.editable(State(report.state))
    return render_template(
        "reports/file.html",
        page=reporting.draft(_case(report), now(), {}, None),
        pieces=incidents.evidence(g.incident.id),
        channels=CHANNEL_LABELS,
        at_now=now().astimezone(zone()).strftime(answers.LOCAL),
        zones=answers.zones(),
        zone=zone(),
        typed=typed,
        errors=errors,
    )


def _case(report: Report) -> Case:
    return cases.case(g.incident, report, company(), now())


def _report(ref: str) -> Report:
    found = rows.by_ref(g.incident.id, ref)
    if found is None:
        raise Missing()
    return found


def _version() -> int:
    return request.form.get("version", type=int, default=0)


def _typed() -> dict[str, Typed]:
    """What was written for each question that the page showed."""
    form = request.form
    shown = {name.removeprefix("text:") for name in form if name.startswith("text:")}
    return {
        key: Typed(
            form.get(f"text:{key}", ""),
            form.get(f"unknown:{key}") == "yes",
            form.get(f"reason:{key}", ""),
            form.get(f"right:{key}") == "yes",
        )
        for key in shown
    }


def _lines(incident_id: int) -> Iterator[Sequence[csv.Cell]]:
    before: int | None = None
    while found := rows.page(incident_id, before=before, limit=500):
        for one in found:
            yield (
                one.ref,
                one.form,
                one.stage,
                one.authority,
                one.state,
                one.due_at,
                one.filed_at,
                one.late,
                one.missing,
                one.digest,
            )
        before = found[-1].id


def names(refs: set[str]) -> dict[str, str]:
    """The names of people who work here, by reference."""
    return {ref: user.name for ref, user in users.by_refs(refs).items()}
