"""`tocsin settings`: every setting with its meaning and default, in the form of `.env.example`."""

from pathlib import Path

import click
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from incident.settings import Settings


@click.command()
def settings() -> None:
    """Print every setting with its meaning and default, in the form of .env.example."""
    click.echo(example(), nl=False)


def example() -> str:
    """The text of `.env.example`."""
    head = "# Every setting of Tocsin. Put them into the environment, or (lower case, without TOCSIN_) into instance/tocsin.toml.\n"
    return head + "".join(
        f"\n# {field.description}\n#TOCSIN_{name.upper()}={_shown(field.default)}\n"
        for name, field in Settings.model_fields.items()
    )


def _shown(value: object) -> str:
    if value is None or value is PydanticUndefined or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if not isinstance(value, Path) else f"./{value}"
