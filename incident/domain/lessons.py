"""Lessons: what an incident taught, as a change of what one goes by. Proposed, decided by somebody, adopted or declined.

A lesson changes a step of a playbook, a part of a starter text, or a law file of the installation's own; one of practice
changes none of these, and whoever adopts it says what was done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from hashlib import sha256
from typing import Final

from incident.domain.errors import Invalid, Refused
from incident.domain.texts import storable

LONGEST_TITLE: Final = 200
LONGEST_WORDS: Final = 5_000
LONGEST_CHANGE: Final = 200_000


class Kind(StrEnum):
    """What a lesson changes."""

    PLAYBOOK = "playbook"
    TEXT = "text"
    LAW = "law"
    PRACTICE = "practice"


class Source(StrEnum):
    """Where a lesson was learnt."""

    REVIEW = "review"
    DRILL = "drill"


class State(StrEnum):
    """How far a lesson is."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    ADOPTED = "adopted"
    DECLINED = "declined"


OPEN: Final = (State.PROPOSED, State.ACCEPTED)
TONES: Final[Mapping[str, str]] = {
    State.PROPOSED: "soon",
    State.ACCEPTED: "owed",
    State.ADOPTED: "met",
    State.DECLINED: "idle",
}


@dataclass(frozen=True)
class Told:
    """What is said of a lesson, checked."""

    title: str
    why: str
    kind: Kind


def told(title: str, why: str, kind: str) -> Told:
    """What is said of a lesson, checked. Raises Invalid naming the field."""
    short, words = " ".join(storable(title).split()), storable(why)
    if not short:
        raise Invalid("title", "Say in a line what was learnt.")
    if len(short) > LONGEST_TITLE:
        raise Invalid("title", f"At most {LONGEST_TITLE} characters; this has {len(short):,}.")
    if not words:
        raise Invalid("why", "Say what happened that teaches this; whoever decides was perhaps not there.")
    if len(words) > LONGEST_WORDS:
        raise Invalid("why", f"At most {LONGEST_WORDS:,} characters; this has {len(words):,}.")
    if kind not in set(Kind):
        raise Invalid("kind", f"A lesson changes one of {', '.join(Kind)}.")
    return Told(short, words, Kind(kind))


def change(field: str, before: str, after: str) -> str:
    """The text that is proposed. Raises Invalid where it changes nothing or is too long."""
    if len(after) > LONGEST_CHANGE:
        raise Invalid(field, f"At most {LONGEST_CHANGE:,} characters.")
    if not after.strip():
        raise Invalid(field, "Write what it shall say.")
    if after == before:
        raise Invalid(field, "This is what stands there already. Change it, or make it a lesson of practice.")
    return after


def accepted(state: str, *, by: str, proposed_by: str, by_two: bool) -> State:
    """The state after somebody says yes. Raises Refused."""
    if state != State.PROPOSED:
        raise Refused(f"Only a lesson that is proposed can be accepted; this one is {state}.")
    if by_two and by == proposed_by:
        raise Refused("You proposed this lesson, so somebody else has to accept it.")
    return State.ACCEPTED


def adopted(state: str, *, by_two: bool) -> State:
    """The state after it was put in place. Raises Refused."""
    if state == State.PROPOSED and by_two:
        raise Refused("A second person has to accept this lesson before it is adopted.")
    if state not in OPEN:
        raise Refused(f"This lesson is {state} already.")
    return State.ADOPTED


def declined(state: str, reason: str) -> State:
    """The state after somebody says no, with a reason. Raises Refused, Invalid."""
    if state not in OPEN:
        raise Refused(f"This lesson is {state} already.")
    words("reason", reason, "Say why; whoever proposed it reads it.")
    return State.DECLINED


def words(field: str, said: str, ask: str) -> str:
    """Somebody's words as they are kept. Raises Invalid."""
    found = storable(said)
    if not found:
        raise Invalid(field, ask)
    if len(found) > LONGEST_WORDS:
        raise Invalid(field, f"At most {LONGEST_WORDS:,} characters.")
    return found


def digest(text: str) -> str:
    """The SHA-256 by which a text is known; empty for none."""
    return sha256(text.encode()).hexdigest() if text else ""


def compared(before: str, after: str) -> list[tuple[str, str]]:
    """Both texts as one list of lines, each `in` the newer alone, `out` of it, or the `same` in both."""
    old, new = before.splitlines(), after.splitlines()
    found: list[tuple[str, str]] = []
    for how, start, end, first, last in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if how == "equal":
            found += [("same", line) for line in old[start:end]]
            continue
        found += [("out", line) for line in old[start:end]]
        found += [("in", line) for line in new[first:last]]
    return found
