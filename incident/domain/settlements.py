"""What people decide about findings, and what changed between two assessments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from incident.domain.errors import Invalid, Refused
from incident.domain.obligations import Standing

SHORTEST_REASON = 10


class State(StrEnum):
    """What has been decided about a finding that stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    MET = "met"
    WAIVED = "waived"


def accepted(state: State, standing: Standing) -> State:
    """The state after somebody takes the finding as right. Raises Refused."""
    if standing is Standing.OPEN:
        raise Refused("An open duty cannot be accepted: answer the questions that decide it first.")
    if state is not State.PROPOSED:
        raise Refused(f"This finding is already {state}.")
    return State.ACCEPTED


def met(state: State, standing: Standing, *, met_at: datetime, now: datetime) -> State:
    """The state after the duty was done. Raises Refused, Invalid."""
    if standing is Standing.NOT_OWED:
        raise Refused("This duty is not owed, so there is nothing to meet.")
    if state in {State.MET, State.WAIVED}:
        raise Refused(f"This finding is already {state}.")
    if met_at > now:
        raise Invalid("met_at", "This lies in the future; a duty is met when it has been done.")
    return State.MET


def waived(state: State, standing: Standing, *, reason: str) -> State:
    """The state after somebody decides, with a reason, not to act on it. Raises Refused, Invalid."""
    if standing is Standing.NOT_OWED:
        raise Refused("This duty is not owed, so there is nothing to waive.")
    if state in {State.MET, State.WAIVED}:
        raise Refused(f"This finding is already {state}.")
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("reason", "Say why, so that somebody who reads this years later can follow it.")
    return State.WAIVED


def lateness(due: datetime | None, met_at: datetime) -> int | None:
    """Seconds by which it was late; 0 if in time, None where the law gives no time."""
    return None if due is None else max(0, int((met_at - due).total_seconds()))


BECAME: Final = {
    "owed": ("{amount} duty became owed", "{amount} duties became owed"),
    "opened": ("{amount} duty became open", "{amount} duties became open"),
    "closed": ("{amount} duty is no longer open", "{amount} duties are no longer open"),
    "lifted": ("{amount} duty is no longer owed", "{amount} duties are no longer owed"),
    "moved": ("{amount} duty has another due time", "{amount} duties have another due time"),
}


@dataclass(frozen=True)
class Difference:
    """What changed between two assessments, by the duties' names."""

    owed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.owed, self.opened, self.closed, self.lifted, self.moved))

    def words(self) -> str:
        """The change in a sentence: "2 duties became owed; 1 duty is no longer open"."""
        parts = [
            _became(self.owed, *BECAME["owed"]),
            _became(self.opened, *BECAME["opened"]),
            _became(self.closed, *BECAME["closed"]),
            _became(self.lifted, *BECAME["lifted"]),
            _became(self.moved, *BECAME["moved"]),
        ]
        return "; ".join(filter(None, parts)) or "nothing changed"


def _became(refs: tuple[str, ...], one: str, many: str) -> str:
    return (one if len(refs) == 1 else many).format(amount=len(refs)) if refs else ""


Known: TypeAlias = tuple[Standing, datetime | None]


def difference(before: Mapping[str, Known], after: Mapping[str, Known]) -> Difference:
    """What changed from one assessment to the next; a duty that was not there before was not owed."""
    none: Known = (Standing.NOT_OWED, None)
    both = ((ref, before.get(ref, none), after.get(ref, none)) for ref in {*before, *after})
    pairs = {ref: (old, new) for ref, old, new in both if old != new}
    active = {Standing.OWED, Standing.ADVISED}

    def which(test: Callable[[Known, Known], bool]) -> tuple[str, ...]:
        return tuple(sorted(ref for ref, (old, new) in pairs.items() if test(old, new)))

    return Difference(
        owed=which(lambda old, new: new[0] in active and old[0] not in active),
        opened=which(lambda old, new: new[0] is Standing.OPEN and old[0] is not Standing.OPEN),
        closed=which(lambda old, new: old[0] is Standing.OPEN and new[0] is Standing.NOT_OWED),
        lifted=which(lambda old, new: old[0] in active and new[0] is Standing.NOT_OWED),
        moved=which(lambda old, new: old[0] in active and new[0] in active and old[1] != new[1]),
    )
