"""How long data is kept: set the rules, see what goes when, and let it go. A legal hold stops all of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from incident.actions import destroying, erasing, tip_triage
from incident.actions.ledger import transaction
from incident.domain import erasures as words
from incident.domain import retention as rules
from incident.domain.errors import Missing, Refused
from incident.domain.retention import RULES, Going
from incident.domain.stale import demand_seen
from incident.store import erasures, incidents, retention
from incident.store.db import db, new_ref
from incident.store.erasures import LegalHold, RetentionRule
from incident.store.incidents import Incident

SYSTEM = "system"


def days_now() -> dict[str, int | None]:
    """How many days each rule says, as it was set or as the program has it; None is for ever."""
    known = erasures.rules()
    return {name: known[name].days if name in known else rule.days for name, rule in RULES.items()}


def change(wanted: Mapping[str, str | int | None], *, actor: str, now: datetime, seen: str | None = None) -> list[str]:
    """Set rules of retention; the names of those that changed. What is due by them then goes within the hour. Raises Invalid."""
    meant = {name: rules.days(wanted[name]) for name in RULES if name in wanted}
    with transaction(actor, now) as ledger:
        before = days_now()
        changed = [name for name, days in meant.items() if days != before[name]]
        if not changed:
            ledger.unchanged()
            return []
        versions = {RULES[name].about: (_in_words(before[name]), _in_words(meant[name])) for name in changed}
        demand_seen(seen, before, versions=versions)
        for name in changed:
            row = db.session.get(RetentionRule, name) or RetentionRule(name=name)
            row.days, row.changed_by, row.changed_at = meant[name], actor, now
            db.session.add(row)
            ledger.write("retention.changed", name, before=before[name], after=meant[name])
    return changed


def _in_words(days: int | None) -> str:
    return "kept" if days is None else f"{days} days"


def going(
    of: Select[Any] | None = None, *, days: Mapping[str, int | None] | None = None, limit: int = 200
) -> list[Going]:
    """What the rules will take, soonest first; of these incidents (a query of ids), by these days or by those that hold."""
    found = [
        one
        for name, number in (days or days_now()).items()
        if number is not None
        for one in retention.ended(name, number, of=of, limit=limit)
    ]
    return sorted(found, key=lambda one: (one.goes_at, one.ref))[:limit]


def only(incident_id: int) -> Select[Any]:
    """One incident, as a query of ids."""
    return select(Incident.id).where(Incident.id == incident_id)


def due(now: datetime) -> list[str]:
    """What goes now, as references of work: the rule, a colon, the thing."""
    return [f"{one.rule}:{one.ref}" for one in going(limit=5_000) if one.is_due(now)]


def do(reference: str, now: datetime, folder: Path) -> None:
    """Let one thing go, if it is still due: a hold may have come, an incident may have been reopened."""
    rule, _, ref = reference.partition(":")
    if reference not in due(now):
        return
    if rule in {"incident", "drill"}:
        erasing.erase_incident(ref, confirm=ref, folder=folder, actor=SYSTEM, now=now, why="retention")
    elif rule == "tip":
        tip_triage.forget(ref, folder=folder, actor=SYSTEM, now=now)
    else:
        _take_files(rule, ref, folder, now)


def _take_files(rule: str, ref: str, folder: Path, now: datetime) -> None:
    with transaction(SYSTEM, now) as ledger:
        row = retention.files_of(rule, ref)
        incident = db.session.get(Incident, row.incident_id) if row is not None else None
        if row is None or incident is None or erasures.hold(incident.id) is not None:
            ledger.unchanged()
            return
        names = list(destroying.forget_lists([row]) if rule == "list" else destroying.forget_letters([row]))
        ledger.write("files.expired", ref, incident=incident.ref, files=len(names), rule=rule)
    destroying.Destroyed(files=names).take_away(folder)


def place_hold(ref: str, reason: str, *, actor: str, now: datetime) -> str:
    """Stop all erasing of an incident; the hold's reference. Raises Invalid, Refused where one stands already, Missing."""
    why = words.hold_reason("reason", reason)
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        if erasures.hold(incident.id) is not None:
            raise Refused("A legal hold stands over this incident already.")
        hold = LegalHold(ref=new_ref("H"), incident_id=incident.id, reason=why, placed_by=actor, placed_at=now)
        db.session.add(hold)
        ledger.write("hold.placed", hold.ref, incident=ref)
    return hold.ref


def lift_hold(ref: str, reason: str, *, actor: str, now: datetime) -> None:
    """Let erasing go on. Raises Invalid, Refused where no hold stands, Missing."""
    why = words.hold_reason("lifted_why", reason)
    with transaction(actor, now) as ledger:
        hold = erasures.hold(_incident(ref).id)
        if hold is None:
            raise Refused("No legal hold stands over this incident.")
        hold.lifted_why, hold.lifted_by, hold.lifted_at = why, actor, now
        ledger.write("hold.lifted", hold.ref, incident=ref)


def holds(ref: str) -> Sequence[LegalHold]:
    """Every hold that was placed on an incident, newest first. Raises Missing."""
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return erasures.holds(incident.id)


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref, locked=True)
    if incident is None:
        raise Missing
    return incident
