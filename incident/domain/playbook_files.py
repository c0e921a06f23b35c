"""Playbooks of an installation's own, laid over those that the program brings; and steps written as a file of TOML.

An own file has the name of the playbook that it changes, or a new one. It may say anything that such a file may; a step with
a key that the playbook has replaces what it names of that step, and one with a new key is added. The own file `common.toml`
changes the steps that all playbooks share.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from incident.domain import plans
from incident.domain.access import Role
from incident.domain.clauses import BadClause, condition
from incident.domain.digits import whole
from incident.domain.errors import Invalid
from incident.domain.facts import vocabulary
from incident.domain.plans import COMMON, OPENED, PHASE_WORDS, BrokenPlaybook, Phase, Playbook
from incident.domain.texts import storable

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
WORDS_OF_FILE: Final = ("title", "summary", "fits", "without")
LONGEST: Final[Mapping[str, int]] = {"title": 200, "detail": 5_000, "evidence": 500}
LONGEST_WHEN: Final = 2_000
BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
MOST_HOURS: Final = 24 * 366


@dataclass(frozen=True)
class OwnFile:
    """One own file as it is: the playbook that it is about, where it stands, and its text."""

    book: str
    where: str
    text: str


@dataclass(frozen=True)
class Laid:
    """Every playbook with the own files over it, and a sentence for each file that could not be used."""

    books: Mapping[str, Playbook]
    raw: Mapping[str, Mapping[str, Any]]
    mistakes: tuple[str, ...] = ()

    def step(self, book: str, key: str) -> Mapping[str, Any] | None:
        """A step as its file gives it; None where the playbook (or `common`) has none of this key."""
        rows = self.raw.get(book, {}).get("step", ())
        return next((row for row in rows if row["key"] == key), None)


def laid(files: Sequence[OwnFile]) -> Laid:
    """The playbooks with these files over them, in their order. A file with a mistake is left out, and named."""
    raw: dict[str, dict[str, Any]] = plans.shipped_files()
    mistakes: list[str] = []
    for file in files:
        try:
            tried = {**raw, file.book: _over(raw.get(file.book, {}), tomllib.loads(file.text))}
            plans.made(tried)
        except (tomllib.TOMLDecodeError, BrokenPlaybook) as error:
            mistakes.append(f"{file.where}: {error}")
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            mistakes.append(f"{file.where}: {type(error).__name__} {str(error)[:100]}: this cannot be followed.")
        else:
            raw = tried
    return Laid(plans.made(raw), raw, tuple(mistakes))


def _over(below: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    strange = sorted(set(own) - {*WORDS_OF_FILE, "step"})
    if strange:
        raise BrokenPlaybook(f"there is no word {strange[0]!r} in a playbook.")
    changed = {row["key"]: row for row in own.get("step", ())}
    steps = [{**row, **changed.pop(row["key"], {})} for row in below.get("step", ())]
    return {
        **below,
        **{name: own[name] for name in WORDS_OF_FILE if name in own},
        "step": [*steps, *changed.values()],
    }


def step(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A step as it is proposed, over the one that stands there. Raises Invalid naming the field."""
    made: dict[str, Any] = {"key": _key(given, before), "phase": _word(given, "phase", Phase)}
    made |= {name: _text(given, name, longest) for name, longest in LONGEST.items()}
    made["role"] = _word(given, "role", Role)
    made["mandatory"] = bool(given.get("mandatory"))
    if due := _due(given):
        made["due"] = due
    if not made["evidence"]:
        del made["evidence"]
    if when := _when(given, before):
        made["when"] = when
    return {**made, **_taken_away(made, before)}


