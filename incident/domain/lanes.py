"""By which way each kind of background work reaches other machines."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """One lane never waits for another: an import keeps no reminder back."""

    SENDING = "sending"
    LONG = "long"
    QUICK = "quick"


LANES: Final[Mapping[str, Lane]] = {
    "sending": Lane.SENDING,
    "people.import": Lane.LONG,
    "people.pairs": Lane.LONG,
    "laws.compare": Lane.LONG,
    "organisation.facts": Lane.LONG,
    "deliveries.look_up": Lane.LONG,
    "announcements.look": Lane.LONG,
    "letters.print": Lane.LONG,
    "notices.check": Lane.LONG,
    "record.stamp": Lane.LONG,
    "webhooks.send": Lane.LONG,
}
"""The lane of a kind of work; whatever is not named is quick."""

SHARED: Final = frozenset({"sending"})
"""What several workers do at once; of all else a reference is in one worker's hands at a time."""


def lane_of(kind: str) -> Lane:
    """The lane by which work of this kind goes."""
    return LANES.get(kind, Lane.QUICK)
