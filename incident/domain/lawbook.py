"""The law library of this installation: every law file, read once. The one door to laws for all other rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from incident.domain.lawfiles import BadLaw, parsed
from incident.domain.laws import (
    CHANNELS,
    FORMS,
    HERE,
    RECIPIENTS,
    Bound,
    Channel,
    Confidence,
    Deadline,
    Duty,
    Exemption,
    Form,
    Hold,
    Law,
    Lawbook,
    Resume,
    Service,
    Substitute,
    anchors,
    elements,
)

__all__ = [
    "CHANNELS",
    "FORMS",
    "HERE",
    "RECIPIENTS",
    "BadLaw",
    "Bound",
    "Channel",
    "Confidence",
    "Deadline",
    "Duty",
    "Exemption",
    "Form",
    "Hold",
    "Law",
    "Lawbook",
    "Resume",
    "Service",
    "Substitute",
    "anchors",
    "elements",
    "library",
    "loaded",
    "parsed",
]

LAWS = HERE / "laws"


@dataclass
class _Held:
    book: Lawbook | None = None


_held = _Held()


def library() -> Lawbook:
    """The laws of this installation: those in use (`editions.use`), or else those that the program brings. Raises BadLaw."""
    return _held.book or _shipped()


def short_name(law: str) -> str:
    """What a law is called for short, such as GDPR; its reference where the library has it no more."""
    known = library().laws.get(law)
    return known.short if known else law


def use(book: Lawbook | None) -> None:
    """Have this process go by these laws; None: by those that the program brings. Called by `editions.use` alone."""
    _held.book = book


@cache
def _shipped() -> Lawbook:
    return loaded(sorted(LAWS.rglob("*.toml")))


@lru_cache(maxsize=2_048)
def read_law(path: str, data: bytes) -> Law:
    """The law in the bytes of a file, read once however often it is asked for. Raises BadLaw."""
    return parsed(data, path)


def loaded(paths: Iterable[Path]) -> Lawbook:
    """The laws of these files. Raises BadLaw with every mistake of every file."""
    laws: dict[str, Law] = {}
    mistakes: list[str] = []
    for path in paths:
        try:
            law = read_law(_place(path), path.read_bytes())
            if law.id in laws:
                raise BadLaw(f"{path.name}: the id {law.id} is also used by {laws[law.id].path}.")
            laws[law.id] = law
        except BadLaw as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadLaw("\n".join(mistakes))
    return Lawbook(laws)


def _place(path: Path) -> str:
    """The path inside the library, such as us/tx.toml."""
    return path.relative_to(LAWS).as_posix() if path.is_relative_to(LAWS) else path.name
