"""What is known of an incident. *Unknown* is a value, and neither true nor false."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from incident.domain import places
from incident.domain.digits import narrow
from incident.domain.errors import Invalid

FACTS_FILE = Path(__file__).parent.parent / "facts.toml"
LONGEST_TEXT = 10_000
LONGEST_LIST = 400
LARGEST_NUMBER = 10**15
YEARS = range(1970, 2201)
"""Any other year is a slip of the keyboard."""
PLACE_LISTS = frozenset({"establishments", "markets"})
FREE = frozenset({"text", "list"})
"""Types that are answered in words of one's own."""


class Unknown(Enum):
    """The one value for what nobody knows yet. It refuses to be taken for a yes or a no."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("An unknown fact is neither true nor false: ask facts.known(key) or compare with `is True`.")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN

Value: TypeAlias = bool | int | float | str | datetime | date | tuple[str, ...] | Mapping[str, int]


@dataclass(frozen=True)
class Option:
    """One answer that a question offers."""

    word: str
    label: str


@dataclass(frozen=True)
class Entry:
    """One fact of the vocabulary: what it is called, asked and answered with."""

    key: str
    label: str
    group: str
    type: str
    ask: str = "later"
    hint: str = ""
    options: tuple[Option, ...] = ()

    def label_of(self, word: str) -> str:
        """The label of one option, or the word itself if the vocabulary has dropped it."""
        return next((option.label for option in self.options if option.word == word), word)


@dataclass(frozen=True)
class DataKind:
    """A kind of personal data with its names and the marks that rules look at."""

    word: str
    en: str
    zh: str
    enisa: str
    flags: frozenset[str]


@dataclass(frozen=True)
class Vocabulary:
    """All that can be known of an incident. Iterating gives the entries in the order of the form."""

    entries: Mapping[str, Entry]
    kinds: Mapping[str, DataKind]
    groups: Mapping[str, str]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __getitem__(self, key: str) -> Entry:
        return self.entries[key]

    def asked_first(self) -> tuple[Entry, ...]:
        """The entries of the first form."""
        return tuple(entry for entry in self if entry.ask == "log")


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary of facts.toml, read once."""
    raw = tomllib.loads(FACTS_FILE.read_text(encoding="utf-8"))
    kinds = {k["word"]: DataKind(k["word"], k["en"], k["zh"], k["enisa"], frozenset(k["flags"])) for k in raw["kind"]}
    shared = {
        "kind": tuple(Option(kind.word, kind.en) for kind in kinds.values()),
        "entity": tuple(Option(row["word"], row["label"]) for row in raw["entity"]),
    }
    entries = {row["key"]: _entry(row, shared) for row in raw["fact"]}
    return Vocabulary(entries, kinds, {group["word"]: group["label"] for group in raw["group"]})


def _entry(row: dict[str, Any], shared: Mapping[str, tuple[Option, ...]]) -> Entry:
    options = tuple(Option(one["word"], one["label"]) for one in row.get("options", ()))
    if "options_from" in row:
        options = shared[row["options_from"]]
    return Entry(row["key"], row["label"], row["group"], row["type"], row["ask"], row.get("hint", ""), options)


@dataclass(frozen=True)
class Facts:
    """What is known at one moment. Any key may be asked for; what was never recorded is UNKNOWN."""

    values: Mapping[str, Value | Unknown] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What clauses have answered to these facts."""

    def __getitem__(self, key: str) -> Value | Unknown:
        return self.values.get(key, UNKNOWN)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` while it is unknown."""
        value = self[key]
        return default if value is UNKNOWN else value

    def known(self, key: str) -> bool:
        """True if there is an answer other than "unknown"."""
        return self[key] is not UNKNOWN

    def __iter__(self) -> Iterator[str]:
        return iter(key for key, value in self.values.items() if value is not UNKNOWN)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def with_(self, more: Mapping[str, Value | Unknown]) -> "Facts":
        """These facts with `more` in place of what stood there."""
        return Facts({**self.values, **more})

    def flags(self) -> frozenset[str] | Unknown:
        """The marks of the kinds of data concerned, such as "special" or "government_id"; UNKNOWN if they are."""
        kinds = self["data_kinds"]
        if not isinstance(kinds, tuple):
            return UNKNOWN
        known = vocabulary().kinds
        return frozenset(flag for word in kinds if word in known for flag in known[word].flags)

    def people_in(self, region: str) -> int | Unknown:
        """How many people concerned live in a place or group of places."""
        residents = self["residents"]
        return places.counted(residents, region) if isinstance(residents, Mapping) else UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """The JSON form of all values; unknown is null."""
        return {key: to_json(value) for key, value in self.values.items()}


