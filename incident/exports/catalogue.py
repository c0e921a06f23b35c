"""What the interface says, in each language it is offered in: the texts of `incident/translations`, read as they are.

The `.po` file itself is read, the first time somebody asks for its language: nothing has to be compiled, so nothing can be
forgotten or be out of date. English is the text in the code; what has no translation stays English.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from incident.domain import places, zones
from incident.domain.facts import zone_word
from incident.domain.speech import GAP, Say, english

TRANSLATIONS: Final = Path(__file__).parent.parent / "translations"
FORMATS: Final = {"en": "en_GB", "zh-Hans": "zh_Hans_CN"}
"""By which locale each language writes its days and cities."""
FORMS: Final = {"en": "en", "zh-Hans": "zh"}
"""By which name documents and the words of facts know each language of the interface."""
FILES: Final = {"zh-Hans": TRANSLATIONS / "zh_Hans" / "LC_MESSAGES" / "messages.po"}
LAWS: Final = {tag: path.with_name("laws.po") for tag, path in FILES.items()}
"""What law files say in sentences. No lawyer has read these: the pages of a law say so."""
BELOW: Final = "made below the pages"
"""The comment of a text that rules, actions or files make: its places are filled before a page sees it."""
LONGEST: Final = 1_000
"""A text of more letters is nobody's sentence, and is not looked for among the patterns."""
JOINTS: Final = {"? ": " ", ": ": "："}
"""What stands between a name or a question and what is said of it."""
LISTS: Final = {". ": "。", "; ": "；", " → ": " → ", " / ": " / ", ", ": "，"}
"""What stands between things that are told one after the other, the widest first."""
FIGURE: Final = r"\d[\d,]*"
"""What stands in a place called `amount`: a sentence that begins with one would else be found in any that ends like it."""
PLACE: Final = re.compile(r"%\((\w+)\)[sd]")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DATE: Final = re.compile(rf"\b([12]?\d|3[01]) ({'|'.join(MONTHS)}) (\d{{4}})\b")
"""How rules write a day, such as 21 Nov 2026."""
CITY: Final = r"[A-Z][^\W\d]*(?: [A-Z][^\W\d]*)*"
MOMENT: Final = re.compile(rf"{DATE.pattern}(?:, (\d\d:\d\d(?::\d\d)?))? ({CITY})(?![^\W\d])")
"""The same with its hour, where that is known, and with its zone: 21 Nov 2026, 19:09 Hong Kong."""
BRACKETED: Final = re.compile(rf"（({CITY})）")
"""The zone of a moment as Chinese phrases write it."""
LATIN: Final = re.compile(r"[a-z]{2,}")
FEWEST_WORDS: Final = 4


@dataclass(frozen=True)
class Catalogue:
    """The texts of one language; `patterns` are those whose places were filled before a page saw them."""

    texts: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def text(self, english: str) -> str:
        """The text in this language, its places unfilled; the English where there is none."""
        return self.texts.get(english, english)

    def said(self, english: str) -> str:
        """A finished text in this language: as it stands, by the pattern it was made from, or part by part; else as it came."""
        known = self.texts.get(english)
        if known is not None or not self.texts or len(english) > LONGEST:
            return english if known is None else known
        return _by_pattern(self, english) or _by_parts(self, english) or english


NONE: Final = Catalogue({})


@cache
def catalogue(tag: str) -> Catalogue:
    """The texts for this language tag; English has none."""
    if tag not in FILES:
        return NONE
    messages, of_laws = _messages(FILES[tag]), _messages(LAWS[tag])
    texts = _places() | dict(pair for message in (*of_laws, *messages) for pair in _pairs(message))
    filled = [english for message in messages if BELOW in message.auto_comments for english, _ in _pairs(message)]
    longest_first = sorted((english for english in filled if PLACE.search(english)), key=lambda words: -len(words))
    return Catalogue(texts, tuple((_pattern(english), english) for english in longest_first))


def _messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id and not message.fuzzy]


def said(text: str, tag: str) -> str:
    """What rules, actions or files made, in this language: its words, its moments and days."""
    if tag not in FILES:
        return text
    words = catalogue(tag).said(MOMENT.sub(partial(_timed, FORMATS[tag]), str.__str__(text)))
    return DATE.sub(partial(_dated, FORMATS[tag]), words)


def speaker(tag: str) -> Say:
    """What puts a rule's English with its gaps into this language; what fills them is said in it, too."""
    if tag not in FILES:
        return english
    book = catalogue(tag)

    def say(text: str, /, **values: object) -> str:
        found = book.texts.get(GAP.sub(r"%(\1)s", text))
        filled = {name: _filling(str(value), tag) for name, value in values.items()}
        return text.format(**filled) if found is None else found % filled

    return say


