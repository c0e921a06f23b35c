"""What the commands on laws share: the laws of this installation, opened without a database."""

from pathlib import Path

import click

from incident import settings
from incident.domain import packs
from incident.domain.editions import Edition, LawText
from incident.domain.lawbook import LAWS, BadLaw, Law
from incident.store import shelf
from incident.store.shelf import Shelf

CHECKOUT_CASES = LAWS.parent.parent / "tests" / "laws"


class Unusable(click.ClickException):
    """What was handed in cannot be used; exit code 2."""

    exit_code = 2


def here() -> Shelf:
    """The shelf of this installation. Raises SettingsError."""
    configuration = settings.load()
    return Shelf(configuration.instance, packs.keys_of(configuration.laws_keys))


def edition() -> Edition:
    """The laws of this installation. Raises Unusable where the library itself cannot be read."""
    try:
        return shelf.read(here())
    except BadLaw as error:
        raise Unusable(str(error)) from None


def cases_folder(where: Shelf, law: Law, given: Path | None) -> Path | None:
    """Where the cases of a law are: as given, beside the user's own files, in the pack in use, or in a checkout."""
    if law.own:
        return given if given and (given / case_file(law)).exists() else shelf.own_cases(where)
    if given:
        return given
    return shelf.pack_cases(where) or (CHECKOUT_CASES if CHECKOUT_CASES.is_dir() else None)


def case_file(law: Law) -> str:
    """The name of a law's file of cases."""
    return f"{law.id.lower()}.toml"


def cases_text(folder: Path, law: Law) -> LawText | None:
    """A law's file of cases; None where there is none."""
    path = folder / case_file(law)
    return LawText(path.name, path.read_bytes()) if path.is_file() else None
