"""What a reminder says: references, duties, due times in the reader's zone, and where to answer. No personal data, no titles
of incidents, nothing that was found out: it may be read over a shoulder or by a provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from incident.domain.facts import time_words
from incident.domain.reminders import LATE_AFTER

MOST_NAMED: Final = 20
LONGEST_SHORT: Final = 300


@dataclass(frozen=True)
class Due:
    """One duty that a reminder is about: its title, its law, its due time, the moment of its rung, since when it stands."""

    title: str
    law: str
    due_at: datetime
    moment: datetime
    known_since: datetime

    @property
    def named(self) -> str:
        """Such as "Notify the authority (GDPR)"."""
        return f"{self.title} ({self.law})" if self.law else self.title


@dataclass(frozen=True)
class Case:
    """The incident of a reminder, as far as it may be named, and the address where one answers."""

    ref: str
    is_drill: bool
    address: str
    undecided: int = 0


@dataclass(frozen=True)
class Words:
    """One reminder in words: for an e-mail or a chat, and short for a text message."""

    subject: str
    text: str
    short: str


def words(case: Case, duties: Sequence[Due], *, zone: tzinfo, now: datetime) -> Words:
    """The reminder of these duties (one or more), the soonest first."""
    found = sorted(duties, key=lambda one: (one.due_at, one.named))
    first = found[0]
    mark = "[Drill] " if case.is_drill else ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    subject = f"{mark}{case.ref}: {when(first.due_at, now)}: {first.named}{more}"
    lines = [f"{_count(len(found))} of {case.ref}{' (a drill)' if case.is_drill else ''}:", ""]
    for one in found[:MOST_NAMED]:
        lines += [
            f"- {one.named}",
            f"  due {time_words(one.due_at, zone)}, {when(one.due_at, now)}",
            *_why_now(one, zone, now),
        ]
    if len(found) > MOST_NAMED:
        lines.append(f"- and {len(found) - MOST_NAMED} more")
    if case.undecided:
        lines += ["", f"{_undecided(case.undecided)}: answer the open questions."]
    lines += ["", f"Say that you have it, or see the rest: {case.address}"]
    lines += ["", "Until somebody does, reminders go on and reach further."]
    return Words(subject[:200], "\n".join(lines), _short(case, found, zone, now, mark))


def page_words(case: Case, pages: Sequence[tuple[str, str]]) -> Words:
    """What is said of public pages that are not as approved: each by its address and what was seen."""
    mark = "[Drill] " if case.is_drill else ""
    first, seen = pages[0]
    subject = f"{mark}{case.ref}: a public page {seen}"
    lines = [f"A public page of {case.ref}{' (a drill)' if case.is_drill else ''} is not as it was approved:", ""]
    lines += [f"- /notices/{slug} {words}" for slug, words in pages]
    lines += ["", "Whoever looks for the notice there does not find it, and days of posting may not count."]
    lines += ["Open the page from outside, mend what stands in its way, and see what each look found:", case.address]
    lines += ["", "It is looked at again by itself, and you hear of it again while it is so."]
    short = f"{mark}{case.ref}: public page /notices/{first} {seen}. {case.address}"
    return Words(subject[:200], "\n".join(lines), short[:LONGEST_SHORT])


def when(due_at: datetime, now: datetime) -> str:
    """Such as "due in 4 h 10 min", "due now", "6 h late"."""
    gap = due_at - now
    if abs(gap) < timedelta(minutes=1):
        return "due now"
    return f"due in {span(gap)}" if gap > timedelta(0) else f"{span(-gap)} late"


def span(gap: timedelta) -> str:
    """A length of time in its two largest units."""
    minutes = int(gap.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{left} min"


def _count(number: int) -> str:
    return "A duty" if number == 1 else f"{number} duties"


def _undecided(number: int) -> str:
    return (
        "One duty is undecided and would have a time too"
        if number == 1
        else f"{number} duties are undecided and would have a time too"
    )


def _why_now(one: Due, zone: tzinfo, now: datetime) -> list[str]:
    """A reminder that comes late says so, and why."""
    if one.moment < one.known_since:
        return [
            f"  this became known {time_words(_minute(one.known_since), zone)}, when that much of its time was over"
        ]
    if now - one.moment > LATE_AFTER:
        return [f"  this reminder should have gone at {time_words(_minute(one.moment), zone)}"]
    return []


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _short(case: Case, found: Sequence[Due], zone: tzinfo, now: datetime, mark: str) -> str:
    """For a text message: the first duty, how many more, and where to answer."""
    first = found[0]
    more = f" +{len(found) - 1} more" if len(found) > 1 else ""
    tail = f"{more}. {case.address}"
    head = f"{mark}{case.ref}: {when(first.due_at, now)} ({time_words(_minute(first.due_at), zone)}): {first.named}"
    room = LONGEST_SHORT - len(tail)
    return (head if len(head) <= room else f"{head[: room - 1].rstrip()}…") + tail
