"""Calls that people make: what an attempt came to, what follows from it, and how long one of us holds a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from incident.domain import hours
from incident.domain.deliveries import Happening
from incident.domain.errors import Invalid, Refused


class Outcome(StrEnum):
    """What became of one attempt to call somebody."""

    TOLD = "told"
    VOICE_MAIL = "voice_mail"
    NO_ANSWER = "no_answer"
    CALL_BACK = "call_back"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"


class Why(StrEnum):
    """Why somebody is on the list of calls."""

    FIRST = "first"  # the notice reaches them by telephone
    CALL_BACK = "call_back"  # they pressed a key in an automatic call and want to speak with somebody


WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.TOLD: "reached and told",
    Outcome.VOICE_MAIL: "voice mail",
    Outcome.NO_ANSWER: "no answer",
    Outcome.CALL_BACK: "call back later",
    Outcome.WRONG_NUMBER: "wrong number",
    Outcome.REFUSED: "does not want to hear it",
}
MEANINGS: Final[Mapping[Outcome, str]] = {
    Outcome.TOLD: "The person themselves heard it from you.",
    Outcome.VOICE_MAIL: "You left who called and the number to call back, nothing else.",
    Outcome.NO_ANSWER: "It rang and nobody picked up, or it was busy.",
    Outcome.CALL_BACK: "They asked for another time, or somebody else said when to reach them.",
    Outcome.WRONG_NUMBER: "Nobody of that name is there, or the number does not exist.",
    Outcome.REFUSED: "They hung up or said no before you could tell them.",
}
WHY_WORDS: Final[Mapping[Why, str]] = {Why.FIRST: "to be told", Why.CALL_BACK: "asked to be called back"}

MOST_TRIES: Final = 3
TRIED_AGAIN_AFTER: Final = (timedelta(hours=4), timedelta(hours=24))
LEASE: Final = timedelta(minutes=20)
FARTHEST: Final = timedelta(days=14)
NOT_REACHED: Final = (Outcome.VOICE_MAIL, Outcome.NO_ANSWER)
REASONS: Final[Mapping[Outcome, str]] = {
    Outcome.TOLD: "told_by_caller",
    Outcome.VOICE_MAIL: "voice_mail",
    Outcome.NO_ANSWER: "no_answer",
    Outcome.WRONG_NUMBER: "wrong_number",
    Outcome.REFUSED: "person_refused",
}


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from an attempt: off the list (with what it makes of the delivery), or on it until another time."""

    is_done: bool
    tries: int
    due_at: datetime
    happening: Happening | None = None
    reason: str = ""


def followed(outcome: Outcome, tries: int, now: datetime, *, place: str, back_at: datetime | None = None) -> Next:
    """What follows after `tries` earlier attempts. Raises Invalid for a time to call back that makes no sense."""
    if outcome is Outcome.CALL_BACK:
        return Next(False, tries, _agreed(back_at, now))
    reason = REASONS[outcome]
    if outcome is Outcome.TOLD:
        return Next(True, tries + 1, now, Happening.TOLD_BY_HAND, reason)
    if outcome in NOT_REACHED and tries + 1 < MOST_TRIES:
        return Next(False, tries + 1, hours.next_fit(place, now + TRIED_AGAIN_AFTER[tries]))
    return Next(True, tries + 1, now, Happening.NOT_TOLD_BY_HAND, reason)


def _agreed(back_at: datetime | None, now: datetime) -> datetime:
    if back_at is None:
        raise Invalid("back_at", "Give the time at which they want to be called.")
    if not now < back_at <= now + FARTHEST:
        raise Invalid("back_at", "Choose a time from now on, within two weeks.")
    return back_at


def is_held(holder: str, held_until: datetime | None, now: datetime) -> bool:
    """Whether somebody is making this call just now."""
    return bool(holder) and held_until is not None and held_until > now


def demand_free(holder: str, held_until: datetime | None, *, actor: str, now: datetime) -> None:
    """Raises Refused while somebody else makes this call."""
    if holder != actor and is_held(holder, held_until, now):
        raise Refused("Somebody else is making this call just now. Take the next one.")


def demand_ours(holder: str, held_until: datetime | None, *, actor: str, now: datetime) -> None:
    """Raises Refused unless the caller has taken this call; a little late is fine while nobody else took it."""
    if holder != actor:
        demand_free(holder, held_until, actor=actor, now=now)
        raise Refused("Take the call before you say what became of it.")


def outcome(word: str) -> Outcome:
    """The outcome of this word. Raises Invalid."""
    if word not in set(Outcome):
        raise Invalid("outcome", "Say what became of the call.")
    return Outcome(word)


def note(text: str) -> str:
    """What the caller wrote down, if anything. Raises Invalid where it is too long."""
    words = " ".join(text.split())
    if len(words) > 500:
        raise Invalid("note", "Keep the note under 500 letters.")
    return words
