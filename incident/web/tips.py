"""The desk of what somebody outside reported: the queue, one report opened, and what we do with it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from incident.actions import tip_triage as actions
from incident.actions import tips
from incident.domain import tip_words
from incident.domain import tips as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.facts import parsed, vocabulary
from incident.domain.outlets import WORDS as MAIL_WORDS
from incident.domain.tips import FIELDS, LABELS, TONES, Field, Kind, Sort, State, Way
from incident.exports import csv
from incident.exports.cvss import scored
from incident.store import incidents, vulnerabilities
from incident.store import tips as rows
from incident.store.db import new_secret_ref
from incident.store.incidents import Incident
from incident.store.tips import MAILBOX, Tip
from incident.web import tip_fields
from incident.web.access import actor, may, now, permit, zone
from incident.web.filters import when
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _, tag, value_words
from incident.web.pages import named
from incident.web.public_tasks import names as people

bp = Blueprint("tips", __name__, url_prefix="/reported")

PAGE = 50
ANSWERED_BY_CODE = Word("They read it with their code; nobody tells them that it is there.")
ANSWERED_BY_MAIL = Word(
    "They gave an e-mail address: they are told that there is an answer, or get it where they wrote by e-mail."
)
AT_ONCE = 500
OPEN_CASES = 100


@bp.get("/")
@permit("tip.view")
@named(Word("What was reported to us"))
def index() -> str:
    """What waits for somebody, or everything; newest first."""
    query, chosen = _filtered()
    found = list(rows.page(query, before=request.args.get("before", type=int), limit=PAGE + 1))
    return render_template(
        "tips/list.html",
        found=found[:PAGE],
        more=url_for(".index", before=found[PAGE - 1].id, **chosen) if len(found) > PAGE else "",
        chosen=chosen,
        kinds=[(kind.value, LABELS[kind]) for kind in Kind],
        labels=LABELS,
        tones=TONES,
        names=people([row.taken_by for row in found]),
        cases=_cases(found),
        waiting=rows.counted(rows.queue(seen())),
        mailbox=rows.mailbox(MAILBOX),
    )


def spoken() -> str:
    """The language of the reader, as far as there are words for reports in it."""
    return tip_words.fitting([tag()])


def seen() -> Select[Tip]:
    """The reports that this reader may know of, as a query."""
    return rows.visible(visible().with_only_columns(Incident.id))


def _filtered() -> tuple[Select[Tip], dict[str, Any]]:
    """The reports asked for, and what was asked."""
    query = seen()
    chosen: dict[str, Any] = {}
    kind, of = request.args.get("kind", ""), request.args.get("incident", "")
    if request.args.get("all") != "1" and not of:
        query = rows.queue(query)
    else:
        chosen["all"] = "1"
    if kind in set(Kind):
        query, chosen["kind"] = query.where(Tip.kind == kind), kind
    if of:
        case = incidents.by_ref(of)
        query, chosen["incident"] = query.where(Tip.incident_id == (case.id if case else 0)), of
    return query, chosen


def _cases(found: list[Tip]) -> dict[int, Incident]:
    return incidents.by_ids({row.incident_id for row in found if row.incident_id is not None})


@bp.get("/reports.csv")
@permit("tip.view")
def table() -> Response:
    """The reports asked for, as CSV: what lists show, and nothing of what was said."""
    header = (
        "reference", "kind", "way", "language", "state", "outcome", "waits", "received_at (UTC)", "settled_at (UTC)",
        "taken_by", "incident", "repeats",
    )  # fmt: skip
    return csv_answer(csv.rows(header, _cells(_filtered()[0])), "reports.csv")


def _cells(query: Select[Tip]) -> Iterator[tuple[Any, ...]]:
    before = None
    while found := list(rows.page(query, before=before, limit=AT_ONCE)):
        cases, originals = _cases(found), rows.by_ids([row.original_id for row in found])
        for row in found:
            case = cases[row.incident_id].ref if row.incident_id is not None else ""
            original = originals[row.original_id].ref if row.original_id is not None else ""
            yield (
                row.ref, row.kind, row.way, row.language, row.state, row.outcome, row.waits, row.received_at,
                row.settled_at, row.taken_by, case, original,
            )  # fmt: skip
        before = found[-1].id


@bp.get("/new")
@permit("tip.triage")
@named(Word("Write down what somebody told us"))
def new() -> str:
    """What somebody told us by telephone or in person: first what it is about, then what that kind of report asks."""
    asked = request.args.get("kind", "")
    return _new(Kind(asked) if asked in set(Kind) else None, {})


def _new(kind: Kind | None, errors: dict[str, str]) -> str:
    return render_template(
        "tips/new.html",
        kinds=[(one.value, LABELS[one]) for one in Kind],
        kind=kind,
        labels=LABELS,
        about=tip_fields.ABOUT,
        words=tip_fields.WORDS,
        hints=tip_fields.HINTS,
        fields=FIELDS[kind] if kind else (),
        held=tip_fields.held(kind, request.form) if kind else {},
        form=request.form,
        errors=errors,
    )


@bp.post("/new")
@permit("tip.triage")
def write_down() -> ResponseReturnValue:
    """Write down what somebody told us; it goes into the same queue. `to` asks for the form of another kind, with what was typed."""
    if "to" in request.form:
        return _new(rules.kind(request.form["to"]), {})
    kind = rules.kind(request.form.get("kind", ""))
    try:
        received = taken_down(kind, request.form.to_dict(), language="en")
    except Invalid as error:
        return _new(kind, {error.field: error.sentence}), 422
    flash(_("Written down."), "met")
    return redirect(url_for(".show", tip=received))


def taken_down(kind: Kind, given: dict[str, str], *, language: str) -> str:
    """Take in what a colleague wrote down, times in their zone; its reference. Raises Unfit."""
    said = rules.told(kind, tip_fields.in_zone(kind, given, zone()), offset="+00:00", now=now())
    if "vector" in said:
        said["vector"] = scored(said["vector"]).vector
    received = tips.receive(
        kind, said, language=language, way=Way.DESK, form=new_secret_ref(),
        folder=current_app.extensions["settings"].instance / "files", actor=actor(), now=now(),
    )  # fmt: skip
    return received.ref


@bp.get("/<tip>")
@permit("tip.view")
def show(tip: str) -> str:
    """One report opened: what was said, files, both sides' messages, and what can be done."""
    return page(tip)


