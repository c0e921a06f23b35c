"""Propose a lesson, accept it as a second person, adopt it so that the installation goes by it, or decline it with a reason."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from incident.actions.improvements import demand_with, doer, there
from incident.actions.ledger import transaction
from incident.domain import lessons as rules
from incident.domain import playbook_files, starters
from incident.domain.audit import canonical
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.lessons import Kind, Source
from incident.store import lessons as rows
from incident.store import own, separation, shelf, words
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.lessons import Lesson

NOTE = (
    "Steps that were learnt from incidents, written by the program when a lesson is adopted.\n"
    "To change one, propose a lesson; your own files beside this one are never touched."
)
MOVED = "What this lesson changes was changed by somebody since. Decline it, and propose it anew over today's words."


@dataclass(frozen=True)
class Proposal:
    """What a lesson changes: its place, both texts as people read them, what is written, and the digests of both."""

    target: str
    before: str
    after: str
    base: str
    digest: str


def propose(incident: str, given: Mapping[str, Any], *, source: str = Source.REVIEW, actor: str, now: datetime) -> str:
    """Put a lesson up for decision; its reference. Raises Invalid, Refused, Missing.

    `given` holds title, why and kind, perhaps owner; and what the kind asks for. playbook: book, step (the key of the one to
    change, or empty), phase, step_title, detail, role, and perhaps key, due_from, hours, evidence, mandatory, needed_when. text: language,
    part, text. law: file, text. practice: nothing.
    """
    told = rules.told(str(given.get("title") or ""), str(given.get("why") or ""), str(given.get("kind") or ""))
    made = PROPOSALS[told.kind](given)
    with transaction(actor, now) as ledger:
        case = there(incident)
        row = Lesson(ref=new_ref("L"), incident_id=case.id, title=told.title, why=told.why, kind=told.kind.value)
        row.source, row.state = Source(source).value, rules.State.PROPOSED.value
        row.target, row.before, row.after, row.base, row.digest = (
            made.target, made.before, made.after, made.base, made.digest,
        )  # fmt: skip
        row.owner_id = doer("owner", str(given["owner"]), case).id if given.get("owner") else None
        row.reason, row.proposed_at, row.proposed_by = "", now, actor
        db.session.add(row)
        ledger.write("lesson.proposed", row.ref, incident=case.ref, **_named(row), source=row.source)
    return row.ref


def _step(given: Mapping[str, Any]) -> Proposal:
    book, key = str(given.get("book") or ""), str(given.get("step") or "")
    playbook_files.demand_book(book)
    laid = own.refresh()
    before = laid.step(book, key) if key else None
    if key and before is None:
        raise Invalid("step", "This playbook has no such step of its own; steps that all share are under “common”.")
    made = playbook_files.step(given, before)
    if before is None and _knows(made["key"]):
        raise Invalid("key", "There is a step of this name already. Change that one, or choose another name.")
    old = {name: value for name, value in before.items() if name != "lesson"} if before else None
    if old == made:
        raise Invalid("detail", "This is what stands there already. Change it, or make it a lesson of practice.")
    if mistakes := own.step_mistakes(own.home(), book, made):
        raise Invalid("detail", " ".join(mistakes))
    return Proposal(
        playbook_files.target(book, made["key"]),
        playbook_files.in_words(old) if old else "",
        json.dumps(made, ensure_ascii=False),
        _step_digest(old),
        _step_digest(made),
    )


def _knows(key: str) -> bool:
    """Whether any playbook has a step of this key."""
    return any(row["key"] == key for raw in own.refresh().raw.values() for row in raw["step"])


def _step_digest(row: Mapping[str, Any] | None) -> str:
    """The digest of a step, whichever lesson it came from."""
    return rules.digest(canonical({name: value for name, value in row.items() if name != "lesson"})) if row else ""


def _text(given: Mapping[str, Any]) -> Proposal:
    language, part = str(given.get("language") or ""), str(given.get("part") or "")
    if language not in starters.languages() or part not in starters.PARTS:
        raise Invalid("part", "Choose a language, and a part of its text.")
    before = starters.part(language, part)
    after = rules.change("text", before, str(given.get("text") or "").replace("\r\n", "\n").strip())
    if mistake := starters.mistake(language, part, after):
        raise Invalid("text", mistake)
    return Proposal(f"{language}/{part}", before, after, rules.digest(before), rules.digest(after))


def _law(given: Mapping[str, Any]) -> Proposal:
    name = str(given.get("file") or "").strip()
    try:
        before = own.law(own.home(), name)
    except Refused as error:
        raise Invalid("file", error.sentence) from None
    after = rules.change("text", before, str(given.get("text") or "").replace("\r\n", "\n"))
    if mistakes := own.law_mistakes(own.home(), name, after):
        raise Invalid("text", " ".join(mistakes[:5]))
    return Proposal(name, before, after, rules.digest(before), rules.digest(after))


def _practice(given: Mapping[str, Any]) -> Proposal:
    return Proposal("", "", "", "", "")


PROPOSALS: Mapping[Kind, Callable[[Mapping[str, Any]], Proposal]] = {
    Kind.PLAYBOOK: _step,
    Kind.TEXT: _text,
    Kind.LAW: _law,
    Kind.PRACTICE: _practice,
}


def accept(ref: str, *, actor: str, now: datetime) -> None:
    """Say yes to a lesson. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        row, case = _one(ref)
        row.state = rules.accepted(row.state, by=actor, proposed_by=row.proposed_by, by_two=_by_two()).value
        row.decided_at, row.decided_by = now, actor
        ledger.write("lesson.accepted", row.ref, incident=case.ref, digest=row.digest or None)


