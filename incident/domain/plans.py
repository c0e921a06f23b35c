"""Playbook and facts make steps: which are needed, by when, and what may become of them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from incident.domain.access import Role
from incident.domain.audit import canonical
from incident.domain.clauses import BadClause, Truth, condition, holds
from incident.domain.errors import Invalid, Refused
from incident.domain.facts import UNKNOWN, Facts, vocabulary
from incident.domain.texts import storable

PLAYBOOKS = Path(__file__).parent.parent / "playbooks"
COMMON = "common"
OPENED = "opened_at"  # the one moment that is always known
ONE_HOUR, HOURS, DAYS = "1 hour", "{amount} hours", "{amount} days"
FROM_OPENING, FROM_FACT = "{length} from the opening of the incident", "{length} from “{label}”"
LONGEST_REASON = 2_000
LONGEST_NOTE = 10_000


class Phase(StrEnum):
    """The parts of a plan, in order."""

    STOP_LOSS = "stop_loss"
    ANALYSE = "analyse"
    LOCATE = "locate"
    REMEDY = "remedy"
    TRACE_AND_REFER = "trace_and_refer"
    TELL = "tell"
    REVIEW = "review"


PHASE_WORDS = {
    Phase.STOP_LOSS: "Stop the loss",
    Phase.ANALYSE: "Analyse",
    Phase.LOCATE: "Locate",
    Phase.REMEDY: "Remedy",
    Phase.TRACE_AND_REFER: "Trace and refer",
    Phase.TELL: "Tell",
    Phase.REVIEW: "Review",
}


class State(StrEnum):
    """What has become of a step."""

    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    SKIPPED = "skipped"


class BrokenPlaybook(ValueError):
    """A playbook file that could not be followed; the message has a line for each mistake."""


@dataclass(frozen=True)
class Due:
    """By when: so many hours after the moment that a fact gives."""

    from_: str
    hours: int


@dataclass(frozen=True)
class Step:
    """One thing to do. `shared` steps come from common.toml and stand in one plan of an incident only; `lesson` is where
    this wording was learnt, if it was."""

    key: str
    phase: Phase
    title: str
    detail: str
    role: Role
    due: Due | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""
    mandatory: bool = False
    shared: bool = False
    lesson: str = ""


@dataclass(frozen=True)
class Playbook:
    """What to do in one kind of incident. `digest` names exactly this wording; activating pins it."""

    id: str
    title: str
    summary: str
    fits: Mapping[str, Any]
    steps: tuple[Step, ...]
    digest: str


@dataclass(frozen=True)
class Suggestion:
    """A playbook that fits, or would if the facts named in `open` turn out so."""

    playbook: Playbook
    certain: bool
    because: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True)
class Deadline:
    """By when a step is due, with the sentence that explains it; no instant while the clock has not started."""

    at: datetime | None
    words: str


# ---------------------------------------------------------------- playbooks


def playbooks() -> Mapping[str, Playbook]:
    """Every playbook by its id, as this installation uses it. Raises BrokenPlaybook."""
    return _in_use.books if _in_use.books is not None else shipped()


@cache
def shipped() -> Mapping[str, Playbook]:
    """The playbooks that the program brings, by their ids. Raises BrokenPlaybook."""
    return made(shipped_files())


def use(books: Mapping[str, Playbook] | None) -> None:
    """Go by these playbooks from now on; None: by those that the program brings."""
    _in_use.books = books


def shipped_files() -> dict[str, dict[str, Any]]:
    """The files that the program brings, read, by name; the shared steps are `common`."""
    return {path.stem: _read(path) for path in sorted(PLAYBOOKS.glob("*.toml"))}


def made(files: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Playbook]:
    """The playbooks of these files. Raises BrokenPlaybook."""
    common = files[COMMON]["step"]
    books = [_playbook(id, raw, common) for id, raw in sorted(files.items()) if id != COMMON]
    return {book.id: book for book in books}


@dataclass
class _InUse:
    books: Mapping[str, Playbook] | None = None


_in_use = _InUse()


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _playbook(id: str, raw: Mapping[str, Any], common: Sequence[Mapping[str, Any]]) -> Playbook:
    own = [{**row, "shared": False} for row in raw["step"]]
    taken = raw.get("without", [])
    shared = [{**row, "shared": True} for row in common if row["key"] not in taken]
    rows = sorted([*own, *shared], key=lambda row: list(Phase).index(Phase(row["phase"])))
    wrong = _mistakes(id, raw, rows)
    if wrong:
        raise BrokenPlaybook("\n".join(wrong))
    digest = sha256(canonical({"title": raw["title"], "steps": rows}).encode()).hexdigest()
    return Playbook(id, raw["title"], raw["summary"], raw["fits"], tuple(step_of(row) for row in rows), digest)


def _mistakes(id: str, raw: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = _unreadable(raw["fits"], f"{id}: fits")
    keys = [row["key"] for row in rows]
    found += [f"{id}: the step {key!r} is there twice." for key in sorted({key for key in keys if keys.count(key) > 1})]
    for row in rows:
        where = f"{id}: {row['key']}"
        found += _unreadable(row.get("when", {}), f"{where}: when")
        anchor = row.get("due", {}).get("from", OPENED)
        if anchor != OPENED and (anchor not in vocabulary() or vocabulary()[anchor].type != "instant"):
            found.append(f"{where}: the clock cannot start at {anchor!r}.")
    return found


def _unreadable(raw: Any, where: str) -> list[str]:
    try:
        condition(raw)
    except BadClause as error:
        return [f"{where}: {error}."]
    return []


def step_of(row: Mapping[str, Any]) -> Step:
    """A step as a playbook file, or a pinned copy of it, gives it."""
    due = row.get("due")
    return Step(
        key=row["key"],
        phase=Phase(row["phase"]),
        title=row["title"],
        detail=row["detail"],
        role=Role(row["role"]),
        due=Due(due["from"], due["hours"]) if due else None,
        when=row.get("when", {}),
        evidence=row.get("evidence", ""),
        mandatory=row.get("mandatory", False),
        shared=row.get("shared", False),
        lesson=row.get("lesson", ""),
    )


def suggested(facts: Facts, active: Sequence[str] = ()) -> list[Suggestion]:
    """Playbooks that fit and are not yet active, certain ones first; those that certainly do not fit are left out."""
    found = []
    for book in playbooks().values():
        answer = holds(book.fits, facts)
        if book.id not in active and answer.truth is not Truth.NO:
            found.append(Suggestion(book, answer.truth is Truth.YES, answer.rests, answer.wants))
    return sorted(found, key=lambda suggestion: not suggestion.certain)


# ---------------------------------------------------------------- needed, and by when


def needed(when: Mapping[str, Any], facts: Facts) -> tuple[Truth, tuple[str, ...]]:
    """Whether a step with this condition is needed, and the facts that would decide it while that is open."""
    answer = holds(when, facts)
    return answer.truth, answer.wants


def deadline(due: Due | None, facts: Facts, opened_at: datetime) -> Deadline:
    """By when a step is due, worked out from what is known now."""
    if due is None:
        return Deadline(None, "no fixed time")
    start = opened_at if due.from_ == OPENED else facts[due.from_]
    asked = "" if due.from_ == OPENED else vocabulary()[due.from_].label
    run = (FROM_FACT if asked else FROM_OPENING).format(length=_length(due.hours), label=asked)
    if start is UNKNOWN or not isinstance(start, datetime):
        return Deadline(None, f"{run}; the clock has not started, for that time is not known")
    return Deadline(start + timedelta(hours=due.hours), run)


def _length(hours: int) -> str:
    """Hours as people say them: days from the fourth on."""
    if hours >= 96 and hours % 24 == 0:
        return DAYS.format(amount=hours // 24)
    return ONE_HOUR if hours == 1 else HOURS.format(amount=hours)


# ---------------------------------------------------------------- what may become of a step


def taken(state: State, *, need: Truth) -> State:
    """The state after somebody takes the step on. Raises Refused."""
    _must_be_needed(need)
    _must_be_going_on(state)
    return State.TAKEN


def finished(state: State, *, need: Truth, asks: str, note: str, evidence: Sequence[str]) -> State:
    """The state after the step is done. `asks` is the evidence the playbook wants. Raises Refused, Invalid."""
    _must_be_needed(need)
    _must_be_going_on(state)
    if len(note) > LONGEST_NOTE:
        raise Invalid("note", f"At most {LONGEST_NOTE:,} characters.")
    if asks and not storable(note) and not evidence:
        raise Invalid(
            "note", f"This step needs to be shown: {asks[0].lower()}{asks[1:]} Write it here, or choose the evidence."
        )
    return State.DONE


def skipped(state: State, *, mandatory: bool, reason: str, by_lead: bool) -> State:
    """The state after the step is left out with a reason. Raises Refused, Invalid."""
    _must_be_going_on(state)
    _must_say_why(reason)
    if mandatory and not by_lead:
        raise Refused("Only an incident lead or a privacy officer may leave out a mandatory step.")
    return State.SKIPPED


def reopened(state: State, *, reason: str) -> State:
    """The state after a finished or skipped step is taken up again with a reason. Raises Refused, Invalid."""
    if state not in {State.DONE, State.SKIPPED}:
        raise Refused("Only a finished or skipped step can be reopened.")
    _must_say_why(reason)
    return State.OPEN


def handed_over(state: State) -> State:
    """The state after the step goes to somebody else. Raises Refused."""
    _must_be_going_on(state)
    return State.TAKEN


def _must_be_needed(need: Truth) -> None:
    if need is Truth.NO:
        raise Refused("By what is known now this step is not needed. If that is wrong, correct the facts first.")


def _must_be_going_on(state: State) -> None:
    if state is State.DONE:
        raise Refused("This step is finished; reopen it first.")
    if state is State.SKIPPED:
        raise Refused("This step was left out; reopen it first.")


def _must_say_why(reason: str) -> None:
    if not storable(reason):
        raise Invalid("reason", "Say why; the reason stays with the step.")
    if len(reason) > LONGEST_REASON:
        raise Invalid("reason", f"At most {LONGEST_REASON:,} characters.")
