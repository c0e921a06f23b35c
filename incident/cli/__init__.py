"""The `tocsin` command: one module a noun, thin over actions."""

import sys

import click

from incident.settings import SettingsError

COMMANDS: tuple[click.Command, ...] = ()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin")
def tocsin() -> None:
    """Breach incident response: from the first report to the proof that everyone who had to be told was told."""


for command in COMMANDS:
    tocsin.add_command(command)


def main() -> None:
    """Runs the command; a wrong setting is a sentence and exit code 2."""
    try:
        tocsin()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
