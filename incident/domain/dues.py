"""The clock of one duty: which of its alternatives applies, from which moment it runs, and when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from incident.domain import clock
from incident.domain.clauses import Truth
from incident.domain.clock import NEVER, Calendar, Limit, Start, Unit
from incident.domain.facts import Facts
from incident.domain.lawbook import Bound, Deadline, Duty, Hold, Resume, anchors

CLEARED = "le_clearance_at"


class ClockState(StrEnum):
    """What a clock does. "No deadline in law" and "not started" are different words."""

    RUNNING = "running"
    DATE_MISSING = "date_missing"
    NOT_STARTED = "not_started"
    ON_HOLD = "on_hold"
    NONE_IN_LAW = "none_in_law"


SETTLED = frozenset({ClockState.RUNNING, ClockState.NONE_IN_LAW})
URGENCY = list(ClockState)


class Clock(NamedTuple):
    """By when: the instant, where the law gives one and it has begun, with the sentence that explains it.

    `guide` is the day that the authority advises where the law gives no time: nothing is due then.
    """

    state: ClockState
    words: str
    due: datetime | None = None
    start: Start | None = None
    anchor: str = ""
    wants: tuple[str, ...] = ()
    guide: datetime | None = None


NO_CLOCK = Clock(ClockState.NONE_IN_LAW, "no deadline in law")


@dataclass(frozen=True)
class Before:
    """Another duty of the same law that a deadline refers to: to whom it is, its title and its clock, if it may be owed."""

    to: str
    title: str
    clock: Clock


NO_OTHERS: Mapping[str, Before] = {}


class Ticking(NamedTuple):
    """What the clocks of one law need: the facts, the authority's calendar, the day whose law counts, the duties before."""

    facts: Facts
    calendar: Calendar
    day: date
    others: Mapping[str, Before] = NO_OTHERS
    silence_is_no: bool = False
    told: bool = True

    def clock(self, duty: Duty) -> Clock:
        """The clock of the alternative that applies; while facts are open, the most urgent of those that may.

        With `silence_is_no` (described cases), the general rule is taken over a special one that nothing speaks for.
        """
        candidates: list[tuple[Clock, Deadline]] = []
        for deadline in duty.deadlines:
            answer = deadline.when(self.facts)
            if answer.truth is Truth.NO or not self._in_force(deadline):
                continue
            candidates.append((self._of(deadline), deadline))
            if answer.truth is Truth.YES:
                if self.silence_is_no and candidates[-1][0].state in SETTLED:
                    candidates = candidates[-1:]
                break
        if not candidates:
            return NO_CLOCK
        chosen, deadline = candidates[0] if len(candidates) == 1 else min(reversed(candidates), key=_urgency)
        return self._ended(self._held(chosen, deadline, duty.hold))

    def _ended(self, base: Clock) -> Clock:
        """The clock with its end said, where the authority is."""
        if base.due is None or not self.told:
            return base
        return base._replace(words=f"{base.words} → {clock.ending(base.due, self.calendar.zone)}")

    def _in_force(self, deadline: Deadline) -> bool:
        return (deadline.since is None or deadline.since <= self.day) and (
            deadline.until is None or self.day < deadline.until
        )

    def _of(self, deadline: Deadline) -> Clock:
        if deadline.with_duty:
            base = self._with(deadline.with_duty)
        elif deadline.bound:
            base = self._from(deadline.bound)
        else:
            base = self._advised(_in_words(deadline.words), deadline.guideline)
        if deadline.later:
            base = self._later(base, deadline.later)
        for cap in deadline.caps:
            base = self._capped(base, cap)
        return self._extended(base, deadline.extension) if deadline.extension else base

    def _advised(self, base: Clock, guideline: Bound | None) -> Clock:
        """No time in law, with the day that the authority advises beside it, once its moment is known."""
        if guideline is None:
            return base
        start, _ = self._moment(guideline.anchor)
        if start is None:
            return base._replace(words=f"{base.words}; the authority advises {guideline.limit.words()}")
        guide = clock.due(start, guideline.limit, self.calendar)
        day = clock.ending(guide, self.calendar.zone)
        return base._replace(
            words=f"{base.words}; advised: {guideline.limit.words()} → {day}, no limit of the law", guide=guide
        )

    def _with(self, duty_id: str) -> Clock:
        """Not later than another duty of the same law is done, or must be done."""
        other = self.others.get(duty_id)
        if other is None:
            return Clock(
                ClockState.NOT_STARTED, "clock not started: it runs with another notice, which is not owed so far"
            )
        told, key = self._moment("individuals_notified_at")
        if told is not None and other.to == "individuals":
            due = clock.due(told, Limit(Unit.CALENDAR_DAYS, 0), self.calendar)
            if other.clock.due is None or due < other.clock.due:
                return Clock(ClockState.RUNNING, "not later than people are told", due, told, key)
        words = other.clock.words.partition(" → ")[0]
        return other.clock._replace(words=f"not later than “{other.title}”: {words}")

    def _from(self, bound: Bound) -> Clock:
        anchor = anchors()[bound.anchor]
        start, key = self._moment(bound.anchor)
        if start is None:
            state = ClockState.NOT_STARTED if anchor.to_come else ClockState.DATE_MISSING
            said = "clock not started" if anchor.to_come else "the clock cannot start, its date is missing"
            return Clock(state, f"{said}: {bound.limit.words()} from “{anchor.label}”", wants=(bound.anchor,))
        label = anchor.label if key == bound.anchor else f"{anchors()[key].label}, for want of “{anchor.label}”"
        words = clock.sentence(start, bound.limit, self.calendar, label) if self.told else ""
        return Clock(ClockState.RUNNING, words, clock.due(start, bound.limit, self.calendar), start, key)

    def _moment(self, anchor: str) -> tuple[Start | None, str]:
        """The moment from which to count, and the fact that gave it."""
        memo = self.facts.memo
        if anchor not in memo:
            known = ((self._known(key), key) for key in (anchor, *anchors()[anchor].same))
            memo[anchor] = next((found for found in known if found[0] is not None), (None, anchor))
        found: tuple[Start | None, str] = memo[anchor]
        return found

    def _known(self, key: str) -> Start | None:
        moment = self.facts[key]
        return moment if isinstance(moment, date) else None

    def _extended(self, base: Clock, extension: Bound) -> Clock:
        """More time for a reason that the authority was given before the first limit ended."""
        given, _ = self._moment(extension.anchor)
        if given is None or base.due is None:
            return base
        last = clock.local_day(base.due, self.calendar.zone)
        if clock.local_day(given, self.calendar.zone) > last:
            return base
        more = f"{extension.limit.words()} more: {anchors()[extension.anchor].label}"
        return base._replace(due=clock.due(last, extension.limit, self.calendar), words=f"{base.words}; {more}")

    def _capped(self, base: Clock, cap: Bound) -> Clock:
        """The limit or its "at the latest", whichever ends first."""
        latest = self._from(cap)
        if latest.due is None:
            return base
        if cap.lifted_if_later:
            start = base.start
            if start is None or (isinstance(start, datetime) and start > latest.due):
                return base
        if base.due is not None and base.due <= latest.due:
            return base
        return latest._replace(words=f"at the latest {latest.words}")

    def _later(self, base: Clock, bound: Bound) -> Clock:
        """The limit, or a later one: from a moment that came after it (`only_if_past`), or whichever ends last."""
        other = self._from(bound)
        if base.due is None or other.due is None or other.due <= base.due:
            return base
        if bound.only_if_past and clock.due(other.start or base.due, Limit(Unit.HOURS, 0), self.calendar) <= base.due:
            return base
        return other

    def _held(self, base: Clock, deadline: Deadline, hold: Hold) -> Clock:
        """The clock while law enforcement asks for delay, and after it has cleared the notice."""
        if not hold.allowed:
            return base
        cleared, _ = self._moment(CLEARED)
        asked = self.facts["law_enforcement_hold"]
        if asked is False or (cleared is None and asked is not True):
            return base
        if cleared is None:
            began = self._known("held_from")
            held = f"on hold for law enforcement; otherwise {base.words}"
            if began is not None:
                begun = clock.start_words(began, self.calendar.zone)
                held = f"on hold for law enforcement since {begun}; otherwise {base.words}"
            return base._replace(state=ClockState.ON_HOLD, due=None, words=held)
        if _speaks_of_clearance(deadline):
            return base
        return self._resumed(base, deadline, hold.resume, cleared)

    def _resumed(self, base: Clock, deadline: Deadline, resume: Resume, cleared: Start) -> Clock:
        """The clock once law enforcement no longer asks for delay, as this law lets it go on."""
        if base.due is None:
            return base
        day = clock.local_day(cleared, self.calendar.zone)
        told = f"law enforcement asked for delay until {clock.start_words(cleared, self.calendar.zone)}"
        if resume is Resume.PAUSED:
            return self._after_pause(base, cleared, told)
        if resume is Resume.AFRESH and deadline.bound:
            again = clock.due(cleared, deadline.bound.limit, self.calendar)
            words = f"{deadline.bound.limit.words()} again from then: {told}"
            return base._replace(due=again, start=cleared, anchor=CLEARED, words=words) if again > base.due else base
        at_once = clock.end_of(day, self.calendar.zone)
        if at_once <= base.due:
            return base
        return base._replace(due=at_once, words=f"{told}, beyond {base.words}; now without delay")

    def _after_pause(self, base: Clock, cleared: Start, told: str) -> Clock:
        """The limit with the time of the hold added: whole days to a limit in days, the time itself to hours."""
        began = self._known("held_from")
        if began is None or base.due is None:
            said = f"{base.words}; {told}: the day it began is missing, so nothing is added"
            return base._replace(words=said, wants=(*base.wants, "held_from"))
        zone = self.calendar.zone
        days = clock.local_day(cleared, zone) - clock.local_day(began, zone)
        if clock.local_day(began, zone) > clock.local_day(base.due, zone) or days <= timedelta(0):
            return base
        by_day = base.due == clock.end_of(clock.local_day(base.due, zone), zone)
        if not by_day and isinstance(began, datetime) and isinstance(cleared, datetime):
            return base._replace(due=base.due + (cleared - began), words=f"{base.words}; {told}: that time is added")
        due = clock.end_of(clock.local_day(base.due, zone) + days, zone) if by_day else base.due + days
        return base._replace(due=due, words=f"{base.words}; {told}: {days.days} days are added")


@lru_cache(maxsize=1024)
def _in_words(words: str) -> Clock:
    return NO_CLOCK._replace(words=f"no deadline in law: {words}")


def _urgency(one: tuple[Clock, Deadline]) -> tuple[int, datetime]:
    return URGENCY.index(one[0].state), one[0].due or NEVER


def _speaks_of_clearance(deadline: Deadline) -> bool:
    bounds = (deadline.bound, deadline.later, deadline.extension, *deadline.caps)
    return any(bound is not None and bound.anchor == CLEARED for bound in bounds)
