"""Other people's lists: how one is read, and what becomes of each row. Every row is accounted for."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from incident.domain import columns, facts, people, places
from incident.domain.columns import LEAVE_OUT, LONGEST_NAME_KEPT
from incident.domain.errors import Invalid, Refused
from incident.domain.people import Age, Plain, Record

LONGEST_FIELD: Final = 2_000
MOST_COLUMNS: Final = 200
TELLS_WHO: Final = frozenset({"name", "given_name", "family_name", "email", "phone", "reference", "push_token"})
REPLACED: Final = "\ufffd"
WORDS: Final = ("country", "region", "language", "exposed", "minor")
"""Fields that say one of a few things."""
LINED: Final = frozenset({"address", "guardian_address"})
TOLD_BY_VALUE: Final = frozenset({"birth_date", *people.GUARDIAN, *people.MARKS, people.SAFE})
"""With any of these, what a row says of a person cannot be told from which fields it has and its words alone."""
MOST_KNOWN: Final = 10_000


class State(StrEnum):
    """Where an import stands."""

    MAPPING = "mapping"  # uploaded; somebody says what its columns mean
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the file could not be read to its end; nothing beyond was taken
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What is done with a list that is being taken in."""

    READING = "reading"  # row by row: its people are kept, and count for nobody yet
    COMPARING = "comparing"  # with one another and with everybody who was there
    SETTLED = "settled"  # its people are on the list, or may be there already


class Reason(StrEnum):
    """Why a row was refused."""

    COLUMNS = "columns"
    QUOTING = "quoting"
    ENCODING = "encoding"
    NUL = "nul"
    TOO_LONG = "too_long"
    NOBODY = "nobody"
    EMAIL = "email"
    PHONE = "phone"


REASON_WORDS: Final = {
    Reason.COLUMNS: "The row has more or fewer columns than the header.",
    Reason.QUOTING: "The quotation marks of this row do not match.",
    Reason.ENCODING: "The row holds bytes that are not valid in the chosen encoding.",
    Reason.NUL: "The row holds NUL bytes.",
    Reason.TOO_LONG: f"A field is longer than {LONGEST_FIELD} characters.",
    Reason.NOBODY: "No name, contact or reference: nobody can be told from this row.",
    Reason.EMAIL: "The e-mail address is not valid, and there is no other way to reach this person.",
    Reason.PHONE: "The telephone number is not valid, and there is no other way to reach this person.",
}

DOUBT_WORDS: Final = {
    "email": "e-mail address not valid, left out",
    "phone": "telephone number not valid, left out",
    "place": "residence not understood",
    "language": "language not understood",
    "birth_date": "date of birth not understood",
    "minor": "minor or not: not understood",
    "exposed": "kinds of data not understood",
    "safe_ways": "safe ways not understood, so what was not is not safe",
}


class Taken(NamedTuple):
    """A row that became a person."""

    record: Record
    plain: Plain


class Turned(NamedTuple):
    """A row that was refused, and why."""

    reasons: tuple[Reason, ...]


class Judge(NamedTuple):
    """Who decides whether a contact is valid: each gives the normal form, or an empty text."""

    email: Callable[[str], str]
    phone: Callable[[str, str], str]


