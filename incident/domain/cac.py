"""The Chinese four-level grade of a cybersecurity incident.

Source: National Cybersecurity Incident Reporting Management Measures (Cyberspace Administration of China, 11 September 2025, in
force 1 November 2025) with their annex, the Cybersecurity Incident Grading Guide; "or more" includes the number.
https://www.cac.gov.cn/2025-09/15/c_1759583017717009.htm
The figures for people at each level and for the loss of a relatively major and a particularly major incident are read in the
text or in quotations of it; the 20 million yuan of a major one in the draft of 8 December 2023, which the other figures kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from incident.domain.errors import Invalid
from incident.domain.facts import UNKNOWN, Facts

MEASURES = "CAC Measures 2025, annex"


class Level(IntEnum):
    """The four levels; from the second on the incident must be reported."""

    GENERAL = 1
    RELATIVELY_MAJOR = 2
    MAJOR = 3
    PARTICULARLY_MAJOR = 4

    @property
    def word(self) -> str:
        """The word in files and reports."""
        return self.name.lower()

    @property
    def zh(self) -> str:
        """The word of the Chinese text."""
        return {1: "一般", 2: "较大", 3: "重大", 4: "特别重大"}[int(self)]


PEOPLE = ((100_000_000, Level.PARTICULARLY_MAJOR), (10_000_000, Level.MAJOR), (1_000_000, Level.RELATIVELY_MAJOR))
DRAFT_FLOOR = 20_000_000
LOSS_CNY = ((100_000_000, Level.PARTICULARLY_MAJOR), (DRAFT_FLOOR, Level.MAJOR), (5_000_000, Level.RELATIVELY_MAJOR))


@dataclass(frozen=True)
class Grade:
    """A level with its reasons; `open` names the facts that could still raise it."""

    level: Level
    reasons: tuple[str, ...]
    open: tuple[str, ...] = ()

    @property
    def report_required(self) -> bool:
        """Whether Art. 4 asks for a report: from relatively major on."""
        return self.level >= Level.RELATIVELY_MAJOR


def graded(facts: Mapping[str, Any] | Facts) -> Grade:
    """The level that facts give, in our vocabulary or in the words of a described case. Raises Invalid for a bad number."""
    people = _first(facts, "pi_people", "pi_people_cn")
    if people is None:
        people = _people_in_china(facts)
    loss, clause = _first(facts, "loss_cny"), _first(facts, "qualitative_clause")
    found = [
        *_by_number("pi_people", people, PEOPLE, "people's personal information leaked"),
        *_by_number("loss_cny", loss, LOSS_CNY, "yuan of direct loss"),
        *_by_clause(clause),
    ]
    level = max((level for level, _ in found), default=Level.GENERAL)
    reasons = tuple(reason for level_, reason in sorted(found, reverse=True) if level_ is level)
    values = {"pi_people_cn": people, "loss_cny": loss, "qualitative_clause": clause}
    unknown = tuple(key for key, value in values.items() if value is None)
    if not reasons:
        reasons = (_below(unknown),)
    return Grade(level, reasons, unknown if level < Level.PARTICULARLY_MAJOR else ())


def cac(facts: Mapping[str, Any] | Facts) -> tuple[str, bool, list[str]]:
    """The word of the level, whether a report is required, and the reasons."""
    grade = graded(facts)
    return grade.level.word, grade.report_required, list(grade.reasons)


def concerned(facts: Mapping[str, Any] | Facts) -> bool:
    """Whether the Chinese grade matters: people in China, an establishment or an operator there, or a loss in yuan."""
    establishments = _first(facts, "establishments") or ()
    people = _first(facts, "pi_people", "pi_people_cn") or _people_in_china(facts) or 0
    return people > 0 or "CN" in establishments or _first(facts, "operator") is not None


def _first(facts: Mapping[str, Any] | Facts, *keys: str) -> Any:
    for key in keys:
        value = facts.get(key)
        if value is not None and value is not UNKNOWN:
            return value
    return None


def _people_in_china(facts: Mapping[str, Any] | Facts) -> int | None:
    residents = _first(facts, "residents")
    return residents.get("CN", 0) if isinstance(residents, Mapping) else None


def _by_number(key: str, number: Any, steps: tuple[tuple[int, Level], ...], what: str) -> list[tuple[Level, str]]:
    if number is None:
        return []
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
        raise Invalid(key, f"{key}: give a number from 0 up.")
    reached = next(((floor, level) for floor, level in steps if number >= floor), None)
    if reached is None:
        return []
    floor, level = reached
    if (key, floor) == ("loss_cny", DRAFT_FLOOR):
        what = f"{what} (this figure was read in the draft of 2023 only: have counsel confirm it)"
    return [(level, f"{number:,} {what}: {floor:,} or more is {level.word.replace('_', ' ')} ({MEASURES}).")]


def _by_clause(clause: Any) -> list[tuple[Level, str]]:
    """A clause of the guide in words: a yes alone counts for the lowest level that has one."""
    if clause is None or clause is False or clause == "none":
        return []
    word = "relatively_major" if clause is True else str(clause)
    try:
        level = Level[word.upper()]
    except KeyError:
        raise Invalid("qualitative_clause", f"{word[:40]!r} is not a level of the grading guide.") from None
    return [(level, f"A clause of the guide other than numbers applies: {level.word.replace('_', ' ')} ({MEASURES}).")]


def _below(unknown: tuple[str, ...]) -> str:
    known = "Below every figure of the guide: general, no report under these Measures"
    return f"{known} as far as is known." if unknown else f"{known}."