def _filling(value: str, tag: str) -> str:
    """A value in this language; what has lines of its own, such as a signed statement, stays letter by letter."""
    return value if "\n" in value else said(value, tag)


def _timed(locale: str, found: re.Match[str]) -> str:
    """A moment that a rule wrote, as this locale writes it; nothing else in it is looked for afterwards."""
    *_day, clock, place = found.groups()
    named = city(place, locale)
    return " ".join(part for part in (_dated(locale, found), clock, named) if part)


def placed(words: str, tag: str) -> str:
    """A moment in Chinese words with the city of its zone by its Chinese name."""
    return BRACKETED.sub(lambda found: f"（{city(found[1], FORMATS[tag])}）", words)


def _dated(locale: str, found: re.Match[str]) -> str:
    """A day that a rule wrote, as this locale writes it."""
    day, month, year = found.groups()[:3]
    return format_date(date(int(year), MONTHS.index(month) + 1, int(day)), "long", locale=locale)


def _places() -> dict[str, str]:
    """The Chinese names of places and of groups of places, by their English ones: they have a file of their own."""
    codes = (*places.codes(), *places.groups())
    named = {places.named(code): places.named(code, "zh") for code in codes}
    return named | {_headed(english): chinese for english, chinese in named.items()}


def _headed(place: str) -> str:
    """The name of a place as a heading has it, without its article."""
    bare = place.removeprefix("the ")
    return bare[:1].upper() + bare[1:]


@lru_cache(maxsize=512)
def city(english: str, locale: str) -> str:
    """The city of a zone as rules write it (`Hong Kong`), as this language calls it; what is no city comes back as it is."""
    key = _cities().get(english)
    return get_timezone_location(key, locale=locale, return_city=True) if key else english


@cache
def _cities() -> dict[str, str]:
    return {zone_word(ZoneInfo(key)): key for key in sorted(zones.known()) if "/" in key}


def _pairs(message: Message) -> list[tuple[str, str]]:
    """Both forms of the English with their text; languages without a plural have one text for both."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))] if message.string else []
    texts = [text for text in message.string or () if text]
    return [(message.id[0], texts[0]), (message.id[1], texts[-1])] if texts else []


def _pattern(english: str) -> re.Pattern[str]:
    """What finds the values in a text that was filled in; a place that stands twice must hold the same twice."""
    parts, seen, last = [], set[str](), 0
    for place in PLACE.finditer(english):
        parts.append(re.escape(english[last : place.start()].replace("%%", "%")))
        name, last = place.group(1), place.end()
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{FIGURE if name == 'amount' else '.+?'})")
        seen.add(name)
    return re.compile("".join([*parts, re.escape(english[last:].replace("%%", "%"))]), re.DOTALL)


@lru_cache(maxsize=4096)
def _found(patterns: tuple[tuple[re.Pattern[str], str], ...], english: str) -> tuple[str, dict[str, str]] | None:
    for pattern, source in patterns:
        if match := pattern.fullmatch(english):
            return source, match.groupdict()
    return None


def _by_pattern(book: Catalogue, english: str) -> str:
    found = _found(book.patterns, english)
    if found is None:
        return ""
    source, values = found
    return book.texts[source] % {name: book.said(value) for name, value in values.items()}


def _by_parts(book: Catalogue, english: str) -> str:
    """Such as “question? answer”, “name: value” and lists, where the parts are known."""
    for mark, between in JOINTS.items():
        left, found, right = english.partition(mark)
        if found and left + mark.strip(" :;→") in book.texts:
            return book.texts[left + mark.strip(" :;→")] + between + book.said(right)
    for mark, between in LISTS.items():
        parts = english.split(mark)
        told = list(_runs(book, parts, mark)) if len(parts) > 1 else parts
        if told != parts and not any(part in parts and _is_sentence(part) for part in told):
            return between.join(told)
    return ""


def _is_sentence(part: str) -> bool:
    """Whether so much of it is left in English that the rest of its sentence stays so, too: half of one helps nobody."""
    return len(LATIN.findall(part)) >= FEWEST_WORDS


def _runs(book: Catalogue, parts: Sequence[str], mark: str) -> Iterator[str]:
    """Each part in this language; parts that stand as one text in the catalogue are one, for some texts hold the mark."""
    here = 0
    while here < len(parts):
        end = next(
            (last for last in range(len(parts), here + 1, -1) if mark.join(parts[here:last]) in book.texts), here + 1
        )
        yield book.said(mark.join(parts[here:end]))
        here = end
