"""The starter texts and the words around a text, language by language, as files under templates/messages/."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from incident.domain.errors import Invalid
from incident.domain.facts import vocabulary
from incident.domain.notices import SECTIONS, Text
from incident.domain.wording import parsed

PACKAGE = Path(__file__).parent.parent
INSTALLED = PACKAGE / "_templates"
FOLDER = (INSTALLED if INSTALLED.is_dir() else PACKAGE.parent / "templates") / "messages" / "breach"
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True)
class Words:
    """What stands around the texts in one language: headings, title, and how dates, numbers and lists are written."""

    language: str
    name: str
    title: str
    check: str
    check_own: str
    date: str
    comma: str
    yes: str
    no: str
    months: tuple[str, ...]
    day: str
    thousands: str
    correction: str
    headings: Mapping[str, str]
    california: Mapping[str, str]
    by_hand: Mapping[str, str]
    in_care: Mapping[str, str]
    private: tuple[str, ...]
    public: Mapping[str, str]
    kinds: Mapping[str, str]
    draft: bool
    """Nobody who speaks the language has confirmed these words yet."""

    @property
    def direction(self) -> str:
        """Return which way the language is written, as HTML names it."""
        return direction(self.language)


def direction(language: str) -> str:
    """Return which way a language is written, as HTML names it: `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def languages() -> tuple[str, ...]:
    """Return the languages a notice can be written in, English first."""
    return tuple(sorted((path.name for path in FOLDER.iterdir() if path.is_dir()), key=lambda tag: (tag != "en", tag)))


def named(language: str) -> str:
    """Return the language's own name, such as 简体中文."""
    return words(language).name


@cache
def words(language: str) -> Words:
    """Return the words around a text. Raises FileNotFoundError for a language that `languages` does not list."""
    raw: dict[str, Any] = tomllib.loads((FOLDER / language / "words.toml").read_text(encoding="utf-8"))
    return Words(
        language=language,
        name=raw["name"],
        title=raw["title"],
        check=raw["check"],
        check_own=raw["check_own"],
        date=raw["date"],
        comma=raw["and"],
        yes=raw["yes"],
        no=raw["no"],
        months=tuple(raw["months"]),
        day=raw["day"],
        thousands=raw["thousands"],
        correction=raw["correction"],
        headings=raw["headings"],
        california=raw.get("california", {}),
        by_hand=raw["by_hand"],
        in_care=raw["in_care"],
        private=tuple(raw["private"]),
        public=raw["public"],
        kinds=raw.get("kinds", {}),
        draft=raw.get("draft", False),
    )


PARTS: tuple[str, ...] = ("subject", "greeting", *SECTIONS, "sms", "call", "push_title", "push_body")
"""The parts of a starter text, each a file."""
ONE_LINE = frozenset({"subject", "greeting", "push_title"})


@cache
def text(language: str) -> Text:
    """Return the starter text of a notice of data breach in this language, as this installation has it."""
    return Text(
        language,
        subject=part(language, "subject"),
        greeting=part(language, "greeting"),
        sections={section: part(language, section) for section in SECTIONS},
        sms=part(language, "sms"),
        call=part(language, "call"),
        push_title=part(language, "push_title"),
        push_body=part(language, "push_body"),
    )


def part(language: str, name: str) -> str:
    """Return one part of it: the installation's own words, or those that the program brings."""
    own = _own.get((language, name))
    return own if own is not None else (FOLDER / language / f"{name}.txt").read_text(encoding="utf-8").strip()


def use(own: Mapping[tuple[str, str], str]) -> None:
    """Go by these parts from now on, by language and part; all others are those that the program brings."""
    _own.clear()
    _own.update(own)
    text.cache_clear()


def mistake(language: str, name: str, said: str) -> str:
    """Return why this cannot be a part of a starter text; empty where it can."""
    if language not in languages() or name not in PARTS:
        return "There is no such part of a text."
    if not said.strip():
        return "A part of a text says something."
    if name in ONE_LINE and "\n" in said.strip():
        return "This part is one line."
    try:
        parsed(said, where=name, facts=vocabulary().entries)
    except Invalid as error:
        return error.sentence
    return ""


_own: dict[tuple[str, str], str] = {}
