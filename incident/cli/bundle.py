"""`tocsin bundle INCIDENT FILE`: everything about one incident, to be checked without this program."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from incident import clock, settings, start
from incident.actions import bundles, dossier, particulars
from incident.domain.audit import verify_bundle
from incident.store import record_keys


@click.command()
@click.argument("incident")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--privileged", is_flag=True, help="Take along what is marked as privileged; the record says so.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def bundle(incident: str, file: Path, privileged: bool, as_json: bool) -> None:
    """Write all about INCIDENT into the zip FILE, which must not exist: data, reports, evidence and its lines of the record.

    Evidence is in it in clear. Check it with `python -m incident.domain.audit FILE`.
    """
    app = start.existing(settings.load())
    with app.app_context():
        configuration = particulars.known(app.extensions["settings"])
        pieces = bundles.begun(
            incident,
            company=dossier.company(configuration),
            zone=ZoneInfo(configuration.time_zone),
            folder=configuration.instance / "files",
            privileged=privileged,
            actor="cli",
            clock=clock.now,
        )
        write(file, pieces)
        known = record_keys.at_hand()
    with file.open("rb") as made:
        verdict = verify_bundle(made, keys=known)
    if as_json:
        click.echo(json.dumps({"incident": incident, "files": verdict.files, "lines": verdict.size - verdict.hidden}))
    else:
        click.echo(f"{file} holds {verdict.files} files and {verdict.size - verdict.hidden} lines of {incident}.")
    sys.exit(0 if verdict.ok else 1)


def write(file: Path, pieces: Iterator[bytes]) -> None:
    """The whole file or none."""
    try:
        with file.open("xb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        click.echo(f"FILE: {file} exists already; choose another name.", err=True)
        sys.exit(2)
    except OSError as error:
        file.unlink(missing_ok=True)
        click.echo(f"FILE: {file} cannot be written ({error.strerror}).", err=True)
        sys.exit(2)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
