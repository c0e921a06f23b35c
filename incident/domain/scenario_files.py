"""The shape of a scenario's file: which words it has, of what kind, how long. And the files of an installation's own, read."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from incident.domain.audit import Malformed, canonical
from incident.domain.drills import Kind

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST_KEY: Final = 40
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 10_000
MOST_ROWS: Final = 200
KINDS: Final[Mapping[type, str]] = {
    str: "words in quotes",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}
TITLES: Final = frozenset({"title", "from"})


@dataclass(frozen=True)
class Words:
    """The words that one table of the file has: those it must have, and those it may have, each with its kind."""

    must: Mapping[str, type]
    may: Mapping[str, type]


FILE: Final = Words(
    {
        "title": str, "summary": str, "brief": str, "playbook": str, "minutes": int, "factor": int, "people": int,
        "facts": dict, "inject": list, "expect": list,
    },
    {"sandbox": dict},
)  # fmt: skip
INJECT: Final = Words(
    {"key": str, "minute": int, "kind": str, "from": str, "title": str, "text": str},
    {"facts": dict, "sandbox": dict, "answer": bool},
)
EXPECT: Final = Words({"key": str, "title": str, "why": str, "verbs": list, "by": int}, {"where": dict, "after": str})


@dataclass(frozen=True)
class OwnScenario:
    """One own file as it is: its name, where it stands, and its text; None where it cannot be read."""

    name: str
    where: str
    text: str | None


def parsed(text: str) -> dict[str, Any]:
    """The file as tables. Raises ValueError with what is wrong in its writing."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep.") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"this is no TOML: {error}.") from None


def misshapen(raw: Mapping[str, Any]) -> list[str]:
    """A sentence for each word that is missing, strange or of the wrong kind, with the place where it stands."""
    found = [*_table(raw, FILE, "")]
    for name, words in (("inject", INJECT), ("expect", EXPECT)):
        rows = raw.get(name)
        for number, row in enumerate(rows if isinstance(rows, list) else (), start=1):
            found += _row(row, words, f"{name} {number}")
    found += (
        []
        if found or _plain(raw)
        else ["times are written in quotes, such as “minute -90”, and numbers are whole ones."]
    )
    return found


def _row(row: Any, words: Words, place: str) -> Iterator[str]:
    if not isinstance(row, Mapping):
        yield f"{place}: this is written as a table, [[{place.split()[0]}]]."
        return
    key = row.get("key")
    where = f"{place} ({key[:LONGEST_KEY]})" if isinstance(key, str) and key else place
    yield from _table(row, words, f"{where}: ")
    if isinstance(key, str) and not NAME.fullmatch(key):
        yield f"{where}: key: small letters, digits and _, at most {LONGEST_KEY}."
    if words is INJECT and isinstance(row.get("kind"), str) and row["kind"] not in set(Kind):
        yield f"{where}: kind: {row['kind'][:40]!r} is none of {', '.join(Kind)}."
    verbs = row.get("verbs", ()) if words is EXPECT else ()
    if isinstance(verbs, list) and not (verbs and all(isinstance(verb, str) for verb in verbs)):
        yield f"{where}: verbs: name at least one, in quotes."


def _table(raw: Mapping[str, Any], words: Words, before: str) -> Iterator[str]:
    known = {**words.must, **words.may}
    yield from (f"{before}{name}: it is missing." for name in words.must if name not in raw)
    yield from (f"{before}{str(name)[:40]}: there is no such word here." for name in raw if name not in known)
    for name, value in raw.items():
        if name not in known:
            continue
        if type(value) is not known[name]:
            yield f"{before}{name}: {KINDS[known[name]]} is asked for here."
        elif isinstance(value, str):
            yield from (f"{before}{name}: {sentence}" for sentence in _length(name, value, name in words.must))
        elif isinstance(value, list) and len(value) > MOST_ROWS:
            yield f"{before}{name}: at most {MOST_ROWS}."


def _length(name: str, value: str, needed: bool) -> Iterator[str]:
    most = LONGEST_TITLE if name in TITLES else LONGEST_TEXT
    if needed and not value.strip():
        yield "say something."
    if len(value) > most:
        yield f"at most {most:,} letters; this has {len(value):,}."
    if "\0" in value:
        yield "it holds a character that cannot be kept."


def _plain(raw: Mapping[str, Any]) -> bool:
    """Whether all of it can be kept and pinned: times, dates and parts of a number cannot."""
    try:
        canonical(raw)
    except (Malformed, TypeError, ValueError, RecursionError):
        return False
    return True


def strange_name(own: OwnScenario, shipped: Sequence[str]) -> str:
    """What is wrong with the name of an own file; "" where nothing is."""
    if not NAME.fullmatch(own.name):
        return "its name is of small letters, digits and _, such as our_shop.toml."
    if own.name in shipped:
        return "the program brings a scenario of this name; give yours another one."
    return "" if own.text is not None else "it cannot be read as text, or is too large."
