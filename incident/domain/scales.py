"""The scales on which an incident is graded, kept apart: operational, people, china, cvss."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incident.domain import cac, enisa, operational, severity
from incident.domain.errors import Invalid
from incident.domain.facts import Facts
from incident.domain.texts import storable

LONGEST_NOTE = 5_000
NOT_CONCERNED = "not_concerned"
"""The level of a suggestion that was taken back, for the scale does not apply any more."""


class Scale(StrEnum):
    """What is measured."""

    OPERATIONAL = "operational"
    PEOPLE = "people"
    CHINA = "china"
    CVSS = "cvss"


CAPTIONS = {
    Scale.OPERATIONAL: "Operational level",
    Scale.PEOPLE: "Severity for people",
    Scale.CHINA: "Grade in China",
    Scale.CVSS: "Vulnerability (CVSS)",
}
LEVELS = {
    Scale.OPERATIONAL: tuple(level.word for level in operational.Level),
    Scale.PEOPLE: tuple(level.value for level in enisa.Level),
    Scale.CHINA: tuple(level.word for level in cac.Level),
    Scale.CVSS: ("none", "low", "medium", "high", "critical"),
}
TONES = {
    "critical": "late",
    "very_high": "late",
    "particularly_major": "late",
    "major": "late",
    "high": "soon",
    "relatively_major": "soon",
    "moderate": "owed",
    "medium": "owed",
}


@dataclass(frozen=True)
class Proposal:
    """A grade as the rules or a person propose it."""

    scale: Scale
    level: str
    score: float | None
    inputs: dict[str, Any]
    reasons: tuple[str, ...]
    open: tuple[str, ...] = ()


def tone(level: str) -> str:
    """The tone in which a level is shown."""
    return TONES.get(level, "idle")


def words(level: str) -> str:
    """The level as people read it."""
    return level.replace("_", " ")


def no_longer(scale: str) -> Proposal:
    """What the rules propose on a scale that applied once and does not by what is known now."""
    return Proposal(Scale(scale), NOT_CONCERNED, None, {}, ("By what is known now this scale does not apply.",))


def proposals(facts: Facts) -> list[Proposal]:
    """What the rules propose for these facts, on each scale that matters.

    Of the severity for people they say nothing before the kinds of data are known: a number made of unknowns would calm.
    """
    found = [_operational(facts)]
    if facts["personal_data"] is not False and facts.known("data_kinds"):
        found.append(of_people(severity.suggested(facts)))
    if cac.concerned(facts):
        found.append(_china(facts))
    return found


def _operational(facts: Facts) -> Proposal:
    grade = operational.graded(facts)
    return Proposal(Scale.OPERATIONAL, grade.level.word, None, {}, grade.reasons, grade.open)


def of_people(inputs: severity.Inputs) -> Proposal:
    """The severity for people of these inputs. Raises Invalid naming the input that is not of the method."""
    found = inputs.severity()
    reasons = tuple(
        f"{caption}: {inputs.reasons[name]}" for name, caption in severity.CAPTIONS.items() if inputs.reasons.get(name)
    )
    sums = {**inputs.chosen(), "dpc": found.dpc, "cb": found.cb, "formula": found.formula}
    return Proposal(Scale.PEOPLE, found.level.value, found.se, sums, (*reasons, *inputs.flags), inputs.open)


def _china(facts: Facts) -> Proposal:
    grade = cac.graded(facts)
    return Proposal(
        Scale.CHINA, grade.level.word, None, {"report_required": grade.report_required}, grade.reasons, grade.open
    )


def chosen_level(scale: Scale, level: str, note: str) -> Proposal:
    """A level that a person chooses on a scale of words. Raises Invalid."""
    if scale not in {Scale.OPERATIONAL, Scale.CHINA}:
        raise Invalid("scale", "On this scale the level follows from its inputs.")
    if level not in LEVELS[scale]:
        raise Invalid("level", f"Choose one of {', '.join(words(word) for word in LEVELS[scale])}.")
    inputs = {"report_required": cac.Level[level.upper()] >= cac.Level.RELATIVELY_MAJOR} if scale is Scale.CHINA else {}
    return Proposal(scale, level, None, inputs, (must_say_why(note),))


def must_say_why(note: str) -> str:
    """The reason that a person gives for a grade. Raises Invalid."""
    words = storable(note)
    if not words:
        raise Invalid("note", "Say why; the reason stays with the grade.")
    if len(words) > LONGEST_NOTE:
        raise Invalid("note", f"At most {LONGEST_NOTE:,} characters.")
    return words