@dataclass(frozen=True)
class Reading:
    """What the columns of one list mean, and what holds for rows that do not say. Chosen by a person."""

    targets: tuple[str, ...]
    place: str = ""
    language: str = ""
    exposed: tuple[str, ...] = ()
    date_order: str = "ymd"

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read back what was kept."""
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
        return cls(**values)


BY_PLACE: Final = "by-place"
DATE_ORDERS: Final = {"ymd": "year first, or with points day first", "dmy": "day/month/year", "mdy": "month/day/year"}


def checked(mapping: Reading, width: int) -> Reading:
    """The mapping, if it can be used. Raises Invalid naming the column or the default that cannot."""
    if len(mapping.targets) != width:
        raise Invalid("targets", f"The list has {width} columns, but {len(mapping.targets)} are mapped.")
    used: set[str] = set()
    for number, target in enumerate(mapping.targets, start=1):
        _check_target(f"column-{number}", target, used)
        used.add(target)
    if not used & TELLS_WHO:
        raise Invalid(
            "targets", "Say which column holds the name, the e-mail address, the telephone number or your reference."
        )
    if mapping.place and not places.is_place(mapping.place):
        raise Invalid("place", "Choose a place from the list.")
    if mapping.language and mapping.language != BY_PLACE and mapping.language not in columns.languages():
        raise Invalid("language", "Choose a language from the list.")
    if unknown := set(mapping.exposed) - set(facts.vocabulary().kinds):
        raise Invalid("exposed", f"{sorted(unknown)[0]!r} is no kind of data we know.")
    if mapping.date_order not in DATE_ORDERS:
        raise Invalid("date_order", "Choose how dates are written.")
    return mapping


def _check_target(column: str, target: str, used: set[str]) -> None:
    if target == LEAVE_OUT or target == "street":
        return
    if target in used:
        raise Invalid(column, f"Two columns are mapped to the same field ({columns.labels().get(target, target)}).")
    if target.startswith(people.KEPT):
        name = target.removeprefix(people.KEPT)
        if not re.fullmatch(r"[^\W\d]\w*", name) or len(name) > LONGEST_NAME_KEPT:
            raise Invalid(column, "Name the kept column in letters, digits and underscores.")
    elif target not in columns.labels():
        raise Invalid(column, f"{target!r} is no field we know.")


class Reader:
    """Reads the rows of one list by its mapping. Remembers what recurring words meant, for lists repeat themselves."""

    def __init__(self, mapping: Reading, judge: Judge, today: date) -> None:
        self.width = len(mapping.targets)
        self._columns = tuple((index, target) for index, target in enumerate(mapping.targets) if target)
        self._plain = len({target for _, target in self._columns}) == len(self._columns)
        self._mapping = mapping
        self._judge = judge
        self.today = today
        self._exposed = " ".join(sorted(mapping.exposed))
        self._places: dict[tuple[str, str], tuple[str, bool]] = {}
        self._words: dict[tuple[str, str], str | None] = {}
        self._known: dict[tuple[tuple[str, ...], tuple[str | None, ...]], Plain] = {}

    def read(self, cells: Sequence[str]) -> Taken | Turned | None:
        """What becomes of one row: taken, turned away, or None where there is nothing in it."""
        whole = "".join(cells)
        if not whole.strip():
            return None
        if len(cells) != self.width and (len(cells) < self.width or any(cells[self.width :])):
            return Turned((Reason.COLUMNS,))
        if self._plain and len(whole) <= LONGEST_FIELD and whole.isascii() and whole.isprintable():
            return self._judged({target: value for index, target in self._columns if (value := cells[index].strip())})
        return self._cleaned(cells)

    def _cleaned(self, cells: Sequence[str]) -> Taken | Turned:
        """A row that may hold other letters, controls, or more than one column for the same field."""
        record: Record = {}
        for index, target in self._columns:
            value = cells[index]
            if not value:
                continue
            if not value.isprintable() or not value.isascii():
                if "\0" in value:
                    return Turned((Reason.NUL,))
                if REPLACED in value:
                    return Turned((Reason.ENCODING,))
                value = columns.cleaned(value, lines=target in LINED)
            value = value.strip()
            if len(value) > LONGEST_FIELD:
                return Turned((Reason.TOO_LONG,))
            if value:
                record[target] = f"{record[target]}, {value}" if target in record else value
        return self._judged(record)

    def _judged(self, record: Record) -> Taken | Turned:
        """Most rows have the fields and the words of an earlier one; then only their contacts are looked at."""
        names = tuple(record)
        key = (names, tuple([record.get(word) for word in WORDS]))
        plain = self._known.get(key)
        if plain is not None and self._are_valid(record, plain.place):
            return Taken(record, plain)
        became = self._weighed(record)
        if isinstance(became, Taken) and tuple(record) == names and TOLD_BY_VALUE.isdisjoint(names):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = became.plain
        return became

    def _are_valid(self, record: Record, place: str) -> bool:
        """Whether the contacts are; they are in their normal form then."""
        email, phone = record.get("email"), record.get("phone")
        if email is not None:
            if not (email := self._judge.email(email)):
                return False
            record["email"] = email
        if phone is not None:
            if not (phone := self._judge.phone(phone, place[:2])):
                return False
            record["phone"] = phone
        return True

    def _weighed(self, record: Record) -> Taken | Turned:
        doubts: list[str] = []
        if not people.settle_marks(record, columns.says_no, columns.found_safe):
            doubts.append(people.SAFE)
        place = self._place(record, doubts)
        bad = self._contacts(record, place, doubts)
        plain = Plain(
            place,
            self._language(record, place, doubts),
            self._kinds(record, doubts),
            self._age(record, doubts),
            *people.ways(record),
            doubts=" ".join(doubts),
        )
        if reasons := _refusals(record, plain, bad):
            return Turned(reasons)
        return Taken(record, plain)

    def _contacts(self, record: Record, place: str, doubts: list[str]) -> list[Reason]:
        """Puts contacts into their normal form; what is not valid moves aside, so that nothing is written to it."""
        bad: list[Reason] = []
        for word in ("email", "guardian_email"):
            if (given := record.get(word)) is not None and not self._replaced(record, word, self._judge.email(given)):
                bad.append(Reason.EMAIL)
        for word in ("phone", "guardian_phone"):
            if (given := record.get(word)) is not None and not self._replaced(
                record, word, self._judge.phone(given, place[:2])
            ):
                bad.append(Reason.PHONE)
        if bad:
            doubts += dict.fromkeys(str(reason) for reason in bad)
        return bad

    def _replaced(self, record: Record, word: str, valid: str) -> bool:
        if valid:
            record[word] = valid
            return True
        record[f"as_given:{word}"] = record.pop(word)
        return False

    def _place(self, record: Record, doubts: list[str]) -> str:
        country, region = record.get("country", ""), record.get("region", "")
        if not country and not region:
            return self._mapping.place
        known = self._places.get((country, region))
        if known is None:
            known = self._places[country, region] = columns.found_place(country, region, self._mapping.place)
        if not known[1]:
            doubts.append("place")
        return known[0]

    def _language(self, record: Record, place: str, doubts: list[str]) -> str:
        default = self._mapping.language
        if default == BY_PLACE:
            default = columns.spoken(place)
        given = record.get("language")
        if given is None:
            return default
        return self._meaning("language", given, columns.found_language, doubts) or default

    def _kinds(self, record: Record, doubts: list[str]) -> str:
        given = record.get("exposed")
        if given is None:
            return self._exposed
        return self._meaning("exposed", given, columns.found_kinds, doubts) or self._exposed

    def _age(self, record: Record, doubts: list[str]) -> str:
        if (born := record.get("birth_date")) is not None:
            if day := columns.found_date(born, self._mapping.date_order):
                return people.age_on(day, self.today)
            doubts.append("birth_date")
        if (minor := record.get("minor")) is not None:
            return self._meaning("minor", minor, columns.found_age, doubts) or Age.UNKNOWN
        return Age.UNKNOWN

    def _meaning(self, word: str, given: str, found: Callable[[str], str | None], doubts: list[str]) -> str:
        key = (word, given)
        if key not in self._words:
            self._words[key] = found(given)
        meaning = self._words[key]
        if meaning is None:
            doubts.append(word)
        return meaning or ""


def _refusals(record: Record, plain: Plain, bad: list[Reason]) -> tuple[Reason, ...]:
    if bad and not (plain.has_email or plain.has_phone or plain.has_address or plain.has_push):
        return tuple(dict.fromkeys(bad))
    if record.keys().isdisjoint(TELLS_WHO):
        return (Reason.NOBODY,)
    return ()


def add_up(read: int, parts: Iterable[int]) -> None:
    """Raises RuntimeError unless every row read is in exactly one of the parts. A defect of ours, never the reader's."""
    if read != sum(parts):
        raise RuntimeError("An import does not account for every row it read.")


def must_be(state: str, *allowed: State) -> None:
    """Raises Refused unless the import is in one of these states."""
    if state not in allowed:
        raise Refused(f"This import is {state}; that cannot be done any more.")
