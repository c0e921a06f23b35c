"""What the report of a drill says; minutes are those of the drill."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incident.domain.drills import Judged


@dataclass(frozen=True)
class Thrown:
    """One inject: when it was meant to come, when it came and was answered."""

    ref: str
    key: str
    planned: int
    kind: str
    sender: str
    title: str
    state: str
    arrived: int | None
    answered: int | None
    wants_answer: bool


@dataclass(frozen=True)
class Done:
    """One thing that somebody did, as the record tells it."""

    line: int
    minute: int
    at: datetime
    who: str
    verb: str
    words: str


@dataclass(frozen=True)
class Said:
    """What somebody said afterwards: what helped, what hurt, what is to be learnt; and the lesson proposed from it."""

    ref: str
    kind: str
    text: str
    lesson: str
    who: str


@dataclass(frozen=True)
class AfterAction:
    """How one drill went."""

    ref: str
    title: str
    summary: str
    scenario: str
    digest: str
    factor: int
    facilitator: str
    began_at: datetime
    ended_at: datetime | None
    made_at: datetime
    minutes: int
    planned: int
    score: int | None
    counts: Mapping[str, int]
    judged: tuple[Judged, ...]
    thrown: tuple[Thrown, ...]
    done: tuple[Done, ...]
    remarks: tuple[Said, ...]
