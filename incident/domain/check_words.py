"""The words of the page on which anybody checks a notice, and of mails about an enquiry, as files under templates/messages/check/."""

import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from incident.domain.starters import FOLDER

PLACE: Final = FOLDER.parent / "check"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are words for, English first."""
    return tuple(sorted((path.stem for path in PLACE.glob("*.toml")), key=lambda tag: (tag != "en", tag)))


@cache
def words(language: str) -> dict[str, Any]:
    """Return the words of one language. Raises FileNotFoundError for one that `languages` does not list."""
    return tomllib.loads((PLACE / f"{language}.toml").read_text(encoding="utf-8"))


def fitting(asked: Iterable[str]) -> str:
    """Return the first of these languages that there are words for, or a like one (zh-Hant reads zh-Hans); English without one."""
    for tag in asked:
        same = next((one for one in languages() if one.lower() == tag.lower()), "")
        like = next((one for one in languages() if one.partition("-")[0] == tag.lower().partition("-")[0]), "")
        if same or like:
            return same or like
    return "en"
