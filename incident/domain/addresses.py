"""Postal addresses: the lines as they go on a letter, and what would keep a letter from arriving."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from incident.domain import places
from incident.domain.columns import found_place

POSTCODES: Final[Mapping[str, str]] = {
    "AT": r"[1-9]\d{3}",
    "AU": r"\d{4}",
    "BE": r"[1-9]\d{3}",
    "CA": r"[A-CEGHJ-NPR-TVXY]\d[A-CEGHJ-NPR-TV-Z] ?\d[A-CEGHJ-NPR-TV-Z]\d",
    "CH": r"[1-9]\d{3}",
    "CN": r"\d{6}",
    "DE": r"\d{5}",
    "DK": r"\d{4}",
    "ES": r"\d{5}",
    "FR": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    "IN": r"[1-9]\d{2} ?\d{3}",
    "IT": r"\d{5}",
    "JP": r"\d{3}-?\d{4}",
    "NL": r"[1-9]\d{3} ?[A-Z]{2}",
    "PL": r"\d{2}-\d{3}",
    "SG": r"\d{6}",
    "US": r"\d{5}(?:-\d{4})?",
}
"""The shape of a postal code by country, as its post writes it: commonly known shapes, not read anew from each post."""
BOX: Final = re.compile(
    r"\b(?:p\.? ?o\.? ?box|postfach|bo[iî]te postale|apartado|casella postale|postbus)\b|邮政信箱", re.IGNORECASE
)
BROKEN: Final = re.compile("[\ufffd\u0080-\u009f]|Ã[\u0080-\u00bf¤¶¼Ÿ©¨]|â€|ï»¿")


class Doubt(StrEnum):
    """What may keep a letter from arriving."""

    LINES = "lines"
    POSTCODE = "postcode"
    BROKEN = "broken"
    CAPITALS = "capitals"
    BOX = "box"


DOUBT_WORDS: Final[Mapping[Doubt, str]] = {
    Doubt.LINES: "fewer lines than a name, a street and a town",
    Doubt.POSTCODE: "no postal code as this country writes it",
    Doubt.BROKEN: "letters that a wrong encoding left behind",
    Doubt.CAPITALS: "all in capitals",
    Doubt.BOX: "a post box, which registered mail may not reach",
}


def doubts(lines: Sequence[str], country: str, *, registered: bool = False) -> tuple[Doubt, ...]:
    """What of this address (the name first) somebody should look at before a letter is printed; a country not known is not judged."""
    below = [line for line in lines[1:] if line.strip()]
    text = "\n".join(below)
    shape = POSTCODES.get(country[:2])
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    found = {
        Doubt.LINES: len(below) < 2,
        Doubt.POSTCODE: bool(shape) and not re.search(rf"(?<![A-Z\d])(?:{shape})(?![A-Z\d])", text.upper()),
        Doubt.BROKEN: bool(BROKEN.search("\n".join(lines))),
        Doubt.CAPITALS: len(letters) > 8 and all(letter.isupper() for letter in letters),
        Doubt.BOX: registered and bool(BOX.search(text)),
    }
    return tuple(doubt for doubt, is_so in found.items() if is_so)


def postal(lines: Sequence[str], country: str, *, home: str) -> tuple[str, ...]:
    """The lines for the window: to another country, its name in capitals as the last; at home, no country."""
    kept = [" ".join(line.split()) for line in lines if line.strip()]
    if kept[1:] and len(kept[-1]) > 1 and country and found_place(kept[-1], "") == (country, True):
        kept.pop()
    if country and home and country != home:
        kept.append(places.named(country, "en").upper())
    return tuple(kept)
