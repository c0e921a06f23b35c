"""Newer laws: compared with every open incident in the background, and taken for an incident by a person alone.

Until then the incident goes by the laws of its last assessment. Where newer laws change no answer, there is nothing to decide:
the incident goes by them at once, and its findings stay as they were made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256

from incident import calendars
from incident.actions import obligations
from incident.actions.ledger import Ledger, transaction
from incident.domain import drills, editions, settlements
from incident.domain import incidents as incident_rules
from incident.domain.audit import canonical
from incident.domain.drills import Clockwork
from incident.domain.editions import Edition
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import Facts
from incident.domain.later import found_with
from incident.domain.lawbook import Lawbook
from incident.domain.obligations import Finding, Standing
from incident.domain.settlements import Difference, Known, State
from incident.domain.waves import Wave
from incident.store import drills as drill_rows
from incident.store import incidents, law_editions, law_updates, shelf, waves
from incident.store import obligations as rows
from incident.store.incidents import Incident
from incident.store.law_updates import Answer, Waiting

BATCH = 200
MOST_AT_ONCE = 100
SETTLED = frozenset({State.MET.value, State.WAIVED.value})


@dataclass(frozen=True)
class Proposed:
    """What today's laws would change for one incident; `seen` names it, so that what is taken is what was seen."""

    incident: str
    title: str
    was: str
    library: str
    changes: Difference
    seen: str


@dataclass(frozen=True)
class Compared:
    """What laws would change in one incident, and whether an open duty asks for other facts by them."""

    changes: Difference
    asks_otherwise: bool = False


# Comparing ------------------------------------------------------------------------------------------------------------


def due(_now: datetime) -> list[str]:
    """One reference while open incidents wait to be compared with today's laws; files that changed are taken up first."""
    shelf.look_again()
    made = editions.current()
    return [f"L-{made.digest[:12]}"] if law_updates.waiting(made.digest, 1) else []


def do(_reference: str, now: datetime) -> None:
    """Compare all that wait, a batch at a time; to be killed at any point and run again."""
    while compare(now):
        pass


def compare(now: datetime, limit: int = BATCH) -> int:
    """Compare the next incidents with today's laws; how many. What takes time is done before anything is written."""
    made = editions.current()
    found = law_updates.waiting(made.digest, limit)
    differences = compared(found, made, now)
    if found:
        _keep(found, differences, made, now)
    return len(found)


def _keep(found: Sequence[Waiting], differences: Mapping[int, Compared], made: Edition, now: datetime) -> None:
    """Keep what was found, in one transaction; who was assessed again meanwhile waits for the next batch."""
    with transaction("system", now) as ledger:
        still = set(law_updates.waiting(made.digest, len(found)))
        kept = [one for one in found if one in still]
        if not kept:
            ledger.unchanged()
            return
        changed = [one for one in kept if differences[one.id].changes]
        law_updates.put([_row(one, made, differences[one.id].changes, now) for one in changed])
        _take_unchanged([one for one in kept if not differences[one.id].changes], differences, made, ledger, now)
        ledger.write(
            "laws.compared",
            f"L-{made.digest[:12]}",
            incidents=len(kept),
            changed=len(changed),
            library=made.digest,
            digest=sha256(canonical([one.ref for one in changed]).encode()).hexdigest(),
        )


def _take_unchanged(
    found: Sequence[Waiting], differences: Mapping[int, Compared], made: Edition, ledger: Ledger, now: datetime
) -> None:
    """Their findings stay as they were made, with the digest of the text that made them; only open ones ask what they ask now."""
    ids = [one.id for one in found]
    law_updates.forget(ids)
    if law_editions.keep(made, now):
        ledger.write("laws.edition_used", f"L-{made.digest[:12]}", version=made.version, library=made.digest)
    law_updates.take_unchanged([id_ for id_ in ids if not differences[id_].asks_otherwise], made.digest)
    asked = incidents.by_ids([id_ for id_ in ids if differences[id_].asks_otherwise])
    for id_, incident in asked.items():
        obligations.owe_again(incident, incidents.known(id_), ledger, now, newest=True)


def _row(one: Waiting, made: Edition, changes: Difference, now: datetime) -> dict[str, object]:
    return {
        "incident_id": one.id,
        "library": made.digest,
        "was": one.library,
        "assessed_at": one.assessed_at,
        "changes": {word: list(refs) for word, refs in asdict(changes).items()},
        "compared_at": now,
    }


def compared(found: Sequence[Waiting], made: Edition, now: datetime) -> dict[int, Compared]:
    """What these laws would change for each incident; only laws that are written differently now are asked."""
    differences: dict[int, Compared] = {}
    for library in {one.library for one in found}:
        some = [one.id for one in found if one.library == library]
        old = law_editions.book(library)
        laws = editions.changed(old, made.book) if old else None
        facts, answers = law_updates.facts_of(some), law_updates.answers_of(some, laws)
        book = made.book if laws is None else Lawbook({law: made.book[law] for law in sorted(laws) if law in made.book})
        found_later = {id_: waves.later(id_) for id_ in waves.among(some)}
        clocks = drill_rows.clocks(some)
        for id_ in some:
            people = found_later.get(id_, [])
            differences[id_] = _difference(facts[id_], answers[id_], people, book, clocks.get(id_), now)
    return differences


