"""When an incident may be closed: every gate says what still stands in the way."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

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


def gates(standing: Standing) -> tuple[Gate, ...]:
    """Every gate, in the order of the path of an incident."""
    return (
        _gate(
            "steps",
            "Mandatory steps are dealt with",
            standing.steps,
            "mandatory step{s} {is} neither finished nor left out",
        ),
        _gate("findings_open", "No duty is undecided", standing.findings_open, "dut{y} {is} open for want of a fact"),
        _gate(
            "findings_owed",
            "What is owed is met",
            standing.findings_owed,
            "dut{y} {is} owed and neither met nor waived",
        ),
        _gate(
            "imports", "Lists of people are read to the end", standing.imports, "list{s} of people {is} not finished"
        ),
        _gate(
            "suspects",
            "Nobody waits as a possible duplicate",
            standing.suspects,
            "{people} may be on the list twice and {is} told nothing until somebody decides",
        ),
        _gate(
            "notices",
            "No notice is left half-way",
            standing.notices,
            "notice{s} {is} submitted or approved and not sent",
        ),
        _gate("under_way", "Nothing waits to be sent", standing.under_way, "message{s} {is} waiting or being sent"),
        _gate(
            "not_told",
            "Everybody not reached has an owner",
            standing.not_told,
            "{people} {is} perhaps not told and in nobody's care",
        ),
        _gate(
            "reports", "No report is left as a draft", standing.reports, "report{s} {is} neither filed nor discarded"
        ),
        _gate("enquiries", "Everybody who asked has an answer", standing.enquiries, "enquir{y} {is} open"),
        _gate(
            "emergencies",
            "Every opening in an emergency is reviewed",
            standing.emergencies,
            "opening{s} in an emergency {is} not reviewed",
        ),
        Gate(
            "review",
            "The review is written",
            standing.reviewed,
            "" if standing.reviewed else "The review is not written yet.",
        ),
    )


def _gate(key: str, title: str, left: int, pattern: str) -> Gate:
    if not left:
        return Gate(key, title, True, "")
    one = left == 1
    words = pattern.format(
        s="" if one else "s",
        y="y" if one else "ies",
        people="person" if one else "people",
        **{"is": "is" if one else "are"},
    )
    return Gate(key, title, False, f"{left:,} {words}.")


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
