"""Duties on a time line: one row a law, one mark a duty, its stages joined, holds hatched, with "now" among them.

The scale is wide where it is near: the next day takes as much room as the month after the next week.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, url_for

from incident.domain import lawbook
from incident.domain.lawbook import RECIPIENTS
from incident.store.obligations import FindingRow
from incident.web import findings, marks
from incident.web.dues import due_words
from incident.web.filters import brief, weekday
from incident.web.languages import Word, _
from incident.web.marks import Mark

LEFT, RIGHT, TOP, LANE = 150, 616, 44, 32
MOST_LANES = 9
STOPS = (
    (timedelta(days=-14), 0.0, ""),
    (timedelta(0), 0.11, Word("now")),
    (timedelta(hours=24), 0.36, Word("24 h")),
    (timedelta(hours=72), 0.56, Word("72 h")),
    (timedelta(days=7), 0.71, Word("7 days")),
    (timedelta(days=30), 0.86, Word("30 days")),
    (timedelta(days=90), 1.0, Word("90 days")),
)
"""How far from now, at which share of the width, and what is written there."""
HOLD = timedelta(days=7)
"""As far as the hatching of a hold is drawn: nobody knows when it ends."""
JUST_OVER = timedelta(days=-4)
"""What is over stands at least so far left that nobody takes it for now."""
NEAR = 15
"""Marks nearer than this to each other become one, with a figure."""
APART = 20
ROOM = 44
"""A stage is written beside its mark only where the next one leaves so much room."""
SHORT = {"individuals": Word("people"), "consumer_reporting_agencies": Word("agencies")}
STAGES = {
    "assessment": Word("assess"),
    "initial": Word("first"),
    "early_warning": Word("early"),
    "incident_notification": Word("full"),
    "supplementary": Word("more"),
    "intermediate": Word("interim"),
    "final": Word("final"),
}


@dataclass(frozen=True)
class Dot:
    """One mark, or several that fall together: where, what, and where it leads."""

    x: int
    y: int
    kind: str
    mark: Mark
    number: int
    words: str
    href: str
    stage: str


@dataclass(frozen=True)
class Lane:
    """One law's row: its label, its dots, the line that joins its stages, and the hatched time of a hold."""

    y: int
    label: str
    dots: Sequence[Dot]
    joined: tuple[int, int] | None
    hold: tuple[int, int] | None
    hold_word: str = ""


@dataclass(frozen=True)
class Line:
    """One duty as a line of the table that says the same."""

    at: datetime
    title: str
    law: str
    mark: Mark
    word: str
    stage: str
    href: str


@dataclass(frozen=True)
class Plot:
    """All that the template draws, in its own units; and the same as a table."""

    width: int
    height: int
    now_x: int
    ticks: Sequence[tuple[int, str, str]]
    lanes: Sequence[Lane]
    table: Sequence[Line]
    further: int
    timeless: int
    days: Sequence[tuple[str, Sequence[Line]]]
    legend: Sequence[Mark]


