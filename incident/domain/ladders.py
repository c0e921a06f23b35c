"""The ladder of a notice: by which channel each person is tried first, what counts as reached, and what comes next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from incident.domain.deliveries import WORDS, State
from incident.domain.errors import Invalid, Refused


class Proof(StrEnum):
    """What is enough for a person to count as reached by a step."""

    ACCEPTED = "accepted"  # the provider took it, and it did not come back
    DELIVERED = "delivered"  # the receiving side took it
    CONFIRMED = "confirmed"  # the person said so


PROOF_WORDS: Final[Mapping[Proof, str]] = {
    Proof.ACCEPTED: "taken by the provider and not come back",
    Proof.DELIVERED: "reported as delivered",
    Proof.CONFIRMED: "confirmed by the person",
}
ENOUGH: Final[Mapping[Proof, frozenset[State]]] = {
    Proof.ACCEPTED: frozenset({State.ACCEPTED, State.DELIVERED, State.CONFIRMED}),
    Proof.DELIVERED: frozenset({State.DELIVERED, State.CONFIRMED}),
    Proof.CONFIRMED: frozenset({State.CONFIRMED}),
}
LONGEST_WAIT: Final = 24 * 90  # hours
MAY_GO_ON: Final = frozenset({State.IN_DOUBT, State.FAILED, State.BOUNCED, State.ACCEPTED, State.UNREACHED})
"""States in which a person may ask for the next channel; of what is in doubt the engine never decides it."""
NOBODY_TO_TELL: Final = frozenset({"person_gone", "erased", "taken_off", "record_unreadable"})
"""Reasons that are true of every channel."""
WITHDRAWN: Final = "arrived_before"  # the reason of an attempt that was taken back before it went out
TOO_LATE: Final = "not_confirmed"  # the reason of one that was taken, and of which no more was heard in time


class Step(NamedTuple):
    """One rung: a channel, the hours it has to show its proof, and that proof."""

    channel: str
    hours: int
    counts: Proof

    @property
    def wait(self) -> timedelta:
        """How long it has."""
        return timedelta(hours=self.hours)


class Tried(NamedTuple):
    """An earlier or present attempt to tell a person."""

    id: int
    channel: str
    attempt: int
    state: State
    reason: str = ""
    language: str = ""


USUAL: Final[Mapping[str, Step]] = {
    step.channel: step
    for step in (
        Step(
            "email", 72, Proof.ACCEPTED
        ),  # a mailbox that is not there says so within days; most never say "delivered"
        Step("sms", 24, Proof.DELIVERED),
        Step("push", 24, Proof.DELIVERED),
        Step("call", 72, Proof.DELIVERED),
        Step("letter", 24 * 14, Proof.ACCEPTED),  # returned mail takes about two weeks
    )
}
"""What a step is unless somebody says otherwise. An announcement is none: it speaks to everybody at once."""


def ladder(channels: Iterable[str], chosen: Mapping[str, Step] | None = None) -> tuple[Step, ...]:
    """The steps for these channels in their order: as chosen, else as usual."""
    known = {**USUAL, **(chosen or {})}
    return tuple(known[word] for word in dict.fromkeys(channels) if word in USUAL)


def checked(channel: str, hours: Any, counts: Any) -> Step:
    """A step as somebody asks for it. Raises Invalid."""
    if channel not in USUAL:
        raise Invalid("ladder", "Choose the steps among the channels that reach one person.")
    if not isinstance(hours, int) or isinstance(hours, bool) or not 1 <= hours <= LONGEST_WAIT:
        raise Invalid("ladder", f"Give each step from 1 to {LONGEST_WAIT:,} hours.")
    if counts not in set(Proof):
        raise Invalid("ladder", "Choose what counts as reached: accepted, delivered or confirmed.")
    if channel == "push" and counts == Proof.ACCEPTED:
        raise Invalid("ladder", "A push that was taken proves nothing: nobody says whether it was shown.")
    return Step(channel, hours, Proof(counts))


def as_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The steps as they are kept, digested and approved."""
    return [{"channel": step.channel, "hours": step.hours, "counts": step.counts.value} for step in steps]


def from_json(raw: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Read back."""
    return tuple(Step(one["channel"], one["hours"], Proof(one["counts"])) for one in raw)


def words(step: Step) -> str:
    """One step as a phrase, such as "counts once reported as delivered; the next after 24 hours"."""
    span = f"{step.hours // 24} days" if step.hours % 24 == 0 and step.hours > 24 else f"{step.hours} hours"
    if step.channel == "push" and step.counts is Proof.DELIVERED:
        return f"counts for nothing by itself, since nobody reports that it was shown; next after {span}"
    if step.counts is Proof.ACCEPTED:
        return f"counts once taken by the provider; next when refused or come back ({span} to see)"
    return f"counts once {PROOF_WORDS[step.counts]}; else next after {span}"


def look_at(
    steps: Sequence[Step],
    channel: str,
    state: State,
    now: datetime,
    *,
    before: datetime | None = None,
    reason: str = "",
) -> datetime | None:
    """When the next channel is to be tried unless more is heard; None: as things stand, not at all.

    `before` is what was said so far: the time a step has runs from its first sign of life, not anew with each.
    """
    if not steps or reason in NOBODY_TO_TELL:
        return None
    if state in (State.FAILED, State.BOUNCED):
        return now
    step = next((one for one in steps if one.channel == channel), None)
    if step is None or state not in (State.ACCEPTED, State.DELIVERED) or state in ENOUGH[step.counts]:
        return None
    return before or now + step.wait


def demand_may_go_on(state: State, *, current: bool) -> None:
    """Raises Refused unless a person may have this one tried by the next channel."""
    if not current:
        raise Refused("Another attempt was made after this one already.")
    if state not in MAY_GO_ON:
        raise Refused(f"This one is {WORDS[state]}: there is no reason to try another channel now.")


def is_told(steps: Sequence[Step], channel: str, state: State) -> bool:
    """Whether an attempt by this channel in this state is enough."""
    step = next((one for one in steps if one.channel == channel), None)
    return state in ENOUGH[step.counts if step else Proof.DELIVERED]


def told_by(steps: Sequence[Step], tried: Sequence[Tried]) -> Tried | None:
    """The newest attempt that is proof enough, if one is."""
    return next((one for one in reversed(tried) if is_told(steps, one.channel, one.state)), None)


def next_channel(
    steps: Sequence[Step], tried: Sequence[Tried], reached: Mapping[str, bool], opened: Collection[str]
) -> str:
    """The first channel of the ladder that is set up, reaches the person and was not tried; empty if none is left."""
    spent = {one.channel for one in tried if not (one.state is State.CANCELLED and one.reason == WITHDRAWN)}
    left = (step.channel for step in steps if step.channel not in spent)
    return next((word for word in left if word in opened and reached.get(word, False)), "")