def _difference(
    facts: Facts,
    answers: Iterable[Answer],
    found_later: Sequence[Wave],
    book: Lawbook,
    work: Clockwork | None,
    now: datetime,
) -> Compared:
    """What people settled stays, whatever the laws say now."""
    held = {one.key: one for one in answers}
    done = {key: one.met_at for key, one in held.items() if one.state == State.MET and one.met_at}
    found = found_with(found_later, facts, book, calendars.of_law, now.date(), done, told=False)
    every = drills.paced_all(found, work, now)
    said = {one.key: one for one in every if one.standing is not Standing.NOT_OWED or one.key in held}
    old = {key: one for key, one in held.items() if one.state not in SETTLED}
    new = {key: one for key, one in said.items() if key not in held or key in old}
    before: dict[str, Known] = {key: (one.standing, one.due_at) for key, one in old.items()}
    after: dict[str, Known] = {key: (one.standing, one.clock.due) for key, one in new.items()}
    changes = settlements.difference(before, after)
    both = [(key, old[key], new[key]) for key in sorted(old.keys() & new.keys())]
    moved = tuple(key for key, was, is_ in both if _has_another_clock(was, is_))
    asks_otherwise = any(
        was.standing is is_.standing is Standing.OPEN and was.wants != _asked(is_) for _, was, is_ in both
    )
    return Compared(replace(changes, moved=moved), asks_otherwise)


def _has_another_clock(was: Answer, is_: Finding) -> bool:
    """Whether a duty that may be owed, before and after, is due at another time, or its clock stands otherwise."""
    if Standing.NOT_OWED in {was.standing, is_.standing}:
        return False
    return (was.due_at, was.clock) != (is_.clock.due, is_.clock.state.value)


def _asked(finding: Finding) -> tuple[str, ...]:
    return tuple(sorted({*finding.wants, *finding.clock.wants}))


def preview(made: Edition, now: datetime) -> Iterator[tuple[str, Difference]]:
    """What laws that are not in use yet would change, incident by incident; only those that would change. Nothing is kept."""
    after = 0
    while found := law_updates.elsewhere(made.digest, after=after, limit=BATCH):
        differences = compared(found, made, now)
        yield from ((one.ref, differences[one.id].changes) for one in found if differences[one.id].changes)
        after = found[-1].id


# Taking ---------------------------------------------------------------------------------------------------------------


def proposed(incident: str) -> Proposed | None:
    """What today's laws would change for one incident, as it was last compared; None where there is nothing to take."""
    found = incidents.by_ref(incident)
    made = editions.current()
    row = law_updates.of(found.id, made.digest) if found and found.state == "open" else None
    was = rows.assessment(found.id) if found and row else None
    if found is None or row is None or was is None or was.library == made.digest:
        return None
    return told(found.ref, found.title, row.was, row.library, row.changes)


def told(incident: str, title: str, was: str, library: str, changes: Mapping[str, Sequence[str]]) -> Proposed:
    """A comparison as it is shown."""
    held = Difference(**{word: tuple(refs) for word, refs in changes.items()})
    return Proposed(incident, title, was, library, held, _seen(incident, library, held))


def _seen(incident: str, library: str, changes: Difference) -> str:
    named = {word: list(refs) for word, refs in asdict(changes).items()}
    return sha256(canonical({"incident": incident, "library": library, "changes": named}).encode()).hexdigest()


def accept(incident: str, seen: str, *, actor: str, now: datetime) -> Difference:
    """Take today's laws for one incident, if they change what `seen` names and nothing else. Raises Refused, Missing.

    What changes by them is accepted with it; open questions stay open, and what people settled stays settled.
    """
    made = editions.current()
    with transaction(actor, now) as ledger:
        found = _open_incident(incident)
        was = rows.assessment(found.id)
        if was is None or was.library == made.digest:
            raise Refused("There is nothing to take: this incident goes by today's laws already.")
        before = was.library
        waiting = Waiting(found.id, found.ref, before, was.made_at)
        if seen != _seen(found.ref, made.digest, compared([waiting], made, now)[found.id].changes):
            raise Refused(
                "The facts or the laws changed while you were reading. Look at the difference again, then take it."
            )
        changed = obligations.owe_again(found, incidents.known(found.id), ledger, now, newest=True)
        _accept_findings(found, changed, ledger.actor, now)
        law_updates.forget([found.id])
        ledger.write("laws.taken", found.ref, incident=found.ref, before=before, after=made.digest, digest=seen)
    return changed


def _accept_findings(incident: Incident, changed: Difference, actor: str, now: datetime) -> None:
    named = {*changed.owed, *changed.lifted, *changed.closed, *changed.moved}
    for row in rows.current(incident.id).values():
        if row.key in named and row.state == State.PROPOSED and row.standing != Standing.OPEN:
            row.state = State.ACCEPTED.value
            row.decided_at, row.decided_by = now, actor


def accept_many(chosen: Mapping[str, str], *, actor: str, now: datetime) -> dict[str, str]:
    """Take today's laws for these incidents, each named with what was seen of it; why not, for each that was refused."""
    if len(chosen) > MOST_AT_ONCE:
        raise Invalid("incidents", f"At most {MOST_AT_ONCE} at a time.")
    refused: dict[str, str] = {}
    for incident, seen in chosen.items():
        try:
            accept(incident, seen, actor=actor, now=now)
        except Missing:
            refused[incident] = "There is no such incident."
        except Refused as refusal:
            refused[incident] = refusal.sentence
    return refused


def _open_incident(ref: str) -> Incident:
    found = incidents.by_ref(ref, locked=True)
    if found is None:
        raise Missing()
    incident_rules.must_be_open(found.state)
    return found
