"""Things to test with, each with defaults: name only what matters."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from incident import clock
from incident.actions import intake, notices
from incident.actions.ledger import transaction
from incident.actions.merging import House
from incident.domain.access import Role
from incident.domain.notices import SECTIONS, Channel, Text
from incident.domain.people import Audience
from incident.store import credentials, incidents, users
from incident.store import notices as notice_rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.notices import Notice
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
    *,
    kind: str = "incident",
    title: str = "Database copied",
    facts: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Incident:
    """An open incident with these facts (none unless given)."""
    ref = intake.log(
        kind=kind,
        title=title,
        facts=facts or {},
        source="a test",
        confidence="high",
        actor="U-0TEST000",
        now=now or clock.now(),
    )
    incident = incidents.by_ref(ref)
    assert incident is not None
    return incident


WHO_WRITES = House(
    company={
        "name": "Example",
        "contact": "Data protection office",
        "email": "privacy@example.org",
        "phone": "+49 30 5550100",
        "address": "Sample Street 1, 10115 Berlin",
    },
    site="http://localhost",
    zone=ZoneInfo("UTC"),
    senders={"email": "sandbox", "sms": "sandbox"},
)
"""The organisation that writes in tests."""


def a_text(language: str = "en", **changes: Any) -> Text:
    """A whole text of a notice, with nothing left to write."""
    text = Text(
        language,
        subject="Notice of data breach",
        greeting="Dear {{ person.name }},",
        sections={
            name: f"About {name}: {{{{ person.exposed }}}}." if name == "what_information" else f"About {name}."
            for name in SECTIONS
        },
        sms="{{ company.name }}: see {{ link.check }}",
        call="Call {{ person.name }}.",
        push_title="Notice",
        push_body="See {{ link.check }}",
    )
    return replace(text, **changes)


def a_notice(
    incident: Incident,
    *,
    author: str = "U-0AUTHOR0",
    channels: tuple[str, ...] = ("email", "sms"),
    texts: tuple[Text, ...] = (),
    audience: Audience | None = None,
    stage: str = "draft",
    approver: str = "U-0APPROV0",
    house: House = WHO_WRITES,
    now: datetime | None = None,
) -> str:
    """A notice to everybody on the list of this incident; its reference. `stage` draft, submitted or approved."""
    now = now or clock.now()
    texts = texts or (a_text(),)
    languages = tuple(text.language for text in texts)
    ref = notices.draft(incident.ref, "Account holders", languages=languages, actor=author, now=now)
    change = notices.Change(
        title="Account holders, first wave",
        languages=languages,
        channels=tuple(Channel(word) for word in channels),
        audience=audience or Audience(),
        send_at=None,
        texts={text.language: text for text in texts},
    )
    notices.save(incident.ref, ref, change, revision=notice_row(incident, ref).revision, actor=author, now=now)
    if stage != "draft":
        notices.submit(
            incident.ref, ref, revision=notice_row(incident, ref).revision, house=house, actor=author, now=now
        )
    if stage == "approved":
        version = notice_rows.version(notice_row(incident, ref).id, 1)
        assert version is not None
        notices.approve(
            incident.ref, ref, digest=version.digest, people=str(version.people), house=house, actor=approver, now=now
        )
    return ref


def notice_row(incident: Incident, ref: str) -> Notice:
    """The row of a notice."""
    row = notice_rows.by_ref(incident.id, ref)
    assert row is not None
    return row