def drawn(rows: Iterable[FindingRow], now: datetime, zone: ZoneInfo) -> Plot | None:
    """The plot of what is owed, open, met and on hold; None when nothing of it has a time."""
    held = [row for row in rows if row.standing != "not_owed"]
    timed = [row for row in held if _moment(row) or marks.look(row, now) == "held"]
    if not timed:
        return None
    lanes: dict[str, list[FindingRow]] = {}
    for row in sorted(timed, key=lambda row: _pressing(row, now)):
        lanes.setdefault(_lane(row), []).append(row)
    kept = dict(list(lanes.items())[:MOST_LANES])
    shown = [row for found in kept.values() for row in found]
    looks = {marks.look(row, now) for row in shown}
    table = sorted((_line(row, now) for row in shown if _moment(row)), key=lambda line: line.at)
    return Plot(
        width=RIGHT + 36,
        height=TOP + LANE * len(kept) + 8,
        now_x=_x(now, now),
        ticks=[(_x(now + gap, now), word, brief(now + gap, zone)) for gap, _, word in STOPS if word],
        lanes=[
            _drawn_lane(label, found, TOP + LANE * place + LANE // 2, now)
            for place, (label, found) in enumerate(kept.items())
        ],
        table=table,
        further=len(timed) - len(shown),
        timeless=sum(1 for row in held if row.state not in findings.SETTLED and not row.due_at),
        days=_by_day(table, now, zone),
        legend=[mark for look, mark in marks.MARKS.items() if look in looks],
    )


def _moment(row: FindingRow) -> datetime | None:
    """When the mark stands: when it was done, or else when it is due."""
    return row.met_at or row.due_at if row.state != "waived" else row.due_at


def _pressing(row: FindingRow, now: datetime) -> tuple[bool, bool, bool, datetime]:
    """Rows of what is still to do come first, what has a time before what is on hold, owed before open, soonest first."""
    return row.state in findings.SETTLED, _moment(row) is None, row.standing == "open", _moment(row) or now


def _lane(row: FindingRow) -> str:
    """The row of a duty: its law; for the laws of states and provinces one row a recipient; each wave apart."""
    law = lawbook.library().laws.get(row.law)
    said = law.short if law else row.law
    if law and "-" in law.place:
        said = _(
            "%(value)s states: %(to)s",
            value=law.place.partition("-")[0],
            to=SHORT.get(row.to) or RECIPIENTS[row.to].removeprefix("the "),
        )
    return f"{row.wave}: {said}" if row.wave else said


def _x(at: datetime, now: datetime) -> int:
    """Where a moment stands; what is beyond the ends stands at the end."""
    gap = max(STOPS[0][0], min(at - now, STOPS[-1][0]))
    if STOPS[0][0] < gap < timedelta(0):
        gap = min(gap, JUST_OVER)
    for (begin, left, __), (end, right, __) in pairwise(STOPS):
        if gap <= end:
            return round(LEFT + (left + (right - left) * ((gap - begin) / (end - begin))) * (RIGHT - LEFT))
    return RIGHT


def _drawn_lane(label: str, rows: Sequence[FindingRow], y: int, now: datetime) -> Lane:
    placed: dict[tuple[int, str, str], list[FindingRow]] = {}
    for row in rows:
        at = _moment(row)
        if at:
            placed.setdefault((_x(at, now) // NEAR, marks.kind(row), marks.look(row, now)), []).append(row)
    dots = _spread([_dot(found, y, now) for found in placed.values()], _x(now, now))
    held = any(marks.look(row, now) == "held" for row in rows)
    ends = [dot.x for dot in dots]
    staged = len({row.law for row in rows}) == 1 and len(dots) > 1
    end = _x(now + HOLD, now)
    return Lane(
        y,
        label,
        dots,
        joined=(min(ends), max(ends)) if staged else None,
        hold=(_x(now, now), end) if held else None,
        hold_word="" if any(end - 10 < x < end + ROOM for x in ends) else _("on hold"),
    )


def _spread(dots: Sequence[Dot], now_x: int) -> list[Dot]:
    """Dots of one lane at their places, pushed apart where two would cover each other; none is pushed over now."""
    past: list[Dot] = []
    for dot in sorted((dot for dot in dots if dot.x < now_x), key=lambda dot: -dot.x):
        past.append(replace(dot, x=min(dot.x, past[-1].x - APART)) if past else dot)
    found: list[Dot] = past[::-1]
    for dot in sorted((dot for dot in dots if dot.x >= now_x), key=lambda dot: dot.x):
        last = found[-1] if found else None
        found.append(replace(dot, x=max(dot.x, last.x + APART)) if last else dot)
    roomy = [right.x - left.x >= ROOM for left, right in pairwise(found)]
    return [dot if room else replace(dot, stage="") for dot, room in zip(found, [*roomy, True], strict=False)]


def _dot(rows: Sequence[FindingRow], y: int, now: datetime) -> Dot:
    first = rows[0]
    at = _moment(first)
    duty = lawbook.library().duty(first.duty)
    wave = f" ({first.wave})" if first.wave else ""
    said = f"{first.title}{wave}: {marks.word(first, now)}"
    due = "" if first.state in findings.SETTLED else f", {due_words(at, now).words}"
    more = _(", and %(rows)s more near it", rows=len(rows) - 1) if len(rows) > 1 else ""
    return Dot(
        _x(at, now) if at else 0,
        y,
        marks.kind(first),
        marks.MARKS[marks.look(first, now)],
        len(rows),
        f"{said}{due}{more}",
        _href(first) if len(rows) == 1 else _all_of(first),
        STAGES.get(duty.stage, "") if duty and len(rows) == 1 else "",
    )


def _href(row: FindingRow) -> str:
    return url_for("obligations.show", incident=g.incident.ref, ref=row.ref)


def _all_of(row: FindingRow) -> str:
    """The board with those that one mark stands for, each on its own line."""
    law = lawbook.library().laws.get(row.law)
    where: dict[str, Any] = {"place": law.place.partition("-")[0]} if law and "-" in law.place else {"law": row.law}
    only = "settled" if row.state in findings.SETTLED else {"advised": "owed"}.get(row.standing, row.standing)
    return url_for("obligations.index", incident=g.incident.ref, only=only, to=row.to, fold="no", **where)


def _line(row: FindingRow, now: datetime) -> Line:
    duty, law = lawbook.library().duty(row.duty), lawbook.library().laws.get(row.law)
    return Line(
        _moment(row) or now,
        f"{row.title} ({row.wave})" if row.wave else row.title,
        law.short if law else row.law,
        marks.MARKS[marks.look(row, now)],
        marks.word(row, now),
        duty.stage.replace("_", " ") if duty else "",
        _href(row),
    )


def _by_day(table: Sequence[Line], now: datetime, zone: ZoneInfo) -> list[tuple[str, Sequence[Line]]]:
    """What is still to do, by day, for small screens; late things stand under one heading."""
    days: dict[str, list[Line]] = {}
    for line in table:
        if line.mark.look not in findings.SETTLED:
            day = _("Its time is over") if line.at < now else weekday(line.at, zone)
            days.setdefault(day, []).append(line)
    return list(days.items())
