"""One affected person: the record that is sealed, the plain values beside it, who is written to, what a screen shows."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import IntFlag, StrEnum
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, Self

from incident.domain import places
from incident.domain.errors import Invalid, Refused

Record = dict[str, str]
"""The sealed part: what a field holds, by the field's word; kept columns of the list stand under `keep:<name>`."""

MARKS: Final = ("deceased", "no_letter")
"""What is said of a person with yes or nothing: letters go to the next of kin; no letter goes to the home."""
SAFE: Final = "safe_ways"
"""The field of somebody who is at risk at home: the ways that are safe, as words; by no other way is anything said to them."""
SAFE_WAYS: Final = ("email", "sms", "call", "letter", "push", "guardian")
NONE_SAFE: Final = "none"
MACHINE: Final = "machine"
"""Stands among the unsafe ways of everybody at risk: a voice of ours, and what a machine that answers would keep."""
KEPT: Final = "keep:"
DOT: Final = "•••"


class State(StrEnum):
    """Where a person stands. Only the active are written to."""

    ACTIVE = "active"
    SUSPECT = "suspect"  # may be somebody we have; a person decides
    SAME = "same"  # decided to be somebody we have
    REMOVED = "removed"  # put on the list by mistake
    ERASED = "erased"  # contact data destroyed


STATE_WORDS: Final = {
    State.ACTIVE: "on the list",
    State.SUSPECT: "may be a duplicate",
    State.SAME: "same as another",
    State.REMOVED: "taken off the list",
    State.ERASED: "erased",
}


class Age(StrEnum):
    """The bands that laws ask about, as far as known."""

    UNKNOWN = ""
    UNDER_13 = "under_13"
    UNDER_14 = "under_14"
    UNDER_16 = "under_16"
    UNDER_18 = "under_18"
    ADULT = "adult"


AGE_WORDS: Final = {
    Age.UNKNOWN: "age unknown",
    Age.UNDER_13: "under 13",
    Age.UNDER_14: "13 years old",
    Age.UNDER_16: "14 or 15 years old",
    Age.UNDER_18: "minor",
    Age.ADULT: "adult",
}


class Reach(IntFlag):
    """The ways in which a person can be reached, as one number."""

    NONE = 0
    EMAIL = 1
    PHONE = 2
    ADDRESS = 4
    PUSH = 8


class Plain(NamedTuple):
    """What stands beside the sealed record in clear, for rules, counts and filters."""

    place: str
    language: str
    exposed: str
    age: str
    represented: bool
    has_email: bool
    has_phone: bool
    has_address: bool
    has_push: bool
    doubts: str


class Addressee(NamedTuple):
    """Whom a notice goes to for one affected person, opened. For a represented person that is the guardian."""

    number: int
    name: str
    email: str
    phone: str
    address: tuple[str, ...]
    push_token: str
    language: str
    place: str
    for_whom: str
    exposed: tuple[str, ...]
    care: str = ""  # whom a letter is addressed to in the person's place: "guardian", "next_of_kin"; empty: nobody
    code: str = ""  # their own part of the code by which a notice is checked
    unsafe: tuple[str, ...] = ()  # of somebody at risk at home: what their number must not be used for
    remedies: tuple[str, ...] = ()  # their codes of the remedies of the incident, by number; "" where they have none

    @property
    def ref(self) -> str:
        """The person's reference within the incident."""
        return f"P-{self.number}"


FOLLOWS: Final = ("told_by", "not_listed_by")


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a notice is for: active people in any of these waves, places and languages. Nothing named means all.

    `told_by` narrows it to those whom these notices told, `not_listed_by` to those on whose list nobody put them yet.
    """

    waves: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()
    told_by: tuple[str, ...] = ()
    not_listed_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, list[Any]]:
        """As it is kept and digested: every list sorted, each value once; what follows another notice only where it does."""
        kept = {key: sorted(set(values)) for key, values in asdict(self).items()}
        return {key: values for key, values in kept.items() if values or key not in FOLLOWS}

    @property
    def follows(self) -> bool:
        """Whether it depends on what became of another notice."""
        return bool(self.told_by or self.not_listed_by)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read back. Raises Invalid for a word or a place that is not known."""
        unknown = set(raw) - {part.name for part in fields(cls)}
        if unknown:
            raise Invalid("audience", f"An audience has no {sorted(unknown)[0]!r}.")
        lists: dict[str, Any] = {key: tuple(values) for key, values in raw.items()}
        for place in lists.get("places", ()):
            if place and place not in places.groups() and not places.is_place(place):
                raise Invalid("places", f"{place!r} is no place we know.")
        return cls(**lists)

    def codes(self, present: Iterable[str]) -> tuple[str, ...] | None:
        """Which of the place codes at hand it covers: US takes in US-TX, EU takes in FR. None means every place."""
        if not self.places:
            return None
        return tuple(sorted({code for code in present if any(_covers(place, code) for place in self.places)}))

    def covers_age(self, age: str) -> bool:
        """Whether somebody of this age band is meant."""
        return not self.ages or age in self.ages


