"""`tocsin keys rotate`, `tocsin erase`: the key ring, and what is destroyed for good."""

import json
from pathlib import Path

import click

from incident import clock, settings, start
from incident.actions import counts, erasing, rotating
from incident.domain.erasures import WHY
from incident.settings import Settings
from incident.store import keys as keys_


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
    app = start.existing(settings.load())
    with app.app_context():
        wrapped = rotating.rotate_keys(drop_old=drop_old, actor="cli", now=clock.now())
        masters = rotating.masters()
    if as_json:
        click.echo(json.dumps({"wrapped": wrapped, "masters": masters}))
        return
    click.echo(
        f"Data keys wrapped by master key {masters[-1]:04d}: {wrapped}. Copy instance/keys to where you keep its copy."
    )


@click.command()
@click.argument("incident")
@click.option("--confirm", help="The reference of the incident, typed again; asked for when left out.")
@click.option("--person", default="", help="Erase this person alone, such as P-12.")
@click.option("--why", type=click.Choice(list(WHY)), default="purpose", help="Why; the word stands in the record.")
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), help="Write the certificate (JSON) here too."
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def erase(incident: str, confirm: str | None, person: str, why: str, certificate: Path | None, as_json: bool) -> None:
    """Destroy the key to all personal data of INCIDENT: people, words, evidence, lists. Counts, findings and the record stay."""
    app = start.existing(settings.load())
    configuration: Settings = app.extensions["settings"]
    with app.app_context():
        if confirm is None:
            click.echo(_what_goes(incident, person))
            confirm = click.prompt(f"Type {person or incident} to go on")
        answer = erasing.ask(
            incident,
            person,
            confirm=confirm,
            why=why,
            by_two=configuration.erasing_by_two,
            folder=configuration.instance / "files",
            actor="cli",
            now=clock.now(),
        )
        if answer.done and certificate is not None:
            keys_.write_secret(certificate, (erasing.certificate(incident, answer.ref).certificate or "").encode())
    if as_json:
        told = {
            "incident": incident,
            "person": person,
            "people": answer.people,
            "erasure": answer.ref,
            "done": answer.done,
        }
        click.echo(json.dumps(told))
    elif answer.done:
        click.echo(f"Erased: {person or f'{answer.people} people'} of {incident}. Certificate {answer.ref}.")
    else:
        click.echo(
            f"Asked for ({answer.ref}): a second person has to agree on the incident's page before anything goes."
        )


def _what_goes(incident: str, person: str) -> str:
    if person:
        return f"The contact data of {person} of {incident} will be gone for good; a backup that is restored is erased again."
    number = counts.of(incident).active
    return (
        f"The personal data of {number} people, all words and all evidence of {incident} will be gone for good, "
        "in copies of the database too."
    )
