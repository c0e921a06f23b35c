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
from incident.domain.errors import Invalid, Refused
from incident.domain.forms import PHASE, Form, Question
from incident.domain.phrases import fixed, instant, label, words

LONGEST_ANSWER = 20_000
LONGEST_REASON = 500
CHANNELS = ("web_form", "portal", "e_mail", "letter", "fax", "phone", "in_person", "other")
CHANNEL_LABELS = {
    "web_form": "Web form",
    "portal": "Portal or upload",
    "e_mail": "E-mail",
    "letter": "Letter",
    "fax": "Fax",
    "phone": "Telephone",
    "in_person": "In person",
    "other": "Another way",
}


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


def late(due_at: datetime | None, at: datetime) -> bool:
    """Whether `at` is after the due time; a duty without a due time cannot be late."""
    return due_at is not None and at > due_at


def may_be_filed(form: Form, stage: str, given: Sequence[Answer], *, late: bool, missing_accepted: bool) -> None:
    """Returns if the report may go out as it is. Raises Invalid or Refused naming what stands in the way."""
    reason = next((answer for answer in given if answer.question.only_if == "late"), None)
    if late and form.late_needs_reason and (reason is None or reason.standing is not Standing.ANSWERED):
        raise Invalid(
            "delay_reason",
            f"This report is late, and {form.cite.place} asks for the reasons of the delay: give them first.",
        )
    missing = completeness(given).missing
    if missing and not missing_accepted:
        names = ", ".join(answer.question.label.en for answer in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        raise Refused(
            f"{len(missing)} required answers are missing: {names}{more}. Answer them, or file all the same and say so."
        )


def filed_at(told: datetime, *, started_at: datetime, now: datetime) -> datetime:
    """The time of filing as a person gives it. Raises Invalid for the future and for a time before the incident was opened."""
    if told > now:
        raise Invalid("filed_at", "The time of filing lies in the future.")
    if told < started_at:
        raise Invalid("filed_at", "The time of filing lies before this incident happened or was opened.")
    return told


def editable(state: State) -> None:
    """Returns for a draft. Raises Refused otherwise."""
    if state is State.FILED:
        raise Refused(
            "This report is filed and stays as it was. Start the next stage to tell the authority what changed."
        )
    if state is State.DISCARDED:
        raise Refused("This draft was discarded. Start a new one.")


def next_stages(form: Form, filed: Sequence[str]) -> tuple[str, ...]:
    """The stages that may come now: the first one, or after it each repeating one and those not yet filed."""
    if not filed:
        return tuple(stage.key for stage in form.stages if not stage.repeats)
    return tuple(stage.key for stage in form.stages[1:] if stage.repeats or stage.key not in filed)


def compared(given: Sequence[Answer], before: Mapping[str, str] | None) -> tuple[Answer, ...]:
    """The answers with what each said in the report before; untouched if there was none. The stage differs by its nature."""
    if before is None:
        return tuple(given)
    return tuple(
        answer if answer.question.computed == PHASE else replace(answer, was=before.get(answer.question.key, ""))
        for answer in given
    )


def frozen(form: Form, given: Sequence[Answer], language: str) -> list[dict[str, Any]]:
    """The answers as a filed report keeps them for good."""
    return [_frozen(form, answer, language) for answer in given]


def _frozen(form: Form, answer: Answer, language: str) -> dict[str, Any]:
    one: dict[str, Any] = {
        "question": answer.question.key,
        "label": form.words(answer.question.label, language),
        "section": answer.question.section,
        "cite": answer.question.cite,
        "required": answer.required,
        "answer": answer.text,
        "standing": answer.standing.value,
        "origin": answer.origin.value,
        "reason": answer.reason,
        "facts": [vars(source) for source in answer.sources],
    }
    return one if answer.was is None else {**one, "was": answer.was, "changed": answer.changed}


def moved_on(kept: Sequence[Mapping[str, Any]], dossier: Dossier) -> dict[str, list[str]]:
    """For each question of a filed report the facts that have changed since: key → facts."""
    moved: dict[str, list[str]] = {}
    for answer in kept:
        changed = [one["fact"] for one in answer["facts"] if facts.to_json(dossier.value(one["fact"])) != one["value"]]
        if changed:
            moved[answer["question"]] = changed
    return moved


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def when(moment: datetime, dossier: Dossier, language: str) -> str:
    """A moment as this report prints it."""
    return instant(moment, dossier.zone, language)
