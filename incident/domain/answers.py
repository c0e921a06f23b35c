"""The three answers to a condition over facts: yes, no, and open for want of named facts.

Each answer carries the sentences it rests on, so that a finding can say why. Equal conditions are one object, and facts
remember what they answered to it: fifty laws that ask the same thing are answered once.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import StrEnum
from itertools import chain
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from incident.domain.facts import Facts


class Truth(StrEnum):
    """What a clause answers."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


OPPOSITE = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.OPEN: Truth.OPEN}


class Answer(NamedTuple):  # thousands are made for one incident, and a tuple is made four times as fast as a dataclass
    """The truth of a clause, the sentences and facts it rests on, and the facts that would decide it while it is open."""

    truth: Truth
    because: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    rests: tuple[str, ...] = ()


YES: Final = Answer(Truth.YES)


class Clause:
    """A condition over facts. Asked twice of the same facts, it answers from memory."""

    __slots__ = ("__weakref__", "_answer")

    def __init__(self, answer: Callable[[Facts], Answer]) -> None:
        self._answer = answer

    def __call__(self, facts: Facts) -> Answer:
        found: Answer | None = facts.memo.get(self)
        if found is None:
            found = facts.memo[self] = self._answer(facts)
        return found


_EQUAL: WeakValueDictionary[Hashable, Clause] = WeakValueDictionary()


def one(name: Hashable, answer: Callable[[Facts], Answer]) -> Clause:
    """The clause of that name: the one there is already, or else a new one that answers so."""
    clause = _EQUAL.get(name)
    if clause is None:
        clause = _EQUAL[name] = Clause(answer)
    return clause


always: Final = one("always", lambda _: YES)
"""The clause of a duty that has none."""


def every(parts: tuple[Clause, ...]) -> Clause:
    """The clause that holds if all parts do."""
    return parts[0] if len(parts) == 1 else one(("all", parts), lambda facts: both(part(facts) for part in parts))


def some(parts: tuple[Clause, ...]) -> Clause:
    """The clause that holds if one part does."""
    return parts[0] if len(parts) == 1 else one(("any", parts), lambda facts: either(part(facts) for part in parts))


def opposite(inner: Clause) -> Clause:
    """The clause that holds if this one does not."""

    def answer(facts: Facts) -> Answer:
        found = inner(facts)
        return Answer(OPPOSITE[found.truth], found.because, found.wants, found.rests)

    return one(("not", inner), answer)


def both(parts: Iterable[Answer]) -> Answer:
    """The answer of "all": one no settles it."""
    held: list[Answer] = []
    still: list[Answer] = []
    for answer in parts:
        if answer.truth is Truth.NO:
            return answer
        (still if answer.truth is Truth.OPEN else held).append(answer)
    return _joined(Truth.OPEN, still) if still else _joined(Truth.YES, held)


def either(parts: Iterable[Answer]) -> Answer:
    """The answer of "any": one yes settles it."""
    answers = tuple(parts)
    for truth in (Truth.YES, Truth.OPEN):
        found = [answer for answer in answers if answer.truth is truth]
        if found:
            return _joined(truth, found)
    return _joined(Truth.NO, answers)


def _joined(truth: Truth, answers: Sequence[Answer]) -> Answer:
    """One answer for several of the same truth, each sentence and fact once and in order."""
    if len(answers) == 1:
        return answers[0]
    because = tuple(dict.fromkeys(chain.from_iterable([answer.because for answer in answers])))
    if truth is Truth.OPEN:  # what is open rests on nothing yet
        return Answer(truth, because, tuple(dict.fromkeys(chain.from_iterable([answer.wants for answer in answers]))))
    return Answer(truth, because, (), tuple(dict.fromkeys(chain.from_iterable([answer.rests for answer in answers]))))


def yes_or_no(holds: bool, because: str, *rests: str) -> Answer:
    """A settled answer with its sentence and the facts it rests on."""
    return Answer(Truth.YES if holds else Truth.NO, (because,), (), rests)


def not_known(label: str, key: str, asked: str = "") -> Answer:
    """An open answer that waits for one fact; `asked` is what the condition wants of it."""
    return Answer(Truth.OPEN, (said(label, f"not known yet{asked}"),), (key,))


def said(label: str, words: str) -> str:
    """A question with its answer, or a label with its value."""
    return f"{label} {words}" if label.endswith("?") else f"{label}: {words}"
