"""`tocsin keys rotate`, `tocsin erase`: the key ring, and what is destroyed for good."""

import json

import click

from incident import clock, settings, start
from incident.actions import counts, erasing


@click.group()
def keys() -> None:
    """The key ring in instance/keys."""


@keys.command()
@click.option(
    "--drop-old",
    is_flag=True,
    help="Destroy older master keys; copies of the database made before cannot be opened then.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def rotate(drop_old: bool, as_json: bool) -> None:
    """Make a new master key and wrap every data key by it. Run it again if it was interrupted. Copy instance/keys afterwards."""
    app = start.prepare(settings.load())
    with app.app_context():
        wrapped = erasing.rotate_keys(drop_old=drop_old, actor="cli", now=clock.now())
        masters = erasing.masters()
    if as_json:
        click.echo(json.dumps({"wrapped": wrapped, "masters": masters}))
        return
    click.echo(
        f"{wrapped} data keys are wrapped by master key {masters[-1]:04d}. Copy instance/keys to where you keep its copy."
    )


@click.command()
@click.argument("incident")
@click.option("--confirm", help="The reference of the incident, typed again; asked for when left out.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def erase(incident: str, confirm: str | None, as_json: bool) -> None:
    """Destroy the key to all personal data of INCIDENT: people, evidence, lists. Counts, findings and the record stay."""
    app = start.prepare(settings.load())
    with app.app_context():
        number = counts.of(incident).active
        if confirm is None:
            click.echo(
                f"The personal data of {number} people, and all evidence of {incident}, will be gone for good, in copies of the database too."
            )
            confirm = click.prompt(f"Type {incident} to go on")
        folder = app.extensions["settings"].instance / "files"
        gone = erasing.erase_incident(incident, confirm=confirm, folder=folder, actor="cli", now=clock.now())
    click.echo(
        json.dumps({"incident": incident, "people": gone}) if as_json else f"Erased: {gone} people of {incident}."
    )