def page(ref: str, errors: dict[str, str] | None = None) -> str:
    """The page of one report. Raises Missing."""
    sheet = actions.read(ref, among=seen(), actor=actor(), now=now())
    row = sheet.tip
    said = [
        (tip_fields.WORDS[field.name], field.name, _readable(field, sheet.said[field.name]))
        for field in FIELDS[Kind(row.kind)]
        if field.name in sheet.said
    ]
    said += [
        (tip_fields.WORDS.get(name, name), name, value)
        for name, value in sheet.said.items()
        if name not in {field.name for field in FIELDS[Kind(row.kind)]}
    ]
    return render_template(
        "tips/show.html",
        tip=row,
        said=said,
        score=scored(sheet.said["vector"]) if "vector" in sheet.said else None,
        messages=sheet.messages,
        files=sheet.files,
        suggested=[
            (one, vocabulary().entries[one.key].label, value_words(one.key, parsed(one.key, one.value), zone()))
            for one in sheet.suggested
        ],
        alike=rows.alike(row, seen()),
        case=sheet.case,
        original=rows.by_ids([row.original_id]).get(row.original_id or 0),
        cases=incidents.page(visible().where(Incident.state == "open"), before=None, limit=OPEN_CASES),
        kinds=[(kind.value, LABELS[kind]) for kind in Kind],
        labels=LABELS,
        labels_mail={state.value: words for state, (words, _tone) in MAIL_WORDS.items()},
        hint=ANSWERED_BY_MAIL if sheet.said.get("email") else ANSWERED_BY_CODE,
        tones=TONES,
        whys=actions.WHYS,
        names=people([row.taken_by, *(pair[0].by for pair in sheet.messages)]),
        errors=errors or {},
        form=request.form,
        registered=vulnerabilities.of_tip(row.id)
        if row.kind == Kind.VULNERABILITY and may("vulnerability.view")
        else (),
        settled=row.state == State.SETTLED,
        joined=row.outcome in rows.JOINED,
    )


def _readable(field: Field, value: Any) -> Any:
    """A time as the reader's own, everything else as it was said."""
    return when(datetime.fromisoformat(value)) if field.sort is Sort.INSTANT else value


def known(ref: str) -> Tip:
    """The report, if this reader may know of it. Raises Missing: also for one of an incident that is shut to them."""
    found = list(rows.page(seen().where(Tip.ref == ref), before=None, limit=1))
    if not found:
        raise Missing()
    return found[0]
