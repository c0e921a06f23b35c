"""The `tocsin` command: one module a noun, thin over actions."""

import os
import sys

import click

from incident import garbage as garbage  # before all that is large
from incident.cli import (
    audit,
    bundle,
    demo,
    grade,
    grants,
    keys,
    laws,
    letters,
    operations,
    people,
    proof,
    record_keys,
    register,
    routes,
    serve,
    settings,
    terminal,
    tokens,
    users,
)
from incident.domain.errors import Invalid, Refused
from incident.settings import SettingsError
from incident.store.keys import KeysError

COMMANDS: tuple[click.Command, ...] = (
    keys.erase,
    keys.keys,
    people.people,
    audit.audit_,
    bundle.bundle,
    proof.proof,
    operations.backup,
    operations.check,
    operations.restore,
    operations.sending,
    demo.demo,
    grade.grade,
    grants.grants,
    laws.laws,
    letters.letters,
    register.register,
    routes.routes,
    serve.run,
    settings.settings,
    serve.scheduler_,
    serve.web,
    serve.work_,
    serve.worker,
    tokens.token,
    users.user,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin")
def tocsin() -> None:
    """Breach incident response: from the first report to the proof that everyone who had to be told was told."""


for command in COMMANDS:
    tocsin.add_command(command)
for command in record_keys.COMMANDS:
    audit.audit_.add_command(command)


def main() -> None:
    """Runs the command; a wrong setting is a sentence and exit code 2."""
    terminal.begin()
    os.umask(0o077)  # what this program writes is for its owner alone
    try:
        tocsin()
    except (SettingsError, KeysError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except Refused as refusal:
        click.echo(
            f"{refusal.field}: {refusal.sentence}" if isinstance(refusal, Invalid) else refusal.sentence, err=True
        )
        sys.exit(2 if isinstance(refusal, Invalid) else 1)
