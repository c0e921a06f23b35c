"""Take in what the post brings back: scanned, typed or as a list; every row accounted for, repeats and mistakes without harm."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Any

from incident.actions.deliveries import take_back_repeats
from incident.actions.dispatch import halt
from incident.actions.ledger import Ledger, transaction
from incident.domain import deliveries as delivery_rules
from incident.domain import ladders
from incident.domain import letters as rules
from incident.domain.deliveries import Course, Happening, State
from incident.domain.errors import Invalid, Missing
from incident.domain.letters import Returned
from incident.store import deliveries, dispatches, incidents, tables, tallies
from incident.store import letters as rows
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.incidents import Incident
from incident.store.letters import CHANNEL, LetterBatch, LetterReturn
from incident.store.tallies import Moves

MOST_ROWS = 20_000
AT_ONCE = 500


class Verdict(StrEnum):
    """What became of one row of a list, or of one scan."""

    RETURNED = "returned"
    ALREADY = "already"
    NOT_POSTED = "not_posted"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


VERDICT_WORDS = {
    Verdict.RETURNED: "noted as come back",
    Verdict.ALREADY: "was noted before",
    Verdict.NOT_POSTED: "not in a posted batch",
    Verdict.CONFIRMED: "the person confirmed that they know; left as it is",
    Verdict.UNKNOWN: "no letter of this incident",
    Verdict.UNREADABLE: "no reference",
}


@dataclass(frozen=True)
class Row:
    """One row of the account: its number in the list, the reference if there is one, and what became of it."""

    number: int
    ref: str
    verdict: Verdict


def scan(incident: str, text: str, *, why: str, actor: str, now: datetime) -> Row:
    """Note one letter as come back, by its scanned or typed reference; what became of it. Raises Missing, Invalid."""
    return _take(incident, [(1, text)], why=why, actor=actor, now=now)[0]


def take(incident: str, given: Sequence[str], *, why: str, actor: str, now: datetime) -> list[Row]:
    """Note these letters as come back, by their references: the account, a row for each. Raises as above."""
    return _take(incident, list(enumerate(given, 1)), why=why, actor=actor, now=now)


def take_list(incident: str, source: IO[bytes], *, why: str, actor: str, now: datetime) -> list[Row]:
    """Note all letters of a list (CSV or XLSX) as come back: the account, a row for each. Raises Missing, Invalid.

    The reference may stand in any column. Each part of the list is saved by itself: the same list again does no harm.
    """
    form = tables.sniffed(source)
    source.seek(0)
    given: list[tuple[int, str]] = []
    for row in tables.rows(source, form):
        cells = [cell for cell in row.cells or () if cell.strip()]
        found = next((cell for cell in cells if rules.read_reference(cell)), "")
        if found or (cells and not (row.number == 1 and len(given) == 0)):  # the first row may name the columns
            given.append((row.number, found))
        if len(given) > MOST_ROWS:
            raise Invalid("file", f"A list holds at most {MOST_ROWS:,} rows; split it.")
    account: list[Row] = []
    for start in range(0, len(given), AT_ONCE):
        account += _take(incident, given[start : start + AT_ONCE], why=why, actor=actor, now=now)
    return account


def _take(incident: str, given: Sequence[tuple[int, str]], *, why: str, actor: str, now: datetime) -> list[Row]:
    reason = _reason(why)
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        if case is None:
            raise Missing()
        refs = [rules.read_reference(text) for _, text in given]
        dispatches.lock(deliveries.dispatches_of(refs))
        found = {ref: row for ref, row in deliveries.reported_on(refs).items() if _belongs(row, case)}
        batches = rows.posted_batches([row.id for row in found.values()])
        account: list[Row] = []
        taken: list[tuple[Delivery, LetterBatch]] = []
        seen: set[str] = set()
        for (number, _), ref in zip(given, refs, strict=True):
            verdict = Verdict.ALREADY if ref in seen else _verdict(ref, found.get(ref), batches)
            account.append(Row(number, ref, verdict))
            if verdict is Verdict.RETURNED:
                taken.append((found[ref], batches[found[ref].id]))
                seen.add(ref)
        _apply(case, taken, reason, ledger)
        if not ledger.lines:
            ledger.unchanged()
    return account


def _reason(why: str) -> Returned:
    try:
        return Returned(why)
    except ValueError:
        raise Invalid("why", "Choose why it came back.") from None


def _belongs(row: Delivery, case: Incident) -> bool:
    dispatch = dispatches.by_id(row.dispatch_id)
    return row.channel == CHANNEL and dispatch is not None and dispatch.incident_id == case.id


def _verdict(ref: str, row: Delivery | None, batches: dict[int, LetterBatch]) -> Verdict:
    if not ref:
        return Verdict.UNREADABLE
    if row is None:
        return Verdict.UNKNOWN
    if row.state == State.BOUNCED:
        return Verdict.ALREADY
    if row.id not in batches:
        return Verdict.NOT_POSTED
    then = delivery_rules.after(State(row.state), Happening.REPORTED_BACK)
    return Verdict.RETURNED if then is State.BOUNCED else Verdict.CONFIRMED


def _apply(case: Incident, taken: Iterable[tuple[Delivery, LetterBatch]], why: Returned, ledger: Ledger) -> None:
    by_dispatch: dict[int, Moves] = {}
    by_batch: dict[str, list[tuple[str, str]]] = {}
    taken = list(taken)
    steps = dispatches.steps_of([row.dispatch_id for row, _ in taken])
    for row, batch in taken:
        moved = by_dispatch.setdefault(row.dispatch_id, Counter())
        before, row.state = tallies.place(row), State.BOUNCED
        row.reason, row.settled_by, row.reported_at = f"returned_{why}", ledger.actor, ledger.now
        row.changed_at, row.due_at = ledger.now, None
        if row.current:
            moved[before] -= 1
            moved[tallies.place(row)] += 1
            row.climb_at = ladders.look_at(steps[row.dispatch_id], CHANNEL, State.BOUNCED, ledger.now)
        db.session.add(
            LetterReturn(
                incident_id=case.id, delivery_id=row.id, batch_id=batch.id, why=why, by=ledger.actor, at=ledger.now
            )
        )
        by_batch.setdefault(batch.ref, []).append((row.ref, row.state))
    db.session.flush()
    for ref, refs in by_batch.items():
        digest = delivery_rules.batch_digest(sorted(refs))
        ledger.write("letters.returned", ref, incident=case.ref, why=why.value, count=len(refs), digest=digest)
    for dispatch_id, moved in by_dispatch.items():
        tallies.count(dispatch_id, moved, ledger.now)
        _halt_if_too_many(dispatch_id, case, ledger)


def _halt_if_too_many(dispatch_id: int, case: Incident, ledger: Ledger) -> None:
    row = dispatches.by_id(dispatch_id)
    if row is None:
        return
    db.session.refresh(row)
    if row.course == Course.SENDING and (why := row.overrun):
        halt(row, why, ledger, case.ref)


def undo(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Take back that a letter came back: it counts as handed over again. Raises Missing."""
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        found: Any = rows.open_return(case.id, ref) if case else None
        if case is None or found is None:
            raise Missing()
        back, row = found
        dispatches.lock([row.dispatch_id])
        db.session.refresh(row)
        before = tallies.place(row)
        row.state = delivery_rules.after(before.state, Happening.RETURN_TAKEN_BACK)
        row.reason, row.settled_by, row.changed_at, row.climb_at = "posted", actor, now, None
        moved: Moves = Counter()
        if row.current:
            moved[before] -= 1
            moved[tallies.place(row)] += 1
            steps = dispatches.steps_of([row.dispatch_id])[row.dispatch_id]
            row.climb_at = ladders.look_at(steps, CHANNEL, State(row.state), now)
        else:
            take_back_repeats(row, moved, now)
        back.undone_by, back.undone_at = actor, now
        db.session.flush()
        tallies.count(row.dispatch_id, moved, now)
        batch = db.session.get(LetterBatch, back.batch_id)
        ledger.write("letters.return_undone", row.ref, incident=incident, batch=batch.ref if batch else "none")
