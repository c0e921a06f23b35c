"""Weaknesses of one's own products and systems: how they are described, how far each is, and what its exploitation sets off.

Scores are those of CVSS 3.1 and 4.0 (FIRST). A vulnerability that is actively exploited is reported under Regulation (EU)
2024/2847, Art. 14: an early warning within 24 hours, so that it becomes an incident whose facts say so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from incident.domain.errors import Invalid, Refused
from incident.domain.texts import storable

LONGEST_TITLE: Final = 200
LONGEST_DETAILS: Final = 20_000
CVE: Final = re.compile(r"CVE-(19|20)\d{2}-\d{4,19}")


Word = TypeVar("Word", bound=StrEnum)


class State(StrEnum):
    """How far one is."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    FIXED = "fixed"
    DISCLOSED = "disclosed"
    REJECTED = "rejected"


class Exploited(StrEnum):
    """Whether somebody malicious uses it."""

    UNKNOWN = "unknown"
    NO = "no"
    YES = "yes"


OPEN: Final = (State.REPORTED, State.CONFIRMED)
TONES: Final[Mapping[str, str]] = {
    State.REPORTED: "soon",
    State.CONFIRMED: "late",
    State.FIXED: "owed",
    State.DISCLOSED: "met",
    State.REJECTED: "idle",
}
LEVELS: Final = ("critical", "high", "medium", "low", "none", "")


@dataclass(frozen=True)
class Described:
    """What is said of a vulnerability, checked."""

    title: str
    product: str
    cve: str
    state: State
    exploited: Exploited
    reported_at: datetime
    exploited_known_at: datetime | None
    fix_available_at: datetime | None
    disclosed_at: datetime | None
    details: str


def described(given: Mapping[str, Any], *, now: datetime) -> Described:
    """What is said, checked. Times are instants or None. Raises Invalid naming the field."""
    found = Described(
        title=_text("title", given.get("title"), LONGEST_TITLE, needed=True),
        product=_text("product", given.get("product"), LONGEST_TITLE),
        cve=_cve(given.get("cve")),
        state=_word("state", State, given.get("state") or State.REPORTED),
        exploited=_word("exploited", Exploited, given.get("exploited") or Exploited.UNKNOWN),
        reported_at=given.get("reported_at") or now,
        exploited_known_at=given.get("exploited_known_at"),
        fix_available_at=given.get("fix_available_at"),
        disclosed_at=given.get("disclosed_at"),
        details=_text("details", given.get("details"), LONGEST_DETAILS),
    )
    if found.reported_at > now:
        raise Invalid("reported_at", "It cannot have been reported later than now.")
    if found.exploited is Exploited.YES and found.exploited_known_at is None:
        raise Invalid(
            "exploited_known_at", "Say since when you know that it is exploited: the clocks of laws start there."
        )
    if found.exploited_known_at and found.exploited_known_at > now:
        raise Invalid("exploited_known_at", "You cannot have learnt it later than now.")
    return found


def facts(row: Described, *, title: str) -> dict[str, Any]:
    """What an incident that is opened for an exploited vulnerability knows from the start. Raises Refused."""
    if row.exploited is not Exploited.YES or row.exploited_known_at is None:
        raise Refused("Only one that is actively exploited is an incident by itself.")
    found: dict[str, Any] = {
        "category": "vulnerability",
        "actively_exploited": True,
        "aware_at": row.exploited_known_at.isoformat(),
        "what_happened": f"A vulnerability is actively exploited: {title}.",
    }
    if row.product:
        found["systems"] = [row.product]
    if row.fix_available_at:
        found["fix_available_at"] = row.fix_available_at.isoformat()
    return found


def of_report(ref: str, said: Mapping[str, Any], *, title: str, received_at: datetime) -> dict[str, Any]:
    """How one is described that somebody reported: in their words, unchecked, with the vector and the day they gave.

    Who they are stays with the report, which can be answered and erased by itself. That it is exploited is for us to find:
    what they say of it stands in the details.
    """
    vector = str(said.get("vector") or "")
    parts = [str(said.get("where") or ""), str(said.get("what") or "")]
    if said.get("exploited") is not None:
        parts.append(f"Actively exploited, as reported: {'yes' if said['exploited'] else 'no'}.")
    return {
        "title": title.strip() or f"Reported vulnerability ({ref})",
        "vector3": vector if vector.startswith("CVSS:3") else "",
        "vector4": vector if vector.startswith("CVSS:4") else "",
        "reported_at": received_at,
        "details": "\n\n".join(part for part in parts if part)[:LONGEST_DETAILS],
    }


def _text(field: str, raw: Any, longest: int, *, needed: bool = False) -> str:
    said = storable(str(raw or "")).strip()
    if needed and not said:
        raise Invalid(field, "Give it a short title: what is weak, in which product.")
    if len(said) > longest:
        raise Invalid(field, f"At most {longest:,} characters; this has {len(said):,}.")
    return said


def _cve(raw: Any) -> str:
    said = str(raw or "").strip().upper()
    if said and not CVE.fullmatch(said):
        raise Invalid("cve", "A CVE reads as CVE-2026-12345.")
    return said


def _word(field: str, words: type[Word], raw: Any) -> Word:
    try:
        return words(str(raw))
    except ValueError:
        raise Invalid(field, f"{field} is one of {', '.join(words)}.") from None
