"""The next seven days as a plot: one row an incident, one mark a due time; the same marks by day for small screens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from incident.web.filters import weekday

DAYS = 7
LEFT, RIGHT, TOP, ROW = 150, 1220, 24, 56
MOST_ROWS = 6
LANES = {"report": -18, "people": -6, "other": 6, "step": 18}
"""Where in its row each kind of mark stands, so that none hides another kind."""


@dataclass(frozen=True)
class Mark:
    """One due time: what kind of thing (report, people, other, step), how pressing, and what a reader is told."""

    incident: str
    at: datetime
    kind: str
    tone: str
    words: str
    href: str


@dataclass(frozen=True)
class Dot:
    """A mark with its place."""

    x: int
    y: int
    mark: Mark


@dataclass(frozen=True)
class Plot:
    """All that the template draws, in its own units; and for a list, the days with their marks and what was due before them."""

    width: int
    height: int
    columns: Sequence[tuple[int, str]]
    rows: Sequence[tuple[int, str]]
    now_x: int
    dots: Sequence[Dot]
    earlier: Sequence[Mark]
    days: Sequence[tuple[str, Sequence[Mark]]]
    beyond: int


def drawn(marks: Sequence[Mark], now: datetime, zone: ZoneInfo) -> Plot | None:
    """The plot of the marks from yesterday's midnight on for seven days; None when there is nothing in that time.

    Rows are first for what is due in that time, then for what is late since before it, the newest first: what can still be
    kept is never pushed out by what stands for months.
    """
    first = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = first - timedelta(days=1)
    end = first + timedelta(days=DAYS - 1)
    late = [mark for mark in marks if mark.at < start]
    near = sorted((mark for mark in marks if start <= mark.at < end), key=lambda mark: mark.at)
    if not near and not late:
        return None
    by_time = sorted(late, key=lambda mark: mark.at, reverse=True)
    incidents = list(dict.fromkeys(mark.incident for mark in (*near, *by_time)))[:MOST_ROWS]
    places = {ref: TOP + 30 + ROW * row for row, ref in enumerate(incidents)}

    def x(at: datetime) -> int:
        share = (max(at, start) - start) / (end - start)
        return round(LEFT + share * (RIGHT - LEFT))

    shown = [mark for mark in (*late, *near) if mark.incident in places]
    columns = [(x(start + timedelta(days=day)), _day(start + timedelta(days=day), zone)) for day in range(DAYS)]
    return Plot(
        width=RIGHT + 20,
        height=TOP + ROW * len(incidents) + 16,
        columns=columns,
        rows=[(y, ref) for ref, y in places.items()],
        now_x=x(now),
        dots=[Dot(x(mark.at), places[mark.incident] + LANES[mark.kind], mark) for mark in shown],
        earlier=by_time,
        days=_by_day(near, zone),
        beyond=len(late) + len(near) - len(shown),
    )


def _by_day(marks: Sequence[Mark], zone: ZoneInfo) -> list[tuple[str, Sequence[Mark]]]:
    days: dict[str, list[Mark]] = {}
    for mark in marks:
        days.setdefault(_day(mark.at, zone), []).append(mark)
    return list(days.items())


def _day(at: datetime, zone: ZoneInfo) -> str:
    return weekday(at, zone)
