"""An incident with duties, those who are reminded of them, and the clock moved on."""

from datetime import UTC, datetime, timedelta

from incident.actions import (
    alert_targets,
    reminder_messages,
    reminders,
)
from incident.actions.ledger import transaction
from incident.actions.ways import Ways
from incident.store import incidents, users
from incident.store import obligations as findings
from incident.store import reminders as rows
from notifiers.contract import Channels
from notifiers.memory import Memory
from tests.builders import an_incident

AWARE = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
DUE = AWARE + timedelta(hours=72)
HALF, MOST, NEARLY = (AWARE + timedelta(hours=72) * share / 100 for share in (50, 75, 90))
DUTY = "EU-GDPR/tell-authority"
OWED = {
    "personal_data": True,
    "role": "controller",
    "establishments": ["DE"],
    "risk_to_people": "risk",
    "aware_at": AWARE.isoformat(),
}
ALL = (50, 75, 90)


class Pager(Memory):
    """A target of alerts that remembers."""

    def kind(self, url: str) -> tuple[str, str]:
        return "JSON", ""


def ways(email: Memory | None = None, sms: Memory | None = None, alerts: Memory | None = None) -> Ways:
    real = {notifier.channel: notifier for notifier in (email, sms) if notifier}
    return Ways(Channels(real, {}), alerts or Pager("alert"), site="http://localhost", zone="Europe/Berlin")


def a_case(lead: str | None = None, *, kind: str = "incident", now: datetime = AWARE):
    case = an_incident(kind=kind, facts=OWED, now=now)
    only_the_authority(case)
    if lead:
        lead_is(case, lead)
    return incidents.by_ref(case.ref)


def only_the_authority(case):
    """Let one duty alone run, so that a test counts what it means to count."""
    with transaction("system", AWARE) as ledger:
        for row in rows.running(case.id):
            if row.duty != DUTY:
                row.state = "waived"
        ledger.write("findings.accepted", case.ref, incident=case.ref, count=1, digest="x")


def lead_is(case, ref):
    with transaction("system", AWARE) as ledger:
        held = incidents.by_ref(case.ref, locked=True)
        held.lead_id = users.by_ref(ref).id
        ledger.write("incident.lead_changed", case.ref, incident=case.ref, lead=ref)


def finding(case):
    return findings.current(case.id)[DUTY]


def tick(now: datetime, by: Ways) -> None:
    """What the worker does at one moment."""
    for ref in reminders.due(now):
        reminders.do(ref, now, by)
    while found := reminder_messages.due(now):
        for ref in found:
            reminder_messages.do(ref, by, clock=lambda: now)


def told(memory: Memory) -> list[str]:
    return [message.to for message in memory.sent]


def a_target(
    pager: Pager,
    *,
    level: str = "everybody",
    person: str = "",
    hears_restricted: bool = False,
    language: str = "en",
) -> str:
    return alert_targets.set_up(
        "Pager",
        "jsons://alerts.example.org/secret",
        level=level,
        person=person,
        hears_restricted=hears_restricted,
        language=language,
        alerts=pager,
        actor="U-0ADMIN00",
        now=AWARE,
    )
