"""A personal data breach in the few terms that decide its risk to people, read from our facts or from a described case."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from incident.domain.facts import UNKNOWN, Facts, vocabulary

GRADING_FILE = Path(__file__).parent.parent / "grading.toml"
SOON_HOURS = 4  # "few" and "soon" of a described case
STATE_OF_THE_ART = frozenset({"state_of_the_art", "at_rest_state_of_the_art", "full_disk_state_of_the_art"})
NOT_TAKEN = frozenset({"none", "none_confirmed", "none_confirmed_by_logs"})
TAKEN = frozenset({"likely", "confirmed", "published"})
ATTACKS = frozenset({"attacker", "insider"})


@cache
def standard() -> Mapping[str, Any]:
    """The tables of grading.toml."""
    return tomllib.loads(GRADING_FILE.read_text(encoding="utf-8"))


class Exposure(StrEnum):
    """Who has the data now, from best to worst."""

    NOBODY = "nobody"
    TRUSTED = "trusted"
    KNOWN = "known"
    UNKNOWN = "unknown"
    LOST = "lost"
    ATTACKER = "attacker"
    PUBLIC = "public"


class Weight(IntEnum):
    """How much the data tells of an identified person."""

    NOTHING = 0
    PLAIN = 1
    TELLING = 2
    GRAVE = 3


@dataclass(frozen=True)
class Breach:
    """What is known of a breach. None is *not known*; an empty tuple of kinds means nobody has named them."""

    personal_data: bool | None = True
    role: str = "controller"
    category: str | None = None
    event: str | None = None
    properties: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()
    special: bool | None = None
    vulnerable: bool = False
    patients: bool = False
    people: int | None = None
    open_ended: bool = False
    malicious: bool | None = None
    encryption: str | None = None
    key_compromised: bool | None = None
    backup: bool | None = None
    restore_hours: float | None = None
    exfiltration: str | None = None
    recipients: str | None = None
    mitigation: frozenset[str] = frozenset()

    def route(self) -> str | None:
        """How the data came into other hands: attacker, insider, known, unknown, lost, none; None if nobody knows."""
        known = standard()["route_of_event"].get(self.event) or standard()["route_of_category"].get(self.category)
        if self.malicious and known in {None, "known", "unknown"}:
            return "attacker"
        return str(known) if known else None

    def hurts(self, property_: str) -> bool | None:
        """Whether confidentiality, integrity or availability is hurt; None if nobody has said."""
        return property_ in self.properties if self.properties else None


def described(facts: Mapping[str, Any] | Facts) -> Breach:
    """The breach that facts describe, whether they use our vocabulary or the words of a described case."""
    words = {key: value for key, value in _items(facts) if value is not UNKNOWN}
    if {"incident_type", "data_categories", "dimensions"} & words.keys():
        return _from_case(words)
    return _from_facts(words)


def _items(facts: Any) -> list[tuple[str, Any]]:
    return [(key, facts[key]) for key in facts]


def _from_facts(words: Mapping[str, Any]) -> Breach:
    kinds = tuple(words.get("data_kinds") or ())
    groups = set(words.get("people_categories") or ())
    known_kinds = vocabulary().kinds
    special = any("special" in known_kinds[kind].flags for kind in kinds if kind in known_kinds)
    hours = words.get("restore_hours")
    return Breach(
        personal_data=words.get("personal_data"),
        role=words.get("role", "controller"),
        category=words.get("category"),
        properties=frozenset(words.get("properties") or ()),
        kinds=kinds,
        special=special if kinds else None,
        vulnerable=bool(groups & {"children", "patients", "elderly", "vulnerable_adults"})
        or words.get("minors") is True,
        patients="patients" in groups or any("health" in known_kinds[k].flags for k in kinds if k in known_kinds),
        people=words.get("people_count"),
        malicious=words.get("malicious"),
        encryption=words.get("encryption"),
        key_compromised=words.get("key_compromised"),
        backup=words.get("backup_available"),
        restore_hours=float(hours) if isinstance(hours, (int, float)) else None,
        exfiltration=words.get("exfiltration"),
        recipients=words.get("recipients"),
        mitigation=frozenset(words.get("mitigation") or ()),
    )


def _from_case(words: Mapping[str, Any]) -> Breach:
    kinds = _kinds(words.get("data_categories") or ())
    encryption = words.get("encryption") or {}
    backup = words.get("backup") or {}
    groups = set(words.get("vulnerable_people") or ())
    people, open_ended = _people(words)
    special = words.get("special_categories")
    return Breach(
        personal_data=words.get("personal_data", True),
        role=words.get("role") or "controller",
        event=words.get("incident_type"),
        properties=frozenset(words.get("dimensions") or ()),
        kinds=kinds,
        special=special is True or (bool(special) and not kinds) or bool({"health"} & set(kinds)),
        vulnerable=bool(groups),
        patients="patients" in groups or "health" in kinds,
        people=people,
        open_ended=open_ended,
        malicious=words.get("malicious"),
        encryption=encryption.get("state"),
        key_compromised=encryption.get("key_compromised"),
        backup=backup.get("available"),
        restore_hours=_hours(backup.get("restore_hours")),
        exfiltration=words.get("exfiltration"),
        mitigation=frozenset(_mitigation(word) for word in words.get("mitigation") or ()),
    )


def _kinds(categories: Any) -> tuple[str, ...]:
    table = standard()["kind_of_word"]
    ours = vocabulary().kinds
    named = [kind for word in categories for kind in table.get(word, [word if word in ours else "other"])]
    return tuple(dict.fromkeys(named))


def _mitigation(word: str) -> str:
    return str(standard()["mitigation_of_word"].get(word, word))


def _hours(raw: Any) -> float | None:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    return float(SOON_HOURS) if raw in {"few", "soon"} else None


NUMBER_WORDS = {"one": 1, "two": 2, "three": 3, "a dozen": 12, "two dozen": 24, "a few dozen": 36, "dozens": 36}


def _people(words: Mapping[str, Any]) -> tuple[int | None, bool]:
    """The number of people, and whether it is only a lower bound."""
    text = str(words.get("people_affected_text") or "").lower()
    at_least = "at least" in text
    number = words.get("people_affected", words.get("people"))
    if isinstance(number, int) and not isinstance(number, bool):
        return number, at_least
    figures = re.findall(r"[0-9][0-9,. ]*", text)
    if figures:
        return int(re.sub(r"[^0-9]", "", figures[0])), at_least
    for phrase in sorted(NUMBER_WORDS, key=len, reverse=True):
        if phrase in text:
            return NUMBER_WORDS[phrase], at_least
    if re.search(r"thousands|large number|many", text):
        return 1000, True
    return None, False
