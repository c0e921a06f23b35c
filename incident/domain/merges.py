"""The values that texts are merged with, in the words of each language: facts, the organisation, and one person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final

from incident.domain import facts as vocabulary
from incident.domain import phrases, remedies
from incident.domain.facts import UNKNOWN, Facts, Unknown, Value
from incident.domain.people import DOT, Addressee, mask_words
from incident.domain.remedies import CODES, Offer
from incident.domain.starters import Words
from incident.domain.starters import words as words_of
from incident.domain.wording import FACT, Unfilled, one_line

CHECK_PATH = "/check"
STAND_INS: Final = {
    "name": "[your organisation]",
    "contact": "[your contact]",
    "email": "[contact e-mail]",
    "phone": "[contact telephone]",
    "address": "[contact address]",
}
"""What the texts of a drill say where nobody has set who the organisation is: a drill reaches nobody, and needs no settings."""


def fact_words(key: str, value: Value | Unknown, words: Words, zone: tzinfo = UTC) -> str:
    """Return a fact as a notice says it; "" for what is unknown or has no words in this language.

    Instants become days: a notice says on which day, and a day is read the same in every zone the reader may live in.
    """
    if value is UNKNOWN or key not in vocabulary.vocabulary():
        return ""
    if isinstance(value, bool):
        return words.yes if value else words.no
    if isinstance(value, datetime):
        return day_words(value.astimezone(zone).date(), words)
    if isinstance(value, date):
        return day_words(value, words)
    if isinstance(value, int | float):
        return f"{value:,}".replace(",", words.thousands)
    if key == "data_kinds" and isinstance(value, tuple):
        return kinds_words(value, words)
    if isinstance(value, Mapping):
        return ""
    return _option_words(key, value, words)


def _option_words(key: str, value: object, words: Words) -> str:
    """Return the vocabulary's labels, for which only English and Chinese have words; free text as it was recorded."""
    entry = vocabulary.vocabulary()[key]
    chosen = value if isinstance(value, tuple) else (str(value),)
    if not entry.options:
        return words.comma.join(one_line(word) for word in chosen)
    tongue = {"en": "en", "zh-Hans": "zh"}.get(words.language, "")
    return words.comma.join(phrases.words(key, word, UTC, tongue) for word in chosen) if tongue else ""


def day_words(day: date, words: Words) -> str:
    """Return a day such as 18 November 2026 or 2026年11月18日."""
    return words.day.format(day=day.day, month=words.months[day.month - 1], year=day.year)


def kinds_words(kinds: Iterable[str], words: Words) -> str:
    """Return kinds of personal data as a list in words; a kind that the vocabulary dropped is left as it was kept."""
    return _kinds_words(tuple(kinds), words.language, words.comma)


@lru_cache(maxsize=4096)
def _kinds_words(kinds: tuple[str, ...], language: str, comma: str) -> str:
    return comma.join(_kind_words(kind, language) for kind in kinds)


def _kind_words(kind: str, language: str) -> str:
    """Return one kind: in the language's own words, or those of the vocabulary, which has English and Simplified Chinese."""
    own = words_of(language).kinds.get(kind)
    known = vocabulary.vocabulary().kinds.get(kind)
    if own or known is None:
        return own or kind
    return known.zh if language == "zh-Hans" else known.en


@lru_cache(maxsize=4096)
def _kinds_line(kinds: tuple[str, ...], language: str, comma: str) -> str:
    return one_line(_kinds_words(kinds, language, comma))


def fact_values(facts: Facts, words: Words, zone: tzinfo) -> dict[str, str]:
    """Return `fact.<key>` with its words, for every fact that has some."""
    found = {
        FACT + entry.key: fact_words(entry.key, facts[entry.key], words, zone) for entry in vocabulary.vocabulary()
    }
    return {name: value for name, value in found.items() if value.strip()}


def practising(company: Mapping[str, str]) -> dict[str, str]:
    """Return what a drill says of the organisation: what is set, else words that stand for it and look like it."""
    return {name: company.get(name, "") or word for name, word in STAND_INS.items()}


