"""The law library of this installation: every law file, read once. The one door to laws for all other rooms."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from incident.domain.lawfiles import BadLaw, parsed
from incident.domain.laws import (
    HERE,
    RECIPIENTS,
    Bound,
    Confidence,
    Deadline,
    Duty,
    Law,
    Lawbook,
    Service,
    anchors,
    elements,
)

__all__ = [
    "HERE",
    "RECIPIENTS",
    "BadLaw",
    "Bound",
    "Confidence",
    "Deadline",
    "Duty",
    "Law",
    "Lawbook",
    "Service",
    "anchors",
    "elements",
    "library",
    "loaded",
    "parsed",
]

LAWS = HERE / "laws"


@cache
def library() -> Lawbook:
    """The laws of this installation, read once. Raises BadLaw."""
    return loaded(sorted(LAWS.rglob("*.toml")))


def loaded(paths: Iterable[Path]) -> Lawbook:
    """The laws of these files. Raises BadLaw with every mistake of every file."""
    laws: dict[str, Law] = {}
    mistakes: list[str] = []
    for path in paths:
        try:
            law = parsed(path.read_bytes(), path.name)
            if law.id in laws:
                raise BadLaw(f"{path.name}: the id {law.id} is also used by {laws[law.id].path}.")
            laws[law.id] = law
        except BadLaw as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadLaw("\n".join(mistakes))
    return Lawbook(laws)
