"""When an incident may be closed: every gate says what still stands in the way."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from incident.domain.errors import Invalid, Refused
from incident.domain.texts import storable

LONGEST = 20_000
LONGEST_WORDS = 5_000


@dataclass(frozen=True)
class Standing:
    """What is left, in counts, over all rooms of one incident."""

    steps: int = 0
    findings_open: int = 0
    findings_owed: int = 0
    notices: int = 0
    under_way: int = 0
    not_told: int = 0
    imports: int = 0
    suspects: int = 0
    reports: int = 0
    enquiries: int = 0
    emergencies: int = 0
    reviewed: bool = False


@dataclass(frozen=True)
class Gate:
    """One condition of closing; `words` says what is missing, or that nothing is."""

    key: str
    title: str
    open: bool
    words: str


@dataclass(frozen=True)
class Review:
    """What was learnt."""

    went_well: str
    went_badly: str
    root_cause: str
    lessons: str
    measures: str


QUESTIONS = {
    "went_well": "What went well",
    "went_badly": "What did not go well",
    "root_cause": "The cause behind the cause",
    "lessons": "What we learnt",
    "measures": "What will be done, by whom, until when",
}


GATES: Final = {
    # key: what holds where it is open, and what one or many things say that keep it shut
    "steps": (
        "Mandatory steps are dealt with",
        "1 mandatory step is neither finished nor left out.",
        "{left} mandatory steps are neither finished nor left out.",
    ),
    "findings_open": (
        "No duty is undecided",
        "1 duty is open for want of a fact.",
        "{left} duties are open for want of a fact.",
    ),
    "findings_owed": (
        "What is owed is met",
        "1 duty is owed and neither met nor waived.",
        "{left} duties are owed and neither met nor waived.",
    ),
    "imports": (
        "Lists of people are read to the end",
        "1 list of people is not finished.",
        "{left} lists of people are not finished.",
    ),
    "suspects": (
        "Nobody waits as a possible duplicate",
        "1 person may be on the list twice and is told nothing until somebody decides.",
        "{left} people may be on the list twice and are told nothing until somebody decides.",
    ),
    "notices": (
        "No notice is left half-way",
        "1 notice is submitted or approved and not sent.",
        "{left} notices are submitted or approved and not sent.",
    ),
    "under_way": (
        "Nothing waits to be sent",
        "1 message is waiting or being sent.",
        "{left} messages are waiting or being sent.",
    ),
    "not_told": (
        "Everybody not reached has an owner",
        "1 person is perhaps not told and in nobody's care.",
        "{left} people are perhaps not told and in nobody's care.",
    ),
    "reports": (
        "No report is left as a draft",
        "1 report is neither filed nor discarded.",
        "{left} reports are neither filed nor discarded.",
    ),
    "enquiries": ("Everybody who asked has an answer", "1 enquiry is open.", "{left} enquiries are open."),
    "emergencies": (
        "Every opening in an emergency is reviewed",
        "1 opening in an emergency is not reviewed.",
        "{left} openings in an emergency are not reviewed.",
    ),
    "review": ("The review is written", "The review is not written yet.", ""),
}


def gates(standing: Standing) -> tuple[Gate, ...]:
    """Every gate, in the order of the path of an incident."""
    return (
        _gate("steps", standing.steps),
        _gate("findings_open", standing.findings_open),
        _gate("findings_owed", standing.findings_owed),
        _gate("imports", standing.imports),
        _gate("suspects", standing.suspects),
        _gate("notices", standing.notices),
        _gate("under_way", standing.under_way),
        _gate("not_told", standing.not_told),
        _gate("reports", standing.reports),
        _gate("enquiries", standing.enquiries),
        _gate("emergencies", standing.emergencies),
        _gate("review", 0 if standing.reviewed else 1),
    )


def _gate(key: str, left: int) -> Gate:
    title, one, many = GATES[key]
    return Gate(key, title, not left, (one if left == 1 else many.format(left=f"{left:,}")) if left else "")


def must_be_closable(found: Sequence[Gate]) -> None:
    """Raises Refused naming everything that stands in the way."""
    shut = [gate.words for gate in found if not gate.open]
    if shut:
        raise Refused("This incident cannot be closed yet. " + " ".join(shut))


def review(**answers: str) -> Review:
    """The review of these answers, each of them given. Raises Invalid naming the first that is missing."""
    given = {}
    for name in (field.name for field in fields(Review)):
        words = storable(answers.get(name, ""))
        if not words:
            raise Invalid(name, f"{QUESTIONS[name]}: write at least a sentence, even if it is “nothing”.")
        if len(words) > LONGEST:
            raise Invalid(name, f"{QUESTIONS[name]}: at most {LONGEST:,} characters.")
        given[name] = words
    return Review(**given)


def words_for(field: str, text: str, ask: str) -> str:
    """The words that go with closing or reopening. Raises Invalid."""
    words = storable(text)
    if not words:
        raise Invalid(field, ask)
    if len(words) > LONGEST_WORDS:
        raise Invalid(field, f"At most {LONGEST_WORDS:,} characters.")
    return words