def house_values(company: Mapping[str, str], *, site: str, ref: str, day: date, words: Words) -> dict[str, str]:
    """Return what is the same for every person; `company` has name, contact, email, phone and address."""
    values = {
        "company.name": company.get("name", ""),
        "contact.name": company.get("contact", ""),
        "contact.email": company.get("email", ""),
        "contact.phone": company.get("phone", ""),
        "contact.address": company.get("address", "").strip().replace("\n", words.comma),
        "link.check": site + CHECK_PATH,
        "notice.reference": ref,
        "notice.date": day_words(day, words),
    }
    return {name: one_line(value) for name, value in values.items() if value.strip()}


def remedy_values(offers: Iterable[tuple[int, Offer]], words: Words) -> dict[str, str]:
    """Return what texts say of the remedies of an incident that is the same for everybody."""
    found: dict[str, str] = {}
    for number, offer in offers:
        day = day_words(offer.until, words) if offer.until else ""
        found |= remedies.values(offer, number, words.language, day)
    return {name: one_line(value) for name, value in found.items()}


def person_values(person: Addressee, words: Words) -> dict[str, str]:
    """Return what differs from person to person; what is not known of this one is left out."""
    values = {name: value(person, words) for name, value in OF_PERSON.items()}
    return {name: value for name, value in values.items() if value.strip()}


def own_words(person: Addressee, words: Words, names: Iterable[str]) -> tuple[str, ...]:
    """Return what one person's message says in these fields, a line each. Raises Unfilled naming the first without."""
    return reader(words, names)(person)


def reader(words: Words, names: Iterable[str]) -> Callable[[Addressee], tuple[str, ...]]:
    """Return what gives the same for one person after the other."""
    read = together(words, names)
    return lambda person: read([person])[0]


def together(words: Words, names: Iterable[str]) -> Callable[[Sequence[Addressee]], list[tuple[str, ...]]]:
    """Return what gives the same for many people at once, in their order, a field after the other: half the time."""
    asked = [(name, OF_PERSON.get(name, _nothing), name in FIT) for name in names]

    def read(people: Sequence[Addressee]) -> list[tuple[str, ...]]:
        columns = []
        for name, value_of, fit in asked:
            found = [value_of(person, words) for person in people]
            columns.append(found if fit else list(map(one_line, found)))
            if "" in columns[-1]:
                raise Unfilled(name)
        return list(zip(*columns, strict=True)) if columns else [()] * len(people)

    return read


def _nothing(_person: Addressee, _words: Words) -> str:
    return ""


def gaps(person: Addressee, words: Words, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of these fields that this person has no value for."""
    return tuple(name for name in names if name not in OF_PERSON or not one_line(OF_PERSON[name](person, words)))


def _code_of(place: int) -> Callable[[Addressee, Words], str]:
    return lambda person, _: person.remedies[place] if place < len(person.remedies) else ""


OF_PERSON: Final[Mapping[str, Callable[[Addressee, Words], str]]] = {
    "person.name": lambda person, _: person.name,
    "person.for_whom": lambda person, _: person.for_whom,
    "person.exposed": lambda person, words: _kinds_line(person.exposed, words.language, words.comma),
    "person.reference": lambda person, _: person.ref,
    "person.code": lambda person, _: person.code,
    **{name: _code_of(number - 1) for name, number in CODES.items()},
}
"""Where the value of each field of a person comes from."""
FIT: Final = frozenset({"person.exposed", "person.reference", "person.code", *CODES})
"""Fields of which the house says every letter: they are one line already."""


def everybody(kinds: Sequence[str], words: Words) -> dict[str, str]:
    """Return what a text for everybody says where a text for one person names that person's data."""
    shown = kinds_words(kinds, words)
    return {"person.exposed": shown} if shown else {}


def masked_person(person: Addressee, words: Words) -> dict[str, str]:
    """Return the same values with names masked, for a page that must not show who it is; what is lacking stays lacking."""
    shown = person_values(person, words)
    hidden = {name: mask_words(shown[name]) for name in ("person.name", "person.for_whom") if name in shown}
    return (
        shown
        | hidden
        | {name: DOT for name in CODES}
        | ({"person.code": f"{person.number}-{DOT}"} if "person.code" in shown else {})
    )
