"""The operational level: how bad an incident is for the organisation, by the criteria of grading.toml."""

from dataclasses import dataclass
from enum import IntEnum

from incident.domain.breach import standard
from incident.domain.clauses import Truth, holds
from incident.domain.facts import Facts


class Level(IntEnum):
    """The four levels."""

    LOW = 0
    MODERATE = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The word in files and on pages."""
        return self.name.lower()


@dataclass(frozen=True)
class Grade:
    """A level with the criteria that hold; `open` names the facts that could still raise it."""

    level: Level
    reasons: tuple[str, ...]
    open: tuple[str, ...] = ()


def graded(facts: Facts) -> Grade:
    """The highest level of which one criterion holds."""
    verdicts = [
        (Level[row["level"].upper()], row["text"], holds(row["when"], facts)) for row in standard()["operational"]
    ]
    level = max((level for level, _, verdict in verdicts if verdict.truth is Truth.YES), default=Level.LOW)
    reasons = tuple(text for its, text, verdict in verdicts if its is level and verdict.truth is Truth.YES)
    higher = [verdict for its, _, verdict in verdicts if its > level and verdict.truth is Truth.OPEN]
    open_ = tuple(dict.fromkeys(key for verdict in higher for key in verdict.wants))
    return Grade(level, reasons or ("No criterion of a higher level is known to hold.",), open_)


def reaction(level: str) -> str:
    """What the level sets in motion."""
    return str(standard()["reaction"].get(level, ""))


def criteria() -> list[tuple[str, list[str]]]:
    """The criteria by level, highest first, for people to read."""
    rows = standard()["operational"]
    return [(level.word, [row["text"] for row in rows if row["level"] == level.word]) for level in reversed(Level)]
