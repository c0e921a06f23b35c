"""Which requests go wrong, and how: drawn from a seed, so that a run can be repeated."""

import random
import threading
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What can happen to one request."""

    NONE = "none"
    BUSY = "busy"  # told to come back later; not carried out
    CUT_BEFORE = "cut_before"  # the line breaks before anything was carried out
    CUT_AFTER = "cut_after"  # carried out, and the answer is lost
    TROUBLE = "trouble"  # an error of the provider
    GARBAGE = "garbage"  # carried out, and the answer says nothing
    FORBIDDEN = "forbidden"  # credentials refused for once; not carried out
    DRIP = "drip"  # carried out, and the answer comes letter by letter


@dataclass
class Faults:
    """Shares of requests (0 to 1) that meet each fault; `first` are the faults of the first requests, in order."""

    seed: int = 1
    busy: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    trouble: float = 0.0
    garbage: float = 0.0
    forbidden: float = 0.0
    drip: float = 0.0
    first: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._draw, self._lock = random.Random(self.seed), threading.Lock()

    def next(self) -> Fault:
        """The fate of the next request."""
        with self._lock:
            if self.first:
                return self.first.pop(0)
            point = self._draw.random()
        for fault in list(Fault)[1:]:
            point -= getattr(self, fault.value)
            if point < 0:
                return fault
        return Fault.NONE
