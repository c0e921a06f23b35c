"""How far a sending is, in a sentence: who has their message, who was not told, how fast it goes and how long it will take."""

from collections.abc import Iterable
from typing import Final

from incident.domain.deliveries import Counts, Course
from incident.store import loose_ends
from incident.store.dispatches import Dispatch
from incident.store.put_off import Waiting
from incident.web.languages import _

SLOW: Final = 1.0
"""A second; below that a speed is told by the minute."""


def sentence(row: Dispatch, unowned: int, rate: float = 0.0, waiting: Iterable[Waiting] = ()) -> str:
    """How everybody stands. `rate` is what is handed over a second just now; 0 where that is not known."""
    counts = row.counts
    if not row.prepared:
        return _(
            "%(total)s of %(audience)s people are on the list.",
            total=format(counts.total, ","),
            audience=format(row.audience, ","),
        )
    said = [_so_far(counts, row.audience, simulated=row.simulated)]
    if not_told := counts.bad + counts.unreached + counts.cancelled:
        said.append(_("%(people)s not told", people=format(not_told, ",")))
    if row.course == Course.SENDING and (speed := _speed(counts, rate, waiting)):
        said.append(speed)
    if counts.in_doubt:
        said.append(_("%(in_doubt)s in doubt", in_doubt=format(counts.in_doubt, ",")))
    if unowned:
        said.append(_("%(unowned)s that nobody looks after yet", unowned=so_far(unowned)))
    return " · ".join(said) + "."


def pace(counts: Counts, rate: float, waiting: Waiting, *, simulated: bool) -> str:
    """How those of one channel, or of one language of it, stand."""
    said = _so_far(counts, counts.total, simulated=simulated)
    speed = _speed(counts, rate, (waiting,))
    return f"{said} · {speed}" if speed else said


def _so_far(counts: Counts, people: int, *, simulated: bool) -> str:
    """How many messages a provider has and none came back; nobody is told by the sandbox."""
    if simulated:
        return _(
            "%(kept)s of %(people)s kept in the sandbox",
            kept=format(counts.simulated, ","),
            people=format(people, ","),
        )
    return _("%(told)s of %(people)s handed over", told=format(counts.told, ","), people=format(people, ","))


def _speed(counts: Counts, rate: float, waiting: Iterable[Waiting]) -> str:
    """How fast it goes and how long it takes for those whose turn has come; nothing where nobody can say."""
    put_off = list(waiting)
    left = counts.waiting - sum(one.by_hand + one.later for one in put_off)
    if not rate or left <= 0 or not all(one.is_whole for one in put_off):
        return ""
    told = _duration(left / rate)
    if rate < SLOW:
        return _("%(rate)s a minute, about %(waiting)s left", rate=format(max(1, rate * 60), ",.0f"), waiting=told)
    return _("%(rate)s a second, about %(waiting)s left", rate=format(rate, ",.0f"), waiting=told)


def so_far(count: int) -> str:
    """A number that was counted only so far, in words."""
    return f"{count:,}" if count < loose_ends.MOST else _("more than %(most)s", most=format(loose_ends.MOST - 1, ","))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds)):,} s"
    return _("%(seconds)s min", seconds=format(seconds / 60, ",.0f")) if seconds < 5_400 else f"{seconds / 3600:,.1f} h"
