"""The register of deliveries: every attempt with every state and time, as columns that programs can rely on."""

from datetime import datetime
from typing import Protocol

COLUMNS = (
    "incident", "sending", "notice", "version", "simulated", "person", "channel", "attempt", "current", "state", "reason", "code",
    "provider", "provider_id", "attempt_ref", "made_at", "handed_over_at", "answered_at", "reported_at", "changed_at",
    "settled_by", "owner",
)  # fmt: skip
"""What each record holds. Times are UTC; a person is a reference within the incident; no address, no name, no text."""


class Sending(Protocol):
    """What is read of a dispatch."""

    ref: str
    notice_ref: str
    version_number: int
    simulated: bool


class Attempt(Protocol):
    """What is read of a delivery."""

    ref: str
    person_number: int
    channel: str
    attempt: int
    current: bool
    state: str
    reason: str
    code: str
    provider: str
    provider_id: str
    made_at: datetime
    called_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None
    changed_at: datetime
    settled_by: str
    owner: str


Value = str | int | bool | datetime | None


def record(incident: str, one: Attempt, sending: Sending) -> tuple[Value, ...]:
    """One attempt, in the order of the columns."""
    return (
        incident, sending.ref, sending.notice_ref, sending.version_number, sending.simulated, f"P-{one.person_number}", one.channel,
        one.attempt, one.current, one.state, one.reason, one.code, one.provider, one.provider_id, one.ref, one.made_at,
        one.called_at, one.answered_at, one.reported_at, one.changed_at, one.settled_by, one.owner,
    )  # fmt: skip


def as_json(values: tuple[Value, ...]) -> dict[str, str | int | bool | None]:
    """The same by the columns' names, instants as ISO 8601 in UTC."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in zip(COLUMNS, values, strict=True)
    }
