"""The pages by which a list comes in: bring it, say what its columns mean, watch it, fetch what was refused."""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import imports, people, taking_back, waves
from incident.actions.imports import Preview
from incident.domain import columns, facts, places
from incident.domain import imports as rules
from incident.domain.errors import Invalid
from incident.domain.imports import BY_PLACE, Reading
from incident.domain.people import KEPT
from incident.exports import csv
from incident.store.imports import PersonImport
from incident.store.tables import ENCODINGS, Form
from incident.web import answers
from incident.web.access import actor, now, permit, zone
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("imports", __name__, url_prefix="/incidents/<incident>/lists")

DELIMITER_WORDS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "upright bar"}
KEEP: Final = "keep"


def folder() -> Path:
    """Where uploaded lists are kept, sealed."""
    instance: Path = current_app.extensions["settings"].instance
    return instance / "files"


@bp.get("/")
@permit("people.view")
@named(Word("Bring a list of people"))
def index(incident: str) -> str:
    """The lists brought so far, and the form to bring one."""
    return _lists(incident)


@bp.post("/")
@permit("people.import")
def upload(incident: str) -> ResponseReturnValue:
    """Keep a list, sealed, and go on to its columns."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Invalid("file", "Choose a file: CSV or XLSX.")
        ref = imports.upload(incident, file.stream, name=file.filename, folder=folder(), actor=actor(), now=now())
    except Invalid as error:
        return _lists(incident, error.sentence), 422
    return redirect(url_for(".show", incident=incident, ref=ref))


def _lists(incident: str, error: str = "", wave_error: str = "") -> str:
    every, local = people.waves(incident), zone()
    typed = {
        wave.number: f"{wave.discovered_at.astimezone(local):%Y-%m-%dT%H:%M}" if wave.discovered_at else ""
        for wave in every
    }
    return render_template(
        "people/lists.html",
        lists=imports.of(incident),
        error=error,
        waves=every,
        typed=typed,
        zone=local,
        wave_error=wave_error,
    )


@bp.post("/waves/<int:number>")
@permit("people.change")
def found_later(incident: str, number: int) -> ResponseReturnValue:
    """Say when a wave of people was found after the others."""
    typed = request.form.get("discovered_at", "").strip()
    try:
        moment = answers.moment(typed, zone(), "discovered_at") if typed else None
        waves.found_later(incident, number, moment, seen=request.form.get("seen"), actor=actor(), now=now())
    except Invalid as error:
        return _lists(incident, wave_error=error.sentence), 422
    flash("Recorded. What is owed for these people now has clocks of its own." if moment else "Recorded.")
    return redirect(url_for(".index", incident=incident, _anchor="waves"))


@bp.get("/<ref>")
@permit("people.view")
def show(incident: str, ref: str) -> ResponseReturnValue:
    """One list: its columns while they are to be mapped, its progress, and then its account of every row."""
    row = imports.get(incident, ref)
    if row.state != "mapping":
        reasons, live = imports.reasons(incident, ref), taking_back.people_of(incident, ref)
        return render_template("people/import.html", row=row, reasons=reasons, live=live)
    if row.uploaded_by != actor():
        return render_template("people/import.html", row=row, reasons=[])
    return _mapping_page(incident, row, None, {})


def _mapping_page(incident: str, row: PersonImport, chosen: Reading | None, errors: dict[str, str]) -> Response:
    form, headed = _form_asked(row)
    seen = imports.preview(incident, row.ref, folder=folder(), form=form, has_header=headed, actor=actor())
    page = render_template(
        "people/mapping.html",
        row=row,
        seen=seen,
        chosen=chosen or Reading(tuple(seen.guesses)),
        errors=errors,
        waves=people.waves(incident),
        labels=columns.labels(),
        encodings=ENCODINGS,
        delimiters=DELIMITER_WORDS,
        all_places=[(code, places.named(code)) for code in places.codes()],
        all_languages=columns.languages(),
        by_place=BY_PLACE,
        all_kinds=list(facts.vocabulary().kinds.values()),
        date_orders=rules.DATE_ORDERS,
        kept=[KEPT + columns.kept_name(header) for header in seen.headers],
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _form_asked(row: PersonImport) -> tuple[Form, bool | None]:
    """How the reader of the preview wants the file read; by itself as it was guessed."""
    asked = request.values
    if "encoding" not in asked and "header" not in asked:
        return Form(row.kind, row.encoding, row.delimiter), None
    delimiter = {word: mark for mark, word in DELIMITER_WORDS.items()}.get(asked.get("delimiter", ""), row.delimiter)
    return Form(row.kind, asked.get("encoding", row.encoding), delimiter), asked.get("header") != "no"


@bp.post("/<ref>")
@permit("people.import")
def start(incident: str, ref: str) -> ResponseReturnValue:
    """Take the list in by the mapping chosen."""
    row = imports.get(incident, ref)
    form, headed = _form_asked(row)
    seen = imports.preview(incident, ref, folder=folder(), form=form, has_header=headed, actor=actor())
    reading = _reading(seen)
    try:
        imports.start(
            incident,
            ref,
            reading,
            form=seen.form,
            has_header=seen.has_header,
            wave=request.form.get("wave", 0, type=int),
            wave_label=request.form.get("wave_label", ""),
            folder=folder(),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _mapping_page(incident, row, reading, {error.field: error.sentence}), 422
    flash("The list is being taken in. You can leave this page; it goes on by itself.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


def _reading(seen: Preview) -> Reading:
    asked = request.form
    targets = [asked.get(f"column-{n}", "") for n in range(1, seen.width + 1)]
    named = [
        KEPT + columns.kept_name(header) if target == KEEP else target
        for target, header in zip(targets, seen.headers, strict=True)
    ]
    return Reading(
        tuple(named),
        place=asked.get("place", ""),
        language=asked.get("language", ""),
        exposed=tuple(asked.getlist("exposed")),
        date_order=asked.get("date_order", "ymd"),
    )


@bp.get("/<ref>/progress")
@permit("people.view")
def progress(incident: str, ref: str) -> Response:
    """How far the list is, as a fragment for a page that stays open."""
    response = make_response(render_template("people/_progress.html", row=imports.get(incident, ref)))
    response.headers["X-Fragment"] = "1"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/<ref>/withdraw")
@permit("people.import")
def withdraw(incident: str, ref: str) -> ResponseReturnValue:
    """Drop a list that was not taken in."""
    imports.withdraw(incident, ref, folder=folder(), actor=actor(), now=now())
    flash("The list is withdrawn; its file is gone.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/<ref>/take-back")
@permit("people.import")
def take_back(incident: str, ref: str) -> ResponseReturnValue:
    """Take everybody of a list off again."""
    number = request.form.get("number", -1, type=int)
    gone = taking_back.take_back(incident, ref, number=number, actor=actor(), now=now())
    flash(f"{gone:,} people are off the list. The list can be brought again with another mapping.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.get("/<ref>/refused.csv")
@permit("people.import")
def refused(incident: str, ref: str) -> Response:
    """The refused rows with their reasons, to be mended and brought again."""
    lines = imports.refused(incident, ref, actor=actor(), now=now())
    header = [str(cell) for cell in next(lines)]
    return csv_answer(csv.for_spreadsheet(csv.rows(header, lines)), f"{ref}-refused.csv")
