"""Duties of an incident: worked out again when facts or laws change; accepted, met, waived and taken back by people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from incident import calendars
from incident.actions.ledger import Ledger, transaction
from incident.domain import drills, editions, settlements
from incident.domain import incidents as incident_rules
from incident.domain import obligations as rules
from incident.domain.audit import canonical
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import Facts, to_json
from incident.domain.later import found_with
from incident.domain.lawbook import Lawbook, library
from incident.domain.obligations import Standing
from incident.domain.recalled import MOST_KEPT
from incident.domain.settlements import Difference, Known, State
from incident.store import drills as drill_rows
from incident.store import incidents, law_editions, waves
from incident.store import obligations as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.obligations import Assessment, FindingRow, Spelt

MOST_NAMED = 20
LONGEST_REFERENCE = 200
LONGEST_NOTE = 5_000
SAME = ("standing", "clock", "due_at", "start")
TOLD = ("title", "because", "wants", "doubts", "clock_words", "law_digest")
ACTIVE = frozenset({Standing.OWED.value, Standing.ADVISED.value})


def owe_again(incident: Incident, facts: Facts, ledger: Ledger, now: datetime, *, newest: bool = False) -> Difference:
    """Bring the findings up to the facts; part of the caller's transaction. Returns what changed.

    The laws are those by which the incident was assessed, until somebody takes newer ones for it (`newest`).
    """
    made = editions.current()
    book = made.book if newest else law_editions.of_incident(incident.id)
    before = rows.current(incident.id)
    done = {ref: row.met_at for ref, row in before.items() if row.state == State.MET and row.met_at}
    found = found_with(waves.later(incident.id), facts, book, calendars.of_law, now.date(), done)
    said = rules.by_ref(drills.paced_all(found, drill_rows.clock_of(incident), now))
    changed = _replace(incident, before, said, book, now)
    was = rows.assessment(incident.id)
    if book.digest == made.digest and (was is None or was.library != made.digest) and law_editions.keep(made, now):
        _tell_edition(made, ledger)
    _kept(incident, book, now)
    if changed:
        _tell(incident, changed, book, ledger)
    return changed


def owe_first(incident: Incident, facts: Facts, ledger: Ledger, now: datetime) -> Difference:
    """The findings of an incident that this transaction has just opened: nothing is read of it, for there is nothing yet."""
    made, book = editions.current(), library()
    found = found_with((), facts, book, calendars.of_law, now.date())
    paced = drills.paced_all(found, drill_rows.clock_of(incident), now)
    first = _first(Same(paced), Same(book), db.engine.dialect.name)
    rows.add_spelt(incident.id, first.spelt, now)
    kept = law_editions.assessed_first(incident.id, book.digest, first.counts, now)
    if not kept and book.digest == made.digest and law_editions.add(made, now):
        _tell_edition(made, ledger)
    if first.changed:
        _tell(incident, first.changed, book, ledger)
    return first.changed


class Same:
    """Something that is the same only as itself, to be a key of what was made of it."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.of is other.of

    def __hash__(self) -> int:
        return id(self.of)


class First(NamedTuple):
    """The first findings of an incident as rows, how many of each standing, and what they change: from nothing."""

    spelt: Sequence[Spelt]
    counts: Mapping[str, int]
    changed: Difference


@lru_cache(maxsize=MOST_KEPT)
def _first(found: Same, book: Same, dialect: str) -> First:
    """The same findings are written for one incident after the other: they are spelt once for each `dialect`."""
    said = rules.by_ref(found.of)
    values = [_values(finding, book.of) for finding in said.values()]
    counts = rows.NOTHING_COUNTED | Counter(row["standing"] for row in values)
    counts["proposed"] = sum(row["standing"] in ACTIVE for row in values)
    undecided = {"was": Standing.NOT_OWED.value, "was_due_at": None, "state": State.PROPOSED.value}
    changed = settlements.difference({}, {ref: (one.standing, one.clock.due) for ref, one in said.items()})
    return First(rows.spelt([row | undecided for row in values]), counts, changed)


def _tell_edition(made: editions.Edition, ledger: Ledger) -> None:
    ledger.write("laws.edition_used", f"L-{made.digest[:12]}", version=made.version, library=made.digest)


