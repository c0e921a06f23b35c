"""Things to test with, each with defaults: name only what matters."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incident import clock
from incident.actions import intake
from incident.actions.ledger import transaction
from incident.domain.access import Role
from incident.store import credentials, incidents, users
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.users import User


def a_user(*roles: str, name: str = "Somebody", email: str = "", password: str = "", zone: str = "UTC") -> User:
    """An account with these roles (a responder without any). It has no password unless one is given."""
    ref = new_ref("U")
    with transaction("system", clock.now()) as ledger:
        user = User(ref=ref, email=email or f"{ref.lower()}@example.org", name=name, time_zone=zone)
        user.roles = [str(role) for role in Role if role in (roles or (Role.RESPONDER,))]
        user.password = credentials.password_hash(password) if password else None
        user.created_at = clock.now()
        db.session.add(user)
        ledger.write("account.created", ref)
    return user


def a_session(user: User, *, second_factor: bool = True, started: datetime | None = None) -> str:
    """A session of this person; the secret that its cookie holds."""
    secret, now = credentials.new_secret(), started or clock.now()
    with transaction(user.ref, now) as ledger:
        end = now + timedelta(hours=16)
        row = users.begin_session(user, key=credentials.key_of(secret), device="A test", now=now, expires_at=end)
        row.second_factor_at = now if second_factor else None
        ledger.write("session.signed_in", user.ref)
    return secret


def an_incident(
    *, kind: str = "incident", title: str = "Database copied", facts: Mapping[str, Any] | None = None, now: datetime | None = None
) -> Incident:
    """An open incident with these facts (none unless given)."""
    ref = intake.log(
        kind=kind, title=title, facts=facts or {}, source="a test", confidence="high", actor="U-0TEST000", now=now or clock.now()
    )
    incident = incidents.by_ref(ref)
    assert incident is not None
    return incident
