"""What the words in other people's lists mean: headers, places, languages, kinds of data, ages, dates."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from incident.domain import facts, people, places
from incident.domain.people import Age

COLUMNS_FILE: Final = Path(__file__).parent.parent / "columns.toml"
LEAVE_OUT: Final = ""
LONGEST_NAME_KEPT: Final = 40
SEVERAL: Final = re.compile(r"[,;|/、，；\n]+")
LOOSE: Final = re.compile(r"[\s_\-./:()（）*#]+")
ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
JOINERS: Final = "\u200c\u200d"


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(COLUMNS_FILE.read_text(encoding="utf-8"))


@cache
def labels() -> dict[str, str]:
    """The fields a column may fill, with the words that name them, in the order of the form."""
    return {word: str(entry["label"]) for word, entry in _file()["field"].items()}


@cache
def languages() -> tuple[str, ...]:
    """The languages that people of an incident may have."""
    return tuple(_file()["language"])


def loose(text: str) -> str:
    """The text as headers and words are compared: no case, spaces or marks, one form of each letter."""
    return LOOSE.sub("", unicodedata.normalize("NFKC", text).casefold())


@cache
def _by_header() -> dict[str, str]:
    entries = _file()["field"].items()
    words = {loose(word): name for name, entry in entries for word in entry["words"]}
    return words | {loose(name): name for name in labels()} | {loose(label): name for name, label in labels().items()}


def guessed(headers: Sequence[str]) -> list[str]:
    """For each header the field it most likely fills, each field once but for lines of an address; else left out."""
    found: list[str] = []
    for header in headers:
        target = _by_header().get(loose(header), LEAVE_OUT)
        found.append(target if target == "street" or target not in found else LEAVE_OUT)
    return found


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether the first row names columns: it names one we know, or holds neither an at sign nor a long number."""
    if any(guessed(cells)):
        return True
    return not any("@" in cell or re.search(r"\d{5}", cell) for cell in cells)