def adopt(ref: str, *, note: str = "", actor: str, now: datetime) -> None:
    """Have the installation go by it from now on. Raises Refused, Invalid, Missing; nothing is changed then.

    A lesson of practice needs a note of what was done.
    """
    with transaction(actor, now) as ledger:
        row, case = _one(ref)
        row.state = rules.adopted(row.state, by_two=_by_two()).value
        row.decided_at, row.decided_by = row.decided_at or now, row.decided_by or actor
        row.adopted_at, row.adopted_by = now, actor
        if row.kind == Kind.PRACTICE:
            row.reason = rules.words("note", note, "Say what is done otherwise now, and where one can see that.")
        else:
            ledger.at_last(partial(_put, _writer(row)))
        ledger.write("lesson.adopted", row.ref, incident=case.ref, **_named(row), base=row.base or None)
    own.refresh()
    shelf.refresh()


def _writer(row: Lesson) -> Callable[[], None]:
    """What writes the change into the installation's folder. Raises Refused where it stands otherwise by now."""
    home, place = own.home(), row.target
    if row.kind == Kind.PLAYBOOK:
        book, _, key = place.partition("/")
        made = {**json.loads(row.after), "lesson": row.ref}
        _demand_unmoved(row, _step_digest(own.refresh().step(book, key)))
        _demand_fit(own.step_mistakes(home, book, made))
        return partial(own.put_step, home, book, made, note=NOTE)
    if row.kind == Kind.TEXT:
        language, _, part = place.partition("/")
        own.refresh()
        _demand_unmoved(row, rules.digest(starters.part(language, part)))
        return partial(own.put_text, home, language, part, row.after)
    _demand_unmoved(row, rules.digest(own.law(home, place)))
    _demand_fit(own.law_mistakes(home, place, row.after))
    return partial(own.put_law, home, place, row.after)


def _demand_unmoved(row: Lesson, now: str) -> None:
    """Raises Refused unless the place says what it said when this was proposed, or says it already."""
    if now not in {row.base, row.digest}:
        raise Refused(MOVED)


def _demand_fit(mistakes: list[str]) -> None:
    if mistakes:
        raise Refused("It does not fit any more: " + " ".join(mistakes[:5]))


def _put(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        said = f"The folder of this installation cannot be written to ({error.strerror or type(error).__name__})."
        raise Refused(f"{said} Nothing was changed; tell an administrator.") from None


def decline(ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """Say no to a lesson, with a reason. Raises Refused, Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row, case = _one(ref)
        row.state = rules.declined(row.state, reason).value
        row.reason = rules.words("reason", reason, "Say why.")
        row.decided_at, row.decided_by = now, actor
        ledger.write("lesson.declined", row.ref, incident=case.ref, digest=rules.digest(row.reason))


def hand_over(ref: str, *, to: str, actor: str, now: datetime, seen: str | None = None) -> None:
    """Have somebody look after a lesson; `seen` is the mark of who did. Raises Refused, Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row, case = _one(ref)
        if row.state not in rules.OPEN:
            raise Refused(f"This lesson is {row.state} already.")
        person = doer("to", to, case)
        if row.owner_id == person.id:
            ledger.unchanged()
            return
        demand_with(seen, row.owner_id, person)
        row.owner_id = person.id
        ledger.write("lesson.handed_over", row.ref, incident=case.ref, to=person.ref)


def shown_after(row: Lesson) -> str:
    """What a lesson proposes, as people read it."""
    is_step = row.kind == Kind.PLAYBOOK and row.after.startswith("{")
    return playbook_files.in_words(json.loads(row.after)) if is_step else row.after


def _named(row: Lesson) -> dict[str, Any]:
    return {"kind": row.kind, "target": row.target or "practice", "digest": row.digest or None}


def _by_two() -> bool:
    return separation.policy().lessons_by_two


def _one(ref: str) -> tuple[Lesson, Incident]:
    row = rows.by_ref(ref, locked=True)
    if row is None:
        raise Missing()
    case = db.session.get(Incident, row.incident_id)
    if case is None:
        raise Missing()
    case = there(case.ref)
    if row.why == words.GONE:
        raise Refused("The words of this lesson were erased with its incident.")
    return row, case
