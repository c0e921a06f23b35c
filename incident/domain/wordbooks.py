"""The words of pages and mails for people outside, a file a language, in rooms under templates/messages/."""

import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any

from incident.domain.notices import language_for, speaks
from incident.domain.starters import FOLDER


class Wordbook:
    """The words of one room, in as many languages as there are files."""

    def __init__(self, room: str) -> None:
        self.place = FOLDER.parent / room
        self.languages = cache(self._languages)
        self.words = cache(self._words)

    def _languages(self) -> tuple[str, ...]:
        """Return the languages that there are words for, English first."""
        return tuple(sorted((path.stem for path in self.place.glob("*.toml")), key=lambda tag: (tag != "en", tag)))

    def _words(self, language: str) -> dict[str, Any]:
        """Return the words of one language. Raises FileNotFoundError for one that `languages` does not list."""
        return tomllib.loads((self.place / f"{language}.toml").read_text(encoding="utf-8"))

    def fitting(self, asked: Iterable[str]) -> str:
        """Return the first of these languages that there are words for, or one of its tongue and script; English without one."""
        known = self.languages()
        return next((language_for(tag, known) for tag in asked if tag and speaks(tag, known)), known[0])