def _replace(
    incident: Incident,
    before: Mapping[str, FindingRow],
    said: Mapping[str, rules.Finding],
    book: Lawbook,
    now: datetime,
) -> Difference:
    """Supersede what is said differently now; what people settled stays, with today's answer beside it."""
    old: dict[str, Known] = {}
    new: dict[str, Known] = {}
    fresh: list[dict[str, Any]] = []
    gone: list[int] = []
    for ref, finding in said.items():
        row, values = before.get(ref), _values(finding, book)
        if row is not None and row.state in {State.MET, State.WAIVED}:
            row.since_then = _since_then(row, values)
            continue
        if row is not None and not _differs(row, values):
            _retell(row, values)
            continue
        if row is not None:
            gone.append(row.id)
            old[ref] = (Standing(row.standing), row.due_at)
        new[ref] = (finding.standing, finding.clock.due)
        fresh.append(_row(incident, values, row, now))
    lost = [row for ref, row in before.items() if ref not in said and row.state not in {State.MET, State.WAIVED}]
    old |= {row.key: (Standing(row.standing), row.due_at) for row in lost}
    db.session.flush()
    rows.supersede([*gone, *(row.id for row in lost)], now)
    rows.add(fresh)
    return settlements.difference(old, new)


def _values(finding: rules.Finding, book: Lawbook) -> dict[str, Any]:
    duty, running = finding.duty, finding.clock
    return {
        "law": duty.law,
        "duty": finding.ref,
        "wave": finding.wave,
        "law_digest": book[duty.law].digest,
        "title": duty.title,
        "to": duty.to,
        "standing": finding.standing.value,
        "because": list(finding.because),
        "wants": sorted({*finding.wants, *running.wants}),
        "doubts": list(finding.doubts),
        "clock": running.state.value,
        "clock_words": running.words,
        "due_at": running.due,
        "start": str(to_json(running.start)) if running.start else "",
        "anchor": running.anchor,
    }


def _row(incident: Incident, values: Mapping[str, Any], before: FindingRow | None, now: datetime) -> dict[str, Any]:
    return {
        **values,
        "incident_id": incident.id,
        "was": before.standing if before else Standing.NOT_OWED.value,
        "was_due_at": before.due_at if before else None,
        "made_at": now,
        "state": State.PROPOSED.value,
    }


def _differs(row: FindingRow, values: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != values[name] for name in SAME)


def _retell(row: FindingRow, values: Mapping[str, Any]) -> None:
    """The same answer, told by today's facts."""
    for name in TOLD:
        if getattr(row, name) != values[name]:
            setattr(row, name, values[name])


