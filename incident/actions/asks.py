"""Ask the organisation's own systems to do something for people's accounts, hand it over, and take in what became of it.

Handed over as events of webhooks are: signed, with an id by which a repeat is known, so at least once and never in doubt.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final, NamedTuple

from incident.actions.batches import SEALED_PEOPLE, opened
from incident.actions.handovers import answer_of
from incident.actions.ledger import Ledger, instant, transaction
from incident.actions.webhooks import Sender, new_message_ref, secrets_of, to
from incident.domain import asks as rules
from incident.domain import incidents as incident_rules
from incident.domain import webhooks as webhook_rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import HELD, State, again_at
from incident.domain.people import Audience
from incident.store import asks as rows
from incident.store import audiences, dispatches, handovers, incidents, people, plans, webhooks
from incident.store.asks import BATCHES, AskBatch, SystemAsk
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.sealed import Erased, sealer
from incident.store.webhooks import WebhookEndpoint
from notifiers.contract import Answer, Callback, Door, Forged, Message, Outcome

ACTOR: Final = "system"
PATH: Final = "/hooks/asks"
Clock = Callable[[], datetime]


class Wanted(NamedTuple):
    """What is to be asked: of which endpoint, what, within how many hours, for whom, and for which step of the plan."""

    endpoint: str
    kind: str
    hours: Any
    audience: Audience = Audience()
    step: str = ""


def ask(incident: str, wanted: Wanted, *, actor: str, now: datetime) -> str:
    """Ask a system, of all people of the audience who have a reference that may be sent; the ask's reference.

    In a drill nothing leaves: the batches are made and stand as simulated. Raises Invalid, Refused, Missing.
    """
    kind, hours = rules.kind(wanted.kind), rules.hours(wanted.hours)
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    parts, left_out = _parts(case.id, wanted.audience)
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        if case is None:
            raise Missing()
        incident_rules.must_be_open(case.state)
        simulated = case.kind == "drill"
        endpoint = None if simulated and not wanted.endpoint else _endpoint(case, wanted.endpoint)
        if wanted.step and plans.step(case.id, wanted.step) is None:
            raise Invalid("step", "Choose a step of this incident's plan.")
        if not parts:
            raise Refused("Nobody in this audience has a reference of yours that may be sent: bring it with the list.")
        row = SystemAsk(ref=new_ref("AK"), incident_id=case.id, endpoint_id=endpoint.id if endpoint else None)
        row.kind, row.step, row.audience = kind, wanted.step, wanted.audience.to_json()
        row.accounts, row.left_out, row.batches = sum(size for *_, size in parts), left_out, len(parts)
        row.simulated, row.due_at, row.made_at, row.made_by = simulated, now + timedelta(hours=hours), now, actor
        row.ended_at = now if simulated else None
        db.session.add(row)
        db.session.flush()
        state = State.SIMULATED if simulated else State.WAITING
        for number, (first, last, size) in enumerate(parts, start=1):
            part = AskBatch(ref=new_message_ref(), ask_id=row.id, number=number, first=first, last=last, size=size)
            part.state, part.next_at, part.changed_at = state.value, now, now
            db.session.add(part)
        ledger.write(
            "ask.asked", row.ref, incident=incident, kind=kind.value, accounts=row.accounts, left_out=left_out,
            endpoint=endpoint.ref if endpoint else "none", simulated=simulated, **({"step": wanted.step} if wanted.step else {}),
        )  # fmt: skip
    return row.ref


def endpoints(case: Incident) -> list[WebhookEndpoint]:
    """The endpoints that may be asked in this incident."""
    return [row for row in webhooks.endpoints() if _may_be_asked(row, case)]


def _may_be_asked(row: WebhookEndpoint, case: Incident) -> bool:
    return row.off_at is None and rules.takes(row.types) and (row.hears_restricted or not case.restricted)


def _endpoint(case: Incident, ref: str) -> WebhookEndpoint:
    row = webhooks.endpoint(ref)
    if row is None or not _may_be_asked(row, case):
        raise Invalid(
            "endpoint", "Choose a system. An administrator sets it up as an endpoint of webhooks with the type ask.*"
        )
    return row


def _parts(incident_id: int, audience: Audience) -> tuple[list[tuple[int, int, int]], int]:
    """The people by batches: first and last number, and how many of them have an account; and how many have none."""
    parts, numbers, left_out = list[tuple[int, int, int]](), list[int](), 0
    for batch in audiences.batches(incident_id, audience):
        known = dict(_accounts(incident_id, [id_ for id_, _ in batch]))
        left_out += len(batch) - len(known)
        numbers += [number for _, number in batch if number in known]
        while len(numbers) >= rules.AT_ONCE:
            some, numbers = numbers[: rules.AT_ONCE], numbers[rules.AT_ONCE :]
            parts.append((some[0], some[-1], len(some)))
    if numbers:
        parts.append((numbers[0], numbers[-1], len(numbers)))
    db.session.rollback()
    return parts, left_out


def _accounts(incident_id: int, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Number and account of those of these people who have one that may be sent."""
    key = sealer(incident_id)
    found = list(people.by_ids(incident_id, ids, only_listed=True))
    texts = key.opened(SEALED_PEOPLE, [(f"{row[1]}:{row[2]}", bytes(row[3])) for row in found])
    for row, text in zip(found, texts, strict=True):
        if account := rules.account(opened(text)):
            yield row[1], account


