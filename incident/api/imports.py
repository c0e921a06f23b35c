"""Lists of people, for programs: bring one, map its columns, follow it, fetch what was refused."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, current_app, request, stream_with_context
from pydantic import BaseModel, ConfigDict, Field

from incident.actions import imports, taking_back
from incident.api.scheme import a_file
from incident.domain.errors import Invalid
from incident.domain.imports import Reading
from incident.exports import csv
from incident.store.imports import PersonImport
from incident.store.tables import Form
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_imports", __name__, url_prefix="/api/v1/incidents/<incident>/lists", tag="Lists of people")


class MappingIn(BaseModel):
    """What the columns mean, one word a column (empty: leave out; `keep:<name>`: keep for the text of a notice)."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] = Field(min_length=1, max_length=200)
    encoding: str | None = None
    delimiter: str | None = Field(None, max_length=1)
    header: bool | None = None
    place: str = ""
    language: str = Field("", description="A tag such as de, or `by-place`.")
    exposed: list[str] = Field(default_factory=list)
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"
    wave: int = Field(0, description="0 opens a new wave.")
    wave_label: str = Field("", max_length=80)


class PreviewOut(BaseModel):
    kind: str
    encoding: str
    delimiter: str
    header: bool
    headers: list[str]
    guesses: list[str]
    rows: list[list[str]]


class ListOut(BaseModel):
    ref: str
    name: str
    size: int
    sha256: str
    state: str
    trouble: str
    percent: int
    wave: int
    rows: int
    taken: int
    suspects: int
    refused: int
    empty: int
    doubtful: int
    uploaded_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Lists(BaseModel):
    lists: list[ListOut]


class Ref(BaseModel):
    ref: str


@bp.get("")
@permit("people.view")
@bp.output(Lists)
def index(incident: str) -> dict[str, Any]:
    """The lists brought so far, newest first."""
    return {"lists": [_list(row) for row in imports.of(incident)]}


@bp.post("")
@permit("people.import")
@bp.output(Ref, status_code=201)
@bp.doc(description="Multipart form: `file`, a CSV or XLSX.")
def upload(incident: str) -> dict[str, str]:
    """Bring a list; it is kept sealed until its columns are mapped."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("file", "Send the file as multipart form data, in the field `file`.")
    return {
        "ref": imports.upload(incident, file.stream, name=file.filename, folder=_folder(), actor=actor(), now=now())
    }


@bp.get("/<ref>")
@permit("people.view")
@bp.output(ListOut)
def show(incident: str, ref: str) -> dict[str, Any]:
    """How far a list is, and what became of its rows."""
    return _list(imports.get(incident, ref))


@bp.get("/<ref>/preview")
@permit("people.import")
@bp.output(PreviewOut)
def preview(incident: str, ref: str) -> dict[str, Any]:
    """The first rows and what the columns probably mean; only for the one who brought the list."""
    seen = imports.preview(incident, ref, folder=_folder(), actor=actor())
    return {
        "kind": seen.form.kind,
        "encoding": seen.form.encoding,
        "delimiter": seen.form.delimiter,
        "header": seen.has_header,
        "headers": seen.headers,
        "guesses": seen.guesses,
        "rows": [list(cells) for cells in seen.rows],
    }


@bp.post("/<ref>/start")
@permit("people.import")
@bp.input(MappingIn, arg_name="given")
@bp.output(ListOut, status_code=202)
def start(incident: str, ref: str, given: MappingIn) -> dict[str, Any]:
    """Take the list in, in the background."""
    row = imports.get(incident, ref)
    form = Form(row.kind, row.encoding if given.encoding is None else given.encoding, given.delimiter or row.delimiter)
    seen = imports.preview(incident, ref, folder=_folder(), form=form, has_header=given.header, actor=actor())
    reading = Reading(tuple(given.columns), given.place, given.language, tuple(given.exposed), given.date_order)
    imports.start(
        incident,
        ref,
        reading,
        form=form,
        has_header=seen.has_header,
        wave=given.wave,
        wave_label=given.wave_label,
        folder=_folder(),
        actor=actor(),
        now=now(),
    )
    return _list(imports.get(incident, ref))


@bp.delete("/<ref>")
@permit("people.import")
@bp.output({}, status_code=204)
def withdraw(incident: str, ref: str) -> str:
    """Drop a list that was not taken in, with its file."""
    imports.withdraw(incident, ref, folder=_folder(), actor=actor(), now=now())
    return ""


class TakeBackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = Field(description="How many people will be taken off, typed to confirm.")


class TakenBack(BaseModel):
    people: int


@bp.post("/<ref>/take-back")
@permit("people.import")
@bp.input(TakeBackIn, arg_name="given")
@bp.output(TakenBack)
def take_back(incident: str, ref: str, given: TakeBackIn) -> dict[str, int]:
    """Take everybody of a list off again, as long as nobody of them is being told."""
    return {"people": taking_back.take_back(incident, ref, number=given.number, actor=actor(), now=now())}


@bp.get("/<ref>/refused")
@permit("people.import")
@bp.doc(responses=a_file("The refused lines with the reason of each.", "text/csv"))
def refused(incident: str, ref: str) -> Response:
    """The refused rows with their reasons, as CSV. The look leaves a line."""
    lines = imports.refused(incident, ref, actor=actor(), now=now())
    header = [str(cell) for cell in next(lines)]
    return Response(stream_with_context(csv.rows(header, lines)), mimetype="text/csv")


def _list(row: PersonImport) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ListOut.model_fields}


def _folder() -> Path:
    instance: Path = current_app.extensions["settings"].instance
    return instance / "files"
