"""The regulator's questions answered, section by section: from facts, computed, or by hand; what is missing is named."""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from incident.domain import computed, facts
from incident.domain.audit import canonical
from incident.domain.dossier import Dossier
from incident.domain.errors import Invalid
from incident.domain.forms import PHASE, Form, Question
from incident.domain.phrases import fixed, label, words

LONGEST_ANSWER = 20_000
LONGEST_REASON = 500


class State(StrEnum):
    """Where a report stands. Filed and discarded are ends."""

    DRAFT = "draft"
    FILED = "filed"
    DISCARDED = "discarded"


class Origin(StrEnum):
    """Where an answer comes from."""

    FACTS = "facts"
    COMPUTED = "computed"
    HAND = "hand"
    NOTHING = "nothing"


class Standing(StrEnum):
    """Whether a question has its answer. Unknown is an answer that somebody gave."""

    ANSWERED = "answered"
    UNKNOWN = "unknown"
    MISSING = "missing"


@dataclass(frozen=True)
class Hand:
    """An answer written by a person over what the facts say; `basis` is the digest of what they said then."""

    text: str
    unknown: bool = False
    reason: str = ""
    basis: str = ""
    by: str = ""
    at: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form in which a draft keeps it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Typed:
    """What came in from a form or a request for one question."""

    text: str = ""
    unknown: bool = False
    reason: str = ""
    still_right: bool = False

    def says_something(self) -> bool:
        """Whether the person answered at all; otherwise the facts answer."""
        return self.unknown or bool(self.text.strip())


@dataclass(frozen=True)
class Source:
    """A fact that an answer rests on, as it stood."""

    fact: str
    value: Any
    recorded_at: str


@dataclass(frozen=True)
class Answer:
    """One question with its answer, as it is shown, exported and frozen."""

    question: Question
    text: str
    standing: Standing
    origin: Origin
    required: bool
    derived: str = ""
    basis: str = ""
    reason: str = ""
    by: str = ""
    outdated: bool = False
    sources: tuple[Source, ...] = ()
    was: str | None = None

    @property
    def lacking(self) -> bool:
        """A required answer that is not there."""
        return self.required and self.standing is Standing.MISSING

    @property
    def changed(self) -> bool:
        """Whether it differs from the report before."""
        return self.was is not None and self.was != self.text


@dataclass(frozen=True)
class Completeness:
    """How far a stage is answered, and what is missing by name."""

    required: int
    answered: int
    unknown: tuple[Answer, ...]
    missing: tuple[Answer, ...]
    outdated: tuple[Answer, ...]


def answers(
    form: Form, stage: str, dossier: Dossier, hands: Mapping[str, Hand], *, language: str, late: bool
) -> tuple[Answer, ...]:
    """Every question of the stage with its answer as of the dossier's moment, in the order of the form."""
    held = {"late": late, "ransom": dossier.value("ransom_demanded") is True}
    asked = (question for question in form.asked(stage) if not question.only_if or held[question.only_if])
    return tuple(_answer(form, stage, question, dossier, hands.get(question.key), language) for question in asked)


def _answer(form: Form, stage: str, question: Question, dossier: Dossier, hand: Hand | None, language: str) -> Answer:
    derived = _derived(form, stage, question, dossier, language)
    if hand is None:
        return derived
    standing = Standing.UNKNOWN if hand.unknown else Standing.ANSWERED
    if hand.unknown and not form.stage(stage).may_be_unknown:
        standing = Standing.MISSING
    return replace(
        derived,
        text=fixed("unknown", language) if hand.unknown else hand.text,
        standing=standing,
        origin=Origin.HAND,
        reason=hand.reason,
        by=hand.by,
        outdated=hand.basis != derived.basis,
    )


