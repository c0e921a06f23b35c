"""Deadlines as an iCalendar feed (RFC 5545): one entry a duty or step, the same UID every time, so that calendars update it.

Times are UTC, which every calendar shows in its own zone. An entry's stamp is when it last changed, so that the same deadlines
are the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from incident import parts
from incident.domain.wording import cleaned

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = parts.later("icalendar")

MIME = "text/calendar"
HOST = "tocsin"
ALARMS = (timedelta(hours=-24), timedelta(hours=-2))
ASK_AGAIN = timedelta(minutes=30)


@dataclass(frozen=True)
class Deadline:
    """One thing due: its reference, what it is, by when, the rule that says so, and where to do it.

    `sequence` goes up with every change; a `lifted` one is not due any more, a `done` one was dealt with.
    """

    ref: str
    title: str
    due_at: datetime
    rule: str = ""
    address: str = ""
    done: bool = False
    lifted: bool = False
    sequence: int = 0
    changed_at: datetime | None = None


def ics_bytes(name: str, deadlines: Iterable[Deadline], made_at: datetime, *, zone: tzinfo | None = None) -> bytes:
    """The deadlines as a file, soonest first. A done one stays, marked as done and without an alarm; a lifted one is cancelled."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Tocsin//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", ASK_AGAIN, parameters={"value": "DURATION"})  # RFC 7986
    calendar.add("x-published-ttl", "PT30M")
    if zone is not None:
        calendar.add("x-wr-timezone", str(getattr(zone, "key", zone)))
    for deadline in sorted(deadlines, key=lambda one: (one.due_at, one.ref)):
        calendar.add_component(_event(deadline, made_at))
    return bytes(calendar.to_ical())


def _event(deadline: Deadline, made_at: datetime) -> "icalendar.Event":
    event = icalendar.Event()
    stamp = (deadline.changed_at or made_at).astimezone(UTC)
    event.add("uid", f"{deadline.ref}@{HOST}")
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", deadline.sequence)
    event.add("dtstart", deadline.due_at.astimezone(UTC))
    event.add("duration", timedelta(0))
    title = cleaned(deadline.title)
    event.add("summary", f"✓ {title}" if deadline.done else title)
    event.add("status", "CANCELLED" if deadline.lifted else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if deadline.rule:
        event.add("description", cleaned(deadline.rule))
    if deadline.address:
        event.add("url", deadline.address)
    if not deadline.done and not deadline.lifted:
        for before in ALARMS:
            event.add_component(_alarm(title, before))
    return event


def _alarm(title: str, before: timedelta) -> "icalendar.Alarm":
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", before)
    return alarm
