"""`tocsin people import`: a list of affected people, every row accounted for."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from incident import clock, settings, start
from incident.actions import imports
from incident.actions.imports import Preview
from incident.domain import columns
from incident.domain.errors import Invalid
from incident.domain.imports import DATE_ORDERS, Reading
from incident.domain.people import KEPT
from incident.exports import csv
from incident.store.db import db
from incident.store.imports import PersonImport
from incident.store.tables import ENCODINGS, Form

ACTOR: Final = "cli"
COUNTS: Final = ("rows", "taken", "suspects", "refused", "empty", "doubtful")


@click.group()
def people() -> None:
    """Affected people."""


@people.command(name="import")
@click.argument("incident")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="What a column holds, by its header or number; repeat. FIELD is one of `tocsin people fields`, `keep` or empty. Others are guessed.",
)
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Instead of the one guessed.")
@click.option("--delimiter", help="Instead of the one guessed; \\t is a tab.")
@click.option(
    "--header/--no-header", default=None, help="Whether the first row names the columns; guessed if not said."
)
@click.option("--place", default="", help="Where people live whose row does not say, such as DE or US-TX.")
@click.option("--language", default="", help="What people read whose row does not say, such as de; or by-place.")
@click.option("--exposed", multiple=True, help="A kind of data exposed of everybody whose row does not say; repeat.")
@click.option("--date-order", type=click.Choice(list(DATE_ORDERS)), default="ymd", show_default=True)
@click.option("--wave", type=int, default=0, help="An existing wave; 0 opens a new one.")
@click.option("--label", default="", help="The name of a new wave.")
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write refused rows with their reasons to this new CSV file.",
)
@click.option("--preview", "only_preview", is_flag=True, help="Say what the columns are taken for, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def import_(incident: str, file: Path, pairs: tuple[str, ...], refused_file: Path | None, only_preview: bool, as_json: bool, **said: Any) -> None:  # fmt: skip
    """Take a CSV or XLSX list of affected people into INCIDENT. Exit code 1 when a row was refused or may be a duplicate."""
    if refused_file is not None and refused_file.exists():
        raise Invalid("refused", f"{refused_file} exists; it is not written over.")
    app = start.without_pages(settings.load())
    folder = app.extensions["settings"].instance / "files"
    with app.app_context():
        with file.open("rb") as source:
            ref = imports.upload(incident, source, name=file.name, folder=folder, actor=ACTOR, now=clock.now())
        try:
            row = _started(incident, ref, folder, pairs, only_preview, as_json, said)
        except BaseException:
            imports.withdraw(incident, ref, folder=folder, actor=ACTOR, now=clock.now())
            raise
        if row is None:
            imports.withdraw(incident, ref, folder=folder, actor=ACTOR, now=clock.now())
            return
        imports.run(ref, folder=folder, clock=clock.now)
        row = _ended(incident, ref)
        if refused_file is not None:
            _write_refused(refused_file, imports.refused(incident, ref, actor=ACTOR, now=clock.now()))
    _report(row, as_json)
    sys.exit(1 if row.state != "done" or row.refused or row.suspects else 0)


@people.command()
def fields() -> None:
    """The fields a column may hold."""
    for word, label in columns.labels().items():
        click.echo(f"{word:16} {label}")


def _started(
    incident: str, ref: str, folder: Path, pairs: Sequence[str], only_preview: bool, as_json: bool, said: dict[str, Any]
) -> PersonImport | None:
    seen = imports.preview(
        incident, ref, folder=folder, form=_form(incident, ref, said), has_header=said["header"], actor=ACTOR
    )
    targets = _targets(seen, pairs)
    if only_preview or not as_json:
        _show(seen, targets, as_json)
    if only_preview:
        return None
    reading = Reading(targets, said["place"], said["language"], tuple(said["exposed"]), said["date_order"])
    imports.start(
        incident,
        ref,
        reading,
        form=seen.form,
        has_header=seen.has_header,
        wave=said["wave"],
        wave_label=said["label"],
        folder=folder,
        actor=ACTOR,
        now=clock.now(),
    )
    return imports.get(incident, ref)


def _form(incident: str, ref: str, said: dict[str, Any]) -> Form:
    row = imports.get(incident, ref)
    delimiter = {"\\t": "\t", "tab": "\t", None: row.delimiter}.get(said["delimiter"], said["delimiter"])
    return Form(row.kind, said["encoding"] or row.encoding, delimiter)


def _targets(seen: Preview, pairs: Sequence[str]) -> tuple[str, ...]:
    targets = list(seen.guesses)
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals:
            raise Invalid("map", f"{pair!r}: write COLUMN=FIELD.")
        index = _index(seen, column)
        targets[index] = KEPT + columns.kept_name(seen.headers[index]) if field == "keep" else field
    return tuple(targets)


def _index(seen: Preview, column: str) -> int:
    if column in seen.headers:
        return seen.headers.index(column)
    if column.isascii() and column.isdigit() and 1 <= int(column) <= seen.width:
        return int(column) - 1
    raise Invalid("map", f"The list has no column {column!r}; it has: {', '.join(seen.headers)}.")


def _show(seen: Preview, targets: Sequence[str], as_json: bool) -> None:
    if as_json:
        mapped = dict(zip(seen.headers, targets, strict=True))
        click.echo(
            json.dumps(
                {
                    "encoding": seen.form.encoding,
                    "delimiter": seen.form.delimiter,
                    "header": seen.has_header,
                    "columns": mapped,
                }
            )
        )
        return
    for header, target in zip(seen.headers, targets, strict=True):
        click.echo(f"  {_printable(header):30.30} -> {target or '(left out)'}", err=True)


def _ended(incident: str, ref: str) -> PersonImport:
    """The import at its end; a server that runs beside may have been quicker to claim it."""
    while (row := imports.get(incident, ref)).state in {"waiting", "running"}:
        time.sleep(0.5)
        db.session.rollback()
    return row


def _write_refused(path: Path, lines: Iterator[Sequence[Any]]) -> None:
    header = [str(cell) for cell in next(lines)]
    with path.open("x", encoding="utf-8", newline="") as target:
        path.chmod(0o600)
        for chunk in csv.for_spreadsheet(csv.rows(header, lines)):
            target.write(chunk)


def _report(row: PersonImport, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(
                {"ref": row.ref, "state": row.state, "wave": row.wave} | {name: getattr(row, name) for name in COUNTS}
            )
        )
        return
    click.echo(
        f"{row.ref}: {row.rows} rows: {row.taken} people, {row.suspects} possible duplicates, {row.refused} refused, {row.empty} empty."
    )
    if row.state != "done":
        click.echo(f"Stopped: {row.trouble}", err=True)


def _printable(text: str) -> str:
    """Headers come from strangers: nothing in them steers a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
