"""`tocsin audit verify | export | checkpoint | cosigned`: the record."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from incident import clock, settings, start
from incident.actions import checkpoints as actions
from incident.actions import witnessing
from incident.domain.audit import LONGEST_LINE, Checkpoint, Verdict
from incident.domain.errors import Refused
from incident.store import checkpoints


@click.group(name="audit")
def audit_() -> None:
    """The record: check it, hand it out, sign it."""


@audit_.command()
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint kept elsewhere; may be repeated.",
)
@click.option(
    "--require-checkpoint",
    is_flag=True,
    help="Exit with 1 unless checkpoints given by you, or enough witnesses, prove every line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(files: tuple[Path, ...], require_checkpoint: bool, as_json: bool) -> None:
    """Read every line again and compare with all checkpoints. Exit code 1 when something is wrong."""
    outside = [path.read_bytes()[: LONGEST_LINE + 1].decode("utf-8", "replace") for path in files]
    app = start.existing(settings.load())
    with app.app_context():
        reading = checkpoints.Reading(checkpoints.verify(outside, by=app.extensions["settings"].witnesses()))
        for read in reading:
            if sys.stderr.isatty() and not as_json:
                click.echo(f"\r{read:,} lines read", nl=False, err=True)
        kept = len(checkpoints.kept_outside())
    verdict = reading.verdict
    ok = verdict.ok and not (require_checkpoint and _covered(outside, verdict) < verdict.size)
    if as_json:
        click.echo(json.dumps(asdict(verdict) | {"ok": ok, "sentences": verdict.sentences()}, indent=2))
    else:
        _tell(verdict, kept, len(files))
    sys.exit(0 if ok else 1)


def _covered(outside: list[str], verdict: Verdict) -> int:
    """The lines that checkpoints from outside this machine prove: those in its own folder are passed over."""
    return max([verdict.witnessed, *(Checkpoint.read(note).size for note in outside)] if verdict.ok else [0])


def _tell(verdict: Verdict, kept: int, given: int) -> None:
    click.echo("\n".join(verdict.sentences()))
    click.echo(f"Checkpoints compared with: {kept} in the instance's folder, {given} given by you. Key: {verdict.key}")
    if not given:
        click.echo(
            "Whoever owns this machine could have changed those in the folder: keep copies elsewhere, and give one with --checkpoint."
        )


@audit_.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--unsigned", is_flag=True, help="Do not sign a checkpoint first.")
def export(file: Path, unsigned: bool) -> None:
    """Write the whole record to FILE (JSON lines), to be checked anywhere with `python -m incident.domain.audit`.

    A checkpoint is signed first, so that the last line is covered too. FILE must not exist.
    """
    if file.exists():
        raise click.UsageError(f"{file} exists; nothing is written over it.")
    app = start.existing(settings.load())
    with app.app_context():
        if not unsigned:
            _sign()
        rows = 0
        with file.open("xb") as out:
            for row in checkpoints.exported():
                out.write(row)
                rows += 1
        click.echo(f"{rows:,} rows written to {file}. Keep a checkpoint apart from it, from {checkpoints.folder()}.")


@audit_.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def checkpoint(as_json: bool) -> None:
    """Read the new lines again, sign the record as it stands, and print the checkpoint to keep elsewhere."""
    app = start.existing(settings.load())
    with app.app_context():
        size = _sign()
        newest = checkpoints.latest()
        note = newest.note if newest else ""
        click.echo(
            json.dumps({"size": size, "note": note, "key": str(checkpoints.key())}, indent=2) if as_json else note,
            nl=as_json,
        )


@audit_.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def cosigned(file: Path, as_json: bool) -> None:
    """Take in FILE: a checkpoint that witnesses outside have signed. Only keys of TOCSIN_WITNESS_KEYS count."""
    note = file.read_bytes()[: LONGEST_LINE + 1].decode("utf-8", "replace")
    app = start.existing(settings.load())
    with app.app_context():
        names = witnessing.take_in(note, app.extensions["settings"].witnesses(), actor="cli", now=clock.now())
    click.echo(json.dumps({"names": names}) if as_json else f"Taken in: signed by {', '.join(names)}.")


def _sign() -> int:
    try:
        return actions.sign(actor="cli", now=clock.now())
    except Refused as refused:
        click.echo(refused.sentence, err=True)
        sys.exit(1)