def kept_name(header: str) -> str:
    """A header as the name of a kept column: `Gift code` becomes `gift_code`."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header).strip().casefold()).strip("_")
    return (name if name and not name[0].isdigit() else f"column_{name}".rstrip("_"))[:LONGEST_NAME_KEPT]


def cleaned(value: str, *, lines: bool = False) -> str:
    """One form of each letter, one space between words, no control or direction marks; an address keeps its lines."""
    if lines:
        return "\n".join(part for line in value.splitlines() if (part := cleaned(line)))
    value = unicodedata.normalize("NFC", value)
    if not value.isprintable():
        value = "".join(_seen(letter) for letter in value)
    return " ".join(value.split())


def _seen(letter: str) -> str:
    if letter.isprintable() or letter in JOINERS:
        return letter
    return " " if letter.isspace() else ""


@cache
def _place_names() -> dict[str, str]:
    names = {loose(code): code for code in places.codes() if "-" not in code}
    for code in places.codes():
        if "-" not in code:
            names |= {loose(places.named(code, "en")): code, loose(places.named(code, "zh")): code}
    return names | {loose(name): code for code, others in _file()["place"].items() for name in others}


@cache
def _region_names(country: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for code in places.codes():
        if code.startswith(f"{country}-"):
            english = places.named(code, "en").removesuffix(" (USA)")
            names |= {
                loose(code): code,
                loose(code[3:]): code,
                loose(english): code,
                loose(places.named(code, "zh")): code,
            }
            names |= {loose(english.removesuffix(" State")): code, loose(places.named(code, "zh")[:-1]): code}
    return names


def found_place(country: str, region: str, default: str = "") -> tuple[str, bool]:
    """The code of a residence and whether it was understood: `("US-TX", True)` for USA, Texas."""
    given = loose(country)
    if given and country.strip().upper() in places.codes():
        code = country.strip().upper()
    else:
        code = _place_names().get(given, "") if given else default[:2]
    if given and not code:
        inside = _region_names("US").get(given, "") if len(given) > 2 else ""
        return (inside or default, bool(inside))
    if not region or "-" in code:
        return code, True
    inside = _region_names(code or "US").get(loose(region), "")
    return (inside or code, bool(inside) or code not in {"US", ""})


def spoken(place: str) -> str:
    """The language most people of a place read; empty where we do not know."""
    speaks = _file()["speaks"]
    return str(speaks.get(place) or speaks.get(place[:2]) or "")


@cache
def _language_names() -> dict[str, str]:
    return {loose(name): tag for tag, names in _file()["language"].items() for name in (*names, tag)}


def found_language(text: str) -> str | None:
    """The tag of a language: `zh-Hans` for 中文 or zh_CN, `en` for en-GB; None where it is not understood."""
    names = _language_names()
    return names.get(loose(text)) or names.get(loose(re.split(r"[-_(,;]", text, maxsplit=1)[0]))


@cache
def _kind_names() -> dict[str, str]:
    kinds = facts.vocabulary().kinds.values()
    return {loose(name): kind.word for kind in kinds for name in (kind.word, kind.en, kind.zh)}


def found_kinds(text: str) -> str | None:
    """The words of the kinds of data named, sorted; None where one of them is not understood."""
    names = _kind_names()
    found = [names.get(loose(part)) for part in SEVERAL.split(text) if part.strip()]
    return " ".join(sorted({word for word in found if word})) if all(found) else None


@cache
def _yes_and_no() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(map(loose, _file()["yes"]["words"])), frozenset(map(loose, _file()["no"]["words"]))


def says_no(text: str) -> bool:
    """Whether the cell says no. Whatever else stands there, a date or a cross, says yes."""
    return not text.strip() or loose(text) in _yes_and_no()[1]


@cache
def _safe_names() -> dict[str, str]:
    return {loose(name): word for word, names in _file()["safe"].items() for name in (*names, word)}


def found_safe(text: str) -> tuple[str, bool]:
    """The ways that a cell calls safe, as words in their order, "none" where it names none; whether all of it was understood.

    Empty where the cell says no: nobody is at risk then. A mere yes names no way, so none is safe until somebody says which.
    """
    if says_no(text):
        return "", True
    known, empty = _safe_names(), {*_yes_and_no()[0], *map(loose, _file()["no"]["words"]), people.NONE_SAFE}
    parts = [part for part in SEVERAL.split(text) if part.strip()]
    words = [word for part in parts for word in ([part] if loose(part) in known else part.split())]
    words = [loose(word) for word in words if loose(word) not in empty]
    return people.safe_words(known[word] for word in words if word in known), all(word in known for word in words)


def found_age(text: str) -> str | None:
    """The band for an age in years or for yes and no; None where it is not understood."""
    yes, no = _yes_and_no()
    word = loose(text)
    if word in yes or (word.isascii() and word.isdigit() and 1 < int(word) < 18):
        return _band(int(word)) if word.isdigit() and int(word) > 1 else Age.UNDER_18
    if word in no or (word.isascii() and word.isdigit() and 18 <= int(word) <= 125):
        return Age.ADULT
    return None


def _band(years: int) -> Age:
    return people.age_on(date(2000, 1, 1), date(2000 + years, 1, 1))


def found_date(text: str, order: str) -> date | None:
    """A date as lists write it; `order` settles which of 03/04/2010 is the month. None where it is not one."""
    if ISO_DATE.fullmatch(text):
        return _real_date(text[:4], text[5:7], text[8:])
    numbers = re.findall(r"\d+", text.split("T")[0].split(" ")[0])
    if len(numbers) == 1 and len(numbers[0]) == 8:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    if len(numbers) != 3:
        return None
    if len(numbers[0]) == 4:
        year, month, day = numbers
    elif order == "mdy" and "." not in text:
        month, day, year = numbers
    else:
        day, month, year = numbers
    return _real_date(year, month, day)


def _real_date(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day)) if len(year) == 4 else None
    except ValueError:
        return None
    return found if found and found.year >= 1900 else None
