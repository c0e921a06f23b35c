"""How long what is kept after its end: the rules, what they say of one thing, and what they may be."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from incident.domain.digits import whole
from incident.domain.errors import Invalid

SHORTEST_DAYS: Final = 1
LONGEST_DAYS: Final = 36_525


@dataclass(frozen=True)
class Rule:
    """One rule: what it is about, from when its days count, and how many they are unless somebody set others."""

    name: str
    about: str
    counts_from: str
    goes: str
    days: int | None


RULES: Final = {
    rule.name: rule
    for rule in (
        Rule("incident", "Incidents and near misses", "closed", "all personal data, words and evidence", None),
        Rule("drill", "Drills", "closed", "all personal data, words and evidence", None),
        Rule("list", "Lists as they were brought", "taken in", "the file; the people stay on the list", 90),
        Rule(
            "letters", "Printed letters as files", "posted or thrown away", "the files; what became of them stays", 90
        ),
        Rule("tip", "Reports from outside without an incident", "settled", "what was said, and the files", 365),
    )
}
ACCOUNTS: Final = 90
"""Days for which ended sessions and invitations are kept; nobody can change that."""


@dataclass(frozen=True)
class Going:
    """One thing that a rule will take: its reference, the incident it belongs to, its end, and when it goes."""

    rule: str
    ref: str
    incident: str
    ended_at: datetime
    goes_at: datetime
    held: bool = False

    def is_due(self, now: datetime) -> bool:
        """Whether it goes now."""
        return not self.held and self.goes_at <= now


def days(raw: str | int | None) -> int | None:
    """The days that somebody meant; nothing is for ever. Raises Invalid."""
    words = str(raw if raw is not None else "").strip()
    if not words:
        return None
    number = whole(words)
    if number is None or not SHORTEST_DAYS <= number <= LONGEST_DAYS:
        raise Invalid(
            "days", f"Give a number of days from {SHORTEST_DAYS} to {LONGEST_DAYS:,}, or nothing to keep it for ever."
        )
    return number


def goes_at(ended_at: datetime, days: int) -> datetime:
    """When something that ended then goes, kept for so many days."""
    return ended_at + timedelta(days=days)
