"""The members of batches, found again: what it takes to show one delivery in the lines about many.

A batch's line holds a root alone. Nothing is kept for each person: who was in it is told by the claim, by the moment and by
the numbers of the rows, and the root says whether that was right.
"""

from collections.abc import Collection, Sequence
from json import loads
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from incident.domain.deliveries import State
from incident.store.audit import AuditLine
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.deliveries import AT_ONCE, Delivery, parts
from incident.store.dispatches import Dispatch
from incident.store.provider_events import ProviderEvent

AROUND: Final = 5_000
"""How far, by their numbers, the rows lie apart that were made in one transaction."""


class Member(NamedTuple):
    """A row of a batch: its number, its reference, the person, and how it stands now."""

    id: int
    ref: str
    person: int
    state: str


_MEMBER: Final = (Delivery.id, Delivery.ref, Delivery.person_number, Delivery.state)


def deliveries_of(incident_id: int, person_id: int) -> Sequence[tuple[Delivery, Dispatch]]:
    """Every attempt to tell this person something, with its sending, oldest first, rehearsals included."""
    versions = select(Dispatch.notice_version_id).where(Dispatch.incident_id == incident_id)
    query = select(Delivery, Dispatch).join(Dispatch, Dispatch.id == Delivery.dispatch_id)
    mine = query.where(Delivery.notice_version_id.in_(versions), Delivery.person_id == person_id)
    return [(row, sending) for row, sending in db.session.execute(mine.order_by(Delivery.id))]


def lines(incident: str, subject: str, verbs: Collection[str], at: Collection[str] = ()) -> Sequence[AuditLine]:
    """Lines about a subject of an incident, oldest first; only those written at these moments, if any are given."""
    query = select(AuditLine).where(
        AuditLine.incident == incident, AuditLine.subject == subject, AuditLine.verb.in_(verbs)
    )
    if at:
        query = query.where(AuditLine.at.in_(at))
    return db.session.scalars(query.order_by(AuditLine.seq)).all()


def of_claim(incident: str, subject: str, verb: str, fence: int) -> AuditLine | None:
    """The line with this verb about the batch of a claim."""
    query = select(AuditLine).where(
        AuditLine.incident == incident,
        AuditLine.subject == subject,
        AuditLine.verb == verb,
        AuditLine.details.contains(f'"claim":{fence:d},', autoescape=True),
    )
    return db.session.scalars(query.order_by(AuditLine.seq).limit(1)).first()


def listed_with(row: Delivery, first: int, last: int) -> list[Member]:
    """Everybody who was put on the list with this row: the people from the first to the last number, in their order."""
    query = select(*_MEMBER).where(
        Delivery.dispatch_id == row.dispatch_id,
        Delivery.id.between(row.id - AROUND, row.id + AROUND),
        Delivery.person_number.between(first, last),
        Delivery.made_at == row.made_at,
        Delivery.came_from == row.came_from,
    )
    return [Member(*found) for found in db.session.execute(query.order_by(Delivery.id))]


def made_after(row: Delivery) -> list[tuple[str, str]]:
    """Every attempt made in the same moment as this one as the next channel of an earlier one: its reference and that one's."""
    query = select(Delivery).where(
        Delivery.dispatch_id == row.dispatch_id,
        Delivery.id.between(row.id - AROUND, row.id + AROUND),
        Delivery.made_at == row.made_at,
        Delivery.came_from != "",
    )
    fresh = db.session.scalars(query.order_by(Delivery.id)).all()
    before: dict[int, list[Delivery]] = {}
    for part in parts([one.person_id for one in fresh]):
        earlier = select(Delivery).where(
            Delivery.notice_version_id == row.notice_version_id,
            Delivery.dispatch_id == row.dispatch_id,
            Delivery.person_id.in_(part),
        )
        for one in db.session.scalars(earlier.order_by(Delivery.id)):
            before.setdefault(one.person_id, []).append(one)
    pairs = [(one.ref, [old.ref for old in before[one.person_id] if old.id < one.id]) for one in fresh]
    return [(ref, old[-1]) for ref, old in pairs if old]


def claim(fence: int) -> DeliveryClaim | None:
    """The claim with this number."""
    return db.session.get(DeliveryClaim, fence)


def members(held: DeliveryClaim) -> list[Member]:
    """The rows of a claim in the order of their numbers; none for a claim made before that was kept.

    Whoever waits again by now and is not known to have been answered was put off before the batch was handed over.
    """
    if held.first_id is None or held.last_id is None:
        return []
    mine = select(*_MEMBER).where(
        Delivery.dispatch_id == held.dispatch_id,
        Delivery.id.between(held.first_id, held.last_id),
        Delivery.claim_id == held.id,
        Delivery.state != State.WAITING,
    )
    found = {member.ref: member for member in map(Member._make, db.session.execute(mine))}
    missing = [ref for ref in _apart(held) if ref not in found]
    for start in range(0, len(missing), AT_ONCE):
        others = select(*_MEMBER).where(Delivery.ref.in_(missing[start : start + AT_ONCE]))
        found |= {member.ref: member for member in map(Member._make, db.session.execute(others))}
    return sorted(found.values())


def states(held: DeliveryClaim, counted: dict[str, int]) -> list[tuple[str, str]]:
    """What each row of a claim came to by its answer, in the order of references; `counted` is what its line counts."""
    apart = _apart(held)
    usual = sorted(set(counted) - set(apart.values()))
    return sorted((member.ref, apart.get(member.ref, usual[0] if usual else "")) for member in members(held))


def _apart(held: DeliveryClaim) -> dict[str, str]:
    """State by reference of those who came to another state than most of their batch."""
    kept: dict[str, list[str]] = loads(held.apart) if held.apart else {}
    return {ref: state for state, refs in kept.items() for ref in refs}


def post_of(event: ProviderEvent, dispatch_id: int) -> dict[str, list[ProviderEvent]]:
    """The deliveries of a sending that the post of this report spoke of, each with all reports up to and in that post."""
    near = select(ProviderEvent.delivery_id).where(
        ProviderEvent.id.between(event.id - AROUND, event.id + AROUND),
        ProviderEvent.provider == event.provider,
        ProviderEvent.received_at == event.received_at,
    )
    ids = sorted({found for found in db.session.scalars(near) if found is not None})
    heard: dict[str, list[ProviderEvent]] = {}
    for part in parts(ids):
        query = select(ProviderEvent, Delivery.ref).join(Delivery, Delivery.id == ProviderEvent.delivery_id)
        query = query.where(
            ProviderEvent.delivery_id.in_(part),
            Delivery.dispatch_id == dispatch_id,
            ProviderEvent.received_at <= event.received_at,
        )
        for one, ref in db.session.execute(query.order_by(ProviderEvent.id)):
            heard.setdefault(ref, []).append(one)
    return heard


def details(line: AuditLine) -> dict[str, Any]:
    """What a line says further."""
    found: dict[str, Any] = loads(line.details)
    return found
