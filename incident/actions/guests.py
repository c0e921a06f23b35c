"""Invite a guest to one incident, change what they see and until when. They sign in as everybody does, with both factors."""

from datetime import datetime

from incident.actions.ledger import Ledger, minute, transaction
from incident.actions.users import invited, new_account
from incident.domain import guests as rules
from incident.domain import users as user_rules
from incident.domain.errors import Invalid, Missing
from incident.store import incidents, members, users
from incident.store.db import db
from incident.store.members import Membership
from incident.store.users import User


def invite(incident_ref: str, email: str, name: str, stay: rules.Stay, *, actor: str, now: datetime) -> tuple[str, str]:
    """Let a person from outside into parts of an incident: their reference, and the secret of a one-time link.

    The secret is "" for a guest who has an account already. Inviting them again changes parts and end. Raises Invalid, Missing.
    """
    to, called = user_rules.address(email), user_rules.named(name)
    seen, word, end = rules.parts(stay.parts), rules.capacity(stay.capacity), rules.until(stay.days, now)
    with transaction(actor, now) as ledger:
        incident = incidents.by_ref(incident_ref)
        if incident is None:
            raise Missing()
        user, secret = _guest(to, called, ledger)
        _place(incident.id, user, seen, word, end, ledger)
        ledger.write("guest.invited", user.ref, incident=incident_ref, capacity=word, parts=seen, until=minute(end))
    return user.ref, secret


def _guest(email: str, name: str, ledger: Ledger) -> tuple[User, str]:
    """The account of this guest, made now if there is none, and the link's secret while it was never opened."""
    user = users.by_email(email, locked=True)
    if user is not None and user.roles:
        raise Invalid("email", "This person works here. Add them to the people on the incident instead.")
    if user is not None and not user.active:
        raise Invalid("email", "This account is locked. An administrator can unlock it.")
    if user is None:
        user = new_account(email, name, ledger)
    return user, "" if user.password is not None else invited(user, ledger)


def _place(incident_id: int, user: User, parts: list[str], capacity: str, end: datetime, ledger: Ledger) -> None:
    place = members.one(incident_id, user.id)
    if place is None:
        place = Membership(incident_id=incident_id, user_id=user.id)
        db.session.add(place)
    place.parts, place.capacity, place.until = parts, capacity, end
    place.added_by, place.added_at = ledger.actor, ledger.now
