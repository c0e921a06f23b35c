"""The `tocsin` command: one module a noun, thin over actions. A module is loaded when one of its commands is called."""

import os
import sys
from collections.abc import Mapping
from typing import Any, Final, Self

import click

from incident import garbage as garbage  # before all that is large
from incident import heaps as heaps  # before there are threads
from incident import parts
from incident.cli import terminal
from incident.domain.errors import Invalid, Refused
from incident.settings import SettingsError
from incident.store.keys import KeysError

COMMANDS: Final[Mapping[str, str]] = {
    "audit": "audit.audit_",
    "backup": "operations.backup",
    "bundle": "bundle.bundle",
    "check": "operations.check",
    "demo": "demo.demo",
    "erase": "keys.erase",
    "grade": "grade.grade",
    "grants": "grants.grants",
    "keys": "keys.keys",
    "laws": "laws.laws",
    "letters": "letters.letters",
    "people": "people.people",
    "proof": "proof.proof",
    "register": "register.register",
    "restore": "operations.restore",
    "routes": "routes.routes",
    "run": "serve.run",
    "scheduler": "serve.scheduler_",
    "sending": "operations.sending",
    "settings": "settings.settings",
    "token": "tokens.token",
    "user": "users.user",
    "web": "serve.web",
    "work": "serve.work_",
    "worker": "serve.worker",
}
"""Every command, and where it stands in this package."""
FURTHER: Final[Mapping[str, str]] = {"audit": "record_keys.COMMANDS"}
"""Commands of a group that stand elsewhere than the group."""


class Commands(click.Group):
    """The commands above, each loaded when it is asked for: `--help` alone loads them all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self._add(cmd_name)
        return self.commands.get(cmd_name)

    def whole(self) -> Self:
        """The same with every command loaded."""
        for name in sorted(COMMANDS.keys() - self.commands.keys()):
            self._add(name)
        return self

    def _add(self, name: str) -> None:
        command = _found(COMMANDS[name])
        if isinstance(command, click.Group) and name in FURTHER:
            for one in _found(FURTHER[name]):
                command.add_command(one)
        self.add_command(command, name)


def _found(place: str) -> Any:
    module, _, word = place.partition(".")
    return getattr(parts.load(f"incident.cli.{module}"), word)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin")
def tocsin() -> None:
    """Breach incident response: from the first report to the proof that everyone who had to be told was told."""


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
