"""How one channel of a sending goes: what its answers take decides how many calls there are at once."""

from dataclasses import dataclass
from math import ceil

from incident.domain import pace
from incident.domain.lanes import Lane
from incident.store import jobs
from incident.store.dispatches import Dispatch
from notifiers.contract import Notifier

AHEAD = 4_000  # people that are claimed, and begun, at once
FEW = 4  # batches that are claimed, and calls that are begun together, where answers come quickly


@dataclass
class Flow:
    """How one channel goes: how long an answer takes, how long a batch costs us, when the next may go."""

    notifier: Notifier
    answer: float = 0.0
    work: float = 0.001
    free_at: float = 0.0
    in_flight: int = 0
    rate: float = 0.0

    @property
    def wanted(self) -> int:
        """How many calls at once: one until an answer came; then some to begin together, and enough that we wait for none."""
        if not self.answer:
            return 1
        return max(1, min(self.notifier.calls, max(FEW, ceil(self.answer / self.work)) + 1))

    @property
    def at_once(self) -> int:
        """How many calls are begun at once at most."""
        return max(1, min(self.notifier.calls, AHEAD // self.notifier.batch))

    def learn(self, *, answer: float | None = None, work: float | None = None) -> None:
        """Take in a measurement, the newer ones weighing more."""
        if answer is not None:
            self.answer = answer if not self.answer else 0.7 * self.answer + 0.3 * answer
        if work is not None:
            self.work = max(0.0005, 0.7 * self.work + 0.3 * work)

    def speed(self, before: float, count: int) -> float:
        """Messages a second after a batch of so many, the newer ones weighing more."""
        now = count * max(1, self.in_flight + 1) / max(self.answer + self.work, 0.001)
        return round(0.7 * before + 0.3 * now if before else now, 1)


def demand_fit(row: Dispatch, flow: Flow) -> None:
    """Raises RuntimeError where a rehearsal would reach a provider, or a notice the sandbox."""
    if flow.notifier.simulated is not row.simulated:
        raise RuntimeError("A rehearsal must not reach a provider, nor a notice the sandbox.")


def rate_of(row: Dispatch, channel: str, flow: Flow) -> float:
    """The most messages a second for this worker; 0: no limit. What is allowed is shared by all that are at work."""
    rate = pace.rate_of(channel, row.pace, flow.notifier.rate)
    return rate / jobs.at_work(Lane.SENDING) if rate else 0.0
