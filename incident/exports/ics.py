"""Deadlines as an iCalendar feed: one entry a duty or step, the same UID every time, so that calendars update and do not repeat."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

MIME = "text/calendar"
HOST = "tocsin"


@dataclass(frozen=True)
class Deadline:
    """One thing due: its reference, what it is, by when, the rule that says so, and where to do it."""

    ref: str
    title: str
    due_at: datetime
    rule: str = ""
    address: str = ""
    done: bool = False


def ics_bytes(name: str, deadlines: Iterable[Deadline], made_at: datetime) -> bytes:
    """The deadlines as a file, soonest first. A done one stays, marked as done and without an alarm."""
    calendar = Calendar()
    calendar.add("prodid", "-//Tocsin//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    for deadline in sorted(deadlines, key=lambda one: (one.due_at, one.ref)):
        calendar.add_component(_event(deadline, made_at))
    return bytes(calendar.to_ical())


def _event(deadline: Deadline, made_at: datetime) -> Event:
    event = Event()
    event.add("uid", f"{deadline.ref}@{HOST}")
    event.add("dtstamp", made_at.astimezone(UTC))
    event.add("dtstart", deadline.due_at.astimezone(UTC))
    event.add("duration", timedelta(0))
    event.add("summary", f"✓ {deadline.title}" if deadline.done else deadline.title)
    event.add("transp", "TRANSPARENT")
    if deadline.rule:
        event.add("description", deadline.rule)
    if deadline.address:
        event.add("url", deadline.address)
    if not deadline.done:
        event.add_component(_alarm(deadline.title))
    return event


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", timedelta(hours=-2))
    return alarm
