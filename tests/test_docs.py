"""The papers tell the truth: settings, commands, nouns and channels are in them."""

from pathlib import Path

import click
import pytest

from incident.cli import tocsin
from incident.cli.settings import example
from incident.settings import Settings

ROOT = Path(__file__).parent.parent


def test_the_example_environment_lists_every_setting_as_it_is():
    assert (ROOT / ".env.example").read_text() == example(), "run: tocsin settings > .env.example"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_says_what_it_means(name):
    assert Settings.model_fields[name].description


def _commands(group: click.Group, prefix: str = "tocsin") -> list[str]:
    found = []
    for name, command in group.commands.items():
        found += _commands(command, f"{prefix} {name}") if isinstance(command, click.Group) else [f"{prefix} {name}"]
    return found


@pytest.mark.parametrize("command", _commands(tocsin.whole()))
def test_every_command_is_in_the_operations_page(command):
    assert f"`{command}" in (ROOT / "docs" / "operations.md").read_text()
