"""Handing one message over: what may become of it, what an answer and a later report mean, when it is tried again.

For messages that go one at a time: to newsrooms, to the team, to endpoints of webhooks. What goes to affected people in
thousands has rules of its own (`deliveries`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from notifiers.contract import Outcome, Status

LONGEST_WAIT: Final = 3_600
"""Seconds: no answer puts a message off for longer."""


class State(StrEnum):
    """What became of one message."""

    WAITING = "waiting"  # to be handed over, now or after a pause
    CLAIMED = "claimed"  # a worker holds it; nothing has left
    CALLING = "calling"  # being handed over: from here on it may have left
    ACCEPTED = "accepted"  # the provider has it
    DELIVERED = "delivered"  # the receiving side has it
    PRINTED = "printed"  # on paper, not handed over yet
    HANDED_OVER = "handed_over"  # somebody of the team brought it there
    FAILED = "failed"  # it did not leave, or came back
    IN_DOUBT = "in_doubt"  # nobody knows whether it left
    SIMULATED = "simulated"  # kept in the sandbox: nobody was told
    CANCELLED = "cancelled"  # not wanted any more when its turn came
    UNREACHED = "unreached"  # this person has no channel that works here


ANSWERED: Final = {
    Outcome.ACCEPTED: State.ACCEPTED,
    Outcome.REFUSED: State.FAILED,
    Outcome.STOP: State.FAILED,
    Outcome.UNKNOWN: State.IN_DOUBT,
}
REPORTED: Final = {
    Status.ACCEPTED: State.ACCEPTED,
    Status.DELIVERED: State.DELIVERED,
    Status.BOUNCED: State.FAILED,
    Status.BLOCKED: State.FAILED,
    Status.FAILED: State.FAILED,
}
HELD: Final = frozenset({State.CLAIMED, State.CALLING, State.IN_DOUBT})
"""States in which the worker that holds the fence may still say what became of it."""


def again_at(retries: Sequence[timedelta], tries: int, now: datetime, wait: float | None) -> datetime | None:
    """When a message that was put off is tried again; None when it was tried often enough."""
    if tries > len(retries):
        return None
    return now + max(retries[tries - 1], timedelta(seconds=min(wait or 0, LONGEST_WAIT)))


def reported(state: State, status: Status) -> State | None:
    """What a provider's report makes of a message in this state; None where it changes nothing.

    A straggler takes nothing back: what was delivered or came back is not merely accepted, and what came back stays so.
    """
    then = REPORTED.get(status)
    if then is None or then == state or state is State.FAILED or (state, then) == (State.DELIVERED, State.ACCEPTED):
        return None
    return then
