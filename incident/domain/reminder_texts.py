"""What a reminder says: references, duties, due times in the reader's zone, and where to answer. No personal data, no titles
of incidents, nothing that was found out: it may be read over a shoulder or by a provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from incident.domain.facts import time_words
from incident.domain.reminders import LATE_AFTER
from incident.domain.speech import Say, english

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

    def named(self, say: Say = english) -> str:
        """Such as "Notify the authority (GDPR)"."""
        return say("{title} ({law})", title=self.title, law=self.law) if self.law else say("{title}", title=self.title)


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


def words(case: Case, duties: Sequence[Due], *, zone: tzinfo, now: datetime, say: Say = english) -> Words:
    """The reminder of these duties (one or more), the soonest first, in the words that `say` brings."""
    found = sorted(duties, key=lambda one: (one.due_at, one.named(say)))
    first, mark = found[0], _mark(case, say)
    more = say(" and {others} more", others=len(found) - 1) if len(found) > 1 else ""
    colon = say(": ")
    subject = f"{mark}{case.ref}{colon}{when(first.due_at, now, say)}{colon}{first.named(say)}{more}"
    lines = [f"{_count(len(found), case, say)}{colon}".rstrip(), ""]
    for one in found[:MOST_NAMED]:
        due = say("due {moment}, {gap}", moment=time_words(one.due_at, zone), gap=when(one.due_at, now, say))
        lines += [f"- {one.named(say)}", f"  {due}", *_why_now(one, zone, now, say)]
    if len(found) > MOST_NAMED:
        lines.append("-" + say(" and {others} more", others=len(found) - MOST_NAMED))
    if case.undecided:
        lines += ["", _undecided(case.undecided, say)]
    lines += ["", say("Say that you have it, or see the rest: {address}", address=case.address)]
    lines += ["", say("Until somebody does, reminders go on and reach further.")]
    return Words(subject[:200], "\n".join(lines), _short(case, found, zone, now, say))


def page_words(case: Case, pages: Sequence[tuple[str, str]], say: Say = english) -> Words:
    """What is said of public pages that are not as approved: each by its address and what was seen."""
    mark = _mark(case, say)
    first, seen = pages[0]
    subject = mark + say("{ref}: a public page {seen}", ref=case.ref, seen=seen)
    lines = [
        say("A public page of {ref} is not as it was approved:", ref=case.ref)
        if not case.is_drill
        else say("A public page of {ref} (a drill) is not as it was approved:", ref=case.ref),
        "",
    ]
    lines += [say("- {page} {seen}", page=f"/notices/{slug}", seen=words) for slug, words in pages]
    lines += ["", say("Whoever looks for the notice there does not find it, and days of posting may not count.")]
    lines += [
        say("Open the page from outside, mend what stands in its way, and see what each look found:"),
        case.address,
    ]
    lines += ["", say("It is looked at again by itself, and you hear of it again while it is so.")]
    short = mark + say("{ref}: public page {page} {seen}.", ref=case.ref, page=f"/notices/{first}", seen=seen)
    return Words(subject[:200], "\n".join(lines), f"{short} {case.address}"[:LONGEST_SHORT])


def when(due_at: datetime, now: datetime, say: Say = english) -> str:
    """Such as "due in 4 h 10 min", "due now", "6 h late"."""
    gap = due_at - now
    if abs(gap) < timedelta(minutes=1):
        return say("due now")
    if gap > timedelta(0):
        return say("due in {span}", span=span(gap, say))
    return say("{span} late", span=span(-gap, say))


def span(gap: timedelta, say: Say = english) -> str:
    """A length of time in its two largest units."""
    minutes = int(gap.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return say("{days} d {hours} h", days=days, hours=hours) if hours else say("{days} d", days=days)
    if hours:
        return say("{hours} h {left} min", hours=hours, left=left) if left else say("{hours} h", hours=hours)
    return say("{left} min", left=left)


def _mark(case: Case, say: Say) -> str:
    return say("[Drill] ") if case.is_drill else ""


def _count(number: int, case: Case, say: Say) -> str:
    if case.is_drill:
        if number == 1:
            return say("A duty of {ref} (a drill)", ref=case.ref)
        return say("{number} duties of {ref} (a drill)", number=number, ref=case.ref)
    if number == 1:
        return say("A duty of {ref}", ref=case.ref)
    return say("{number} duties of {ref}", number=number, ref=case.ref)


def _undecided(number: int, say: Say) -> str:
    if number == 1:
        return say("One duty is undecided and would have a time too: answer the open questions.")
    return say("{number} duties are undecided and would have a time too: answer the open questions.", number=number)


def _why_now(one: Due, zone: tzinfo, now: datetime, say: Say) -> list[str]:
    """A reminder that comes late says so, and why."""
    if one.moment < one.known_since:
        known = time_words(_minute(one.known_since), zone)
        return ["  " + say("this became known {moment}, when that much of its time was over", moment=known)]
    if now - one.moment > LATE_AFTER:
        return ["  " + say("this reminder should have gone at {moment}", moment=time_words(_minute(one.moment), zone))]
    return []


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _short(case: Case, found: Sequence[Due], zone: tzinfo, now: datetime, say: Say) -> str:
    """For a text message: the first duty, how many more, and where to answer."""
    first = found[0]
    more = say(" +{others} more", others=len(found) - 1) if len(found) > 1 else ""
    tail = f"{more}. {case.address}"
    due = say("{gap} ({moment})", gap=when(first.due_at, now, say), moment=time_words(_minute(first.due_at), zone))
    colon = say(": ")
    head = f"{_mark(case, say)}{case.ref}{colon}{due}{colon}{first.named(say)}"
    room = LONGEST_SHORT - len(tail)
    return (head if len(head) <= room else f"{head[: room - 1].rstrip()}…") + tail
