"""What the sandbox of a drill pretends: what would have been reported about each message, drawn by seed.

Nobody is ever told by it. What it says stands beside the state `simulated`, which nothing changes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from incident.domain.deliveries import REPORTS, State, after
from incident.domain.errors import Invalid
from notifiers.contract import Event, Status

PROVIDER: Final = "sandbox"
SHARES: Final = ("bounced", "blocked", "complained", "late_bounced", "answered")
WORDS: Final[Mapping[str, str]] = {
    "bounced": "come back for good",
    "blocked": "come back for this time",
    "complained": "arrive, and the person complains",
    "late_bounced": "arrive, and come back later after all",
    "answered": "arrive, and the person confirms",
}
LATER: Final = 5  # how many times later a late report comes
MOST_MINUTES: Final = 24 * 60


@dataclass(frozen=True)
class Life:
    """Shares in a hundred of what becomes of the messages; all others arrive. Most is reported within `minutes`."""

    seed: int = 1
    bounced: int = 3
    blocked: int = 1
    complained: int = 0
    late_bounced: int = 1
    answered: int = 5
    minutes: int = 5

    def checked(self) -> "Life":
        """This, if it makes sense. Raises Invalid."""
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 100:
                raise Invalid(name, "Give a share from 0 to 100.")
        if sum(getattr(self, name) for name in SHARES) > 100:
            raise Invalid("bounced", "The shares are more than 100 together.")
        if not 0 <= self.minutes <= MOST_MINUTES:
            raise Invalid("minutes", f"Give from 0 to {MOST_MINUTES:,} minutes.")
        if not 0 <= self.seed <= 10**9:
            raise Invalid("seed", "Give a whole number; the same one gives the same drill again.")
        return self

    def as_json(self) -> dict[str, int]:
        """As it is kept with the sending."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Life | None":
        """Read back; None where the sandbox pretends nothing."""
        return cls(**{one.name: raw[one.name] for one in fields(cls)}) if raw else None


class Report(NamedTuple):
    """One report that would have come, so long after the message was taken."""

    number: int
    wait: timedelta
    status: Status
    reason: str
    code: str = ""

    def event(self, ref: str, taken: datetime) -> Event:
        """As a provider would have said it."""
        return Event(
            f"{ref}-{self.number}", self.status, ref, f"sandbox-{ref}", taken + self.wait, self.reason, self.code
        )


ENDS: Final[Mapping[str, tuple[tuple[Status, str, str], ...]]] = {
    "bounced": ((Status.BOUNCED, "pretended_bounce", "5.1.1"),),
    "blocked": ((Status.BLOCKED, "pretended_block", "4.7.1"),),
    "complained": ((Status.DELIVERED, "delivered", ""), (Status.COMPLAINED, "complained", "")),
    "late_bounced": ((Status.DELIVERED, "delivered", ""), (Status.BOUNCED, "pretended_bounce", "5.1.1")),
    "answered": ((Status.DELIVERED, "delivered", ""), (Status.ACKNOWLEDGED, "confirmed", "")),
    "delivered": ((Status.DELIVERED, "delivered", ""),),
}


def fate(life: Life, person: int, channel: str) -> list[Report]:
    """What would be reported of a message to this person by this channel, in the order of time; always the same for a seed."""
    drawn = hashlib.sha256(f"{life.seed}|{channel}|{person}".encode()).digest()
    place, speed, late = (int.from_bytes(drawn[start : start + 8], "big") / 2**64 for start in (0, 8, 16))
    span = timedelta(minutes=life.minutes)
    waits = [span * (0.02 + 0.08 * late), span * (0.1 + 0.9 * speed), span * (1 + (LATER - 1) * late)]
    reports = [(Status.ACCEPTED, "taken", ""), *ENDS[_end(life, place * 100)]]
    return [Report(number, wait, *what) for number, (wait, what) in enumerate(zip(waits, reports, strict=False))]


def _end(life: Life, place: float) -> str:
    for name in SHARES:
        place -= getattr(life, name)
        if place < 0:
            return name
    return "delivered"


def pretended(before: str, reports: Sequence[Report]) -> State:
    """What would be known of a message after these reports, by the rules that hold for real ones."""
    state = State(before) if before else State.ACCEPTED
    for report in reports:
        state = after(state, REPORTS[report.status])
    return state
