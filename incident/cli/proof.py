"""`tocsin proof INCIDENT PERSON FILE`: what one person was sent, to be checked without this program."""

import io
import json
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from incident import clock, settings, start
from incident.actions import notice_proofs, particulars
from incident.cli.bundle import write
from incident.domain.audit import verify_bundle
from incident.store import record_keys


@click.command()
@click.argument("incident")
@click.argument("person")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def proof(incident: str, person: str, file: Path, as_json: bool) -> None:
    """Write the proof of what PERSON (P-…) of INCIDENT was sent into the zip FILE, which must not exist.

    The texts stand in it in clear, addresses as digests. Check it with `python -m incident.domain.audit FILE`.
    """
    app = start.existing(settings.load())
    if file.exists():
        click.echo(f"FILE: {file} exists already; choose another name.", err=True)
        sys.exit(2)
    with app.app_context():
        configuration = particulars.known(app.extensions["settings"])
        made = notice_proofs.make(
            incident,
            person,
            author=configuration.company_name,
            zone=ZoneInfo(configuration.time_zone),
            actor="cli",
            clock=clock.now,
        )
        known = record_keys.at_hand()
    write(file, iter([made]))
    verdict = verify_bundle(io.BytesIO(made), keys=known)
    if as_json:
        click.echo(json.dumps({"person": person, "shows": verdict.shows, "shows_not": verdict.shows_not}))
    else:
        click.echo("\n".join([f"{file} holds the proof.", *verdict.shows, *verdict.shows_not]))
    sys.exit(0 if verdict.ok else 1)