def _covers(place: str, code: str) -> bool:
    return code == place or bool(place and code and places.within(code, place))


class Digest:
    """The digest of a frozen audience: its size and everybody's number, lowest first."""

    def __init__(self) -> None:
        self.count = 0
        self._last = 0
        self._hash = hashlib.sha256(b"tocsin audience 1\n")

    def add(self, numbers: Iterable[int]) -> None:
        """Take in more numbers; each must be greater than the one before."""
        for number in numbers:
            if number <= self._last:
                raise ValueError("An audience is digested in the order of its numbers, each once.")
            self._hash.update(b"%d\n" % number)
            self._last = number
            self.count += 1

    def hexdigest(self) -> str:
        """The digest of what was taken in so far."""
        return self._hash.hexdigest()


def reach(plain: Plain) -> Reach:
    """The ways in which this person can be reached."""
    return Reach(plain.has_email | plain.has_phone << 1 | plain.has_address << 2 | plain.has_push << 3)


FOUND_BY: Final[Mapping[str, Callable[[str], str]]] = {
    "email": str.casefold,
    "phone": str,
    "reference": str.casefold,
}
"""The fields by which the same person is found again, each with its normal form."""


def marked_by(record: Mapping[str, str]) -> list[tuple[str, str]]:
    """The values by which the same person is found again, normalised, each with its purpose."""
    return [(word, normal(record[word])) for word, normal in FOUND_BY.items() if word in record]


def full_name(record: Mapping[str, str]) -> str:
    """The name as one writes it: family name first, without a space, where it is written in Chinese characters."""
    if name := record.get("name"):
        return name
    given, family = record.get("given_name", ""), record.get("family_name", "")
    if given and family and _is_han(given) and _is_han(family):
        return family + given
    return f"{given} {family}".strip()


def _is_han(text: str) -> bool:
    return all("\u3400" <= letter <= "\u9fff" for letter in text)


def guardian_reached(record: Mapping[str, str]) -> bool:
    """Whether somebody who represents the person can be written to or called."""
    return bool(record.get("guardian_email") or record.get("guardian_phone") or record.get("guardian_address"))


class Ways(NamedTuple):
    """Whether somebody represents the person, and how whoever is written to can be reached."""

    represented: bool
    has_email: bool
    has_phone: bool
    has_address: bool
    has_push: bool


def safe_words(found: Iterable[str]) -> str:
    """The ways that are safe as they are kept: each once, in one order; "none" where there is none."""
    chosen = set(found)
    return " ".join(word for word in SAFE_WAYS if word in chosen) or NONE_SAFE


def settle_marks(record: Record, says_no: Callable[[str], bool], found_safe: Callable[[str], tuple[str, bool]]) -> bool:
    """Leave each mark as "yes" or out: what is not plainly no counts, for a letter to the wrong home does harm.

    The same of the ways that are safe for somebody at risk at home; False where a word of these was not understood.
    """
    understood = True
    if SAFE in record:
        record[SAFE], understood = found_safe(record[SAFE])
        if not record[SAFE]:
            del record[SAFE]
    for word in MARKS:
        if word in record:
            if says_no(record[word]):
                del record[word]
            else:
                record[word] = "yes"
    return understood


