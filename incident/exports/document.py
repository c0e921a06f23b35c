"""A document before it is a file: title, particulars, sections of answers and tables. Each format renders the same one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Mark:
    """A word beside an answer that asks for attention, such as "missing" or "changed"."""

    word: str
    tone: str = "plain"


@dataclass(frozen=True)
class Item:
    """One question with its answer; `notes` are small lines below, `was` is what the report before said."""

    label: str
    text: str
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    was: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a header row; `widths` are shares of the line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """A heading with a line of text, answers and tables below it, any of them absent."""

    heading: str
    text: str = ""
    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Document:
    """All that a file says, and the moment that it carries as its date."""

    title: str
    subtitle: str
    language: str
    author: str
    at: datetime
    was_word: str
    particulars: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    summary: tuple[Item, ...] = ()
    closing: str = ""

    def plain(self) -> Mapping[str, Any]:
        """The document as JSON-ready values."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Attachment:
    """A file that travels inside a document."""

    name: str
    mime: str
    description: str
    content: bytes = field(repr=False)
