"""`tocsin laws version | key | pack | install | use`: which library is in use, and carrying one from place to place."""

import json
from pathlib import Path

import click

from incident import clock
from incident.cli import shelf as library
from incident.cli.shelf import Unusable
from incident.domain import editions, packs
from incident.domain.editions import Edition, LawText, Origin
from incident.domain.lawbook import BadLaw
from incident.domain.packs import BadPack, Pack, packed
from incident.store import releasing, shelf
from incident.store.shelf import Shelf

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, exists=True, path_type=Path)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def version(as_json: bool) -> None:
    """Say which laws this installation uses: version, digest, where they come from, your own files, other packs at hand."""
    where = library.here()
    made = library.edition()
    said = _version(where, made)
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(_told(said, made)))


def _version(where: Shelf, made: Edition) -> dict[str, object]:
    return {
        "version": made.version,
        "origin": made.origin.value,
        "library_digest": made.library_digest,
        "digest": made.digest,
        "laws": len(made.book),
        "own": [law.id for law in made.book if law.own],
        "overruled": [law.id for law in made.book if law.overruled],
        "shipped": editions.shipped_version(),
        "installed": shelf.versions(where),
        "mistakes": [sentence for one in made.mistakes for sentence in one.sentences],
    }


def _told(said: dict[str, object], made: Edition) -> list[str]:
    lines = [
        f"{made.version}, {made.origin.words}: {len(made.book)} laws",
        f"library  {made.library_digest}",
        f"in use   {made.digest}",
    ]
    own = [law for law in made.book if law.own]
    lines += [f"yours    {law.id}, {law.short}" for law in own]
    lines += [f"set aside  {law.id}: {law.overruled}" for law in made.book if law.overruled]
    lines += [f"installed  {one}" for one in shelf.versions(library.here())]
    if made.origin is Origin.PACK and packs.newer(editions.shipped_version(), made.version):
        lines.append(f"The program brings a newer one, {editions.shipped_version()}: tocsin laws use shipped")
    lines += [f"{sentence} ({one.instead})" for one in made.mistakes for sentence in one.sentences]
    return lines


@click.command()
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="Whose key it is, such as example.org/laws.")
def key(file: Path, name: str) -> None:
    """Make a key to sign packs with, in FILE, and print its public half: what others put into TOCSIN_LAWS_KEYS.

    Keep FILE where nobody else reads it, and apart from every installation.
    """
    click.echo(str(releasing.make(file, name).key))


@click.command()
@click.argument("file", type=FILE)
@click.option("--key", "key_file", type=FILE, required=True, help="The key to sign with (tocsin laws key).")
@click.option("--version", "number", default="", help="Its version, such as 2026.11.22; without it, the library's own.")
@click.option("--from", "source", type=FOLDER, help="The folder of law files; without it, the library in use.")
@click.option("--cases", type=FOLDER, help="The folder of their cases; without it, those of a checkout.")
def pack(file: Path, key_file: Path, number: str, source: Path | None, cases: Path | None) -> None:
    """Write the library with its cases to FILE, signed, for others to install. Your own files are never in it."""
    if file.exists():
        raise Unusable(f"{file} exists; nothing is written over it.")
    laws = _laws(source)
    made = _edition(laws)
    if made.faults:
        raise Unusable("\n".join(made.faults))
    folder = cases or (library.CHECKOUT_CASES if library.CHECKOUT_CASES.is_dir() else None)
    held = [library.cases_text(folder, law) for law in made.book] if folder else []
    signer = releasing.read(key_file)
    written = packed(
        number or made.version,
        clock.now().date(),
        laws,
        [text for text in held if text],
        signer.key,
        signer.sign,
    )
    with file.open("xb") as out:
        out.write(written)
    tried = sum(1 for text in held if text)
    click.echo(f"{file}: {number or made.version}, {len(laws)} laws, {tried} with cases, {len(written):,} bytes")
    click.echo(f"library  {made.library_digest}\nsigned by  {signer.key}")


def _laws(source: Path | None) -> tuple[LawText, ...]:
    if source:
        return editions.read_folder(source)
    return tuple(text for text in library.edition().texts if not text.own)


def _edition(laws: tuple[LawText, ...]) -> Edition:
    try:
        return editions.edition(library.edition().version, Origin.PACK, laws)
    except BadLaw as error:
        raise Unusable(str(error)) from None


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--older", is_flag=True, help="Take it though it is not newer than the library in use.")
def install(file: Path, older: bool) -> None:
    """Check the pack FILE and use it from now on. Earlier packs and your own files stay.

    It must be signed by a key of TOCSIN_LAWS_KEYS. Open incidents go on by the laws they go by; what the new ones would change
    is shown, and somebody takes it (tocsin laws diff, tocsin laws accept).
    """
    taken = _opened(file, library.here(), older)
    click.echo(f"{taken.version} of {taken.made_on}, signed by {taken.signed_by}: {len(taken.laws)} laws, now in use")
    click.echo("A running program takes it up within a minute. See what it would change: tocsin laws diff")


def _opened(file: Path, where: Shelf, older: bool) -> Pack:
    if file.stat().st_size > packs.LARGEST_PACK:
        raise BadPack(f"A pack has at most {packs.LARGEST_PACK:,} bytes.")
    return shelf.install(where, file.read_bytes(), older=older)


@click.command()
@click.argument("chosen", metavar="shipped|VERSION")
def use(chosen: str) -> None:
    """Use another library from now on: the one that the program brings, or an installed pack."""
    where = library.here()
    shelf.choose(where, "" if chosen == "shipped" else chosen)
    made = shelf.read(where)
    click.echo(f"{made.version}, {made.origin.words}: {len(made.book)} laws")