def safe(record: Mapping[str, str]) -> Mapping[str, str]:
    """The record with those contacts alone that may be used: for somebody at risk at home the ways that are marked safe.

    A guardian of theirs is written to only where that is marked too, for the danger may come from there. Else everything.
    """
    gone: set[str] = set()
    if "no_letter" in record:
        gone |= {*POSTAL, "guardian_address"}
    if SAFE in record:
        allowed = set(record[SAFE].split())
        gone |= {field for way, fields in OF_WAY.items() if way not in allowed for field in fields}
        if "guardian" not in allowed:
            gone |= GUARDIAN
        elif "letter" not in allowed:
            gone.add("guardian_address")
        if not allowed & {"sms", "call"}:
            gone.add("phone")
    return {field: value for field, value in record.items() if field not in gone} if gone else record


def unsafe(record: Mapping[str, str]) -> tuple[str, ...]:
    """What the number of somebody at risk at home must not be used for; nothing for everybody else."""
    if SAFE not in record:
        return ()
    allowed = record[SAFE].split()
    by_guardian = "guardian" in allowed and guardian_reached(safe(record))
    return (MACHINE, *(word for word in ("sms", "call") if word not in allowed and not by_guardian))


def ways(record: Mapping[str, str]) -> Ways:
    """How a person can be reached: through the guardian where there is one to reach, else directly.

    Nobody writes or calls to somebody who has died; a letter goes to the next of kin.
    """
    return _ways(safe(record))


def _ways(record: Mapping[str, str]) -> Ways:
    if "deceased" in record and not guardian_reached(record):
        return Ways(False, False, False, bool(address_lines(record)), False)
    if not GUARDIAN.isdisjoint(record):
        if guardian_reached(record):
            post = bool(guardian_lines(record))
            return Ways(True, "guardian_email" in record, "guardian_phone" in record, post, False)
        return Ways(True, "email" in record, "phone" in record, bool(address_lines(record)), "push_token" in record)
    has_address = ("address" in record or "street" in record) and bool(address_lines(record))
    return Ways(False, "email" in record, "phone" in record, has_address, "push_token" in record)


def address_lines(record: Mapping[str, str]) -> tuple[str, ...]:
    """The postal address, line by line; empty when there is none a letter would reach."""
    if whole := record.get("address"):
        return tuple(line.strip() for line in whole.split("\n") if line.strip())
    street = record.get("street", "")
    if not street:
        return ()
    town = " ".join(part for part in (record.get("postcode"), record.get("city")) if part)
    if not town:
        return ()
    return tuple(line for line in (street, town, record.get("region", ""), record.get("country", "")) if line)


def guardian_lines(record: Mapping[str, str]) -> tuple[str, ...]:
    """The postal address of whoever represents the person; the person's own where none is known."""
    if whole := record.get("guardian_address"):
        return tuple(line.strip() for line in whole.split("\n") if line.strip())
    return address_lines(record)


GUARDIAN: Final = frozenset({"guardian_name", "guardian_email", "guardian_phone", "guardian_address"})
POSTAL: Final = ("address", "street", "postcode", "city", "region", "country")
OF_WAY: Final[Mapping[str, tuple[str, ...]]] = {"email": ("email",), "letter": POSTAL, "push": ("push_token",)}
"""The fields of each way to reach a person; a number serves two, so it goes where neither is safe."""
MINORS: Final = frozenset({Age.UNDER_13, Age.UNDER_14, Age.UNDER_16, Age.UNDER_18})


DETOURS: Final = frozenset({"given_name", "family_name", "address", "street", *GUARDIAN, *MARKS, SAFE})
"""A record without any of these needs no second look: nobody stands before the person, and no letter finds them."""


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADDRESSED_BY: Final = Plain._fields[:5]
"""What of it decides whom to write to, and how."""


def addressed(number: int, record: Mapping[str, str], plain: Sequence[Any], code: str = "") -> Addressee:
    """Whom to write to for this person: the guardian where there is one to reach, else the person.

    `plain` begins as `Plain` does; what follows `ADDRESSED_BY` is not asked.
    """
    if DETOURS.isdisjoint(record):
        get, name = record.get, record.get("name", "")
        email, phone, push = get("email", ""), get("phone", ""), get("push_token", "")
        language, place, words, care = _in_plain(*plain[:4])
        return _as_addressee((number, name, email, phone, (), push, language, place, name, words, care, code, (), ()))
    return _addressed(number, record, plain, code)


_as_addressee: Final = partial(tuple.__new__, Addressee)  # a third of the time that `_make` takes