def _since_then(row: FindingRow, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the facts would say today of a settled duty; empty while it is the same."""
    if not _differs(row, values):
        return {}
    due = to_json(values["due_at"]) if values["due_at"] else None
    return {"standing": values["standing"], "due_at": due, "words": values["clock_words"]}


def _kept(incident: Incident, book: Lawbook, now: datetime) -> None:
    row = rows.assessment(incident.id) or Assessment(incident_id=incident.id)
    row.library, row.made_at, row.counts = book.digest, now, rows.counted(incident.id)
    db.session.add(row)


def _tell(incident: Incident, changed: Difference, book: Lawbook, ledger: Ledger) -> None:
    named = {
        "owed": changed.owed,
        "opened": changed.opened,
        "closed": changed.closed,
        "lifted": changed.lifted,
        "moved": changed.moved,
    }
    ledger.write(
        "findings.assessed",
        incident.ref,
        incident=incident.ref,
        **{word: len(refs) for word, refs in named.items()},
        duties={
            word: list(refs) for word, refs in named.items() if refs and word != "opened" and len(refs) <= MOST_NAMED
        },
        digest=_digest({word: list(refs) for word, refs in named.items()}),
        library=book.digest,
    )


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()


# ---------------------------------------------------------------- what people decide


def accept(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Take one finding as right. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        row = _standing(incident, ref)
        row.state = settlements.accepted(State(row.state), Standing(row.standing)).value
        _decided(row, actor, now)
        ledger.write("finding.accepted", ref, incident=incident, duty=row.duty, after=row.standing, law=row.law_digest)


def accept_all(incident: str, seen: str, *, actor: str, now: datetime) -> int:
    """Take everything that is proposed as right; how many. `seen` is the digest of what the reader saw. Raises Refused."""
    with transaction(actor, now) as ledger:
        found = _open_incident(incident)
        proposed = proposals(found.id)
        if seen != seen_digest(proposed):
            raise Refused("The duties changed while you were reading. Look at them again, then accept.")
        if not proposed:
            ledger.unchanged()
            return 0
        for row in proposed:
            row.state = State.ACCEPTED.value
            _decided(row, actor, now)
        ledger.write("findings.accepted", incident, incident=incident, count=len(proposed), digest=seen)
    return len(proposed)


def proposals(incident_id: int) -> list[FindingRow]:
    """Findings that wait for somebody to accept them: all but the open ones, by duty."""
    return proposed_among(rows.current(incident_id).values())


def proposed_among(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """Those of these findings that wait for somebody to accept them, by duty."""
    waiting = [row for row in findings if row.state == State.PROPOSED and row.standing != Standing.OPEN]
    return sorted(waiting, key=lambda row: row.key)


def seen_digest(findings: list[FindingRow]) -> str:
    """Names a list of findings, so that what is accepted is what was seen."""
    return _digest([row.ref for row in findings])


def mark_met(
    incident: str, ref: str, *, met_at: datetime, reference: str = "", note: str = "", actor: str, now: datetime
) -> None:
    """Say that a duty was done, when, under which reference, with what to show for it. Raises Refused, Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row = _standing(incident, ref)
        settle_met(row, met_at=met_at, reference=reference, note=note, ledger=ledger, incident=incident, now=now)
        found = _open_incident(incident)
        owe_again(found, incidents.known(found.id), ledger, now)


def settle_met(
    row: FindingRow, *, met_at: datetime, reference: str, note: str, ledger: Ledger, incident: str, now: datetime
) -> None:
    """Mark a finding met inside the caller's transaction; its start, due time and lateness are frozen by that."""
    row.state = settlements.met(State(row.state), Standing(row.standing), met_at=met_at, now=now).value
    row.met_at, row.late_seconds = met_at, settlements.lateness(row.due_at, met_at)
    row.reference, row.note = _short("reference", reference, LONGEST_REFERENCE), _short("note", note, LONGEST_NOTE)
    _decided(row, ledger.actor, now)
    ledger.write(
        "finding.met",
        row.ref,
        incident=incident,
        duty=row.duty,
        met_at=to_json(met_at),
        due_at=to_json(row.due_at) if row.due_at else "",
        late_seconds=row.late_seconds,
        anchor=row.anchor,
        start=row.start,
        law=row.law_digest,
        digest=_digest({"reference": row.reference, "note": row.note}),
    )


def waive(incident: str, ref: str, reason: str, *, actor: str, now: datetime) -> None:
    """Decide, with a reason, not to act on a duty. Raises Refused, Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row = _standing(incident, ref)
        row.state = settlements.waived(State(row.state), Standing(row.standing), reason=reason).value
        row.note = _short("reason", reason, LONGEST_NOTE)
        _decided(row, actor, now)
        ledger.write(
            "finding.waived", ref, incident=incident, duty=row.duty, law=row.law_digest, digest=_digest(row.note)
        )
        _counted_again(incident, now)


def take_back(incident: str, ref: str, reason: str, *, actor: str, now: datetime) -> None:
    """Undo a settlement, with a reason: the old finding is kept as it stood, a new one takes its place. Raises Refused."""
    with transaction(actor, now) as ledger:
        row = _standing(incident, ref)
        if row.state not in {State.MET, State.WAIVED}:
            raise Refused("Nothing was settled here that could be taken back.")
        if len(reason.strip()) < settlements.SHORTEST_REASON:
            raise Invalid("reason", "Say why, so that somebody who reads this years later can follow it.")
        row.note = f"{row.note}\n\nTaken back: {_short('reason', reason, LONGEST_NOTE)}".strip()
        ledger.write(
            "finding.taken_back", ref, incident=incident, duty=row.duty, before=row.state, digest=_digest(row.note)
        )
        rows.supersede([row.id], now)
        db.session.flush()
        found = _open_incident(incident)
        owe_again(found, incidents.known(found.id), ledger, now)


def _standing(incident: str, ref: str) -> FindingRow:
    found = _open_incident(incident)
    row = rows.by_ref(found.id, ref)
    if row is None:
        raise Missing()
    if row.superseded_at is not None:
        raise Refused("This finding was replaced by a newer one. Look at the duties again.")
    return row


def _open_incident(ref: str) -> Incident:
    found = incidents.by_ref(ref)
    if found is None:
        raise Missing()
    incident_rules.must_be_open(found.state)
    return found


def _decided(row: FindingRow, actor: str, now: datetime) -> None:
    row.first_decided_at = row.first_decided_at or (now if row.decided_at is None else None)
    row.decided_at, row.decided_by = now, actor


def _counted_again(incident: str, now: datetime) -> None:
    found = incidents.by_ref(incident)
    row = rows.assessment(found.id) if found else None
    if found and row:
        db.session.flush()
        row.counts = rows.counted(found.id)


def _short(field: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise Invalid(field, f"At most {longest:,} characters.")
    return text.strip()
