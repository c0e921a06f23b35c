"""Where a law lets the public be told in place of each person, or makes the media be told: what it says, and what shows it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from incident.domain import musts
from incident.domain.answers import Truth
from incident.domain.facts import Facts
from incident.domain.laws import CHANNELS, Duty, Substitute
from incident.domain.musts import Cite
from incident.domain.notices import NOT_HERE, SECTIONS, Text

INDIVIDUALS: Final = "individuals"
MEDIA: Final = "media"
IN_PUBLIC: Final = frozenset({"website", "media"})
SAID_BY: Final = {
    "dates": "fact.occurred_from",
    "date_of_discovery": "fact.discovered_at",
    "sender": "company.name",
    "dpo_contact": "contact.name",
}
"""Fields that say an element where they stand in its usual section."""
SENTENCE_END: Final = re.compile(r"(?<=[.!?]\s)|(?<=[。！？；])")
OF_ONE: Final = re.compile(r"\{\{\s*person\.(?!exposed\b)")
ORDER: Final = (Truth.YES, Truth.OPEN, Truth.NO)


class Kind(StrEnum):
    """What is to be told: the public in place of each person, or the media beside them."""

    SUBSTITUTE = "substitute"
    MEDIA = "media"


class Choice(StrEnum):
    """What a person decided."""

    DRAFTED = "drafted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Task:
    """One thing that a law says of telling the public; `key` names it within the incident."""

    key: str
    kind: Kind
    duty: str
    title: str
    cite: Cite
    truth: Truth
    says: str
    because: tuple[str, ...]
    wants: tuple[str, ...]
    by: tuple[str, ...]
    days: int
    contents: tuple[str, ...]
    due_at: datetime | None = None

    @property
    def ways(self) -> str:
        """How the public is to be told, in words."""
        return " and ".join(CHANNELS[word] for word in self.by)


@dataclass(frozen=True)
class Figures:
    """How many people stand behind it: on the list, reached by no channel, with a doubtful address, not told so far.

    `cost` is the estimate with where it comes from; nothing where nobody recorded one.
    """

    people: int
    unreachable: int
    doubtful: int
    untold: int | None = None
    cost: Mapping[str, Any] | None = None


def of_duty(duty: Duty, facts: Facts, due_at: datetime | None) -> Iterator[Task]:
    """Yield what one owed duty says of telling the public: nothing, for most."""
    cite = Cite(duty.law, duty.cite.place, duty.cite.href, duty.confidence)
    if MEDIA in duty.names:
        yield Task(
            duty.ref, Kind.MEDIA, duty.ref, duty.title, cite, Truth.YES, duty.note, (), (), (MEDIA,), 0, duty.contents,
            due_at,
        )  # fmt: skip
    if INDIVIDUALS in duty.names:
        for number, substitute in enumerate(duty.substitute):
            if IN_PUBLIC & set(substitute.by):
                yield _instead(duty, number, substitute, cite, facts, due_at)


def _instead(
    duty: Duty, number: int, substitute: Substitute, cite: Cite, facts: Facts, due_at: datetime | None
) -> Task:
    answer = substitute.when(facts)
    return Task(
        key=f"{duty.ref}:{number}",
        kind=Kind.SUBSTITUTE,
        duty=duty.ref,
        title=duty.title,
        cite=cite,
        truth=answer.truth,
        says=substitute.says,
        because=answer.because,
        wants=answer.wants,
        by=substitute.by,
        days=substitute.days,
        contents=(*duty.contents, *substitute.contents),
        due_at=due_at,
    )


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks: what is shown first, then what is open; soonest first, then by law."""
    return sorted(tasks, key=lambda task: (ORDER.index(task.truth), task.due_at is None, task.due_at or 0, task.key))


def evidence(task: Task, figures: Figures, law_digest: str) -> dict[str, Any]:
    """Return what the decision rests on, as plain JSON values: the law's words and the figures of this moment."""
    return {
        "key": task.key,
        "cite": f"{task.cite.law}, {task.cite.place}",
        "law": task.cite.law,
        "place": task.cite.place,
        "href": task.cite.href,
        "confidence": task.cite.confidence,
        "law_digest": law_digest,
        "says": task.says,
        "because": list(task.because),
        "by": list(task.by),
        "days": task.days,
        "contents": list(task.contents),
        "people": figures.people,
        "unreachable": figures.unreachable,
        "doubtful": figures.doubtful,
        "untold": figures.untold,
        "cost": dict(figures.cost) if figures.cost else None,
    }


def duty_of(kept: Mapping[str, Any]) -> musts.Duty:
    """Return what a notice that was begun on this evidence has to hold."""
    cite = Cite(kept["law"], kept["place"], kept.get("href", ""), kept.get("confidence", ""))
    return musts.Duty(cite, tuple(kept["contents"]))


def to_everybody(text: Text) -> Text:
    """Return the text without the sentences that speak to one person by name or reference: here they could not be filled."""
    return replace(text, sections={name: _of_nobody(said) for name, said in text.sections.items()})


def _of_nobody(said: str) -> str:
    kept = []
    for line in said.split("\n"):
        rest = "".join(piece for piece in SENTENCE_END.split(line) if not OF_ONE.search(piece)).rstrip()
        if rest.strip(" -*•") or not line.strip():
            kept.append(rest)
    return "\n".join(kept).strip()


def prompted(text: Text, tasks: Iterable[Task]) -> Text:
    """Return the text with a prompt, in its usual section, for each element of these tasks that it does not hold yet."""
    sections, covers = dict(text.sections), dict(text.covers)
    wanted: dict[str, Cite] = {}
    for task in tasks:
        for element in task.contents:
            wanted.setdefault(element, task.cite)
    for element, cite in wanted.items():
        section = element if element in SECTIONS else musts.usual_section(element)
        if element in musts.BY_LAYOUT or not section or covers.get(element) == NOT_HERE:
            continue
        if replace(text, sections=sections, covers=covers).holds(element):
            continue
        if element in SAID_BY and SAID_BY[element] in sections.get(section, ""):
            covers[element] = section
            continue
        prompt = f"[… {musts.label(element)}: {cite.law}, {cite.place}]"
        sections[section] = f"{sections.get(section, '').rstrip()}\n\n{prompt}".lstrip()
        if element not in SECTIONS:
            covers[element] = section
    return replace(text, sections=sections, covers=covers)
