"""Decide on those whom a sending perhaps did not reach, one or many at once, and hand their care from one to another."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from incident.actions.climbing import onward
from incident.actions.deliveries import attempt_again, mark_sent
from incident.actions.ledger import Ledger, transaction
from incident.domain import access
from incident.domain import deliveries as rules
from incident.domain.deliveries import State
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import deliveries, dispatches, incidents, listings, members, users
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.listings import Wanted

AT_ONCE: Final = 1_000


class Verdict(StrEnum):
    """What a person decides on those who need one."""

    SENT = "sent"  # there is evidence that it went out
    AGAIN = "again"  # by the same channel
    NEXT = "next"  # by the next channel of the notice


OPEN_TO: Final = {
    State.IN_DOUBT: (Verdict.SENT, Verdict.AGAIN, Verdict.NEXT),
    State.FAILED: (Verdict.AGAIN, Verdict.NEXT),
    State.BOUNCED: (Verdict.AGAIN, Verdict.NEXT),
    State.UNREACHED: (Verdict.NEXT,),
    State.CANCELLED: (),
}
"""What can be decided in each state. Whoever was cancelled is told by a notice of their own."""


@dataclass(frozen=True)
class Chosen:
    """Whom a decision is about: these attempts, or all that fit, of one sending or of every sending of the incident."""

    wanted: Wanted
    sending: str = ""
    attempts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decided:
    """How many a decision settled, and how many it left as they were since no other channel reaches them."""

    settled: int
    left: int = 0


def decide(
    incident: str,
    chosen: Chosen,
    verdict: str,
    *,
    typed: str,
    reason: str,
    opened: Collection[str],
    actor: str,
    now: datetime,
) -> Decided:
    """Decide on up to `AT_ONCE` of the chosen, with the reason; `typed` is their number. Raises Missing, Refused, Invalid."""
    allowed = OPEN_TO.get(State(chosen.wanted.state), ())
    if verdict not in allowed:
        raise Invalid("verdict", "Choose what is to be done with them.")
    with transaction(actor, now) as ledger:
        case = _case(incident)
        held = _held(case, chosen)
        found = {row: rows for row in held if (rows := _rows(row, chosen, held))}
        count = sum(len(rows) for rows in found.values())
        _demand_number(typed, count)
        settled = sum(_settle(case, row, rows, Verdict(verdict), reason, opened, ledger) for row, rows in found.items())
    return Decided(settled, count - settled)


def _case(incident: str) -> Incident:
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    if case.state != "open":
        raise Refused("This incident is closed. Reopen it before anything is decided here.")
    return case


def _held(case: Incident, chosen: Chosen) -> list[Dispatch]:
    """The sendings that this is about, held against other writers. Rehearsals tell nobody, and are not decided on."""
    known = [row for row in dispatches.of_incident(case.id, limit=1_000) if not row.simulated]
    if chosen.sending and chosen.sending not in {row.ref for row in known}:
        raise Missing()
    wanted = {row.id for row in known if row.ref == chosen.sending or not chosen.sending}
    if chosen.attempts:
        wanted &= set(deliveries.dispatches_of(chosen.attempts))
    dispatches.lock(sorted(wanted))
    return [db.session.get_one(Dispatch, id_, populate_existing=True) for id_ in sorted(wanted)]


def _rows(row: Dispatch, chosen: Chosen, held: Sequence[Dispatch]) -> list[Delivery]:
    """Those of this sending, in the order they were made; of all sendings together no more than can be settled at once."""
    if chosen.attempts:
        ours = deliveries.reported_on(chosen.attempts).values()
        return [one for one in ours if one.dispatch_id == row.id and one.current and one.state == chosen.wanted.state]
    found: list[Delivery] = []
    before = sum(_count(other, chosen.wanted) for other in held if other.id < row.id)
    for one in listings.each(row.id, chosen.wanted, at_once=AT_ONCE):
        if before + len(found) >= AT_ONCE:
            break
        found.append(one)
    return found


def _count(row: Dispatch, wanted: Wanted) -> int:
    return listings.count(row.id, wanted, most=AT_ONCE)


def _demand_number(typed: str, count: int) -> None:
    if not count:
        raise Refused("Nobody is here any more: reports or somebody else have settled them.")
    digits = "".join(letter for letter in typed if letter not in " ,.'’")
    if digits != str(count):
        raise Invalid("typed", f"Type how many this is about: {count:,}. If it changed meanwhile, look again first.")


def _settle(
    case: Incident,
    row: Dispatch,
    rows: Sequence[Delivery],
    verdict: Verdict,
    reason: str,
    opened: Collection[str],
    ledger: Ledger,
) -> int:
    state = State(rows[0].state)
    settled = [one.ref for one in rows]
    match verdict:
        case Verdict.SENT:
            mark_sent(case, rows, reason, ledger)
        case Verdict.AGAIN:
            for one in rows:
                rules.demand_repeatable(State(one.state), one.attempt, current=one.current)
            attempt_again(case, rows, reason, ledger)
        case Verdict.NEXT:
            moved = onward(case, row, rows, reason, opened, ledger)
            settled = [ref for ref in settled if ref in moved]
    digest = rules.batch_digest([(ref, state.value) for ref in settled])
    about: dict[str, Any] = {"incident": case.ref, "verdict": verdict.value, "count": len(settled), "digest": digest}
    if state is State.IN_DOUBT:
        ledger.write("deliveries.doubts_settled", row.ref, **about)
    else:
        ledger.write("deliveries.decided", row.ref, state=state.value, **about)
    return len(settled)


# Care -----------------------------------------------------------------------------------------------------------------


def hand_over(incident: str, chosen: Chosen, to: str, *, typed: str, actor: str, now: datetime) -> int:
    """Put all the chosen into somebody's care; how many. `typed` is that number. Raises Missing, Refused, Invalid."""
    if chosen.wanted.state not in rules.NEEDS_OWNER:
        raise Invalid("state", "Choose one of: " + ", ".join(rules.WORDS[word] for word in rules.NEEDS_OWNER) + ".")
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        if case is None:
            raise Missing()
        _demand_may_care(case, to)
        held = _held(case, replace(chosen, attempts=()))
        counts = {row: listings.count(row.id, chosen.wanted) for row in held}
        _demand_number(typed, sum(counts.values()))
        for row, count in counts.items():
            if not count:
                continue
            listings.give(row.id, chosen.wanted, to, now)
            state = chosen.wanted.state
            ledger.write("deliveries.handed_over_care", row.ref, incident=incident, state=state, count=count, owner=to)
    return sum(counts.values())


def _demand_may_care(case: Incident, to: str) -> None:
    user = users.by_refs([to]).get(to)
    is_member = user is not None and members.has(case.id, user.id)
    if (
        user is None
        or not user.active
        or not access.may("delivery.care", user.roles)
        or not access.visible(restricted=case.restricted, roles=user.roles, is_member=is_member)
    ):
        raise Invalid("to", "Choose a colleague who may see this incident and work on it.")
