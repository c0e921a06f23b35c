"""Severity of a personal data breach for people: SE = DPC x EI + CB.

Source: ENISA, Recommendations for a methodology of the assessment of severity of personal data breaches, v1.0, December 2013
(https://www.enisa.europa.eu/publications/dbn-severity). DPC: annex 1, EI: annex 2, CB: annex 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from incident.domain.errors import Invalid

BASE = {"simple": 1, "behavioural": 2, "financial": 3, "sensitive": 4}
EASE = {0.25: "negligible", 0.5: "limited", 0.75: "significant", 1.0: "maximum"}

CIRCUMSTANCES: dict[str, dict[str, float]] = {
    "confidentiality": {"none": 0, "no_evidence": 0, "known_recipients": 0.25, "unknown_recipients": 0.5},
    "integrity": {"none": 0, "no_evidence": 0, "altered_recoverable": 0.25, "altered_not_recoverable": 0.5},
    "availability": {"none": 0, "recoverable": 0, "no_evidence": 0, "temporary": 0.25, "permanent": 0.5},
    "malicious_intent": {"false": 0, "none": 0, "no_evidence": 0, "true": 0.5},
}


class Level(StrEnum):
    """The four bands of SE."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


MEANING = {
    Level.LOW: "People are not affected, or meet a few inconveniences that they overcome without trouble.",
    Level.MEDIUM: "People may meet notable inconveniences that they overcome with some difficulty.",
    Level.HIGH: "People may meet serious consequences that they overcome only with great difficulty.",
    Level.VERY_HIGH: "People may meet serious or even irreversible consequences that they may not overcome.",
}


@dataclass(frozen=True)
class Severity:
    """A severity with the inputs it was computed from."""

    dpc: float
    ei: float
    cb: float

    @property
    def se(self) -> float:
        """DPC x EI + CB."""
        return round(self.dpc * self.ei + self.cb, 4)

    @property
    def level(self) -> Level:
        """The band: low below 2, medium below 3, high below 4, else very high."""
        return level_of(self.se)

    @property
    def formula(self) -> str:
        """The sum as people read it."""
        return f"{self.dpc:g} × {self.ei:g} + {self.cb:g} = {self.se:g}"


def level_of(se: float) -> Level:
    """The band of a severity."""
    if se < 2:
        return Level.LOW
    if se < 3:
        return Level.MEDIUM
    return Level.HIGH if se < 4 else Level.VERY_HIGH


def severity(dpc: Any, ei: Any, cb: Any) -> Severity:
    """The severity of checked inputs; `cb` is a number or the points by element. Raises Invalid naming the input."""
    points = sum(_number("cb", value) for value in cb.values()) if isinstance(cb, Mapping) else _number("cb", cb)
    dpc, ei = _number("dpc", dpc), _number("ei", ei)
    if not 1 <= dpc <= 4:
        raise Invalid("dpc", "The data processing context is a number from 1 to 4.")
    if ei not in EASE:
        raise Invalid("ei", "The ease of identification is 0.25, 0.5, 0.75 or 1.")
    if not 0 <= points <= 2:
        raise Invalid("cb", "The circumstances of the breach add from 0 to 2.")
    return Severity(dpc, ei, points)


def enisa(dpc: Any, ei: Any, cb: Any) -> tuple[float, str]:
    """The severity and the word of its band."""
    found = severity(dpc, ei, cb)
    return found.se, found.level.value


def component(facts: Mapping[str, Any]) -> float:
    """The score of one component: DPC, EI or CB. Raises Invalid naming the word that is not of the method."""
    kind = str(facts.get("component", "")).upper()
    if kind == "DPC":
        return dpc_score(facts)
    if kind == "EI":
        return ei_score(str(facts.get("identifier", "")), str(facts.get("context") or ""))
    if kind == "CB":
        return cb_score(str(facts.get("element", "")), facts.get("state"))
    raise Invalid("component", "The component is DPC, EI or CB.")


def dpc_score(facts: Mapping[str, Any]) -> float:
    """Base score of the category, moved by whole steps with a reason, kept between 1 and 4."""
    category = str(facts.get("category", ""))
    base = facts.get("base", BASE.get(category))
    if base is None or (category and category not in BASE):
        raise Invalid("category", f"The category is one of {', '.join(BASE)}.")
    adjust = _number("adjust", facts.get("adjust") or 0)
    if adjust != int(adjust):
        raise Invalid("adjust", "The adjustment is a whole number of steps.")
    return min(4.0, max(1.0, _number("base", base) + adjust))


