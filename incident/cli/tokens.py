"""`tocsin token …`: personal tokens for programs, issued by whoever runs the machine."""

import json

import click

from incident import clock, settings, start
from incident.actions import tokens as actions
from incident.cli.users import known


@click.group()
def token() -> None:
    """Personal tokens for the API."""


@token.command()
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", default=90, show_default=True, help="How long it lasts, 365 at most.")
@click.option("--scope", default="write", show_default=True, type=click.Choice(["read", "write"]))
@click.option("--incident", default="", help="Opens this incident alone.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def add(email: str, name: str, days: int, scope: str, incident: str, as_json: bool) -> None:
    """Issue a token to the person with this address; it may do what the person may. Shown this once."""
    app = start.without_pages(settings.load())
    with app.app_context():
        bounds = {"scope": scope, "incident": incident}
        ref, secret = actions.issue(known(email).ref, name=name, days=days, **bounds, actor="system", now=clock.now())
    click.echo(json.dumps({"ref": ref, "token": secret}) if as_json else secret)


@token.command()
@click.argument("email")
@click.argument("ref")
def revoke(email: str, ref: str) -> None:
    """End the token with this reference at once."""
    app = start.without_pages(settings.load())
    with app.app_context():
        actions.revoke(known(email).ref, ref, actor="system", now=clock.now())
    click.echo("The token is revoked.")
