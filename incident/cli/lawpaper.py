"""`tocsin laws document`: the library as a page to read."""

from pathlib import Path

import click

from incident.cli import shelf as library
from incident.cli.shelf import Unusable
from incident.domain import editions
from incident.exports.laws import paper


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--shipped", is_flag=True, help="Only the library that the program brings, whatever is in use.")
def document(file: Path | None, shipped: bool) -> None:
    """Write every law, duty, clock, citation and confidence as Markdown: to FILE, or to the screen."""
    written = paper(editions.shipped() if shipped else library.edition())
    if file is None:
        click.echo(written, nl=False)
        return
    try:
        file.write_text(written, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{file}: cannot be written: {error.strerror}.") from None
