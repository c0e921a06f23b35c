"""Countries, states and the groups that laws speak of."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

PLACES_FILE = Path(__file__).parent.parent / "places.toml"


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(PLACES_FILE.read_text(encoding="utf-8"))


def is_place(code: str) -> bool:
    """True for a known country or state code such as DE or US-TX."""
    return code in _file()["place"]


def named(code: str, language: str = "en") -> str:
    """The name of a place or of a group of places in English ("en") or Chinese ("zh"); the code itself if unknown."""
    place = _file()["place"].get(code) or _file()["name"].get(code)
    return str(place[language]) if place else code


def codes() -> tuple[str, ...]:
    """Every known code, countries first, in the order of the file."""
    return tuple(_file()["place"])


@lru_cache(maxsize=65_536)
def within(code: str, region: str) -> bool:
    """True if `code` is `region`, lies in it (US-TX in US), or belongs to it as a group (FR in EU)."""
    members = _file()["group"].get(region, (region,))
    return any(code == member or code.startswith(f"{member}-") for member in members)


def counted(residents: Mapping[str, int], region: str) -> int:
    """How many of `residents` live in `region`, a place or a group."""
    return sum([number for code, number in residents.items() if within(code, region)])


def any_within(places: Iterable[str], region: str) -> bool:
    """True if at least one of `places` lies in `region`."""
    return any(within(code, region) for code in places)


def groups() -> tuple[str, ...]:
    """Every group of places that laws speak of, such as EU."""
    return tuple(_file()["group"])
