"""What people ask about an incident: the kinds of it, how one moves on, by when it is answered and by which promise or law."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from incident.domain import clock, places
from incident.domain.clock import Calendar, Limit, Unit
from incident.domain.errors import Invalid, Refused

FILE: Final = Path(__file__).parent.parent / "answer_times.toml"
MOST_LETTERS: Final = 4_000
ANYWHERE: Final = "house"


class Kind(StrEnum):
    """What somebody wants."""

    QUESTION = "question"
    CALL = "call"
    LETTER = "letter"
    NOT_ME = "not_me"
    NEW_ADDRESS = "new_address"
    REQUEST = "request"


class Source(StrEnum):
    """How it came to us."""

    PAGE = "page"
    MAIL = "mail"
    PHONE = "phone"
    POST = "post"


class State(StrEnum):
    """Where an enquiry stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"
    MERGED = "merged"


class Turn(StrEnum):
    """What happens to an enquiry."""

    ANSWER = "answer"
    CLOSE = "close"
    MERGE = "merge"
    PART = "part"
    WRITTEN_AGAIN = "written_again"
    BECOME_REQUEST = "become_request"


class Right(StrEnum):
    """What a request under a law is for."""

    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class Decision(StrEnum):
    """What a request under a law came to."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


class Verdict(StrEnum):
    """What a person decided about "this is not me"."""

    ASIDE = "aside"
    STAYS = "stays"


KIND_WORDS: Final[Mapping[Kind, str]] = {
    Kind.QUESTION: "question",
    Kind.CALL: "wants a call",
    Kind.LETTER: "wants a letter",
    Kind.NOT_ME: "says: this is not me",
    Kind.NEW_ADDRESS: "gives a new address",
    Kind.REQUEST: "request under a law",
}
SOURCE_WORDS: Final[Mapping[Source, str]] = {
    Source.PAGE: "by the page",
    Source.MAIL: "by e-mail",
    Source.PHONE: "by telephone",
    Source.POST: "by post",
}
STATE_WORDS: Final[Mapping[State, str]] = {
    State.OPEN: "open",
    State.ANSWERED: "answered",
    State.CLOSED: "closed without an answer",
    State.MERGED: "joined to another",
}
STATE_TONES: Final[Mapping[State, str]] = {
    State.OPEN: "open",
    State.ANSWERED: "met",
    State.CLOSED: "idle",
    State.MERGED: "idle",
}
RIGHT_WORDS: Final[Mapping[Right, str]] = {
    Right.ACCESS: "to see their data",
    Right.CORRECTION: "to have it corrected",
    Right.ERASURE: "to have it erased",
    Right.RESTRICTION: "to have its use restricted",
    Right.PORTABILITY: "to take it elsewhere",
    Right.OBJECTION: "to object to its use",
}

DECISION_WORDS: Final[Mapping[Decision, str]] = {
    Decision.GRANTED: "granted",
    Decision.PARTLY: "granted in part",
    Decision.REFUSED: "refused",
}

TABLE: Final[Mapping[tuple[State, Turn], State | None]] = {
    (State.OPEN, Turn.ANSWER): State.ANSWERED,
    (State.OPEN, Turn.CLOSE): State.CLOSED,
    (State.OPEN, Turn.MERGE): State.MERGED,
    (State.OPEN, Turn.PART): None,
    (State.OPEN, Turn.WRITTEN_AGAIN): State.OPEN,
    (State.OPEN, Turn.BECOME_REQUEST): State.OPEN,
    (State.ANSWERED, Turn.ANSWER): State.ANSWERED,
    (State.ANSWERED, Turn.CLOSE): None,
    (State.ANSWERED, Turn.MERGE): None,
    (State.ANSWERED, Turn.PART): None,
    (State.ANSWERED, Turn.WRITTEN_AGAIN): State.OPEN,
    (State.ANSWERED, Turn.BECOME_REQUEST): State.OPEN,
    (State.CLOSED, Turn.ANSWER): State.ANSWERED,
    (State.CLOSED, Turn.CLOSE): None,
    (State.CLOSED, Turn.MERGE): None,
    (State.CLOSED, Turn.PART): None,
    (State.CLOSED, Turn.WRITTEN_AGAIN): State.OPEN,
    (State.CLOSED, Turn.BECOME_REQUEST): State.OPEN,
    (State.MERGED, Turn.ANSWER): None,
    (State.MERGED, Turn.CLOSE): None,
    (State.MERGED, Turn.MERGE): None,
    (State.MERGED, Turn.PART): State.OPEN,
    (State.MERGED, Turn.WRITTEN_AGAIN): State.MERGED,
    (State.MERGED, Turn.BECOME_REQUEST): None,
}
"""The state after each turn, for every pair; None: it is refused."""


def turned(state: State, turn: Turn) -> State:
    """Return the state after the turn. Raises Refused."""
    then = TABLE[state, turn]
    if then is None:
        raise Refused(
            "This one was not joined to another."
            if turn is Turn.PART
            else f"That cannot be done any more: this one is {STATE_WORDS[state]}."
        )
    return then


@dataclass(frozen=True)
class Time:
    """A time that a law gives for the answer to a request."""

    id: str
    name: str
    places: tuple[str, ...]
    rights: frozenset[Right]
    limit: Limit
    longer: str
    cite: str
    href: str
    read_on: date
    longest: Limit | None = None
    receipt: Limit | None = None
    refusal: str = ""
    note: str = ""


@dataclass(frozen=True)
class Terms:
    """What the organisation promises: days for an answer, days for a request that no law names a time for, its zone."""

    days: int
    request_days: int
    zone: tzinfo


@dataclass(frozen=True)
class Promise:
    """By when an enquiry is answered, and by which rule: the id of a law's time, or that of the house."""

    due_at: datetime
    rule: str