def cb_score(element: str, state: Any) -> float:
    """The points that one circumstance adds."""
    states = CIRCUMSTANCES.get(element)
    if states is None:
        raise Invalid("element", f"The element is one of {', '.join(CIRCUMSTANCES)}.")
    word = str(state).lower()
    if word not in states:
        raise Invalid("state", f"The state of {element.replace('_', ' ')} is one of {', '.join(states)}.")
    return float(states[word])


# ---------------------------------------------------------------- ease of identification
# For each identifier the scores of annex 2 with the circumstances that lead to them, strongest first; the first that the
# context speaks of is taken. The last entry is the score where the context says nothing.

_TOGETHER = r"\bplus\b|\bwith\b|\btogether\b|\bcombin|\blinked\b|\bbirth\b|\balso\b|\band (?:the )?(?:name|e-?mail|address|phone|date)"
_SEVERED = r"\bno(?:t)? (?:be )?link|\bcannot\b|\bunlink|\bno other\b|\bno further\b|\bnothing else\b|\balone\b|\bwithout\b|\bno reference\b"

_EASE_RULES: dict[str, list[tuple[str, float]]] = {
    "full_name": [
        (r"\bmany\b|\bcommon\b|\bfrequent|\bshared?\b.*\bmany\b", 0.25),
        (r"\bfew\b", 0.5),
        (r"\bunique\b|\brare\b|\bsmall (?:town|population|group|community)", 0.75),
        (_TOGETHER, 1.0),
        ("", 0.5),
    ],
    "id_number": [
        (_SEVERED, 0.25),
        (r"\bname\b|\bpicture\b|\bphoto\b|\breference\b|\bregist|\bfull\b", 1.0),
        (r"\bbirth\b|\bother\b|\breveals?\b|\badditional\b", 0.75),
        ("", 0.75),
    ],
    "telephone": [
        (r"\bnot (?:listed|published|public)|\bunlisted\b|" + _SEVERED, 0.25),
        (_TOGETHER, 1.0),
        (r"\bdirectory\b|\blisted\b|\bpublic", 0.75),
        ("", 0.5),
    ],
    "email": [
        (
            r"\bno identity\b|\b(?:not|no|without|nothing)\b.*\b(?:identity|reveal|name)|\breveals? (?:no|nothing)|\bdoes not\b|\brandom\b|\balias\b",
            0.25,
        ),
        (r"\bname\b.*\b(?:picture|photo|social|web|internet|birth|address)|\bsocial (?:network|media)", 1.0),
        (r"\bprimary\b|\bidentifier\b|\breveals?\b|\bname\b|\blog-?in\b|\baccount", 0.75),
        ("", 0.5),
    ],
    "picture": [
        (r"\bunclear\b|\bvague\b|\bdistant\b|\bblurr|\bfar\b|\bcctv\b|\bnot (?:clear|recogni)", 0.25),
        (r"\bplus\b|\bwith\b|\badditional\b|\blinked\b|\bname\b|\bcombin", 1.0),
        (r"\bclear\b|\brecogni", 0.75),
        ("", 0.5),
    ],
    "code": [
        (_SEVERED + r"|\bnot\b.*\blink", 0.25),
        (r"\bkey list\b|\breference\b.*\b(?:breach|avail|access|also)|\bname\b|\blinked\b", 1.0),
        (r"\breveals?\b|\bdata about\b|\binitials\b|\bother\b", 0.75),
        ("", 0.5),
    ],
}

_SAME = (
    # words in an identifier, and the row of annex 2 that they belong to
    (r"mail", "email"),
    (r"phone|telephone|mobile|address", "telephone"),
    (r"picture|photo|image|video", "picture"),
    (r"user|code|coding|alias|initial|pseudonym|nickname", "code"),
    (r"passport|identity|social|ssn|licen[cs]e|\bid\b|id_", "id_number"),
    (r"name", "full_name"),
)


def ei_score(identifier: str, context: str) -> float:
    """How easily one identifier leads to a person, in the circumstances that `context` describes."""
    word = identifier.strip().lower().replace(" ", "_")
    row = word if word in _EASE_RULES else next((row for pattern, row in _SAME if re.search(pattern, word)), None)
    if row is None:
        raise Invalid("identifier", f"The identifier is one of {', '.join(_EASE_RULES)}.")
    text = context.lower()
    return next(score for pattern, score in _EASE_RULES[row] if not pattern or re.search(pattern, text))


def _number(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) > 100:
        raise Invalid(field, f"{field.upper()}: give a number.")
    return float(value)