@lru_cache(maxsize=4096)
def _in_plain(place: str, language: str, exposed: str, age: str) -> tuple[str, str, tuple[str, ...], str]:
    """What thousands have in common of what stands in plain: language, place, exposed kinds, in whose care they are."""
    return language, place, tuple(exposed.split()), "guardian" if age in MINORS else ""


def _addressed(number: int, record: Mapping[str, str], plain: Sequence[Any], code: str) -> Addressee:
    place, language, own, age, represented, *_ = plain
    never, record = unsafe(record), safe(record)
    get, name = record.get, full_name(record)
    lines = address_lines(record)
    exposed = _words(own)
    if represented and guardian_reached(record):
        who, email, phone, push = get("guardian_name", ""), get("guardian_email", ""), get("guardian_phone", ""), ""
        lines = guardian_lines(record)
    elif "deceased" in record:
        who, email, phone, push = name, "", "", ""
    else:
        who, email, phone, push = name, get("email", ""), get("phone", ""), get("push_token", "")
    care = _care(record, who, age)
    return Addressee(number, who, email, phone, lines, push, language, place, name, exposed, care, code, never)


def _care(record: Mapping[str, str], who: str, age: str) -> str:
    """Whom a letter is addressed to where nobody is known by name who may open it for the person."""
    if "deceased" in record:
        return "" if guardian_reached(record) and who else "next_of_kin"
    by_guardian = guardian_reached(record) and who
    return "guardian" if not by_guardian and (age in MINORS or guardian_reached(record)) else ""


def masked(record: Mapping[str, str]) -> dict[str, str]:
    """What a screen may show without a line in the record: enough to tell two people apart, too little to reach one.

    Of somebody at risk at home only what is safe to use; "safe" says by which ways they may be reached.
    """
    return {
        "name": mask_words(full_name(record)),
        "safe": record.get(SAFE, ""),
        **_masked_contacts(safe(record)),
        "reference": mask_end(record.get("reference", "")),
        "guardian": mask_words(record.get("guardian_name", "")) or mask_email(record.get("guardian_email", "")),
    }


def _masked_contacts(record: Mapping[str, str]) -> dict[str, str]:
    return {
        "email": mask_email(record.get("email", "")),
        "phone": mask_phone(record.get("phone", "")),
        "address": DOT if address_lines(record) else "",
    }


def mask_words(text: str) -> str:
    """The first letter of each of at most three words."""
    return " ".join(f"{word[0]}{DOT}" for word in text.split()[:3])


def mask_email(text: str) -> str:
    """The first letter before and after the at sign: `j•••@e…`."""
    local, at, domain = text.rpartition("@")
    return f"{local[0]}{DOT}@{domain[0]}…" if at and local and domain else ""


def mask_phone(text: str) -> str:
    """The last two digits: `••• 42`."""
    return f"{DOT} {text[-2:]}" if text else ""


def mask_end(text: str) -> str:
    """The last two letters, where there are more than four."""
    return f"{DOT}{text[-2:]}" if len(text) > 4 else (DOT if text else "")


def age_on(birth: date, day: date) -> Age:
    """The band somebody born on `birth` is in on `day`."""
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    for limit, band in ((13, Age.UNDER_13), (14, Age.UNDER_14), (16, Age.UNDER_16), (18, Age.UNDER_18)):
        if years < limit:
            return band
    return Age.ADULT


def must_be_open_pair(state: str) -> None:
    """Raises Refused when somebody has decided about these two already."""
    if state != "open":
        raise Refused("Somebody has decided about these two already.")


def must_be_live(state: str) -> None:
    """Raises Refused unless the person can still be corrected or taken off."""
    if state not in {State.ACTIVE, State.SUSPECT}:
        raise Refused(f"This person is {STATE_WORDS[State(state)]}; nothing more can be changed here.")


def must_have_arrived(is_settled: bool) -> None:
    """Raises Refused while the list that a person came with is still being taken in."""
    if not is_settled:
        raise Refused("The list this person came with is still being taken in. Try again when it is done.")


def united(mine: str, theirs: str) -> str:
    """The kinds of exposed data of two records that are one person."""
    return " ".join(sorted(set(mine.split()) | set(theirs.split())))


def completed(record: Record, other: Mapping[str, str]) -> Record:
    """The record with what only the other one knows; where both know something, the first one stays."""
    return {**other, **record}
