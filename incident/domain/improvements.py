"""What is done after an incident so that it does not happen again: one thing each, with an owner and a day, to its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from incident.domain.errors import Invalid, Refused
from incident.domain.texts import storable

LONGEST: Final = 1_000
LONGEST_WORDS: Final = 5_000
FARTHEST: Final = timedelta(days=5 * 366)


class State(StrEnum):
    """What has become of one."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


TONES: Final[Mapping[str, str]] = {State.OPEN: "owed", State.DONE: "met", State.DROPPED: "idle"}


def text(said: str) -> str:
    """What is to be done, as it is kept. Raises Invalid."""
    words = " ".join(storable(said).split())
    if not words:
        raise Invalid("text", "Say what is to be done.")
    if len(words) > LONGEST:
        raise Invalid("text", f"At most {LONGEST:,} characters; this has {len(words):,}.")
    return words


def due(at: datetime | None, now: datetime) -> datetime:
    """By when, checked. Raises Invalid."""
    if at is None:
        raise Invalid("due_at", "Say by which day it is to be done.")
    if at <= now:
        raise Invalid("due_at", "Choose a day that is still to come.")
    if at > now + FARTHEST:
        raise Invalid("due_at", "Choose a day within five years.")
    return at


def finished(state: str, *, note: str, evidence: Sequence[str]) -> State:
    """The state after it is done, which has to be shown. Raises Refused, Invalid."""
    _must_be_open(state)
    _fits("note", note)
    if not storable(note) and not evidence:
        raise Invalid("note", "Say what was done and what shows it, or choose the evidence.")
    return State.DONE


def dropped(state: str, *, reason: str) -> State:
    """The state after it was decided not to do it, with a reason. Raises Refused, Invalid."""
    _must_be_open(state)
    _must_say_why(reason)
    return State.DROPPED


def reopened(state: str, *, reason: str) -> State:
    """The state after it is taken up again, with a reason. Raises Refused, Invalid."""
    if state == State.OPEN:
        raise Refused("This is open already.")
    _must_say_why(reason)
    return State.OPEN


def moved(state: str, *, to: datetime | None, reason: str, now: datetime) -> datetime:
    """The new day, with a reason. Raises Refused, Invalid."""
    _must_be_open(state)
    _must_say_why(reason)
    return due(to, now)


def handed_over(state: str) -> None:
    """Raises Refused unless it can be given to somebody."""
    _must_be_open(state)


def _must_be_open(state: str) -> None:
    if state != State.OPEN:
        raise Refused("This has ended already; take it up again first.")


def _must_say_why(reason: str) -> None:
    if not storable(reason):
        raise Invalid("reason", "Say why; the reason stays.")
    _fits("reason", reason)


def _fits(field: str, said: str) -> None:
    if len(said) > LONGEST_WORDS:
        raise Invalid(field, f"At most {LONGEST_WORDS:,} characters.")