@cache
def times() -> tuple[Time, ...]:
    """Return all times that laws give, as the file lists them."""
    with FILE.open("rb") as source:
        return tuple(_time(one) for one in tomllib.load(source)["time"])


def _time(raw: Mapping[str, Any]) -> Time:
    cite, receipt = raw["cite"], raw.get("receipt_working_days")
    return Time(
        raw["id"],
        raw["name"],
        tuple(raw["in"]),
        frozenset(Right(word) for word in raw["rights"]),
        _limit(raw),
        raw["longer"],
        cite["place"],
        cite["href"],
        cite["read_on"],
        _limit(raw["longest"]) if "longest" in raw else None,
        Limit(Unit.WORKING_DAYS, receipt) if receipt else None,
        raw.get("refusal", ""),
        raw.get("note", ""),
    )


def _limit(raw: Mapping[str, Any]) -> Limit:
    return Limit(Unit.MONTHS, raw["months"]) if "months" in raw else Limit(Unit.CALENDAR_DAYS, raw["days"])


def promised(kind: Kind, received_at: datetime, terms: Terms, *, right: str = "", place: str = "") -> Promise:
    """Return by when an answer is owed: for a request by the law of the place where they live, else as the house promises."""
    law = _law(Right(right), place) if kind is Kind.REQUEST and right else None
    limit = law.limit if law else Limit(Unit.CALENDAR_DAYS, terms.request_days if kind is Kind.REQUEST else terms.days)
    due_at = clock.due(received_at.astimezone(UTC), limit, Calendar(place or ANYWHERE, terms.zone))
    return Promise(due_at, law.id if law else ANYWHERE)


def longer(rule: str, received_at: datetime, due_at: datetime, place: str, terms: Terms, now: datetime) -> datetime:
    """Return the end of the longer time that the law of this rule allows. Raises Refused.

    It can be taken once, and only before the first one is over: until then the person must have been told, with the reasons.
    """
    law = time_of(rule)
    if law is None or law.longest is None:
        raise Refused("No law that is known here gives more time for this one.")
    later = clock.due(received_at.astimezone(UTC), law.longest, Calendar(place or ANYWHERE, terms.zone))
    if later <= due_at:
        raise Refused("The longer time was taken already.")
    if now > due_at:
        raise Refused("The first time is over: the person had to be told of a longer one within it.")
    return later


def receipt_by(rule: str, received_at: datetime, place: str, terms: Terms) -> datetime | None:
    """Return by when the law of this rule wants receipt confirmed; None where it says nothing of that."""
    law = time_of(rule)
    if law is None or law.receipt is None:
        return None
    return clock.due(received_at.astimezone(UTC), law.receipt, Calendar(place or ANYWHERE, terms.zone))


