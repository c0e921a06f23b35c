"""How carefully a sending goes out: the first few, how many a second, at which hours, and what halts it by itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from incident.domain.errors import Invalid
from incident.domain.hours import USUAL, Day

MOST_PEOPLE: Final = 1_000_000
FASTEST: Final = 10_000.0
FEWEST_COMPLAINTS: Final = 3
"""So many must have complained before their share says anything: one in the first fifty is no rate."""
CHANNELS: Final = ("email", "sms", "call", "letter", "push")


@dataclass(frozen=True, slots=True)
class Pace:
    """How carefully a dispatch goes out. Shares are of what has an outcome.

    `canary` go first, then a person looks (0: all at once). It halts once more than `most_back` in a hundred are refused
    or come back, or more than `most_complaints` in a thousand complain. `rates` are messages a second by channel.
    Texts and calls wait for the hours of `day` where people live, unless they go `at_any_hour`.
    """

    canary: int = 0
    most_back: int = 10
    sample: int = 50
    most_complaints: int = 3  # in a thousand: large mailbox providers ask bulk senders to stay below this
    rates: Mapping[str, float] = field(default_factory=dict)
    at_any_hour: bool = False
    day: Day = USUAL

    def checked(self) -> "Pace":
        """This pace, if it makes sense. Raises Invalid."""
        if not 0 <= self.canary <= MOST_PEOPLE:
            raise Invalid("canary", "Give the number of people who get it first, or 0.")
        if not 1 <= self.most_back <= 100:
            raise Invalid("most_back", "Give a percentage from 1 to 100.")
        if not 1 <= self.sample <= MOST_PEOPLE:
            raise Invalid("sample", "Give how many outcomes to wait for, at least 1.")
        if not 1 <= self.most_complaints <= 1_000:
            raise Invalid("most_complaints", "Give how many in a thousand may complain, from 1 to 1,000.")
        for channel, rate in self.rates.items():
            if channel not in CHANNELS or not 0 < rate <= FASTEST:
                raise Invalid("rates", "Give each channel a number of messages a second, or none.")
        self.day.checked()
        return self

    def within(self, limit: "Pace | None") -> "Pace":
        """This pace for a notice that was approved with `limit`: the same or more careful. Raises Invalid.

        What nobody asks for is as it was approved, and the hours always are.
        """
        if limit is None:
            return self.checked()
        self._demand_within(limit)
        canary = self.canary or limit.canary
        rates = {
            word: min(one[word] for one in (self.rates, limit.rates) if word in one)
            for word in (*limit.rates, *self.rates)
        }
        sample, complaints = min(self.sample, limit.sample), min(self.most_complaints, limit.most_complaints)
        return Pace(canary, self.most_back, sample, complaints, rates, limit.at_any_hour, limit.day).checked()

    def _demand_within(self, limit: "Pace") -> None:
        if limit.canary and self.canary > limit.canary:
            raise Invalid("canary", f"It was approved to go to at most {limit.canary:,} people first.")
        if self.most_back > limit.most_back:
            raise Invalid("most_back", f"It was approved to halt at more than {limit.most_back} in a hundred.")

    def to_json(self) -> dict[str, Any]:
        """As it is kept with an approval."""
        kept = {name: getattr(self, name) for name in ("canary", "most_back", "sample", "most_complaints")}
        return {**kept, "rates": dict(self.rates), "at_any_hour": self.at_any_hour, "hours": asdict(self.day)}

    def in_a_line(self) -> dict[str, Any]:
        """As the line of an approval says it: numbers that are no whole ones as words."""
        return self.to_json() | {"rates": {word: f"{rate:g}" for word, rate in self.rates.items()}}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Pace | None":
        """Read back; None where an approval set nothing."""
        return (
            cls(**{"day": Day(**raw.get("hours", {}))} | {name: raw[name] for name in raw if name != "hours"})
            if raw
            else None
        )


def too_many_complaints(complained: int, outcomes: int, pace: Pace) -> bool:
    """Whether the share that complained is above the limit."""
    return (
        outcomes >= pace.sample
        and complained >= FEWEST_COMPLAINTS
        and complained * 1_000 > outcomes * pace.most_complaints
    )


def rate_of(channel: str, pace: Pace, provider: float) -> float:
    """The most messages a second by a channel: the lower of what the provider and this sending allow; 0: no limit."""
    own = pace.rates.get(channel, 0.0)
    return min(own, provider) if own and provider else own or provider
