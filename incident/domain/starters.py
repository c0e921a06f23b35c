"""The starter texts and the words around a text, language by language, as files under templates/messages/."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from incident.domain.notices import SECTIONS, Text

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

    @property
    def direction(self) -> str:
        """Return which way the language is written, as HTML names it."""
        return "rtl" if self.language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


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
    )


@cache
def text(language: str) -> Text:
    """Return the starter text of a notice of data breach in this language."""
    return Text(
        language,
        subject=_part(language, "subject"),
        greeting=_part(language, "greeting"),
        sections={section: _part(language, section) for section in SECTIONS},
        sms=_part(language, "sms"),
        call=_part(language, "call"),
        push_title=_part(language, "push_title"),
        push_body=_part(language, "push_body"),
    )


def _part(language: str, name: str) -> str:
    return (FOLDER / language / f"{name}.txt").read_text(encoding="utf-8").strip()
