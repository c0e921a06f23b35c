"""What is offered to people after a breach: a service for so many months, a voucher, with a code for each or without any.

An incident has at most three. A text names the first by `{{ remedy.code }}` and its like, the others with their number:
`{{ remedy.code2 }}`. A person keeps the code that they were given once, by every channel and in every later notice.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from incident.domain.digits import whole
from incident.domain.errors import Invalid, Refused
from incident.domain.wording import FIELD, cleaned, one_line

MOST: Final = 3
"""So many remedies an incident has at most: as many as the fields of a text can name."""
MOST_CODES: Final = 200_000  # in one file
LONGEST_CODE: Final = 100
LONGEST_NAME: Final = 120
LONGEST_HOW: Final = 1_000
MOST_MONTHS: Final = 120
WARNED: Final = timedelta(days=30)
"""So long before its last day somebody is told that a remedy ends while codes are unused."""
PURPOSE: Final = "remedy"
EXAMPLE: Final = "EXAMPLE-CODE"
"""What stands in place of a code in tests and rehearsals, where no code is given."""


class Service(StrEnum):
    """What a remedy holds, in the words that law files use, and vouchers and the like that no law asks for."""

    CREDIT_MONITORING = "credit_monitoring"
    ID_THEFT_PREVENTION = "id_theft_prevention"
    VOUCHER = "voucher"
    OTHER = "other"


WORDS: Final[Mapping[str, str]] = {
    Service.CREDIT_MONITORING: "credit monitoring",
    Service.ID_THEFT_PREVENTION: "identity theft prevention",
    Service.VOUCHER: "voucher",
    Service.OTHER: "something else",
}
BY_LAW: Final = frozenset({Service.CREDIT_MONITORING, Service.ID_THEFT_PREVENTION})


@dataclass(frozen=True)
class Offer:
    """A remedy as somebody describes it. `months` 0: it is no matter of time; `until`: the last day to redeem it.

    `coded`: each person gets a code; `how` says by language what to do with it.
    """

    name: str
    services: tuple[Service, ...]
    months: int = 0
    provider: str = ""
    until: date | None = None
    coded: bool = True
    how: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """What decides whether it was changed."""
        return {
            "name": self.name,
            "services": list(self.services),
            "months": self.months,
            "provider": self.provider,
            "until": self.until.isoformat() if self.until else None,
            "coded": self.coded,
            "how": dict(self.how or {}),
        }


class Owed(NamedTuple):
    """A service that a law wants offered: what, and for how many months."""

    what: str
    months: int


class Pool(NamedTuple):
    """A remedy as rules look at it: its number in the incident, what it holds, and how many codes are left to give."""

    number: int
    name: str
    services: tuple[str, ...]
    months: int
    until: date | None
    coded: bool
    free: int


@dataclass(frozen=True)
class Counted:
    """What became of the rows of a file of codes. They add up to the rows that were read."""

    taken: int = 0
    known: int = 0  # here already, or earlier in the file
    refused: int = 0  # no code as it can be printed in a message
    empty: int = 0


NAMED: Final = re.compile(r"remedy\.[a-z_]+[2-9]?")


def offered(given: Mapping[str, Any], *, today: date, languages: Iterable[str]) -> Offer:
    """The remedy that a form or a program describes. Raises Invalid naming the field."""
    name = _line(given, "name", LONGEST_NAME)
    if not name:
        raise Invalid("name", "Give it a name that people will know it by, such as “Credit monitoring”.")
    known = set[str](Service)
    services = tuple(dict.fromkeys(str(word) for word in given.get("services") or ()))
    if not services or set(services) - known:
        raise Invalid("services", "Choose what it holds.")
    months, until = _months(given.get("months")), given.get("until")
    if BY_LAW & set(services) and not months:
        raise Invalid("months", "Say for how many months the service runs: laws ask for a length.")
    if until is not None and until < today:
        raise Invalid("until", "The last day to redeem it lies in the past.")
    how = {tag: _words(text) for tag, text in (given.get("how") or {}).items() if str(text).strip()}
    if set(how) - set(languages):
        raise Invalid("how", "One of these languages is none of notices.")
    provider, coded = _line(given, "provider", LONGEST_NAME), bool(given.get("coded", True))
    return Offer(name, tuple(Service(word) for word in services), months, provider, until, coded, how)


def _line(given: Mapping[str, Any], field: str, longest: int) -> str:
    words = one_line(str(given.get(field) or ""))
    if len(words) > longest:
        raise Invalid(field, f"Keep it under {longest} letters.")
    return words


def _months(given: Any) -> int:
    months = whole(str(given if given is not None else "").strip() or 0)
    if months is None or months > MOST_MONTHS:
        raise Invalid("months", f"Give a whole number of months, at most {MOST_MONTHS}.")
    return months


def _words(text: Any) -> str:
    words = " ".join(cleaned(str(text)).split())
    if len(words) > LONGEST_HOW:
        raise Invalid("how", f"Keep how it is redeemed under {LONGEST_HOW:,} letters.")
    return words


def code(text: str) -> str:
    """A code as it is kept: without spaces around it. "" where it is none that can be printed and typed: letters of one line."""
    word = unicodedata.normalize("NFC", text).strip()
    if not word or len(word) > LONGEST_CODE or not word.isprintable() or any(letter in word for letter in "{}<>"):
        return ""
    return " ".join(word.split())


def normal(word: str) -> str:
    """What two spellings of one code have in common: case, spaces and hyphens are told apart by nobody who types it."""
    return re.sub(r"[\s\-‐-―−]+", "", word).casefold()


def used_by(contents: Mapping[str, Any]) -> tuple[int, ...]:
    """The numbers of the remedies whose codes the texts of a version give to people, lowest first."""
    return numbers(_texts(contents.get("texts", {})))


def is_named_by(contents: Mapping[str, Any], number: int) -> bool:
    """Whether the texts of a version say anything of this remedy, or give its codes."""
    fields = {name for text in _texts(contents.get("texts", {})) for name in FIELD.findall(text)}
    return any(NAMED.fullmatch(name) and int(name[-1] if name[-1].isdigit() else 1) == number for name in fields)


def numbers(texts: Iterable[str]) -> tuple[int, ...]:
    """The same of any texts."""
    found = {CODES[name] for text in texts for name in FIELD.findall(text) if name in CODES}
    return tuple(sorted(found))


def _texts(part: Any) -> Iterable[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for inner in part.values():
            yield from _texts(inner)


def field(name: str, number: int) -> str:
    """The field of a text for this part of a remedy: `remedy.code`, `remedy.code2`."""
    return f"remedy.{name}{number if number > 1 else ''}"


CODES: Final[Mapping[str, int]] = {field("code", number): number for number in range(1, MOST + 1)}
"""Which remedy each field of a code belongs to."""


def values(offer: Offer, number: int, language: str, day: str) -> dict[str, str]:
    """What texts in this language may say of a remedy that is the same for everybody; `day` is its last day in words."""
    how = (offer.how or {}).get(language, "")
    found = {"name": offer.name, "provider": offer.provider, "how": how, "until": day}
    found["months"] = str(offer.months) if offer.months else ""
    return {field(name, number): words for name, words in found.items() if words}


def short(pool: Pool, people: int) -> str:
    """Why so many people cannot be given a code of this pool; "" where they can."""
    if people <= pool.free:
        return ""
    lacking = people - pool.free
    return (
        f"{lacking:,} more code{'s are' if lacking != 1 else ' is'} needed for “{pool.name}” ({{{{ {field('code', pool.number)} }}}}): "
        f"{people:,} {'people have' if people != 1 else 'person has'} none yet, and {pool.free:,} can be given."
    )


def ended(pool: Pool, day: date) -> str:
    """Why a remedy can be offered no more; "" where it can."""
    if pool.until is None or pool.until >= day:
        return ""
    return f"“{pool.name}” could be redeemed until {pool.until.isoformat()} only. Ask the provider for a later day, or take it out of the text."


def soon_over(pool: Pool, day: date) -> bool:
    """Whether its last day is near enough that people have to be told."""
    return pool.until is not None and pool.until - day <= WARNED


def unmet(owed: Iterable[Owed], pools: Sequence[Pool]) -> tuple[Owed, ...]:
    """The services that no remedy of the incident offers for so long, each once."""
    return tuple(dict.fromkeys(one for one in owed if not any(_meets(pool, one) for pool in pools)))


def _meets(pool: Pool, owed: Owed) -> bool:
    return owed.what in pool.services and pool.months >= owed.months


def lacking_words(owed: Owed, pools: Sequence[Pool]) -> str:
    """What is missing, in a sentence."""
    what = WORDS.get(owed.what, owed.what.replace("_", " "))
    longest = max((pool.months for pool in pools if owed.what in pool.services), default=0)
    have = f"the longest offered here runs {longest} months" if longest else "nothing of the kind is offered here"
    return f"This law wants {what} offered for {owed.months} months: {have}. Set it up under Remedies."


def demand_room(taken: Sequence[int]) -> int:
    """The number of the next remedy of an incident. Raises Refused where it has as many as texts can name."""
    free = [number for number in range(1, MOST + 1) if number not in taken]
    if not free:
        raise Refused(f"An incident has at most {MOST} remedies: change one of those that stand.")
    return free[0]


def demand_changeable(before: Offer, after: Offer, *, given: int) -> None:
    """Raises Refused where codes are in people's hands and the change would make their letters untrue."""
    if not given:
        return
    if after.coded != before.coded:
        raise Refused("People have codes of it: it stays a remedy with codes.")
    if after.months < before.months or (before.until and (after.until is None or after.until < before.until)):
        raise Refused("People were told of it: it can be made longer, never shorter.")
    if set(before.services) - set(after.services):
        raise Refused("People were told of it: nothing that it holds can be taken out.")
