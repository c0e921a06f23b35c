"""`tocsin user …`: accounts made and opened again by whoever runs the machine. Every act leaves a line."""

import json
import sys

import click
from apiflask import APIFlask

from incident import clock, settings, start
from incident.actions import users as actions
from incident.domain.access import Role
from incident.domain.errors import Invalid
from incident.domain.users import address
from incident.store import users as rows
from incident.store.users import User

ROLE = click.Choice([role.value for role in Role])


@click.group()
def user() -> None:
    """Accounts of the people who work here."""


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="As colleagues know the person.")
@click.option("--role", "roles", multiple=True, required=True, type=ROLE, help="Repeat for several roles.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, instead of making a link.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def add(email: str, name: str, roles: tuple[str, ...], password_stdin: bool, as_json: bool) -> None:
    """Make an account. Without a password, prints a one-time link with which the person chooses one."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    if password_stdin and not password:
        raise Invalid("password", "Standard input holds no password.")
    app = start.without_pages(settings.load())
    with app.app_context():
        ref, secret = actions.create(email, name, roles, password=password, actor="system", now=clock.now())
    link = f"{app.extensions['settings'].base_url}/welcome/{secret}" if secret else None
    if as_json:
        click.echo(json.dumps({"ref": ref, "link": link}))
    else:
        click.echo(f"{ref} is made.")
        click.echo(handed(app, secret) if secret else "The second factor is set up at the first sign-in.")


@user.command()
@click.argument("email")
def reset(email: str) -> None:
    """Let somebody begin anew who lost password or second factor: prints a one-time link. Approver and auditor are taken off."""
    app = start.without_pages(settings.load())
    with app.app_context():
        secret = actions.reset(known(email).ref, actor="system", now=clock.now())
    click.echo(handed(app, secret))


def handed(app: APIFlask, secret: str) -> str:
    """A one-time link, and its code for where no mail is to be trusted, in words."""
    site = app.extensions["settings"].base_url
    return (
        f"Hand this one-time link over; it ends after 7 days:\n  {site}/welcome/{secret}\n"
        f"Or read this code out, to be typed at {site}/welcome/code:\n  {secret}"
    )


@user.command()
@click.argument("email")
def lock(email: str) -> None:
    """Close an account; its sessions and tokens end at once."""
    app = start.without_pages(settings.load())
    with app.app_context():
        actions.lock(known(email).ref, actor="system", now=clock.now())
    click.echo("The account is locked.")


@user.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def list_(as_json: bool) -> None:
    """Who works here, and as what."""
    app = start.without_pages(settings.load())
    with app.app_context():
        people = list(rows.every())
    if as_json:
        shown = ("ref", "email", "name", "roles", "active")
        click.echo(json.dumps([{name: getattr(one, name) for name in shown} for one in people], ensure_ascii=False))
        return
    for one in people:
        click.echo(f"{one.ref}  {'active' if one.active else 'locked'}  {one.email}  {', '.join(one.roles)}")


def known(email: str) -> User:
    """The account with this address. Raises Invalid."""
    found = rows.by_email(address(email))
    if found is None:
        raise Invalid("email", "Nobody with this address has an account.")
    return found
