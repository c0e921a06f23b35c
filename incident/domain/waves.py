"""People found later: their notices have clocks of their own, and they may carry a number over a threshold.

What the incident is stays the same for them: kinds of data, harm, exceptions. Only the moments of knowing are theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incident.domain import places
from incident.domain.facts import UNKNOWN, Facts, Unknown, Value

KNOWING = (
    "aware_at",
    "controller_aware_at",
    "detected_at",
    "determined_at",
    "discovered_at",
    "grounds_to_believe_at",
    "noticed_at",
)
"""The moments that a later finding makes anew: it is known then, and not before, that these people are concerned."""


@dataclass(frozen=True)
class Wave:
    """People found together after the others: when, and how many where ("" for an unknown place)."""

    number: int
    discovered_at: datetime
    people: Mapping[str, int] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The name of their findings."""
        return f"wave {self.number}"

    @property
    def total(self) -> int:
        """How many they are."""
        return sum(self.people.values())

    def lives_in(self, region: str) -> bool:
        """Whether one of them lives there, or may: a place that nobody knows is never a reason to leave somebody out."""
        return bool(self.people.get("")) or bool(places.counted(self.people, region))


def moments_of(wave: Wave, facts: Facts) -> Facts:
    """The facts with the moments of this wave: known since then, and nobody of it told so far."""
    theirs: dict[str, Value | Unknown] = dict.fromkeys(KNOWING, wave.discovered_at)
    return facts.with_({**theirs, "individuals_notified_at": UNKNOWN})


def before(facts: Facts, later: Sequence[Wave]) -> Facts:
    """The facts with the people of these waves left out of the counts."""
    changed: dict[str, Value | Unknown] = {}
    residents, people = facts["residents"], facts["people_count"]
    if isinstance(residents, Mapping):
        changed["residents"] = {
            code: max(0, number - sum(wave.people.get(code, 0) for wave in later)) for code, number in residents.items()
        }
    if isinstance(people, int):
        changed["people_count"] = max(0, people - sum(wave.total for wave in later))
    return facts.with_(changed) if changed else facts
