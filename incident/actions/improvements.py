"""What is done after an incident: ask for it, give it to somebody, move its day, finish it with what shows it, drop it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from incident.actions.ledger import minute, transaction
from incident.actions.plans import able
from incident.domain import improvements as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.stale import demand_seen
from incident.domain.texts import storable
from incident.store import improvements as rows
from incident.store import incidents, sealed, users
from incident.store.db import db, new_ref
from incident.store.improvements import Improvement, ImprovementEvent
from incident.store.incidents import Incident
from incident.store.users import User

Change = Callable[[Improvement], Mapping[str, Any]]


def add(incident: str, text: str, *, owner: str, due_at: datetime | None, actor: str, now: datetime) -> str:
    """Ask for something to be done by somebody until a time; its reference. Raises Invalid, Refused, Missing."""
    words, by = rules.text(text), rules.due(due_at, now)
    with transaction(actor, now) as ledger:
        case = there(incident)
        person = doer("owner", owner, case)
        row = Improvement(ref=new_ref("IM"), incident_id=case.id, text=words, owner_id=person.id, due_at=by)
        row.state, row.made_at, row.made_by = rules.State.OPEN.value, now, actor
        db.session.add(row)
        ledger.write("improvement.added", row.ref, incident=case.ref, due=minute(by), owner=person.ref)
    return row.ref


def finish(incident: str, ref: str, *, note: str, evidence: Sequence[str] = (), actor: str, now: datetime) -> None:
    """Say that it is done, with what shows it. Raises Invalid, Refused, Missing."""

    def change(row: Improvement) -> dict[str, Any]:
        known = {piece.ref for piece in incidents.evidence(row.incident_id)} if evidence else set()
        if any(piece not in known for piece in evidence):
            raise Invalid("evidence", "Choose among the evidence of this incident.")
        row.state, row.ended_at = rules.finished(row.state, note=note, evidence=evidence).value, now
        return {"evidence": sorted(evidence)}

    _do(incident, ref, "finished", change, text=note, evidence=evidence, actor=actor, now=now)


def drop(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """Decide not to do it, with a reason. Raises Invalid, Refused, Missing."""

    def change(row: Improvement) -> dict[str, Any]:
        row.state, row.ended_at = rules.dropped(row.state, reason=reason).value, now
        return {}

    _do(incident, ref, "dropped", change, text=reason, actor=actor, now=now)


def reopen(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """Take it up again, with a reason. Raises Invalid, Refused, Missing."""

    def change(row: Improvement) -> dict[str, Any]:
        row.state, row.ended_at = rules.reopened(row.state, reason=reason).value, None
        return {}

    _do(incident, ref, "reopened", change, text=reason, actor=actor, now=now)


def move(
    incident: str,
    ref: str,
    *,
    due_at: datetime | None,
    reason: str,
    actor: str,
    now: datetime,
    seen: str | None = None,
) -> None:
    """Give it another day, with a reason; `seen` is the mark of the day that it had. Raises Invalid, Refused, Missing."""

    def change(row: Improvement) -> dict[str, Any]:
        before, after = row.due_at, rules.moved(row.state, to=due_at, reason=reason, now=now)
        demand_seen(seen, before.isoformat(), versions={"Due": (minute(before), minute(after))})
        row.due_at = after
        return {"before": minute(before), "due": minute(row.due_at)}

    _do(incident, ref, "moved", change, text=reason, due_at=due_at, actor=actor, now=now)


def hand_over(incident: str, ref: str, *, to: str, actor: str, now: datetime, seen: str | None = None) -> None:
    """Give it to somebody who may work on the incident; `seen` is the mark of who had it. Raises Invalid, Refused, Missing."""

    def change(row: Improvement) -> dict[str, Any]:
        rules.handed_over(row.state)
        person = doer("to", to, there(incident))
        demand_with(seen, row.owner_id, person)
        row.owner_id = person.id
        return {"to": person.ref}

    _do(incident, ref, "handed_over", change, handed_to=to, actor=actor, now=now)


def demand_with(seen: str | None, owner_id: int | None, to: User) -> None:
    """Raises Stale where somebody else was given it since the page with this mark was made."""
    if owner_id != to.id:
        before = users.names([owner_id]).get(owner_id, "nobody")
        demand_seen(seen, owner_id, versions={"With": (before, to.name)})


def doer(field: str, ref: str, incident: Incident) -> User:
    """Somebody who may work on the incident. Raises Invalid."""
    found = next((user for user in able(incident.id) if user.ref == ref), None)
    if found is None:
        raise Invalid(field, "Choose somebody who may work on this incident.")
    return found


def there(ref: str) -> Incident:
    """The incident, open or closed, as long as words of it can be kept. Raises Missing, Refused."""
    found = incidents.by_ref(ref)
    if found is None:
        raise Missing()
    if sealed.is_erased(found.id):
        raise Refused("This incident was erased; nothing can be added to it any more.")
    return found


def _do(
    incident: str,
    ref: str,
    did: str,
    change: Change,
    *,
    text: str = "",
    evidence: Sequence[str] = (),
    handed_to: str = "",
    due_at: datetime | None = None,
    actor: str,
    now: datetime,
) -> None:
    """Change one, keep what was said, and leave a line."""
    with transaction(actor, now) as ledger:
        case = there(incident)
        row = rows.by_ref(case.id, ref, locked=True)
        if row is None:
            raise Missing()
        before = row.state
        details = change(row)
        event = ImprovementEvent(improvement_id=row.id, did=did, text=storable(text), evidence=list(evidence))
        event.handed_to, event.due_at, event.done_at, event.done_by = handed_to, due_at, now, actor
        db.session.add(event)
        ledger.write(f"improvement.{did}", row.ref, incident=case.ref, state=row.state, was=before, **details)
