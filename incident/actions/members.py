"""Who is on an incident, and whether others know of it."""

from datetime import datetime

from incident.actions.ledger import transaction
from incident.domain.access import PERMITS, Role, may
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import incidents, members, users
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.users import User


def add(incident_ref: str, user_ref: str, *, actor: str, now: datetime) -> None:
    """Put a person on the incident. Raises Missing, Invalid; one who is on it already stays."""
    with transaction(actor, now) as ledger:
        incident, user = _incident(incident_ref), _person(user_ref)
        if not members.add(incident.id, user.id, actor=actor, now=now):
            ledger.unchanged()
            return
        ledger.write("member.added", user_ref, incident=incident_ref)


def let_in(incident_ref: str, user_ref: str, *, actor: str, now: datetime) -> None:
    """Put a person on an incident that the administrator may not see, by its reference. It shows on the incident.

    Raises Invalid naming the field, the same for an incident that is not there.
    """
    if user_ref == actor:
        raise Refused("Nobody lets themselves in. Ask another administrator, or somebody on the incident.")
    try:
        add(incident_ref.strip().upper(), user_ref, actor=actor, now=now)
    except Missing:
        raise Invalid("incident", "There is no incident with this reference.") from None


def remove(incident_ref: str, user_ref: str, *, actor: str, now: datetime) -> None:
    """Take a person off the incident. Raises Missing, and Refused where a restricted one would be left to nobody."""
    with transaction(actor, now) as ledger:
        incident = _incident(incident_ref)
        user = users.by_ref(user_ref)
        row = members.one(incident.id, user.id) if user is not None else None
        if row is None:
            raise Missing()
        if incident.restricted and not _leads(incident, but=user_ref):
            raise Refused("Somebody who may restrict and open this incident must stay on it. Add another lead first.")
        db.session.delete(row)
        ledger.write("member.removed", user_ref, incident=incident_ref)


def restrict(incident_ref: str, *, actor: str, now: datetime) -> None:
    """Hide the incident from all but its members and auditors; whoever does it, and its lead, become members."""
    with transaction(actor, now) as ledger:
        incident = _incident(incident_ref)
        if incident.restricted:
            ledger.unchanged()
            return
        for user in _first_members(incident, actor):
            if members.add(incident.id, user.id, actor=actor, now=now):
                ledger.write("member.added", user.ref, incident=incident_ref)
        incident.restricted = True
        db.session.flush()
        ledger.write("incident.restricted", incident_ref, incident=incident_ref, members=members.count(incident.id))


def unrestrict(incident_ref: str, *, actor: str, now: datetime) -> None:
    """Show the incident to everybody whose role sees incidents."""
    with transaction(actor, now) as ledger:
        incident = _incident(incident_ref)
        if not incident.restricted:
            ledger.unchanged()
            return
        incident.restricted = False
        ledger.write("incident.unrestricted", incident_ref, incident=incident_ref)


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return incident


def _person(ref: str) -> User:
    user = users.by_ref(ref)
    if user is None or not user.active:
        raise Invalid("person", "Choose somebody who works here.")
    if not may("incident.view", user.roles):
        raise Invalid("person", "This person's role sees no incidents. An administrator can give them another role.")
    if Role.AUDITOR in user.roles:
        raise Invalid("person", "An auditor sees every incident already.")
    return user


def can_join(user: User) -> bool:
    """Whether this person can be put on an incident: active, sees incidents, and does not see all of them anyway."""
    return user.active and may("incident.view", user.roles) and Role.AUDITOR not in user.roles


def _leads(incident: Incident, *, but: str) -> bool:
    others = [row.user for row in members.of(incident.id) if row.user.ref != but and row.until is None]
    return any(user.active and not PERMITS["incident.restrict"].isdisjoint(user.roles) for user in others)


def _first_members(incident: Incident, actor: str) -> list[User]:
    first = [users.by_ref(actor), db.session.get(User, incident.lead_id) if incident.lead_id else None]
    return [user for user in first if user is not None and user.active]
