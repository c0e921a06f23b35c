"""Scenarios of drills as files: what is known at the start, what is thrown in when, and what good looks like."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from incident.domain.audit import canonical
from incident.domain.drills import FACTORS, Clockwork, Expected, Kind
from incident.domain.errors import Invalid
from incident.domain.facts import parsed, vocabulary
from incident.domain.plans import playbooks
from incident.domain.pretences import Life
from incident.domain.scenario_files import OwnScenario, misshapen, strange_name
from incident.domain.scenario_files import parsed as parsed_file
from incident.domain.verbs import VERBS

SCENARIOS: Final = Path(__file__).parent.parent / "scenarios"
MOMENT: Final = re.compile(r"minute (-?\d{1,6})")
MOST_PEOPLE: Final = 2_000
MOST_MINUTES: Final = 60 * 24 * 60


class BrokenScenario(ValueError):
    """A scenario file that could not be played; the message has a line for each mistake."""


@dataclass(frozen=True)
class Inject:
    """One thing that is thrown in at a minute of the drill. `life` is what the sandbox pretends of sendings from then on."""

    key: str
    minute: int
    kind: Kind
    sender: str
    title: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    life: Mapping[str, int] = field(default_factory=dict)
    wants_answer: bool = False


@dataclass(frozen=True)
class Scenario:
    """A whole exercise. `digest` names exactly this wording; starting pins it."""

    id: str
    title: str
    summary: str
    brief: str
    playbook: str
    minutes: int
    factor: int
    people: int
    facts: Mapping[str, Any]
    life: Mapping[str, int]
    injects: tuple[Inject, ...]
    expected: tuple[Expected, ...]
    digest: str


@dataclass
class _InUse:
    own: Mapping[str, Scenario] = field(default_factory=dict)


_in_use = _InUse()


def scenarios() -> Mapping[str, Scenario]:
    """Every scenario by its id, those of the installation's own after those that the program brings. Raises BrokenScenario."""
    return {**shipped(), **_in_use.own}


def use(own: Mapping[str, Scenario]) -> None:
    """Offer these of the installation's own from now on."""
    _in_use.own = own


def read(files: Sequence[OwnScenario]) -> tuple[dict[str, Scenario], tuple[str, ...]]:
    """The scenarios of these files, and a sentence for each mistake. A file with one is left out."""
    found: dict[str, Scenario] = {}
    mistakes: list[str] = []
    for file in files:
        wrong = strange_name(file, list(shipped()))
        try:
            if not wrong:
                found[file.name] = scenario(file.name, file.text or "")
        except BrokenScenario as error:
            wrong = "\n".join(line.removeprefix(f"{file.name}: ") for line in str(error).splitlines())
        mistakes += [f"{file.where}: {line}" for line in wrong.splitlines()]
    return found, tuple(mistakes)


@cache
def shipped() -> Mapping[str, Scenario]:
    """The scenarios that the program brings, by their ids in the order of the alphabet. Raises BrokenScenario."""
    return {
        path.stem: scenario(path.stem, path.read_text(encoding="utf-8")) for path in sorted(SCENARIOS.glob("*.toml"))
    }


def named(id: str) -> Scenario:
    """The scenario of this id. Raises Invalid."""
    if id not in scenarios():
        raise Invalid("scenario", "Choose one of the scenarios.")
    return scenarios()[id]


def scenario(id: str, text: str) -> Scenario:
    """One scenario as its file gives it. Raises BrokenScenario."""
    try:
        raw = parsed_file(text)
    except ValueError as error:
        raise BrokenScenario(f"{id}: {error}") from None
    if wrong := misshapen(raw):
        raise BrokenScenario("\n".join(f"{id}: {each}" for each in wrong))
    made = _made(id, raw)
    if wrong := _mistakes(made):
        raise BrokenScenario("\n".join(f"{id}: {each}" for each in wrong))
    return made


def _made(id: str, raw: Mapping[str, Any]) -> Scenario:
    return Scenario(
        id=id,
        title=raw["title"],
        summary=raw["summary"],
        brief=raw["brief"],
        playbook=raw["playbook"],
        minutes=raw["minutes"],
        factor=raw["factor"],
        people=raw["people"],
        facts=raw["facts"],
        life=raw.get("sandbox", {}),
        injects=tuple(inject(one) for one in sorted(raw["inject"], key=lambda one: int(one["minute"]))),
        expected=tuple(expected(one) for one in raw["expect"]),
        digest=sha256(canonical(raw).encode()).hexdigest(),
    )


