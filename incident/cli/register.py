"""`tocsin register export`: every delivery with every state and time, CSV or JSON lines."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import click
from apiflask import APIFlask

from incident import settings, start
from incident.exports import register as columns
from incident.store import incidents, registers


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
        _demand_incident(app, incident)
        chosen = incidents.by_ref(incident)
        pages = registers.pages(chosen.id if chosen else None)
        lines = _jsonl(pages) if as_json or kind == "jsonl" else columns.as_csv(pages)
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


def _jsonl(pages: Iterable[Sequence[registers.Record]]) -> Iterator[str]:
    for records in pages:
        yield "".join(json.dumps(columns.as_json(record), ensure_ascii=False) + "\n" for record in records)


def _write(out: TextIO, lines: Iterator[str]) -> None:
    for line in lines:
        out.write(line)