# Hand over --------------------------------------------------------------------------------------------------------------


def due(now: datetime) -> list[str]:
    """Ids of batches to hand over, and of those whose worker died; only the latter while sending is frozen."""
    return rows.due(now, only_lost=dispatches.frozen())


def do(ref: str, sender: Sender, *, site: str, clock: Clock, lease: timedelta) -> None:
    """Hand one batch over: safe to repeat, to kill, and to run twice at once."""
    handovers.give_back(BATCHES, ref, clock(), begun=True)
    if dispatches.frozen():
        return
    fence = handovers.claim(BATCHES, ref, lease=lease, now=clock())
    if fence is None:
        return
    message = _message(ref, site, clock())
    if isinstance(message, str):
        _settle(ref, fence, Answer(ref, Outcome.REFUSED, reason=message), clock())
    elif handovers.begin_call(BATCHES, ref, fence, lease=lease, now=clock()):
        _settle(ref, fence, answer_of(sender, message, kind="ask"), clock())


def _message(ref: str, site: str, now: datetime) -> Message | str:
    """The batch in words; why it can go no more where it cannot."""
    part = rows.batch(ref)
    row = db.session.get(SystemAsk, part.ask_id) if part else None
    case = db.session.get(Incident, row.incident_id) if row else None
    if part is None or row is None or case is None or row.simulated:
        return "not_asked"
    endpoint = _still(row)
    if endpoint is None:
        return "removed"
    try:
        accounts = _of(part, row)
    except Erased:
        return "erased"
    if not accounts:
        return "nobody_left"
    text = rules.body(
        row.kind, ask=row.ref, incident=case.ref, batch=part.number, batches=row.batches, due_at=instant(row.due_at),
        answer_to=site + PATH, accounts=accounts, at=instant(now),
    )  # fmt: skip
    return Message(ref, to(endpoint, now), text)


def _of(part: AskBatch, row: SystemAsk) -> list[str]:
    """The accounts of a batch as the records say now; whoever was erased or taken off meanwhile is not among them."""
    audience = Audience.from_json(row.audience)
    found, after = list[str](), part.first - 1
    while batch := [
        one for one in audiences.members(row.incident_id, audience, after=after, limit=2_000) if one[1] <= part.last
    ]:
        found += [account for _, account in _accounts(row.incident_id, [id_ for id_, _ in batch])]
        after = batch[-1][1]
    return found


def _still(row: SystemAsk) -> WebhookEndpoint | None:
    found = db.session.get(WebhookEndpoint, row.endpoint_id) if row.endpoint_id else None
    return found if found is not None and found.removed_at is None and found.off_at is None else None


def _settle(ref: str, fence: int, answer: Answer, now: datetime) -> None:
    with transaction(ACTOR, now) as ledger:
        part = rows.batch(ref, locked=True)
        row = rows_of(part)
        if part is None or row is None or part.fence != fence or part.state not in HELD:
            ledger.unchanged()
            return
        again = _again(part, answer, now)
        accepted = answer.outcome is Outcome.ACCEPTED
        part.state = State.WAITING if again else State.ACCEPTED if accepted else State.FAILED
        part.reason, part.code, part.changed_at = answer.reason[:40], answer.code[:20], now
        part.next_at, part.lease_until = again or part.next_at, None
        told = {"state": State(part.state).value, "reason": part.reason, "code": part.code, "tries": part.tries}
        ledger.write("ask.settled", row.ref, incident=_incident_ref(row), batch=part.number, **told)


