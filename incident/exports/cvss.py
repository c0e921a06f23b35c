"""The score of a CVSS vector, 3.0, 3.1 or 4.0, by the public standard's own library."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident import parts
from incident.domain.errors import Invalid

if TYPE_CHECKING:
    import cvss
    from cvss import exceptions
else:
    cvss = parts.later("cvss")
    exceptions = parts.later("cvss.exceptions")

LONGEST_VECTOR = 300


@dataclass(frozen=True)
class Score:
    """A vector as the standard writes it, with its score and the word for it."""

    vector: str
    score: float
    level: str


def scored(vector: str) -> Score:
    """The score of a vector. Raises Invalid."""
    words = vector.strip()
    if len(words) > LONGEST_VECTOR:
        raise Invalid("vector", f"A vector has at most {LONGEST_VECTOR} characters.")
    try:
        return _of_four(words) if words.startswith("CVSS:4.0/") else _of_three(words)
    except exceptions.CVSSError:
        raise Invalid(
            "vector",
            "Give a whole vector of CVSS 3.0, 3.1 or 4.0, such as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N.",
        ) from None


def _of_three(words: str) -> Score:
    found = cvss.CVSS3(words)
    scores, levels = found.scores(), found.severities()
    last = max(place for place, score in enumerate(scores) if score is not None)
    return Score(found.clean_vector(), float(scores[last]), str(levels[last]).lower())


def _of_four(words: str) -> Score:
    found = cvss.CVSS4(words)
    return Score(found.clean_vector(), float(found.base_score), str(found.severity).lower())
