"""`tocsin laws diff | accept`: what other laws would change in open incidents, and taking them."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from apiflask import APIFlask

from incident import clock, settings, start
from incident.actions import law_updates as actions
from incident.actions.law_updates import Proposed
from incident.cli import shelf as library
from incident.cli.shelf import Unusable
from incident.domain import editions, packs
from incident.domain.editions import Edition, LawChange, Origin
from incident.domain.errors import Refused
from incident.domain.lawbook import BadLaw
from incident.domain.settlements import Difference
from incident.store import law_updates as rows
from incident.store.db import db

CHANGES = {
    "owed": "becomes owed",
    "opened": "becomes open",
    "closed": "no longer open",
    "lifted": "no longer owed",
    "moved": "another due time",
}


@click.command()
@click.argument("source", required=False, metavar="[PACK|FOLDER]", type=click.Path(exists=True, path_type=Path))
@click.option("--laws-only", is_flag=True, help="Compare the laws alone; needs no database.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def diff(source: Path | None, laws_only: bool, as_json: bool) -> None:
    """Say which open incidents other laws would change, and how; nothing is changed by asking.

    PACK or FOLDER holds a library that is not in use yet; your own files are put beside it. Without it, the laws in use are
    compared with those that each incident goes by. Exit 1 if an incident would change.
    """
    now_used = library.edition()
    wanted = _edition(source) if source else now_used
    changes = editions.law_changes(now_used.book, wanted.book)
    found = [] if laws_only else list(_incidents(wanted))
    if as_json:
        click.echo(json.dumps(_as_json(now_used, wanted, changes, found), ensure_ascii=False))
    else:
        _tell(now_used, wanted, changes, found, laws_only)
    sys.exit(1 if found else 0)


def _edition(source: Path) -> Edition:
    """The edition that a pack or a folder of law files would make, with the user's own files beside it."""
    where = library.here()
    now_used = library.edition()
    own = [text for text in now_used.texts if text.own]
    try:
        if source.is_dir():
            version = _version(source, now_used)
            return editions.edition(version, Origin.PACK, editions.read_folder(source), own)
        if source.stat().st_size > packs.LARGEST_PACK:
            raise Unusable(f"{source}: too large for a pack.")
        pack = packs.opened(source.read_bytes(), where.keys)
        return editions.edition(pack.version, Origin.PACK, pack.laws, own)
    except BadLaw as error:
        raise Unusable(str(error)) from None


def _version(folder: Path, now_used: Edition) -> str:
    stated = folder / editions.VERSION
    return stated.read_text(encoding="ascii").strip() if stated.is_file() else now_used.version


def _incidents(wanted: Edition) -> Iterable[tuple[str, Difference]]:
    with _app().app_context():
        yield from actions.preview(wanted, clock.now())


def _app() -> APIFlask:
    return start.existing(settings.load())


def _as_json(
    old: Edition, new: Edition, changes: Sequence[LawChange], found: Sequence[tuple[str, Difference]]
) -> dict[str, object]:
    return {
        "from": {"version": old.version, "digest": old.digest},
        "to": {"version": new.version, "digest": new.digest},
        "laws": [asdict(one) for one in changes],
        "incidents": [{"incident": ref, **asdict(made), "words": made.words()} for ref, made in found],
    }


def _tell(
    old: Edition,
    new: Edition,
    changes: Sequence[LawChange],
    found: Sequence[tuple[str, Difference]],
    laws_only: bool,
) -> None:
    if new is old:
        click.echo(f"The laws in use: {new.version} ({new.digest[:12]})")
    else:
        differ = "1 law differs" if len(changes) == 1 else f"{len(changes)} laws differ"
        click.echo(f"{old.version} ({old.digest[:12]}) → {new.version} ({new.digest[:12]}): {differ}")
    for change in changes:
        click.echo(f"  {change.law}: {change.how}")
        for part in change.parts:
            click.echo(f"    {part}")
    for ref, made in found:
        click.echo("\n".join(_lines(ref, made)))
    if not laws_only:
        click.echo("1 open incident would change" if len(found) == 1 else f"{len(found)} open incidents would change")


def _lines(ref: str, made: Difference) -> list[str]:
    named = asdict(made).items()
    return [f"{ref}: {made.words()}"] + [f"    {CHANGES[word]:17} {duty}" for word, duties in named for duty in duties]


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INCIDENT]…")
@click.option("--all", "everything", is_flag=True, help="Every open incident that the laws in use would change.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def accept(incidents: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Take the laws in use for these incidents, after showing what changes. What changes is accepted by that."""
    if bool(incidents) == everything:
        raise click.UsageError("Name incidents, or say --all.")
    with _app().app_context():
        actions.do("", clock.now())
        chosen = _all() if everything else [_one(ref) for ref in incidents]
        for made in chosen:
            click.echo("\n".join(_lines(made.incident, made.changes)))
        if not chosen:
            click.echo("There is nothing to take: every open incident goes by the laws in use.")
            return
        if not yes:
            click.confirm(f"Take the laws in use for {len(chosen)} incidents?", abort=True)
        refused = _take(chosen)
    click.echo(f"Taken for {len(chosen) - refused} of {len(chosen)} incidents.")
    sys.exit(1 if refused else 0)


def _one(ref: str) -> Proposed:
    made = actions.proposed(ref)
    if made is None:
        raise Refused(f"{ref}: there is nothing to take. It is closed or unknown, or goes by the laws in use already.")
    return made


def _all() -> list[Proposed]:
    table = db.metadata.tables["incident"]
    query = rows.pending(editions.current().digest, db.select(table.c.id))
    found: list[Proposed] = []
    after = 0
    while page := rows.page(query, after=after, limit=500):
        found += [actions.told(row.ref, row.title, row[3].was, row[3].library, row[3].changes) for row in page]
        after = page[-1].id
    return found


def _take(chosen: Sequence[Proposed]) -> int:
    """Take them one by one; how many were refused, each with its sentence."""
    refused = 0
    for made in chosen:
        try:
            actions.accept(made.incident, made.seen, actor="cli", now=clock.now())
        except Refused as refusal:
            click.echo(f"{made.incident}: {refusal.sentence}", err=True)
            refused += 1
    return refused