def _taken_away(made: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What stood there and no longer does, said as empty: what a file leaves out stays as the playbook below has it."""
    empty: dict[str, Any] = {"due": {}, "when": {}, "evidence": ""}
    return {name: nothing for name, nothing in empty.items() if before and name in before and name not in made}


def _when(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """When the step is needed: as it is said, else as it was. An empty answer means always. Raises Invalid."""
    said = given.get("needed_when")
    if said is None:
        return dict((before or {}).get("when", {}))
    found = _conditions(said) if isinstance(said, str) else dict(said)
    try:
        condition(found)
        if len(json.dumps(found)) > LONGEST_WHEN:
            raise Invalid("needed_when", f"At most {LONGEST_WHEN:,} characters.")
    except (BadClause, TypeError, ValueError, RecursionError) as error:
        raise Invalid("needed_when", f"This condition cannot be followed: {str(error)[:200]}.") from None
    return found


def _conditions(said: str) -> dict[str, Any]:
    """The table that lines of TOML mean, or one that is written in braces. Raises Invalid."""
    text = said.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_WHEN:
        raise Invalid("needed_when", f"At most {LONGEST_WHEN:,} characters; this has {len(text):,}.")
    try:
        found = tomllib.loads(f"when = {text}")["when"] if text.startswith("{") else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise Invalid("needed_when", "Write one condition a line, such as: malicious = true") from None
    return dict(found)


def conditions(when: Mapping[str, Any]) -> str:
    """A condition as lines of TOML, which a form may give back; "" for one that always holds."""
    return "\n".join(
        f"{name if BARE.fullmatch(name) else json.dumps(name)} = {_toml(one)}" for name, one in when.items()
    )


def _key(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    if before is not None:
        return str(before["key"])
    key = str(given.get("key") or "").strip() or re.sub(r"[^a-z0-9]+", "_", str(given.get("step_title", "")).lower())
    key = key.strip("_")[:40].strip("_")
    if not NAME.fullmatch(key):
        raise Invalid("key", "Give the step a short name in small letters, such as call_the_bank.")
    return key


def _text(given: Mapping[str, Any], name: str, longest: int) -> str:
    field = {"title": "step_title"}.get(name, name)
    said = storable(str(given.get(field) or "")).replace("\r\n", "\n")
    if not said and name != "evidence":
        raise Invalid(field, "Say what is to be done." if name == "title" else "Say in a few sentences how it is done.")
    if len(said) > longest:
        raise Invalid(field, f"At most {longest:,} characters; this has {len(said):,}.")
    return said


def _word(given: Mapping[str, Any], name: str, words: Any) -> str:
    said = str(given.get(name) or "")
    if said not in set(words):
        raise Invalid(name, f"{name} is one of {', '.join(words)}.")
    return said


def _due(given: Mapping[str, Any]) -> dict[str, Any] | None:
    hours = str(given.get("hours") or "").strip()
    if not hours:
        return None
    start = str(given.get("due_from") or OPENED)
    known = vocabulary()
    if start != OPENED and (start not in known or known[start].type != "instant"):
        raise Invalid("due_from", "The clock starts at the opening, or at a fact that is a time.")
    number = whole(hours) or 0
    if not 0 < number <= MOST_HOURS:
        raise Invalid("hours", f"Give whole hours, from 1 to {MOST_HOURS:,}, or leave it empty.")
    return {"from": start, "hours": number}


def in_words(row: Mapping[str, Any]) -> str:
    """A step as lines for people: what a comparison shows."""
    due = row.get("due")
    lines = (
        ("Step", row["title"]),
        ("Phase", PHASE_WORDS[Phase(row["phase"])]),
        ("How", row["detail"]),
        ("Meant for", row["role"]),
        ("Due", f"{due['hours']} hours from {_start(due['from'])}" if due else "no fixed time"),
        ("Needed when", conditions(row["when"]).replace("\n", "; ") if row.get("when") else "always"),
        ("To be shown", row.get("evidence") or "nothing"),
        ("Mandatory", "yes" if row.get("mandatory") else "no"),
    )
    return "\n".join(f"{name}: {value}" for name, value in lines)


def _start(fact: str) -> str:
    known = vocabulary()
    return f"“{known[fact].label}”" if fact in known else "the opening of the incident"


def written(steps: Sequence[Mapping[str, Any]], *, note: str) -> str:
    """A file of TOML with these steps; `note` stands above them. The same steps are read from it again."""
    parts = [f"# {line}" for line in note.splitlines()]
    for row in steps:
        parts += ["", "[[step]]", *(f"{name} = {_toml(value)}" for name, value in row.items())]
    made = "\n".join(parts) + "\n"
    if tomllib.loads(made).get("step", []) != [dict(row) for row in steps]:
        raise ValueError("These steps cannot be written as TOML.")
    return made


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")


def with_step(text: str, made: Mapping[str, Any], *, note: str) -> str:
    """The file with this step in the place of the one with its key, or added at the end."""
    rows = tomllib.loads(text).get("step", []) if text else []
    there = [row["key"] for row in rows]
    kept = [made if row["key"] == made["key"] else row for row in rows]
    return written(kept if made["key"] in there else [*kept, made], note=note)


def target(book: str, key: str) -> str:
    """How a lesson names the step that it changes."""
    return f"{book}/{key}"


def demand_book(book: str) -> None:
    """Raises Invalid unless there is this playbook, or it is the shared steps."""
    if book != COMMON and book not in plans.playbooks():
        raise Invalid("book", f"The playbooks are {', '.join((*plans.playbooks(), COMMON))}.")