def rule_words(rule: str, *, is_longer: bool = False) -> str:
    """Return the rule of a promise in words, with its citation where it is a law's."""
    law = time_of(rule)
    if law is None:
        return "as your organisation promises"
    if is_longer and law.longest is not None:
        return f"{law.longest.words()} after it came in, the longer time that they were told of: {law.name}, {law.cite}"
    return f"{law.limit.words()} after it came in: {law.name}, {law.cite}; {law.longer}"


def time_of(rule: str) -> Time | None:
    """Return the time of a law by its id; None for the promise of the house."""
    return next((one for one in times() if one.id == rule), None)


def _law(right: Right, place: str) -> Time | None:
    """The law whose time ends first among those that hold there."""
    if not place:
        return None
    found = [
        one for one in times() if right in one.rights and any(places.within(place, region) for region in one.places)
    ]
    return min(found, key=lambda one: one.limit.amount * (31 if one.limit.unit is Unit.MONTHS else 1), default=None)


def text(given: str, field: str = "text") -> str:
    """Return what somebody wrote, its lines kept. Raises Invalid where there is nothing, or too much."""
    words = "\n".join(line.rstrip() for line in given.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n"))
    if len(words) < 2:
        raise Invalid(field, "Write a few words.")
    if len(words) > MOST_LETTERS:
        raise Invalid(field, f"Keep it under {MOST_LETTERS:,} letters.")
    return words


def right(word: str) -> Right:
    """Return the right of this word. Raises Invalid."""
    if word not in set(Right):
        raise Invalid("right", "Say what they ask for.")
    return Right(word)


def decision(word: str) -> Decision:
    """Return the decision of this word. Raises Invalid."""
    if word not in set(Decision):
        raise Invalid("decision", "Say what the request came to.")
    return Decision(word)


def verdict(word: str) -> Verdict:
    """Return the verdict of this word. Raises Invalid."""
    if word not in set(Verdict):
        raise Invalid("verdict", "Say whether the address is set aside or stays.")
    return Verdict(word)


# Drafts from what was answered before --------------------------------------------------------------------------------


def alike(asked: str, other: str) -> float:
    """Return how much two texts have in common, from 0 to 1: words, and pairs of letters where words are not apart."""
    one, two = _marks(asked), _marks(other)
    return len(one & two) / len(one | two) if one and two else 0.0


def nearest(asked: str, answered: Sequence[tuple[str, str]], most: int = 3) -> list[tuple[str, float]]:
    """Return the names of those (name, question) that are most like what is asked, the nearest first."""
    found = [(name, alike(asked, question)) for name, question in answered]
    return sorted((one for one in found if one[1] > 0), key=lambda one: (-one[1], one[0]))[:most]


def _marks(given: str) -> set[str]:
    found: set[str] = set()
    for word in given.lower().split():
        letters = "".join(letter for letter in word if letter.isalnum())
        if any(letter > "\u2e80" for letter in letters):
            found |= {letters[at : at + 2] for at in range(len(letters) - 1)}
        elif len(letters) > 2:
            found.add(letters)
    return found


# Figures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How the enquiries of an incident stand."""

    all: int
    open: int
    late: int
    answered: int
    in_time: int
    requests: int
    median_hours: float | None


def figures(rows: Collection[tuple[str, str, datetime, datetime, datetime | None]], now: datetime) -> Figures:
    """Return the figures of enquiries given as (state, kind, received, due, answered); those joined to others do not count."""
    counted = [row for row in rows if row[0] != State.MERGED]
    open_ = [row for row in counted if row[0] == State.OPEN]
    done = [row for row in counted if row[4] is not None]
    hours = sorted((row[4] - row[2]).total_seconds() / 3600 for row in done if row[4] is not None)
    return Figures(
        all=len(counted),
        open=len(open_),
        late=sum(row[3] < now for row in open_),
        answered=sum(row[0] == State.ANSWERED for row in counted),
        in_time=sum(row[4] <= row[3] for row in done if row[4] is not None),
        requests=sum(row[1] == Kind.REQUEST for row in counted),
        median_hours=_middle(hours),
    )


def _middle(ordered: Sequence[float]) -> float | None:
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