def from_json(raw: Mapping[str, Any]) -> Facts:
    """The facts of a JSON object. Raises Invalid naming the key for a word or a value that the vocabulary has not."""
    return Facts({key: parsed(key, value) for key, value in raw.items()})


def to_json(value: Value | Unknown) -> Any:
    """A value as JSON keeps it: instants in UTC with Z, dates in ISO form, unknown as null."""
    if value is UNKNOWN:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def parsed(key: str, raw: Any) -> Value | Unknown:
    """The value that a form, a file or a request meant. Nothing, "" and "unknown" are UNKNOWN. Raises Invalid."""
    entry = vocabulary().entries.get(key)
    if entry is None:
        raise Invalid(key, f"There is no fact called {key[:60]!r}.")
    if raw is None or raw is UNKNOWN:
        return UNKNOWN
    if isinstance(raw, str) and raw.strip().lower() in {"", "unknown"}:
        return UNKNOWN
    if isinstance(raw, (list, tuple, dict)) and not raw:
        return _emptied(entry, raw)
    return _READERS[entry.type](entry, raw)


def _emptied(entry: Entry, raw: object) -> Value | Unknown:
    """An empty list answers "none" where a list is asked for; an empty table of counts answers nobody."""
    if entry.type in {"choices", "list"} and not isinstance(raw, dict):
        return ()
    if entry.type == "counts" and isinstance(raw, dict):
        return {}
    raise Invalid(entry.key, f"{entry.label}: give an answer or leave it unknown.")


def _yes_no(entry: Entry, raw: Any) -> Value:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in {"yes", "true"}:
        return True
    if word in {"no", "false"}:
        return False
    raise Invalid(entry.key, f"{entry.label}: answer yes, no or unknown.")


def _choice(entry: Entry, raw: Any) -> Value:
    if isinstance(raw, str) and raw.strip() in {option.word for option in entry.options}:
        return raw.strip()
    raise Invalid(entry.key, f"{entry.label}: choose one of {', '.join(option.word for option in entry.options)}.")


def _choices(entry: Entry, raw: Any) -> Value:
    words = _words(entry, raw)
    offered = [option.word for option in entry.options]
    strange = [word for word in words if word not in offered]
    if strange:
        raise Invalid(entry.key, f"{entry.label}: {strange[0][:60]!r} is not offered.")
    return tuple(word for word in offered if word in words)


def _list(entry: Entry, raw: Any) -> Value:
    words = tuple(dict.fromkeys(_words(entry, raw)))
    if entry.key in PLACE_LISTS:
        return tuple(_place(entry, word) for word in words)
    return words


def _words(entry: Entry, raw: Any) -> list[str]:
    """The words of a list, or of a text with one a line (or comma between)."""
    if isinstance(raw, str):
        raw = re.split(r"[\n,]", raw)
    if not isinstance(raw, (list, tuple)) or not all(isinstance(word, str) for word in raw):
        raise Invalid(entry.key, f"{entry.label}: give a list of words.")
    words = [_text(entry, word) for word in raw if word.strip()]
    if len(words) > LONGEST_LIST:
        raise Invalid(entry.key, f"{entry.label}: more than {LONGEST_LIST} entries.")
    return [str(word) for word in words]


def _text(entry: Entry, raw: Any) -> Value:
    if not isinstance(raw, str):
        raise Invalid(entry.key, f"{entry.label}: give a text.")
    if len(raw) > LONGEST_TEXT:
        raise Invalid(entry.key, f"{entry.label}: at most {LONGEST_TEXT:,} characters.")
    if "\x00" in raw:
        raise Invalid(entry.key, f"{entry.label}: remove the control characters.")
    return raw.strip()


def _number(entry: Entry, raw: Any) -> Value:
    return _counted(entry, raw)


