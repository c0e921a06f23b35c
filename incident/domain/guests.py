"""Guests of an incident: outside counsel, forensics, an insurer; invited to named parts of it, until a day that is set."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from incident.domain.access import ALWAYS, PARTS, PRIVILEGED
from incident.domain.errors import Invalid

CAPACITIES: Final[dict[str, str]] = {
    "counsel": "outside counsel",
    "forensics": "forensic examiner",
    "insurer": "insurer",
    "processor": "processor or supplier",
    "other": "other",
}
PART_WORDS: Final[dict[str, str]] = {
    "facts": "Facts and grade",
    "timeline": "Time line, notes and record",
    "evidence": "Evidence: see it and take copies",
    "bring_evidence": "Evidence: bring pieces and record hand-overs",
    "duties": "Duties, deadlines and plan",
    "notices": "Texts of notices",
    "reports": "Reports to authorities",
    PRIVILEGED: "What is marked as privileged, in the parts above",
}
MOST_DAYS: Final = 180


@dataclass(frozen=True)
class Stay:
    """What a guest is here as, what they see, and for how many days."""

    capacity: str
    parts: tuple[str, ...]
    days: int


def parts(words: Iterable[str]) -> list[str]:
    """Return the parts in their order, each once. Raises Invalid for an unknown one and for none."""
    wanted = set(words)
    if not wanted <= set(PART_WORDS):
        raise Invalid("parts", "Choose parts from the list.")
    if not wanted - {PRIVILEGED}:
        raise Invalid("parts", "Choose at least one part of the incident.")
    return [part for part in PARTS if part in wanted and part != ALWAYS]


def capacity(word: str) -> str:
    """Return what the guest is here as. Raises Invalid."""
    if word not in CAPACITIES:
        raise Invalid("capacity", "Choose what the guest is here as.")
    return word


def until(days: int, now: datetime) -> datetime:
    """Return when the stay ends. Raises Invalid."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("days", f"A guest stays 1 to {MOST_DAYS} days; invite them again after that.")
    return now + timedelta(days=days)
