"""`tocsin register export`: every delivery with every state and time, CSV or JSON lines."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click
from apiflask import APIFlask

from incident import settings, start
from incident.exports import csv
from incident.exports import register as columns
from incident.store import deliveries, incidents
from incident.store.db import db
from incident.store.incidents import Incident

AT_ONCE = 2_000


@click.group(name="register")
def register() -> None:
    """The register of deliveries."""


@register.command()
@click.option("--incident", "incident", default="", help="Only this incident, such as INC-2026-0007; else all of them.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="CSV, or one JSON object a line.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
@click.option(
    "--to",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write to this file, which must not exist; else to the screen.",
)
def export(incident: str, kind: str, as_json: bool, file: Path | None) -> None:
    """Write every delivery: notice version, person reference, channel, attempt, times, provider id, state, reason."""
    app = start.existing(settings.load())
    with app.app_context():
        lines = (
            _jsonl(_records(incident)) if as_json or kind == "jsonl" else csv.rows(columns.COLUMNS, _records(incident))
        )
        _demand_incident(app, incident)
        if file is None:
            _write(sys.stdout, lines)
            return
        try:
            with file.open("x", encoding="utf-8", newline="") as out:
                _write(out, lines)
        except FileExistsError:
            click.echo(f"--to: {file} exists already; choose another name.", err=True)
            sys.exit(2)
        except OSError as error:
            click.echo(f"--to: {file} cannot be written ({error.strerror}).", err=True)
            sys.exit(2)


def _demand_incident(app: APIFlask, ref: str) -> None:
    if ref and incidents.by_ref(ref) is None:
        click.echo(f"--incident: there is no {ref}.", err=True)
        sys.exit(2)


def _records(incident: str) -> Iterator[tuple[columns.Value, ...]]:
    chosen = incidents.by_ref(incident) if incident else None
    names: dict[int, str] = {}
    after = 0
    while found := deliveries.register(chosen.id if chosen else None, after=after, limit=AT_ONCE):
        for one, sending in found:
            if sending.incident_id not in names:
                case = db.session.get(Incident, sending.incident_id)
                names[sending.incident_id] = case.ref if case else ""
            yield columns.record(names[sending.incident_id], one, sending)
        after = found[-1][0].id
        db.session.expunge_all()


def _jsonl(records: Iterator[tuple[columns.Value, ...]]) -> Iterator[str]:
    for record in records:
        yield json.dumps(columns.as_json(record), ensure_ascii=False) + "\n"


def _write(out: TextIO, lines: Iterator[str]) -> None:
    for line in lines:
        out.write(line)
