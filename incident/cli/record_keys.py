"""`tocsin audit keys | rotate-key | replace-key`: the keys that sign the record."""

import json
import sys
from datetime import datetime

import click

from incident import clock, settings, start
from incident.actions import record_keys as actions
from incident.actions import signin
from incident.actions.signin import Client
from incident.domain.audit import Key
from incident.store import credentials, record_keys, users

FROM_HERE = Client(None, "the command line")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def keys(as_json: bool) -> None:
    """All keys that signed the record, the first one first, and the line since which each is in force."""
    app = start.existing(settings.load())
    with app.app_context():
        found = [(str(row.key), max(row.since, 0), row.at, row.signed) for row in record_keys.every()]
    names = ("key", "since", "at", "signed")
    if as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in found], indent=2))
        return
    for key, since, at, signed in found:
        click.echo(f"{key}  since line {since}, {at}{'' if signed else ', without the signature of the one before'}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def rotate_key(as_json: bool) -> None:
    """Make a new key for the record; the one in force signs that. Copy instance/keys afterwards."""
    app = start.existing(settings.load())
    with app.app_context():
        key = actions.rotate(actor="cli", now=clock.now())
    _tell(key, as_json)


@click.command()
@click.option("--first", required=True, help="The address of an administrator.")
@click.option(
    "--second", required=True, help="The address of somebody else who leads, looks after privacy or administrates."
)
@click.option("--old-key", default="", help="The public key that was lost, where this installation never kept it.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def replace_key(first: str, second: str, old_key: str, as_json: bool) -> None:
    """Give the record a new key after the one in force was lost for good. Asks two people for password and second factor.

    That is the code of a generator or a recovery code, which everybody has who has a passkey: a passkey speaks to browsers alone.
    No key vouches for the new one: every check says so from then on, and needs to be given it from elsewhere.
    """
    app = start.existing(settings.load(), key_is_lost=True)
    with app.app_context():
        both = [_proven(address) for address in (first, second)]
        key = actions.replace(*both, old_key=old_key, now=clock.now())
    _tell(key, as_json)


def _tell(key: Key, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"key": str(key), "id": key.id.hex()}))
        return
    click.echo(f"{key}")
    click.echo(
        "Copy instance/keys now: nothing starts without it. Hand the line above to whoever keeps checkpoints.", err=True
    )


def _proven(address: str) -> str:
    """The reference of whoever has this address, once password and second factor showed it to be them. Raises Refused, TooMany."""
    password = click.prompt(f"Password of {address}", hide_input=True, err=True)
    begun = _session(signin.with_password(address, password, client=FROM_HERE, now=clock.now()), clock.now())
    code = click.prompt(f"Code of {address}, of the generator or a recovery code", err=True)
    ref, user = begun
    done = _session(signin.with_code(ref, code, now=clock.now()), clock.now())
    signin.sign_out(done[0], actor=user, now=clock.now())
    return user


def _session(secret: str, now: datetime) -> tuple[str, str]:
    row = users.session_by_key(credentials.key_of(secret), now)
    if row is None:
        sys.exit("The session has ended meanwhile.")
    return row.ref, row.user.ref


COMMANDS = (keys, rotate_key, replace_key)
"""Commands of the group `audit`."""