def inject(raw: Mapping[str, Any]) -> Inject:
    """An inject as a file gives it."""
    return Inject(
        key=raw["key"],
        minute=raw["minute"],
        kind=Kind(raw["kind"]),
        sender=raw["from"],
        title=raw["title"],
        text=raw["text"].strip(),
        facts=raw.get("facts", {}),
        life=raw.get("sandbox", {}),
        wants_answer=raw.get("answer", False),
    )


def expected(raw: Mapping[str, Any]) -> Expected:
    """An expectation as a file, or a pinned copy of it, gives it."""
    return Expected(
        key=raw["key"],
        title=raw["title"],
        why=raw["why"],
        verbs=tuple(raw["verbs"]),
        by=raw["by"],
        where=raw.get("where", {}),
        after=raw.get("after", ""),
    )


def pinned(one: Expected) -> dict[str, Any]:
    """An expectation as it is kept with a drill, word for word."""
    return {**vars(one), "verbs": list(one.verbs), "where": dict(one.where)}


def facts_at(raw: Mapping[str, Any], work: Clockwork) -> dict[str, Any]:
    """Facts with their moments as real ones: `minute -90` is that minute of the drill."""
    return {key: _moment(value, work) for key, value in raw.items()}


def _moment(value: Any, work: Clockwork) -> Any:
    told = MOMENT.fullmatch(value) if isinstance(value, str) else None
    return work.moment(int(told[1])).astimezone(UTC).replace(microsecond=0).isoformat() if told else value


def _mistakes(made: Scenario) -> list[str]:
    wrong = [] if made.playbook in playbooks() else [f"playbook: there is no playbook {made.playbook!r}."]
    if made.factor not in FACTORS:
        wrong.append(f"factor: it is out of bounds; one of {', '.join(map(str, FACTORS))}.")
    if not 1 <= made.minutes <= MOST_MINUTES:
        wrong.append(f"minutes: they are out of bounds; from 1 to {MOST_MINUTES:,}.")
    if not 0 <= made.people <= MOST_PEOPLE:
        wrong.append(f"people: they are out of bounds; from 0 to {MOST_PEOPLE:,}.")
    keys = [one.key for one in made.injects] + [one.key for one in made.expected]
    wrong += [f"the key {key!r} is there twice." for key in sorted({key for key in keys if keys.count(key) > 1})]
    wrong += _wrong_facts(made.facts, "at the start") + _wrong_life(made.life, "at the start")
    for one in made.injects:
        wrong += _wrong_facts(one.facts, one.key) + _wrong_life(one.life, one.key)
        if not 0 <= one.minute <= made.minutes:
            wrong.append(f"{one.key}: minute: it comes outside of the drill.")
    arriving = {one.key for one in made.injects}
    for goal in made.expected:
        wrong += [f"{goal.key}: verbs: there is no verb {verb!r}." for verb in goal.verbs if verb not in VERBS]
        if goal.after and goal.after not in arriving:
            wrong.append(f"{goal.key}: after: there is no inject {goal.after!r}.")
        if goal.by < 1:
            wrong.append(f"{goal.key}: by: nobody can do that in no time.")
    return wrong


def _wrong_facts(raw: Mapping[str, Any], where: str) -> list[str]:
    wrong = []
    for key, value in raw.items():
        if key not in vocabulary():
            wrong.append(f"{where}: there is no fact {key!r}.")
            continue
        told = isinstance(value, str) and MOMENT.fullmatch(value) is not None
        try:
            parsed(key, "2026-01-01T00:00:00+00:00" if told else value)
        except Invalid as error:
            wrong.append(f"{where}: {key}: {error.sentence}")
    return wrong


def _wrong_life(raw: Mapping[str, int], where: str) -> list[str]:
    try:
        Life(**raw).checked()
    except (Invalid, TypeError) as error:
        return [f"{where}: the sandbox cannot do that: {error}"]
    return []
