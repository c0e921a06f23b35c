"""The record's keys, those outside who sign its checkpoints too, and the time stamps: as a page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import TextAreaField
from wtforms.validators import Length, Optional

from incident.actions import record_keys as actions
from incident.actions import stamping, witnessing
from incident.domain.access import MEMBER
from incident.domain.audit import LONGEST_LINE, Witnesses
from incident.domain.errors import Invalid
from incident.exports import csv
from incident.store import checkpoints, record_keys, time_stamps, witnesses
from incident.web.access import actor, may, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("record_keys", __name__, url_prefix="/record/keys")
cosigned = Blueprint("cosignatures", __name__, url_prefix="/record/cosignatures")


class CosignedForm(FlaskForm):
    """A checkpoint as a witness gave it back: as a file, or its text."""

    file = FileField(Word("The file"), [Optional()])
    note = TextAreaField(Word("Or its text"), [Optional(), Length(max=LONGEST_LINE)])

    def text(self) -> str:
        """What was brought."""
        if self.file.data:
            return str(self.file.data.read(LONGEST_LINE + 1).decode("utf-8", "replace"))
        return str(self.note.data or "")


@bp.get("/")
@permit("record.view")
@named(Word("Keys of the record"))
def index() -> str:
    """All keys with the line since which each is in force; who has seen how much; the newest time stamp."""
    return _page(CosignedForm(formdata=None))


def _page(form: CosignedForm) -> str:
    by: Witnesses = current_app.extensions["settings"].witnesses()
    newest = checkpoints.latest()
    return render_template(
        "audit/keys.html",
        form=form,
        keys=[(row, row.key) for row in reversed(record_keys.every())],
        newest=newest,
        seen=[(key, row, _moment(row)) for key, row in zip(by.keys, witnesses.seen_by(by.keys).values(), strict=True)],
        needed=by.needed,
        enough=witnesses.seen_by_enough(by),
        authority=current_app.extensions["time_stamps"],
        stamp=time_stamps.of(newest.size) if newest else None,
        stamped=time_stamps.newest(stamping.GOOD),
        instant=datetime.fromisoformat,
    )


def _moment(row: witnesses.Cosignature | None) -> datetime | None:
    """When a witness signed, by its own clock; none where that is no time a calendar knows."""
    try:
        return datetime.fromtimestamp(row.seen_at, UTC) if row else None
    except (OverflowError, ValueError, OSError):
        return None


@bp.get("/keys.csv")
@permit("record.view")
def table() -> Response:
    """All keys as CSV, the first one first."""
    header = ("number", "id", "key", "since line", "since (UTC)", "signed by the one before", "file")

    def lines() -> Iterator[tuple[Any, ...]]:
        for row in record_keys.every():
            signed = "yes" if row.signed else "no"
            yield row.number, row.key.id.hex(), str(row.key), max(row.since, 0), row.at, signed, f"{row.file}.key"

    return csv_answer(csv.rows(header, lines()), "record-keys.csv")


@bp.post("/")
@permit("record.rekey", fresh="record_keys.index")
def change() -> ResponseReturnValue:
    """Change the key that signs the record."""
    key = actions.rotate(actor=actor(), now=now())
    flash(
        _(
            "The record is signed by the key %(id)s from now on. Copy the key folder, and hand the new public key out.",
            id=key.id.hex(),
        ),
        "met",
    )
    return redirect(url_for(".index"))


@cosigned.post("/")
@permit(MEMBER)
def take_in() -> ResponseReturnValue:
    """Take in a checkpoint that witnesses have signed: their signature counts, not who brings it."""
    form = CosignedForm()
    if form.validate_on_submit():
        try:
            names = witnessing.take_in(
                form.text(), current_app.extensions["settings"].witnesses(), actor=actor(), now=now()
            )
        except Invalid as refusal:
            if not may("record.view"):
                raise
            form.note.errors = [*form.note.errors, refusal.sentence]
        else:
            flash(_("Taken in: signed by %(names)s.", names=", ".join(names)), "met")
            return redirect(url_for("record_keys.index" if may("record.view") else "desk.home"))
    return (_page(form) if may("record.view") else ""), 422
