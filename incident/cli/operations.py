"""`tocsin backup | restore | check | sending`: looking after the installation."""

import json
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import click
from apiflask import APIFlask
from sqlalchemy import make_url, text

from incident import clock, core, schema, settings, start
from incident.actions import agreement, checkpoints, dispatch, erasing, operations
from incident.domain.errors import Refused
from incident.settings import Settings, SettingsError
from incident.store import abode, backups, dispatches, keys, reconciliation
from incident.store import checkpoints as signed
from incident.store.backups import DATABASE, Manifest
from incident.store.db import db


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write a backup of everything but keys and settings to FILE, which must not exist. People can go on working.

    The keys in instance/keys are left out on purpose: who has both can read everything. Back them up apart.
    """
    app = start.existing(settings.load())
    configuration: Settings = app.extensions["settings"]
    with app.app_context():
        unsigned = ""
        try:
            checkpoints.sign(actor="cli", now=clock.now())
        except Refused as refused:  # a record that was touched is worth keeping all the more
            unsigned = refused.sentence
        made = operations.back_up(file, configuration.instance, actor="cli", now=clock.now())
    click.echo(
        f"{file} holds the record up to line {made.size - 1} and {len(made.parts) - 1:,} files; it was read again and is whole."
    )
    click.echo(
        f"It is sealed, and opens with the keys alone. They are not in it: keep a copy of {configuration.instance / 'keys'} somewhere else."
    )
    if unsigned:
        click.echo(f"But the record is not in order: {unsigned}", err=True)
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(file: Path) -> None:
    """Make an installation from the backup FILE where there is none. Sending stays frozen until you have reconciled.

    Put the key files into instance/keys first. Nothing is written over an existing database.
    """
    configuration = settings.load()
    start.make_folders(configuration)
    if not start.is_empty(configuration):
        raise SettingsError("There is a database here already; a backup is never restored over one.")
    ring = keys.open_ring(configuration.instance / "keys")
    with _scratch(configuration.instance) as scratch:
        manifest = backups.unpack(file, scratch, ring)
        _fits(manifest, configuration)
        if manifest.database == "sqlite":
            _restore_sqlite(scratch, manifest, configuration)
        else:
            _restore_postgresql(scratch, manifest, configuration)
    _tell(start.without_pages(configuration), manifest)


@contextmanager
def _scratch(instance: Path) -> Iterator[Path]:
    folder = instance / f".restoring-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _fits(manifest: Manifest, configuration: Settings) -> None:
    wanted = make_url(configuration.database_url).get_backend_name()
    if wanted != manifest.database:
        raise SettingsError(f"This backup is of {manifest.database}; TOCSIN_DATABASE_URL names {wanted}.")
    mark = configuration.instance / start.MARK
    with suppress(FileNotFoundError):
        if mark.read_text(encoding="ascii").strip() != manifest.log:
            raise SettingsError(f"{configuration.instance} belongs to another installation than this backup.")


def _restore_sqlite(scratch: Path, manifest: Manifest, configuration: Settings) -> None:
    """The copy is frozen before it stands where others look for it."""
    copy = scratch / DATABASE
    if not backups.is_sound(copy):
        raise Refused("The database in the backup is damaged; nothing was restored.")
    app = core.create(configuration.model_copy(update={"database_url": f"sqlite:///{copy}"}))
    with app.app_context():
        _settle(app, manifest, abode.here(f"sqlite:///{copy}"), scratch / "files")
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.session.remove()
        db.engine.dispose()
    backups.put_files(scratch, configuration.instance)
    target = Path(make_url(configuration.database_url).database or "")
    backups.put(copy, target)


def _restore_postgresql(scratch: Path, manifest: Manifest, configuration: Settings) -> None:
    app = core.create(configuration)
    with app.app_context():
        try:
            schema.upgrade(app, manifest.schema)
            backups.load(scratch)
            _settle(app, manifest, abode.here(configuration.database_url), scratch / "files")
        except BaseException:
            backups.take_back()
            raise
        backups.put_files(scratch, configuration.instance)
        db.session.remove()
        db.engine.dispose()


def _settle(app: APIFlask, manifest: Manifest, place: str, files: Path) -> None:
    """Bring the tables up to date, freeze, and erase again what the backup still knew."""
    schema.upgrade(app)
    operations.freeze_restored(manifest, place=place, actor="cli", now=clock.now())
    erasing.erase_again(folder=files, actor="cli", now=clock.now())


def _tell(app: APIFlask, manifest: Manifest) -> None:
    with app.app_context():
        verdict = signed.verified()
    click.echo(f"Restored as it was on {manifest.at}, with {manifest.size} lines in the record.")
    click.echo(
        "Sending is frozen. What was sent after the backup was made is not known here: compare with the providers' lists,\n"
        "settle what is in doubt, run `tocsin check`, and only then `tocsin sending release`."
    )
    click.echo("\n".join(verdict.sentences()))
    sys.exit(0 if verdict.ok else 1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def check(as_json: bool) -> None:
    """Compare database, record, counters and files with each other. Exit code 1 when something does not fit."""
    app = start.existing(settings.load())
    configuration: Settings = app.extensions["settings"]
    with app.app_context():
        results = [*reconciliation.run(configuration.instance), *agreement.run()]
    wrong = [result for result in results if result.troubles]
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "checks": [asdict(result) for result in results]}, indent=2))
    else:
        for result in results:
            click.echo(f"{'!' if result.troubles else '✓'} {result.about}")
            for trouble in result.troubles:
                click.echo(f"    {trouble}")
        click.echo("Something does not fit; see above." if wrong else "Everything fits.")
    sys.exit(1 if wrong else 0)


@click.group()
def sending() -> None:
    """Freeze all sending of this installation, or let it go on."""


@sending.command()
def freeze() -> None:
    """Let nothing more go out until it is released."""
    with start.existing(settings.load()).app_context():
        dispatch.freeze(actor="cli", now=clock.now())
    click.echo("Sending is frozen.")


@sending.command()
@click.option("--reconciled", is_flag=True, help="You have compared with the providers what was sent and what was not.")
def release(reconciled: bool) -> None:
    """Let sending go on after a freeze."""
    if not reconciled:
        raise click.UsageError(
            "Say --reconciled once you have compared with the providers what was sent and what was not."
        )
    with start.existing(settings.load()).app_context():
        dispatch.release(actor="cli", now=clock.now())
        now_frozen = dispatches.frozen()
    click.echo("Sending is frozen." if now_frozen else "Sending goes on.")
