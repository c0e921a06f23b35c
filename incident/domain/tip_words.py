"""The words of the pages on which anybody reports something, language by language, as files under templates/messages/report/."""

import tomllib
from functools import cache
from typing import Any

from incident.domain.starters import FOLDER

PLACE = FOLDER.parent / "report"


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are words for, English first."""
    return tuple(sorted((path.stem for path in PLACE.glob("*.toml")), key=lambda tag: (tag != "en", tag)))


@cache
def words(language: str) -> dict[str, Any]:
    """The words of one language. Raises FileNotFoundError for one that `languages` does not list."""
    return tomllib.loads((PLACE / f"{language}.toml").read_text(encoding="utf-8"))
