"""How long things took, what was in time, and by which channel people were told: over many incidents, never guessed.

A span that begins or ends at an unknown moment is not counted, and how many were not is said beside the figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from statistics import median
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from incident.domain.errors import Invalid

MONTHS: Final = (3, 6, 12, 24, 60)
"""The lengths of time that may be asked for, in months up to now."""
USUAL_MONTHS: Final = 12
KINDS: Final = ("incident", "near_miss")
"""What is measured together or apart. Drills never are: nothing in them happened."""
MOST_LAWS: Final = 12
"""So many laws have a bar of their own in the plot; the table has all."""


class Span(StrEnum):
    """A length of time in the life of an incident, from one known moment to another."""

    DETECT = "detect"
    DECIDE = "decide"
    CONTAIN = "contain"
    REPORT = "report"
    TELL = "tell"


BEGUN: Final = ("occurred_from",)
DETECTED: Final = ("noticed_at", "detected_at", "discovered_at", "aware_at")
AWARE: Final = ("aware_at", "controller_aware_at", "discovered_at", "detected_at")
CONTAINED: Final = ("contained_at",)
TOLD: Final = ("individuals_notified_at",)
FACTS: Final = tuple(dict.fromkeys((*BEGUN, *DETECTED, *AWARE, *CONTAINED, *TOLD)))
"""The facts that the spans are made of."""
PEOPLE: Final = "individuals"
NOT_AUTHORITIES: Final = (
    PEOPLE,
    "consumer_reporting_agencies",
    "media",
    "customers",
    "public",
    "ourselves",
    "controller",
)
OF_LAWS: Final = (Span.DECIDE, Span.REPORT, Span.TELL)
"""The spans that mean something for one law: nobody detects or contains an incident law by law."""


class Under(NamedTuple):
    """What came of the duties of one law in one incident, of which one at least is owed or was decided on.

    The first decision, the first report to an authority and the first word to people, each where it was; and whether
    such a report and such a word were met or are still owed.
    """

    decided_at: datetime | None = None
    reported_at: datetime | None = None
    told_at: datetime | None = None
    reports: bool = False
    tells: bool = False

    def knows(self, span: Span) -> bool:
        """Whether this law has this span here: each one is decided on, not each wants a report and word to people."""
        return {Span.DECIDE: True, Span.REPORT: self.reports, Span.TELL: self.tells}[span]

    def end(self, span: Span) -> datetime | None:
        """When a span of this law ended; None where it has not."""
        return {Span.DECIDE: self.decided_at, Span.REPORT: self.reported_at, Span.TELL: self.told_at}[span]


@dataclass(frozen=True)
class Course:
    """One incident as it is measured: its level, and the moments that are known of it."""

    ref: str
    title: str
    level: str
    opened_at: datetime
    closed_at: datetime | None = None
    moments: Mapping[str, datetime] = field(default_factory=dict)
    decided_at: datetime | None = None
    reported_at: datetime | None = None
    told_at: datetime | None = None
    laws: Mapping[str, Under] = field(default_factory=dict)

    @cached_property
    def lengths(self) -> Mapping[Span, timedelta]:
        """How long each span took; without those of which an end is unknown, or that end before they begin as recorded."""
        aware = self._first(AWARE)
        ends = {
            Span.DETECT: (self._first(BEGUN), self._first(DETECTED)),
            Span.DECIDE: (aware, self.decided_at),
            Span.CONTAIN: (aware, self._first(CONTAINED)),
            Span.REPORT: (aware, self.reported_at),
            Span.TELL: (aware, _earliest([self.told_at, self._first(TOLD)])),
        }
        return {span: end - begin for span, (begin, end) in ends.items() if begin and end and end >= begin}

    def took(self, span: Span) -> timedelta | None:
        """How long a span took; None where that is not known."""
        return self.lengths.get(span)

    def took_under(self, law: str, span: Span) -> timedelta | None:
        """How long a span took from awareness by the duties of one law; None where that is not known."""
        aware, end = self._first(AWARE), self.laws[law].end(span)
        return end - aware if aware and end and end >= aware else None

    def _first(self, keys: Iterable[str]) -> datetime | None:
        """The earliest of these moments that is known."""
        return _earliest([self.moments.get(key) for key in keys])


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment]
    return min(known) if known else None


@dataclass(frozen=True)
class Taken:
    """How long a span took over several incidents: half took at most `middle`, nine in ten at most `most`."""

    counted: int
    unknown: int
    middle: timedelta | None
    most: timedelta | None


def taken(courses: Sequence[Course], span: Span) -> Taken:
    """One span over these incidents."""
    return _taken([course.took(span) for course in courses])


def _taken(lengths: Sequence[timedelta | None]) -> Taken:
    found = sorted([length for length in lengths if length is not None])
    half = len(found) // 2
    return Taken(
        counted=len(found),
        unknown=len(lengths) - len(found),
        middle=(found[half] + found[-1 - half]) / 2 if found else None,
        most=found[-(-len(found) * 9 // 10) - 1] if found else None,
    )


def under_laws(courses: Iterable[Course]) -> dict[str, dict[Span, Taken]]:
    """The spans of each law over the incidents that it is about; a span that none of them wants is left out."""
    found: defaultdict[str, defaultdict[Span, list[timedelta | None]]] = defaultdict(lambda: defaultdict(list))
    for course in courses:
        for law, under in course.laws.items():
            for span in OF_LAWS:
                if under.knows(span):
                    found[law][span].append(course.took_under(law, span))
    return {law: {span: _taken(lengths) for span, lengths in spans.items()} for law, spans in found.items()}


def by_level(courses: Iterable[Course], levels: Sequence[str]) -> dict[str, list[Course]]:
    """The incidents of each level, gravest first as `levels` says; those without a grade last, under an empty word."""
    found: dict[str, list[Course]] = {level: [] for level in (*levels, "")}
    for course in courses:
        found.setdefault(course.level, []).append(course)
    return {level: held for level, held in found.items() if held}


@dataclass(frozen=True)
class Month:
    """How many incidents were opened and closed in one month of the reader's zone."""

    year: int
    month: int
    opened: int
    closed: int


