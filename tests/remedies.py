"""Remedies to test with: what is offered, its codes, and the people who get them."""

import io
from datetime import date, datetime
from typing import Any

from incident.actions import people, remedies
from incident.store.incidents import Incident
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story
from tests.builders import a_notice, a_text, an_incident

OFFER = {
    "name": "Credit monitoring",
    "services": ["credit_monitoring"],
    "months": 24,
    "provider": "Provider",
    "how": {"en": "Type the code on the provider’s page."},
    "until": date(2027, 3, 1),
}
COPIED = {
    "what_happened": "A copied database",
    "personal_data": "yes",
    "properties": ["confidentiality"],
    "data_kinds": ["name", "ssn"],
    "role": "controller",
    "encryption": "none",
    "good_faith_access": "no",
    "paper_only": "no",
    "misuse_unlikely": "no",
    "harm_likely": "yes",
    "law_enforcement_hold": "no",
    "equal_federal_regime": [],
}
"""What is known of a breach for which laws want a remedy, but for where its people live and when it was discovered."""
TEXT = a_text(sms="Code {{ remedy.code }}", call="Your code is {{ remedy.code }}.")
TEXT.sections["what_we_offer"] = "{{ remedy.name }}: {{ remedy.code }}. {{ remedy.how }} Until {{ remedy.until }}."


def a_file(*codes: str) -> io.BytesIO:
    """A list of codes, one a line."""
    return io.BytesIO("\n".join(codes).encode())


def a_remedy(incident: Incident, codes: int = 0, **changes: Any) -> str:
    """The reference of a remedy offered in the incident, with so many codes from CODE-0000 on."""
    ref = remedies.offer(incident.ref, OFFER | changes, actor=LEAD, now=NOW)
    if codes:
        remedies.bring(incident.ref, ref, a_file(*(f"CODE-{n:04}" for n in range(codes))), actor=LEAD, now=NOW)
    return ref


def some_people(incident: Incident, count: int, *, now: datetime = NOW, **more: str) -> None:
    """So many people; `{number}` in what is given is the number of each."""
    usual = {"name": "Person {number}", "email": "person{number}@example.org", "place": "DE", "exposed": "email"}
    for number in range(1, count + 1):
        given = {key: words.format(number=number) for key, words in (usual | more).items()}
        people.add(incident.ref, given, actor=LEAD, now=now)


def a_story(
    count: int = 3, codes: int = 5, *, channels: tuple[str, ...] = ("email",), kind: str = "incident", **more: str
) -> Story:
    """So many people who are to be told of a remedy with so many codes, by real channels that keep what they are given."""
    incident = an_incident(kind=kind, now=NOW)
    some_people(incident, count, **more)
    a_remedy(incident, codes)
    notice = a_notice(incident, channels=channels, texts=(TEXT,), stage="approved", now=NOW)
    return Story(incident, notice, real={"email": Memory("email"), "sms": Memory("sms"), "letter": Memory("letter")})
