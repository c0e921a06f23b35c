"""Fills a text's placeholders: names from a fixed list, no logic, and a missing value is an error.

A text is parsed once into a `Pattern` (letters and fields) or into prose (paragraphs and lists of them). What does not
differ from person to person is bound once; what is left is filled per person, escaped for where it goes.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from incident.domain.errors import Invalid

PERSON = {
    "person.name": "the person's name",
    "person.for_whom": "whose data it is: the person, also where the notice goes to a guardian",
    "person.exposed": "the kinds of data exposed of this person, in words",
    "person.reference": "this person's own reference, for calls and letters to you",
    "person.code": "what follows {{ notice.reference }}- in this person's own code for the check page",
    "remedy.code": "this person's own code of the first remedy; each person gets one, and keeps it",
    "remedy.code2": "the same of the second remedy",
    "remedy.code3": "the same of the third remedy",
}
HOUSE = {
    "company.name": "your organisation",
    "contact.name": "the person or department in charge of personal data",
    "contact.email": "where people can write to",
    "contact.phone": "where people can call",
    "contact.address": "the postal address of that person or department",
    "link.check": "the page where anyone can check that this notice is genuine",
    "notice.reference": "this notice's reference",
    "notice.date": "the day the notice was submitted for approval",
}
REMEDY = {
    f"remedy.{part}{number}": meaning
    for number in ("", "2", "3")
    for part, meaning in (
        ("name", "what is offered to people"),
        ("provider", "who provides it"),
        ("how", "how it is redeemed, in the language of the text"),
        ("months", "for how many months it runs"),
        ("until", "the last day on which it can be redeemed"),
    )
}
"""What a text may say of remedies that is the same for everybody; those of the second and third end in their number."""
FACT = "fact."
FIELD = re.compile(r"(?<!\{)\{\{\s*([a-z]+\.[a-z][a-z0-9_]*)\s*\}\}(?!\})")
LOGIC = re.compile(r"\{%|%\}|\{#|#\}")

UNWANTED = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
)  # controls, overrides, halves, private letters, odd line ends
KEPT = frozenset("\n\t\u200c\u200d")  # line ends; the joiners that several scripts and emoji need

Escape = Callable[[str], str]
Values = Mapping[str, str]


class Unfilled(Invalid):
    """A text asks for a value that is not there; `field` is the placeholder's name."""

    def __init__(self, field: str) -> None:
        super().__init__(field, f"There is no value for {{{{ {field} }}}}.")


@dataclass(frozen=True)
class Slot:
    """A place in a text that a value fills."""

    name: str


@dataclass(frozen=True)
class Pattern:
    """A text in pieces: letters that stand as they are, and slots."""

    pieces: tuple[str | Slot, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the slots in order, each once."""
        return tuple(dict.fromkeys(piece.name for piece in self.pieces if isinstance(piece, Slot)))

    def bound(self, values: Values, escape: Escape) -> "Pattern":
        """Return the pattern with these values in place; slots it has no value for stay slots."""
        return Pattern(_merged(_put(piece, values, escape) for piece in self.pieces))

    def filled(self, values: Values, escape: Escape) -> str:
        """Return the whole text. Raises Unfilled naming the first field without a value."""
        letters, names = self.frame
        return letters % tuple([escape(filling(values, name)) for name in names]) if names else letters

    @cached_property
    def frame(self) -> tuple[str, tuple[str, ...]]:
        """The letters with `%s` for each slot, and the names of the slots: a hundred thousand people are filled by it."""
        names = tuple(piece.name for piece in self.pieces if isinstance(piece, Slot))
        if not names:
            return "".join(str(piece) for piece in self.pieces), ()
        return "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in self.pieces), names


def known(name: str, facts: Iterable[str]) -> bool:
    """Return whether `name` is a field a text may use, given the keys of the fact vocabulary."""
    return (
        name in PERSON
        or name in HOUSE
        or name in REMEDY
        or (name.startswith(FACT) and name.removeprefix(FACT) in set(facts))
    )


def parsed(text: str, *, where: str, facts: Iterable[str]) -> Pattern:
    """Return the pattern of `text`. Raises Invalid(where) for an unknown field, loose braces or template logic."""
    text = cleaned(text)
    if LOGIC.search(text):
        raise Invalid(where, "A text has placeholders like {{ person.name }} only; {% and {# mean nothing here.")
    pieces: list[str | Slot] = []
    keys = frozenset(facts)
    position = 0
    for found in FIELD.finditer(text):
        pieces.append(_plain(text[position : found.start()], where))
        if not known(found[1], keys):
            raise Invalid(where, f"There is no field called {{{{ {found[1]} }}}}.")
        pieces.append(Slot(found[1]))
        position = found.end()
    pieces.append(_plain(text[position:], where))
    return Pattern(_merged(pieces))


def cleaned(text: str) -> str:
    """Return `text` in NFC with plain line ends, without controls, direction overrides or private letters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(letter for letter in text if letter in KEPT or unicodedata.category(letter) not in UNWANTED)


def one_line(value: str) -> str:
    """Return `value` fit for plain text: one line, no control letters."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    return " ".join(cleaned(value.replace("\t", " ")).split())


def for_html(value: str) -> str:
    """Return `value` fit for HTML, inside an element or a quoted attribute."""
    return html.escape(one_line(value), quote=True)


for_text = one_line
for_header = one_line
for_sms = one_line


def _plain(text: str, where: str) -> str:
    loose = "{{" if "{{" in text else "}}" if "}}" in text else ""
    if loose:
        shown = one_line(text[text.index(loose) :])[:40]
        raise Invalid(where, f"Mend the placeholder at “{shown}”: write it like {{{{ person.name }}}}.")
    return text


def _put(piece: str | Slot, values: Values, escape: Escape) -> str | Slot:
    if isinstance(piece, str) or piece.name not in values:
        return piece
    return escape(filling(values, piece.name))


def filling(values: Values, name: str) -> str:
    """Return the value of a field. Raises Unfilled where there is none, or a blank one."""
    value = values.get(name, "")
    if not value.strip():
        raise Unfilled(name)
    return value


def _merged(pieces: Iterable[str | Slot]) -> tuple[str | Slot, ...]:
    merged: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return tuple(merged)