def _derived(form: Form, stage: str, question: Question, dossier: Dossier, language: str) -> Answer:
    """The answer that facts and computations give by themselves."""
    sources = tuple(
        Source(key, facts.to_json(fact.value), facts.to_json(fact.recorded_at))
        for key in question.facts
        if (fact := dossier.facts.get(key))
    )
    known = [source.fact for source in sources if source.value is not None]
    if known:
        text, standing, origin = (
            _facts_text(known, len(question.facts), dossier, language),
            Standing.ANSWERED,
            Origin.FACTS,
        )
    elif text := _computed_text(form, stage, question, dossier, language):
        standing, origin = Standing.ANSWERED, Origin.COMPUTED
    elif sources and form.stage(stage).may_be_unknown:
        text, standing, origin = fixed("unknown", language), Standing.UNKNOWN, Origin.FACTS
    else:
        text, standing, origin = "", Standing.MISSING, Origin.NOTHING
    basis = digest([[source.fact, source.value] for source in sources] + ([text] if origin is Origin.COMPUTED else []))
    required = stage in question.required
    return Answer(question, text, standing, origin, required, derived=text, basis=basis, sources=sources)


def _facts_text(known: Sequence[str], asked: int, dossier: Dossier, language: str) -> str:
    """One fact stands alone; several are lines with their names."""
    if asked == 1:
        return words(known[0], dossier.value(known[0]), dossier.zone, language)
    colon = "：" if language == "zh" else ": "
    lines = (f"{label(key, language)}{colon}{words(key, dossier.value(key), dossier.zone, language)}" for key in known)
    return "\n".join(lines)


def _computed_text(form: Form, stage: str, question: Question, dossier: Dossier, language: str) -> str:
    for name in filter(None, (question.computed, question.fallback)):
        text = (
            form.words(form.stage(stage).label, language) if name == PHASE else computed.answer(name, dossier, language)
        )
        if text:
            return text
    return ""


def completeness(given: Iterable[Answer]) -> Completeness:
    """How far the answers go, and which are missing."""
    every = tuple(given)
    required = [answer for answer in every if answer.required]
    return Completeness(
        required=len(required),
        answered=sum(1 for answer in required if answer.standing is not Standing.MISSING),
        unknown=tuple(answer for answer in required if answer.standing is Standing.UNKNOWN),
        missing=tuple(answer for answer in required if answer.lacking),
        outdated=tuple(answer for answer in every if answer.outdated),
    )


def written(
    form: Form,
    derived: Mapping[str, Answer],
    before: Mapping[str, Hand],
    typed: Mapping[str, Typed],
    *,
    by: str,
    at: datetime,
) -> dict[str, Hand]:
    """The answers by hand after somebody saved. What was not sent stays; what is empty goes back to the facts. Raises Invalid."""
    hands = dict(before)
    for key, entry in typed.items():
        if key not in {question.key for question in form.questions}:
            raise Invalid(key, f"This form has no question {key[:60]!r}.")
        if not entry.says_something():
            hands.pop(key, None)
            continue
        hands[key] = _hand(key, entry, derived.get(key), before.get(key), by=by, at=at)
    return hands


def _hand(key: str, entry: Typed, derived: Answer | None, before: Hand | None, *, by: str, at: datetime) -> Hand:
    text = "" if entry.unknown else plain(entry.text)
    if len(text) > LONGEST_ANSWER:
        raise Invalid(key, f"An answer may have at most {LONGEST_ANSWER:,} characters; this one has {len(text):,}.")
    reason = plain(entry.reason)
    if len(reason) > LONGEST_REASON:
        raise Invalid(key, f"A reason may have at most {LONGEST_REASON} characters.")
    if derived and derived.derived and text != derived.derived and derived.standing is Standing.ANSWERED and not reason:
        raise Invalid(key, "The facts answer this question otherwise: say in a few words why you answer by hand.")
    same = before is not None and (before.text, before.unknown, before.reason) == (text, entry.unknown, reason)
    if before is not None and same and not entry.still_right:
        return before
    return Hand(text, entry.unknown, reason, derived.basis if derived else "", by, facts.to_json(at))


def plain(text: str) -> str:
    """A text with one kind of line end, without control characters and blank edges."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        letter for letter in kept if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs"}
    ).strip()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