def rows_of(part: AskBatch | None) -> SystemAsk | None:
    """The ask that a batch belongs to."""
    return db.session.get(SystemAsk, part.ask_id) if part is not None else None


def _again(part: AskBatch, answer: Answer, now: datetime) -> datetime | None:
    if answer.outcome not in {Outcome.LATER, Outcome.UNKNOWN}:
        return None
    waits = webhook_rules.spread(webhook_rules.RETRIES, SystemRandom().random())
    return again_at(waits, part.tries, now, answer.wait)


def again(incident: str, ref: str, *, actor: str, now: datetime) -> int:
    """Hand over once more what the system did not take; how many batches. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        row = _one(incident, ref)
        found = [part for part in rows.batches(row.id, limit=100_000) if part.state == State.FAILED]
        if not found:
            raise Refused("Nothing of it was refused.")
        for part in found:
            part.state, part.reason, part.tries, part.next_at, part.changed_at = State.WAITING, "", 0, now, now
        ledger.write("ask.repeated", row.ref, incident=incident, batches=len(found))
    return len(found)


# What became of it ------------------------------------------------------------------------------------------------------


def tell(incident: str, ref: str, number: int, done: Any, failed: Any, *, actor: str, now: datetime) -> None:
    """Say how many accounts of a batch were done, and how many failed. A later word takes the place of an earlier one.

    Raises Invalid, Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        _told(_one(incident, ref), number, done, failed, ledger)


def answered(call: Callback, door: Callable[[str], Door], *, now: datetime) -> None:
    """Take in the answer of a system, signed by the secret of its endpoint. Raises Forged, Invalid, Refused."""
    said = rules.answer(call.body)
    row = rows.by_ref(said[0])
    endpoint = db.session.get(WebhookEndpoint, row.endpoint_id) if row is not None and row.endpoint_id else None
    if row is None or endpoint is None or endpoint.removed_at is not None:
        raise Forged("no ask of this reference waits for an answer")
    _demand_signed(call, [door(secret) for secret in secrets_of(endpoint, now)], now)
    with transaction(ACTOR, now) as ledger:
        found = rows.by_ref(said[0], locked=True)
        if found is None:
            raise Missing()
        _told(found, *said[1:], ledger)


def _demand_signed(call: Callback, doors: Sequence[Door], now: datetime) -> None:
    """Raises Forged unless one of these doors opens for the call."""
    refused = Forged("the endpoint has no secret")
    for one in doors:
        try:
            one.opened(call, now)
        except Forged as why:
            refused = why
        else:
            return
    raise refused


def _told(row: SystemAsk, number: int, done: Any, failed: Any, ledger: Ledger) -> None:
    part = rows.numbered(row.id, number, locked=True)
    if part is None:
        raise Invalid("batch", "There is no such batch.")
    rules.demand_told(part.state)
    said = rules.outcome(done, failed, part.size)
    if said == (part.done, part.failed):
        ledger.unchanged()
        return
    part.done, part.failed = said
    part.told_at, part.told_by, part.changed_at = ledger.now, ledger.actor, ledger.now
    if part.state in {State.CALLING, State.FAILED}:  # whoever did it has it, whatever became of the answer
        part.state = State.ACCEPTED
    db.session.flush()
    stands = rows.standings([row])[row.id]
    row.ended_at = None if stands.left else ledger.now
    counts = {"batch": number, "done": said[0], "failed": said[1], "left": stands.left}
    ledger.write("ask.told", row.ref, incident=_incident_ref(row), **counts)


def _incident_ref(row: SystemAsk) -> str:
    case = db.session.get(Incident, row.incident_id)
    return case.ref if case else "none"


def _one(incident: str, ref: str) -> SystemAsk:
    case = incidents.by_ref(incident)
    row = rows.by_ref(ref, locked=True)
    if case is None or row is None or row.incident_id != case.id:
        raise Missing()
    return row
