"""Reports to authorities, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import AwareDatetime, BaseModel, Field

from incident.actions import cases
from incident.actions import reports as actions
from incident.actions.cases import Owed
from incident.api.incidents import Place, Ref, Strict
from incident.api.scheme import DOCX, a_file
from incident.domain import filings, forms
from incident.domain.errors import Missing
from incident.domain.forms import Form
from incident.domain.reports import State, Typed
from incident.store import obligations
from incident.store import reports as rows
from incident.store.reports import Report
from incident.web.access import actor, now, permit
from incident.web.marked import hidden
from incident.web.reports import company, download, house_zone

bp = APIBlueprint("api_reports", __name__, url_prefix="/api/v1/incidents/<incident>/reports", tag="Reports")
library = APIBlueprint("api_forms", __name__, url_prefix="/api/v1/forms", tag="Reports")


class LabelOut(BaseModel):
    en: str
    zh: str


class StageOut(BaseModel):
    key: str
    label: LabelOut
    help: str
    may_be_unknown: bool
    repeats: bool


class QuestionOut(BaseModel):
    key: str
    section: str
    label: LabelOut
    help: str
    facts: list[str]
    required: list[str]
    cite: str


class FormOut(BaseModel):
    id: str
    name: LabelOut
    laws: list[str]
    authority: str
    languages: list[str]
    confidence: str
    cite: str
    href: str
    read_on: str
    digest: str
    stages: list[StageOut]
    questions: list[QuestionOut]


class FormList(BaseModel):
    forms: list[FormOut]


class ReportIn(Strict):
    form: str = Field(min_length=1, max_length=40)
    stage: str = Field("", max_length=20, description="Empty for the one that comes next.")
    authority: str = Field("", max_length=200, description="Empty for the form's own name of it.")
    language: Literal["", "en", "zh"] = ""
    duty: str = Field(
        "",
        max_length=100,
        description="The duty it meets, such as EU-GDPR/tell-authority; empty for the one that fits.",
    )
    time_zone: str = Field(
        "", max_length=60, description="Where the form prescribes none; empty for the organisation's."
    )


class TypedIn(Strict):
    text: str = Field("", max_length=20_000)
    unknown: bool = False
    reason: str = Field("", max_length=500)
    still_right: bool = Field(False, description="Confirms an answer by hand whose facts have changed.")


class AnswersIn(Strict):
    """Answers by hand. An empty text that is not marked unknown gives the question back to the facts."""

    version: int
    answers: dict[str, TypedIn] = Field(min_length=1, max_length=200)


class VersionIn(Strict):
    version: int


class FilingIn(Strict):
    version: int
    filed_at: AwareDatetime
    channel: Literal["web_form", "portal", "e_mail", "letter", "fax", "phone", "in_person", "other"]
    reference: str = Field("", max_length=120)
    evidence: str = Field("", max_length=20)
    missing_accepted: bool = Field(
        False, description="True: it went out without the required answers that are missing."
    )


class ReceiptIn(Strict):
    reference: str = Field("", max_length=120)
    evidence: str = Field("", max_length=20)


class ReceiptOut(BaseModel):
    reference: str
    evidence: str
    recorded_by: str
    recorded_at: datetime


class FileOut(BaseModel):
    kind: str
    sha256: str
    size: int


class ReportOut(BaseModel):
    id: int
    ref: str
    form: str
    stage: str
    authority: str
    language: str
    state: str
    version: int
    previous: str | None
    duty: str | None
    due_at: datetime | None
    late: bool
    missing: int
    filed_at: datetime | None
    channel: str | None
    digest: str | None


class AnswerOut(BaseModel):
    question: str
    label: str
    section: str
    cite: str
    required: bool
    answer: str
    standing: str
    origin: str
    reason: str
    facts: list[dict[str, Any]]
    was: str | None = None
    changed: bool = False


class WholeReport(ReportOut):
    answers: list[AnswerOut]
    missing_answers: list[str]
    outdated_answers: list[str]
    facts_changed: dict[str, list[str]] = Field(
        description="For a filed report: the facts beneath each answer that have changed since."
    )
    receipts: list[ReceiptOut]
    files: list[FileOut]


class ReportList(BaseModel):
    reports: list[ReportOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class OwedOut(BaseModel):
    duty: str
    title: str
    standing: str
    due_at: datetime | None
    rule: str
    form: str
    stage: str
    authority: str


class OwedList(BaseModel):
    owed: list[OwedOut]


class Version(BaseModel):
    version: int


@library.get("")
@permit("report.view")
@library.output(FormList)
def list_forms() -> dict[str, Any]:
    """The forms at hand, with their stages and questions."""
    return {"forms": [_form(form) for form in forms.library().values()]}


@bp.get("")
@permit("report.view")
@bp.input(Place, location="query", arg_name="place")
@bp.output(ReportList)
def index(incident: str, place: Place) -> dict[str, Any]:
    """The reports of an incident, newest first."""
    found = list(rows.page(g.incident.id, before=place.before, limit=place.limit))
    dues = obligations.dues(g.incident.id)
    return {
        "reports": [_plain(one, cases.due_of(one, dues)) for one in found if one.ref not in hidden("report")],
        "before": found[-1].id if len(found) == place.limit else None,
    }


@bp.post("")
@permit("report.prepare")
@bp.input(ReportIn, arg_name="given")
@bp.output(Ref, status_code=201)
def start(incident: str, given: ReportIn) -> dict[str, str]:
    """Begin a report from the last one filed to this authority, or from nothing."""
    words = given.model_dump(exclude={"time_zone"})
    return {"ref": actions.start(incident, **words, zone=_zone(given.time_zone), actor=actor(), now=now())}


@bp.get("/owed")
@permit("report.view")
@bp.output(OwedList)
def owed(incident: str) -> dict[str, Any]:
    """Duties to tell an authority for which no report was begun, soonest first, each with the form that fits."""
    return {"owed": [_owed(one) for one in cases.owed(g.incident.id)]}


@bp.get("/<ref>")
@permit("report.view")
@bp.output(WholeReport)
def show(incident: str, ref: str) -> dict[str, Any]:
    """One report with its answers: as they are now for a draft, as they were filed for a filed one."""
    return _whole(_report(ref))


@bp.patch("/<ref>")
@permit("report.prepare")
@bp.input(AnswersIn, arg_name="given")
@bp.output(Version)
def save(incident: str, ref: str, given: AnswersIn) -> dict[str, int]:
    """Answer questions by hand."""
    typed = {key: Typed(**one.model_dump()) for key, one in given.answers.items()}
    version = actions.save(
        incident, ref, version=given.version, typed=typed, company=company(), actor=actor(), now=now()
    )
    return {"version": version}


@bp.post("/<ref>/filing")
@permit("report.file")
@bp.input(FilingIn, arg_name="given")
@bp.output(WholeReport, status_code=201)
def file(incident: str, ref: str, given: FilingIn) -> dict[str, Any]:
    """Note that the report went to the authority; it stays as it is from then on."""
    actions.file(incident, ref, **given.model_dump(), company=company(), actor=actor(), now=now())
    return _whole(_report(ref))


@bp.post("/<ref>/receipts")
@permit("report.file")
@bp.input(ReceiptIn, arg_name="given")
@bp.output({}, status_code=204)
def add_receipt(incident: str, ref: str, given: ReceiptIn) -> str:
    """Add what the authority answered."""
    actions.add_receipt(incident, ref, **given.model_dump(), actor=actor(), now=now())
    return ""


@bp.post("/<ref>/discard")
@permit("report.prepare")
@bp.input(VersionIn, arg_name="given")
@bp.output({}, status_code=204)
def discard(incident: str, ref: str, given: VersionIn) -> str:
    """Put a draft away for good."""
    actions.discard(incident, ref, version=given.version, actor=actor(), now=now())
    return ""


@bp.post("/<ref>/files/<kind>")
@permit("report.export")
@bp.doc(responses=a_file("The file: pdf, docx, json or csv.", "application/pdf", DOCX, "application/json", "text/csv"))
def export(incident: str, ref: str, kind: str) -> Response:
    """Make a file of the draft as it stands; its digest goes into the record."""
    return download(actions.export(incident, ref, kind, company=company(), actor=actor(), now=now()))


@bp.get("/<ref>/files/<kind>")
@permit("report.view")
@bp.doc(responses=a_file("The file: pdf, docx, json or csv.", "application/pdf", DOCX, "application/json", "text/csv"))
def kept_file(incident: str, ref: str, kind: str) -> Response:
    """A file of a filed report, as it was made on filing."""
    report = _report(ref)
    if report.state != State.FILED:
        raise Missing()
    return download(actions.kept(report, kind))


def _zone(name: str) -> ZoneInfo:
    return actions.zone_named(name) if name else house_zone()


def _report(ref: str) -> Report:
    found = rows.by_ref(g.incident.id, ref)
    if found is None:
        raise Missing()
    return found


def _plain(report: Report, due_at: datetime | None) -> dict[str, Any]:
    return {name: getattr(report, name) for name in ReportOut.model_fields} | {"due_at": due_at}


def _whole(report: Report) -> dict[str, Any]:
    at_hand = cases.case(g.incident, report, company(), now())
    given = at_hand.answers() if report.state == State.DRAFT else ()
    kept = report.answers if report.answers is not None else filings.frozen(at_hand.form, given, report.language)
    return _plain(report, at_hand.due_at) | {
        "answers": kept,
        "missing_answers": [one["question"] for one in kept if one["required"] and one["standing"] == "missing"],
        "outdated_answers": [one.question.key for one in given if one.outdated],
        "facts_changed": filings.moved_on(kept, at_hand.told) if report.state == State.FILED else {},
        "receipts": [vars(one) for one in rows.receipts(report)],
        "files": [{"kind": one.kind, "sha256": one.sha256, "size": one.size} for one in rows.files(report.id)],
    }


def _owed(one: Owed) -> dict[str, Any]:
    row = one.finding
    plain = {name: getattr(row, name) for name in ("duty", "title", "standing", "due_at")}
    return plain | {"rule": row.clock_words, "form": one.form.id, "stage": one.stage, "authority": one.authority}


def _form(form: Form) -> dict[str, Any]:
    return {
        **{name: getattr(form, name) for name in ("id", "authority", "confidence", "digest")},
        "name": vars(form.name),
        "laws": list(form.laws),
        "languages": list(form.languages),
        "cite": form.cite.place,
        "href": form.cite.href,
        "read_on": form.cite.read_on.isoformat(),
        "stages": [{**vars(stage), "label": vars(stage.label)} for stage in form.stages],
        "questions": [
            {**vars(one), "label": vars(one.label), "facts": list(one.facts), "required": sorted(one.required)}
            for one in form.questions
        ],
    }
