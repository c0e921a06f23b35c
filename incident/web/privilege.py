"""The privilege log of one incident: what is marked, on which ground, by whom; marking and lifting a mark."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from incident.actions import privilege as actions
from incident.domain.errors import Invalid
from incident.domain.facts import vocabulary
from incident.domain.privilege import BASES, LONGEST, Basis, Kind, Marked
from incident.exports import csv
from incident.store import incidents, reports, users
from incident.store import privilege as rows
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.marked import marked
from incident.web.pages import named

bp = Blueprint("privilege", __name__, url_prefix="/incidents/<incident>/privilege")

WORDS = {
    Kind.NOTE: Word("note"),
    Kind.EVIDENCE: Word("piece of evidence"),
    Kind.FACT: Word("fact"),
    Kind.REPORT: Word("draft of a report"),
    Kind.REVIEW: Word("review of the incident"),
}


class MarkForm(FlaskForm):
    """What to mark, on which ground, and how the log describes it."""

    kind = SelectField(Word("Kind"), choices=[(kind.value, words) for kind, words in WORDS.items()])
    item = StringField(Word("Which one"), [InputRequired(), Length(max=60)])
    basis = RadioField(Word("Ground"), choices=list(BASES.items()), default=Basis.ATTORNEY_CLIENT.value)
    description = TextAreaField(Word("What it is, for the log"), [InputRequired(), Length(max=LONGEST)])


@bp.get("/")
@permit("privilege.view")
@named(Word("Privilege log"))
def index(incident: str) -> str:
    """The log, and the form to mark another item."""
    wanted = {"kind": request.args.get("kind", "note")[:10], "item": request.args.get("item", "")[:60]}
    return _page(MarkForm(formdata=None, data=wanted))


@bp.get("/log.csv")
@permit("privilege.view")
def table(incident: str) -> Response:
    """The log as CSV, numbered, without what makes the items privileged."""
    header = (
        "number",
        "kind",
        "item",
        "dated (UTC)",
        "by",
        "ground",
        "description",
        "marked by",
        "marked (UTC)",
        "mark",
    )
    found, dates = marked(), _dates()
    lines = (
        (n, WORDS[one.kind], one.item, *_dated(one, dates), BASES[one.basis], one.description, one.by, one.at.isoformat(), one.ref)
        for n, one in enumerate(found, 1)
    )  # fmt: skip
    return csv_answer(csv.rows(header, lines), f"{incident}-privilege-log.csv")


@bp.post("/")
@permit("privilege.mark")
def mark(incident: str) -> ResponseReturnValue:
    """Mark an item."""
    form = MarkForm()
    if form.validate_on_submit():
        try:
            given = {"basis": form.basis.data or "", "description": form.description.data or ""}
            actions.mark(
                incident, form.kind.data or "", (form.item.data or "").strip(), **given, actor=actor(), now=now()
            )
        except Invalid as refusal:
            form[refusal.field].errors = [*form[refusal.field].errors, refusal.sentence]
        else:
            flash("Marked. It stays out of exports, and guests who were not let into this do not see it.", "met")
            return redirect(url_for(".index", incident=incident))
    return _page(form), 422


@bp.post("/lift")
@permit("privilege.mark")
def lift(incident: str) -> ResponseReturnValue:
    """Lift a mark, with the reason."""
    form = request.form
    kind, item = form.get("kind", ""), form.get("item", "")
    actions.lift(incident, kind, item, reason=form.get("reason", ""), actor=actor(), now=now())
    flash("The mark is lifted. The item goes into exports again.")
    return redirect(url_for(".index", incident=incident))


def _page(form: MarkForm) -> str:
    found, dates = marked(), _dates()
    lifted = [row for row in rows.history(g.incident.id) if row.state == "lifted"]
    names = users.by_refs({one.by for one in found} | {row.by for row in lifted})
    shown = [(n, one, WORDS[one.kind], _title(one), *_dated(one, dates)) for n, one in enumerate(found, 1)]
    return render_template(
        "privilege/list.html", shown=shown, lifted=lifted, names=names, bases=BASES, form=form, words=WORDS
    )


def _title(one: Marked) -> str:
    return vocabulary()[one.item].label if one.kind is Kind.FACT and one.item in vocabulary() else one.item


def _dates() -> dict[tuple[str, str], tuple[str, str]]:
    """When each marked item was made and by whom, in a query a kind."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    of = {kind: rows.items(marked(), kind) for kind in Kind}
    for row in _made(of):
        kind, item, at, by = row
        found[kind, item] = (at.isoformat(), by)
    return found


def _made(of: dict[Kind, frozenset[str]]) -> Iterator[tuple[str, str, Any, str]]:
    case = g.incident.id
    for piece in incidents.evidence(case) if of[Kind.EVIDENCE] else ():
        yield Kind.EVIDENCE, piece.ref, piece.added_at, piece.added_by
    for note in incidents.notes(case, limit=2_000) if of[Kind.NOTE] else ():
        yield Kind.NOTE, note.ref, note.written_at, note.written_by
    for key, fact in incidents.current_facts(case).items() if of[Kind.FACT] else ():
        yield Kind.FACT, key, fact.recorded_at, fact.recorded_by
    for report in reports.page(case, before=None, limit=500) if of[Kind.REPORT] else ():
        yield Kind.REPORT, report.ref, report.made_at, report.made_by


def _dated(one: Marked, dates: dict[tuple[str, str], tuple[str, str]]) -> tuple[str, str]:
    return dates.get((one.kind, one.item), ("", ""))