def _counted(entry: Entry, raw: Any) -> int:
    """A whole number from 0; thousands may be set off by commas, spaces or apostrophes."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, str):
        plain = narrow(raw)
        if re.fullmatch(r"[0-9]{1,3}([, '\u00a0\u202f][0-9]{3})+", plain):
            plain = re.sub(r"[^0-9]", "", plain)
        raw = int(plain) if re.fullmatch(r"[0-9]{1,16}", plain) else None
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= LARGEST_NUMBER:
        raise Invalid(entry.key, f"{entry.label}: give a whole number from 0 up.")
    return raw


def _instant(entry: Entry, raw: Any) -> Value:
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(narrow(raw))
        except ValueError:
            raise Invalid(entry.key, f"{entry.label}: give date, time and zone, as 2026-03-10T14:20+01:00.") from None
    if not isinstance(raw, datetime) or raw.utcoffset() is None:
        raise Invalid(entry.key, f"{entry.label}: give date, time and zone, as 2026-03-10T14:20+01:00.")
    if raw.year not in YEARS:
        raise Invalid(entry.key, f"{entry.label}: the year {raw.year} cannot be right.")
    return raw.astimezone(UTC)


def _date(entry: Entry, raw: Any) -> Value:
    if isinstance(raw, str):
        try:
            raw = date.fromisoformat(narrow(raw))
        except ValueError:
            raise Invalid(entry.key, f"{entry.label}: give a date, as 2026-03-10.") from None
    if not isinstance(raw, date) or isinstance(raw, datetime):
        raise Invalid(entry.key, f"{entry.label}: give a date, as 2026-03-10.")
    return raw


def _counts(entry: Entry, raw: Any) -> Value:
    if isinstance(raw, str):
        raw = _table(entry, raw)
    if not isinstance(raw, Mapping) or len(raw) > LONGEST_LIST:
        raise Invalid(entry.key, f"{entry.label}: give a place and a number in each line, as DE 500.")
    counts: dict[str, int] = {}
    for code, number in raw.items():
        place = _place(entry, str(code))
        counts[place] = counts.get(place, 0) + _counted(entry, number)
    return dict(sorted(counts.items()))


def _table(entry: Entry, text: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    for line in filter(None, (narrow(part) for part in re.split(r"[\n;；]", text))):
        match = re.fullmatch(r"([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?)\s*[:=]?\s*([0-9][0-9, '\u00a0\u202f]*)", line)
        if match is None:
            raise Invalid(entry.key, f"{entry.label}: give a place and a number in each line, as DE 500.")
        if match[1].upper() in rows:
            raise Invalid(entry.key, f"{entry.label}: {match[1].upper()} is there twice.")
        rows[match[1].upper()] = match[2]
    return rows


def _place(entry: Entry, word: str) -> str:
    code = word.strip().upper()
    if not places.is_place(code):
        raise Invalid(entry.key, f"{entry.label}: {word[:20]!r} is not a place; use codes such as DE, CN or US-TX.")
    return code


_READERS: Mapping[str, Callable[[Entry, Any], Value]] = {
    "yes_no": _yes_no,
    "choice": _choice,
    "choices": _choices,
    "text": _text,
    "instant": _instant,
    "date": _date,
    "number": _number,
    "counts": _counts,
    "list": _list,
}


def shown(key: str, value: Value | Unknown, zone: tzinfo = UTC) -> str:
    """A value in words for people; times in `zone`, which is named."""
    entry = vocabulary().entries.get(key)
    if value is UNKNOWN:
        return "not known yet"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{time_words(value, zone)}"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, (int, float)):
        return f"{value:,}"
    if isinstance(value, tuple):
        return ", ".join(entry.label_of(word) if entry else word for word in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{places.named(code)} {number:,}" for code, number in value.items()) or "nobody"
    return entry.label_of(str(value)) if entry and entry.options else str(value)


@lru_cache(maxsize=4096)
def time_words(moment: datetime, zone: tzinfo) -> str:
    """A moment as people read it, such as "18 Nov 2026, 09:10 Paris"; seconds only if they are not zero."""
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M}" if local.second == 0 else f"{local:%H:%M:%S}"
    return f"{local.day} {local:%b %Y}, {clock} {zone_word(zone)}"


def zone_word(zone: tzinfo) -> str:
    """The name of a zone as people read it: "Paris" for Europe/Paris."""
    return str(getattr(zone, "key", zone)).rsplit("/", 1)[-1].replace("_", " ")


def is_free(key: str) -> bool:
    """Whether this fact is answered in words of one's own: it may then name somebody, and is kept sealed."""
    entry = vocabulary().entries.get(key)
    return entry is None or (entry.type in FREE and key not in PLACE_LISTS)
