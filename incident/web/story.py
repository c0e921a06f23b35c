"""What happened in one incident, in sentences: the lines of the record, joined with the facts and notes they speak of."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from incident.domain.facts import UNKNOWN, parsed, vocabulary
from incident.store import audit, users
from incident.store import incidents as rows
from incident.store.audit import AuditLine
from incident.store.incidents import Incident
from incident.web.access import zone
from incident.web.languages import Word, _, value_words
from incident.web.linewords import sentence

ABOUTS = (
    (Word("facts"), Word("Facts and notes")),
    (Word("people"), Word("People")),
    (Word("duties"), Word("Duties and grade")),
    (Word("steps"), Word("Plan and steps")),
    (Word("notices"), Word("Notices and sending")),
    (Word("reports"), Word("Reports")),
    (Word("access"), Word("Access and looks")),
)
PREFIXES = {
    "facts": ("facts.", "note.", "incident.", "evidence."),
    "people": ("people.", "person.", "list."),
    "duties": ("finding.", "findings.", "duty.", "grade."),
    "steps": ("plan.", "step."),
    "notices": ("notice.", "deliver", "dispatch.", "announcement.", "public_task.", "media.", "sending."),
    "reports": ("report.",),
    "access": (
        "member.",
        "person.seen",
        "person.found",
        "people.listed",
        "list.refused_seen",
        "evidence.downloaded",
        "export.",
    ),
}
PERSON = re.compile(r"\bU-[0-9A-Z]{8}\b")
NOTES = frozenset({"note.added", "note.handed_over"})
BY_ITSELF: dict[str, str] = {
    "system": "Tocsin",
    "worker": "Tocsin",
    "cli": Word("The command line"),
    "public": Word("A visitor"),
}


@dataclass(frozen=True)
class Entry:
    """One happening in ready words."""

    seq: int
    at: datetime
    who: str
    sentence: str
    text: str
    facts: Sequence[dict[str, str]]
    note: str = ""
    actor: str = ""


def latest(
    incident: Incident,
    *,
    limit: int,
    before: int | None = None,
    about: str = "",
    hidden: Callable[[str], Collection[str]] = lambda kind: (),
    names: Mapping[str, str] | None = None,
) -> list[Entry]:
    """The newest happenings, newest first; `before` is the sequence number to go on from.

    `hidden` says which notes and facts this reader may not see: that something was written stands there, and not what.
    `names` are those of the team, where the page has read them anyway.
    """
    lines = audit.timeline(incident.ref, before_seq=before, limit=limit, prefixes=PREFIXES.get(about, ()))
    names = dict(names or {ref: user.name for ref, user in users.by_refs(_people_in(lines)).items()})
    notes = rows.notes_by_ref(incident.id, [line.subject for line in lines if line.verb in NOTES])
    notes = {ref: words for ref, words in notes.items() if ref not in hidden("note")}
    facts = _facts_of(incident, lines, hidden("fact"))
    return [_entry(line, names, notes, facts) for line in lines]


def named(words: str, names: Mapping[str, str]) -> str:
    """The words with people of the team by their names instead of their references."""
    return PERSON.sub(lambda ref: names.get(ref[0]) or ref[0], words)


def _people_in(lines: Sequence[AuditLine]) -> set[str]:
    """Who did what these lines tell, and whom of the team they speak of."""
    return {line.actor for line in lines}.union(*(PERSON.findall(f"{line.subject} {line.details}") for line in lines))


def _entry(
    line: AuditLine, names: dict[str, str], notes: dict[str, str], facts: dict[tuple[str, str], list[dict[str, str]]]
) -> Entry:
    details = json.loads(line.details)
    told = facts.get((line.at, line.actor), []) if line.verb == "facts.recorded" else []
    words = named(sentence(line.verb, line.subject, details), names) if not told else _("recorded:")
    who = names.get(line.actor) or BY_ITSELF.get(line.actor, line.actor)
    note = line.subject if line.verb in NOTES else ""
    return Entry(
        line.seq, datetime.fromisoformat(line.at), who, words, notes.get(line.subject, ""), told, note, line.actor
    )


def _facts_of(
    incident: Incident, lines: Sequence[AuditLine], hidden: Collection[str]
) -> dict[tuple[str, str], list[dict[str, str]]]:
    """What was recorded with each of these lines, by the line's time and actor: rows and line share both."""
    moments = {datetime.fromisoformat(line.at) for line in lines if line.verb == "facts.recorded"}
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows.facts_recorded_at(incident.id, moments):
        if row.key in hidden:
            continue
        at = row.recorded_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        value = parsed(row.key, row.value) if row.value is not None else UNKNOWN
        words = {
            "label": vocabulary()[row.key].label,
            "words": value_words(row.key, value, zone()),
            "origin": row.source,
        }
        found.setdefault((at, row.recorded_by), []).append(words)
    return found
