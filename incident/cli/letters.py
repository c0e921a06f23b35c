"""`tocsin letters`: print what waits into files, and take in a list of what the post brought back."""

import json
import sys
from pathlib import Path
from typing import Final

import click

from incident import clock, settings, start
from incident.actions import letters as actions
from incident.actions import particulars, returned
from incident.domain import letters as rules
from incident.domain.errors import Missing
from incident.domain.letters import Returned
from incident.store import incidents
from incident.store import letters as rows

ACTOR: Final = "cli"


@click.group(name="letters")
def letters() -> None:
    """Letters: batches to print, and what the post brings back."""


@letters.command()
@click.argument("incident")
@click.argument("sending")
@click.option("--most", type=int, default=rules.MOST_LETTERS, show_default=True, help="The most letters in the batch.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def make(incident: str, sending: str, most: int, as_json: bool) -> None:
    """Print the next letters of a SENDING of an INCIDENT into files; download them on the page."""
    chosen = settings.load()
    app = start.existing(chosen)
    with app.app_context():
        ref = _asked(incident, sending, most)
        paper = actions.Paper(chosen.letters, chosen.letters_country, particulars.known(chosen).company_name)
        actions.do(ref, folder=chosen.instance / "files", paper=paper, clock=clock.now)
        batch = rows.anywhere(ref)
        said = {"batch": ref, "stage": batch.stage, "letters": batch.letters, "pages": batch.pages} if batch else {}
    if as_json:
        click.echo(json.dumps(said))
    else:
        click.echo(f"{ref}: {said.get('letters', 0):,} letters on {said.get('pages', 0):,} pages.")
    sys.exit(0 if said.get("letters") else 1)


def _asked(incident: str, sending: str, most: int) -> str:
    try:
        return actions.ask(incident, sending, most=most, actor=ACTOR, now=clock.now())
    except Missing:
        click.echo(f"There is no sending {sending} in {incident}.", err=True)
        sys.exit(2)


@letters.command()
@click.argument("incident")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--why", type=click.Choice([why.value for why in Returned]), required=True, help="Why they came back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def back(incident: str, file: Path, why: str, as_json: bool) -> None:
    """Take in a FILE (CSV or XLSX) of references that the post brought back; exit 1 if a row changed nothing."""
    app = start.existing(settings.load())
    with app.app_context():
        if incidents.by_ref(incident) is None:
            click.echo(f"There is no incident {incident}.", err=True)
            sys.exit(2)
        with file.open("rb") as source:
            account = returned.take_list(incident, source, why=why, actor=ACTOR, now=clock.now())
    for row in account:
        said = {"row": row.number, "reference": row.ref, "verdict": row.verdict.value}
        click.echo(
            json.dumps(said) if as_json else f"{row.number}\t{row.ref or '-'}\t{returned.VERDICT_WORDS[row.verdict]}"
        )
    sys.exit(0 if all(row.verdict is returned.Verdict.RETURNED for row in account) else 1)
