"""How many people an incident has, from counters that are kept with the rows: no page counts a million people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incident.domain.errors import Missing
from incident.domain.people import Age, Reach, State
from incident.store import incidents
from incident.store import people as rows


@dataclass(frozen=True)
class Counts:
    """How many people an incident has, by whatever is asked for; only those on the list, unless it says otherwise."""

    active: int
    suspects: int
    apart: int
    doubtful: int
    minors: int
    by_place: dict[str, int]
    by_language: dict[str, int]
    by_wave: dict[int, int]
    by_reach: dict[int, int]

    def reached_by(self, way: Reach) -> int:
        """How many can be reached in this way."""
        return sum(n for bits, n in self.by_reach.items() if bits & way)

    @property
    def reached_by_none(self) -> int:
        """How many can be told by an announcement alone."""
        return self.by_reach.get(0, 0)

    def facts(self) -> dict[str, Any]:
        """What these counts say of the incident: how many people, and how many where; those of unknown place are not in it."""
        return {
            "people_count": self.active,
            "residents": {code: n for code, n in sorted(self.by_place.items()) if code},
        }


def of(ref: str) -> Counts:
    """The counts of this incident. Raises Missing."""
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return counted(incident.id)


def counted(incident_id: int) -> Counts:
    """The counts of the incident with this id."""
    tallies = rows.tallies(incident_id)
    active = [tally for tally in tallies if tally.state == State.ACTIVE]
    return Counts(
        active=sum(tally.n for tally in active),
        suspects=sum(tally.n for tally in tallies if tally.state == State.SUSPECT),
        apart=sum(tally.n for tally in tallies if tally.state not in {State.ACTIVE, State.SUSPECT}),
        doubtful=sum(tally.n for tally in active if tally.doubtful),
        minors=sum(tally.n for tally in active if tally.age not in {Age.UNKNOWN, Age.ADULT}),
        by_place=_by(active, "place"),
        by_language=_by(active, "language"),
        by_wave=_by(active, "wave"),
        by_reach=_by(active, "reach"),
    )


def _by(tallies: Sequence[rows.Tally], name: str) -> dict[Any, int]:
    found: Counter[Any] = Counter()
    for tally in tallies:
        found[getattr(tally, name)] += tally.n
    return dict(found.most_common())