def by_month(opened: Iterable[datetime], closed: Iterable[datetime], months: Sequence[tuple[int, int]]) -> list[Month]:
    """Counts for each of these months, which may be none. The moments are in the zone whose months are meant."""
    begun, ended = _counted(opened), _counted(closed)
    return [Month(year, month, begun[year, month], ended[year, month]) for year, month in months]


def _counted(moments: Iterable[datetime]) -> defaultdict[tuple[int, int], int]:
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for moment in moments:
        found[moment.year, moment.month] += 1
    return found


def months_to(now: datetime, count: int) -> list[tuple[int, int]]:
    """The last `count` months, this one included, oldest first."""
    here = now.year * 12 + now.month - 1
    return [(number // 12, number % 12 + 1) for number in range(here - count + 1, here + 1)]


def first_day(year: int, month: int) -> date:
    """The first day of a month."""
    return date(year, month, 1)


@dataclass(frozen=True)
class Done:
    """One duty that was met: of which law, how long it took from the start of its clock, and whether it was late."""

    law: str
    took: timedelta | None
    late: bool


@dataclass(frozen=True)
class Kept:
    """How the duties of one law were kept."""

    law: str
    in_time: int
    late: int
    overdue: int
    middle: timedelta | None
    spans: Mapping[Span, Taken] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """Duties whose time is over or that were met: those that can be in time or not."""
        return self.in_time + self.late + self.overdue

    @property
    def share(self) -> float | None:
        """The share in time, 0 to 1; None where nothing can be judged yet."""
        return self.in_time / self.judged if self.judged else None


def kept(
    done: Iterable[Done], overdue: Mapping[str, int], spans: Mapping[str, Mapping[Span, Taken]] = MappingProxyType({})
) -> list[Kept]:
    """How each law's duties were kept, those with most to judge first. `overdue`: unmet and past their time, by law;
    `spans`: as `under_laws` gives them."""
    met: defaultdict[str, list[Done]] = defaultdict(list)
    for one in done:
        met[one.law].append(one)
    found = [_kept(law, met[law], overdue.get(law, 0), spans.get(law, {})) for law in {*met, *overdue, *spans}]
    return sorted(found, key=lambda one: (-one.judged, one.law))


def _kept(law: str, met: Sequence[Done], overdue: int, spans: Mapping[Span, Taken]) -> Kept:
    lengths = [one.took.total_seconds() for one in met if one.took is not None]
    late = sum(one.late for one in met)
    middle = timedelta(seconds=median(lengths)) if lengths else None
    return Kept(law, len(met) - late, late, overdue, middle, spans)


def total(laws: Iterable[Kept]) -> Kept:
    """All laws together, under an empty name; no length, since the clocks of laws do not begin together."""
    held = list(laws)
    return Kept("", sum(one.in_time for one in held), sum(one.late for one in held), sum(o.overdue for o in held), None)


@dataclass(frozen=True)
class Learnt:
    """What became of lessons: how many were proposed, adopted and declined, how many wait, how long adoption took."""

    proposed: int = 0
    adopted: int = 0
    declined: int = 0
    waiting: int = 0
    middle: timedelta | None = None


def learnt(lessons: Iterable[tuple[str, datetime, datetime | None]], since: datetime) -> Learnt:
    """What became of these lessons, each with its state, when it was proposed and adopted, in the time since then."""
    held = list(lessons)
    took = [(to - at).total_seconds() for state, at, to in held if state == "adopted" and to and to >= since]
    return Learnt(
        proposed=sum(at >= since for _, at, _ in held),
        adopted=len(took),
        declined=sum(state == "declined" and at >= since for state, at, _ in held),
        waiting=sum(state in ("proposed", "accepted") for state, _, _ in held),
        middle=timedelta(seconds=median(took)) if took else None,
    )


REACHED: Final = ("delivered", "confirmed")
TAKEN: Final = ("accepted",)
UNDER_WAY: Final = ("waiting", "sending")
UNSURE: Final = ("in_doubt",)
MISSED: Final = ("failed", "bounced", "unreached", "cancelled")


@dataclass(frozen=True)
class Carried:
    """How far one channel carried: people by what became of their last message."""

    channel: str
    reached: int
    taken: int
    under_way: int
    unsure: int
    missed: int

    @property
    def people(self) -> int:
        """All of them."""
        return self.reached + self.taken + self.under_way + self.unsure + self.missed


def carried(counts: Mapping[tuple[str, str], int]) -> list[Carried]:
    """Each channel by how far it carried, the most used first. `counts`: people by channel and state."""
    channels = sorted({channel for channel, _ in counts})
    found = [
        Carried(channel, *(sum(counts.get((channel, state), 0) for state in states) for states in _ROWS))
        for channel in channels
    ]
    return sorted((one for one in found if one.people), key=lambda one: (-one.people, one.channel))


_ROWS: Final = (REACHED, TAKEN, UNDER_WAY, UNSURE, MISSED)


ANYTHING: Final = "all"
"""The word for every kind together."""


@dataclass(frozen=True)
class Asked:
    """What is measured: so many months up to now, of these kinds."""

    months: int = USUAL_MONTHS
    kinds: tuple[str, ...] = ("incident",)

    def since(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment of the first month, in UTC."""
        year, month = months_to(now.astimezone(zone), self.months)[0]
        return datetime(year, month, 1, tzinfo=zone).astimezone(UTC)


def asked(given: Mapping[str, str]) -> Asked:
    """What somebody asks to see: `months` and `kind`. Raises Invalid naming the field."""
    months, kind = given.get("months", str(USUAL_MONTHS)), given.get("kind", "incident")
    if months not in map(str, MONTHS):
        raise Invalid("months", f"months is one of {', '.join(map(str, MONTHS))}.")
    if kind not in (*KINDS, ANYTHING):
        raise Invalid("kind", f"kind is one of {', '.join(KINDS)}, {ANYTHING}.")
    return Asked(int(months), KINDS if kind == ANYTHING else (kind,))


@dataclass(frozen=True)
class Measured:
    """All figures of one span of time, and the moment they were taken at."""

    asked: Asked
    at: datetime
    zone: ZoneInfo
    incidents: int
    spans: Mapping[Span, Taken]
    levels: Mapping[str, Mapping[Span, Taken]]
    months: Sequence[Month]
    laws: Sequence[Kept]
    channels: Sequence[Carried]
    learnt: Learnt = Learnt()

    @property
    def kept(self) -> Kept:
        """Duties over all laws."""
        return total(self.laws)
