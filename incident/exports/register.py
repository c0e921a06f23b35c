"""The register of deliveries: every attempt with every state and time, as columns that programs can rely on."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from incident.exports.csv import safe

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


MOST_KNOWN: Final = 50_000
YES_OR_NO: Final = ("no", "yes")


class _Safe(dict[Any, str]):
    """Cells as a spreadsheet may have them; the same words and times come by the thousand, so each is looked at once."""

    def __missing__(self, cell: Any) -> str:
        if len(self) > MOST_KNOWN:
            self.clear()
        self[cell] = made = safe(cell)
        return made


def as_csv(pages: Iterable[Sequence[tuple[Any, ...]]]) -> Iterator[str]:
    """The register as CSV in chunks, the header at once: what `exports.csv.rows` makes of the same records, quicker.

    Only what a provider said can start a formula; references, our own words and numbers cannot.
    """
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield page.getvalue()
    text, when = _Safe(), _Safe()
    for records in pages:
        page.seek(0)
        page.truncate()
        writer.writerows(
            (
                incident, sending, notice, version, YES_OR_NO[simulated], person, channel, attempt, YES_OR_NO[current], state,
                text[reason], text[code], text[provider], text[provider_id], ref,
                when[made], when[called], when[answered], when[reported], when[changed], settled_by, owner,
            )
            for incident, sending, notice, version, simulated, person, channel, attempt, current, state,
            reason, code, provider, provider_id, ref, made, called, answered, reported, changed, settled_by, owner in records
        )  # fmt: skip
        yield page.getvalue()
