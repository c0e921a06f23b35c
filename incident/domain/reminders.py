"""When somebody is reminded of a duty, how widely, and when it stops: rungs on a ladder from the clock's start to past its end.

The first fraction of the clock calls the owner, the second the lead too, all later ones everybody on the case. At the due
time, and then at steps that grow, everybody again. An acknowledgement before the due time quiets the rungs up to it; the
ladder starts again when the duty falls due unmet, and one given then quiets it for good. Another due time is another ladder.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain, takewhile
from typing import Final

from incident.domain.errors import Invalid
from incident.domain.handovers import State

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
LATE_AFTER: Final = timedelta(minutes=10)
"""A reminder that leaves later than this after its moment says when it should have gone."""
DUE: Final = "due"
RETRIES: Final = tuple(timedelta(minutes=n) for n in (1, 2, 5, 15, 30))
"""How long to wait after each try that was put off; after the last one it has failed."""


class Level(StrEnum):
    """How widely a rung calls."""

    OWNER = "owner"
    LEAD = "lead"
    EVERYBODY = "everybody"

    @property
    def words(self) -> str:
        """Who that is."""
        return {
            Level.OWNER: "the owner",
            Level.LEAD: "the owner and the lead",
            Level.EVERYBODY: "everybody on the case",
        }[self]


LEVELS: Final = tuple(Level)


WORDS: Final = {
    State.WAITING: "waiting",
    State.CLAIMED: "being sent",
    State.CALLING: "being sent",
    State.ACCEPTED: "sent",
    State.DELIVERED: "delivered",
    State.FAILED: "failed",
    State.IN_DOUBT: "in doubt",
    State.SIMULATED: "kept in the sandbox",
    State.CANCELLED: "not needed any more",
    State.UNREACHED: "no channel",
}
MAY_REACH: Final = frozenset(
    {
        State.WAITING,
        State.CLAIMED,
        State.CALLING,
        State.ACCEPTED,
        State.DELIVERED,
        State.IN_DOUBT,
        State.SIMULATED,
        State.CANCELLED,
    }
)
"""States in which a message reached somebody, may have, or still may: no wider circle is called because of it."""


@dataclass(frozen=True)
class Steps:
    """The steps of every ladder: percents of the clock, and how long after the due time."""

    percents: tuple[int, ...] = (50, 75, 90)
    late: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=12))


@dataclass(frozen=True)
class Rung:
    """One moment to remind: its name, when, and how widely."""

    name: str
    moment: datetime
    level: Level


@dataclass(frozen=True)
class Turn:
    """What a look at the ladder says: the rung to give now, those it overtook, and when to look again."""

    fire: Rung | None
    overtaken: tuple[Rung, ...]
    next_at: datetime


def steps(percents: str, late_hours: str) -> Steps:
    """The steps that two settings name, such as "50,75,90" and "1,4,12". Raises Invalid."""
    shares = _numbers("reminder_percents", percents)
    hours = _numbers("reminder_late_hours", late_hours)
    if any(not 0 < share < 100 for share in shares) or any(share != int(share) for share in shares):
        raise Invalid("reminder_percents", "Give whole percents between 1 and 99, such as 50,75,90.")
    if any(not 0 < hour <= 720 for hour in hours):
        raise Invalid("reminder_late_hours", "Give hours of up to 720, such as 1,4,12.")
    return Steps(tuple(int(share) for share in shares), tuple(timedelta(hours=hour) for hour in hours))


def _numbers(field: str, text: str) -> list[float]:
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise Invalid(field, "Give numbers with commas between them.") from None
    if found != sorted(set(found)) or not 1 <= len(found) <= 12:
        raise Invalid(field, "Give one to twelve numbers, each larger than the one before.")
    return found


def begin(start: str, known_since: datetime, due: datetime) -> datetime:
    """When the clock began, from a finding's `start` (an instant, or a day at its first hour UTC), or when it became known."""
    try:
        begun = datetime.fromisoformat(start) if "T" in start else datetime.combine(date.fromisoformat(start), time())
    except ValueError:
        return min(known_since, due)
    begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)
    return begun if begun < due else min(known_since, due)


def before_due(start: datetime, due: datetime, plan: Steps) -> tuple[Rung, ...]:
    """The rungs up to the due time itself, soonest first; a clock without length has the last one only."""
    shares = [
        Rung(f"{percent}%", start + (due - start) * percent / 100, LEVELS[min(place, len(LEVELS) - 1)])
        for place, percent in enumerate(plan.percents)
        if start < due
    ]
    return (*shares, Rung(DUE, due, Level.EVERYBODY))


def after_due(due: datetime, plan: Steps) -> Iterator[Rung]:
    """The rungs after the due time, without end: as the steps say, then each time twice as late as the time before."""
    offsets = chain(plan.late, _doubled(plan.late[-1]))
    return (
        Rung(f"+{_hours(offset)}h", due + offset, Level.EVERYBODY)
        for offset in takewhile(lambda o: o < timedelta(days=36_500), offsets)
    )


def _doubled(last: timedelta) -> Iterator[timedelta]:
    while True:
        last *= 2
        yield last


def _hours(offset: timedelta) -> str:
    return f"{offset / timedelta(hours=1):g}"


def ladder(start: datetime, due: datetime, plan: Steps) -> tuple[Rung, ...]:
    """All rungs of a hundred years, soonest first: some two dozen."""
    return (*before_due(start, due, plan), *after_due(due, plan))


def is_quiet(rung: Rung, due: datetime, acknowledged_at: datetime | None) -> bool:
    """Whether an acknowledgement covers this rung."""
    return acknowledged_at is not None and (rung.moment < due or acknowledged_at >= due)


def turn(
    rungs: Sequence[Rung],
    due: datetime,
    now: datetime,
    *,
    given: Collection[str],
    acknowledged_at: datetime | None,
) -> Turn:
    """What to do at this moment. After a sleep only the latest rung is given; the ones it overtook are not."""
    passed = [rung for rung in rungs if rung.moment <= now]
    missing = [rung for rung in passed if rung.name not in given]
    ahead = (rung for rung in rungs if rung.moment > now and rung.name not in given)
    next_at = next((rung.moment for rung in ahead if not is_quiet(rung, due, acknowledged_at)), NEVER)
    if not missing or missing[-1] is not passed[-1] or is_quiet(passed[-1], due, acknowledged_at):
        return Turn(None, tuple(missing), next_at)
    return Turn(missing[-1], tuple(missing[:-1]), next_at)


def called(
    level: Level, *, owner: int | None, lead: int | None, others: Sequence[int]
) -> tuple[Level, tuple[int, ...]]:
    """Whom a rung calls, and how widely that is: an empty circle gives way to the next wider one."""
    circles: dict[Level, list[int | None]] = {
        Level.OWNER: [owner or lead],
        Level.LEAD: [owner, lead],
        Level.EVERYBODY: [owner, lead, *others],
    }
    for wider in LEVELS[LEVELS.index(level) :]:
        found = tuple(dict.fromkeys(number for number in circles[wider] if number is not None))
        if found:
            return wider, found
    return Level.EVERYBODY, ()


def wider(level: Level) -> Level | None:
    """The next wider circle; None past the widest."""
    place = LEVELS.index(level) + 1
    return LEVELS[place] if place < len(LEVELS) else None


def reaches(target_from: str, level: Level) -> bool:
    """Whether a target of the team, told from some level on, hears of a rung of this level."""
    return LEVELS.index(level) >= LEVELS.index(Level(target_from))
