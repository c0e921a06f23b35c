"""A drill as an exercise: its clock that runs faster than the world's, what is thrown in, and how well it went.

Everything is stored in real time. A length of time in a drill is shorter by the factor; only the words turn it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from incident.domain.clock import Start
from incident.domain.dues import Clock
from incident.domain.errors import Invalid, Refused
from incident.domain.facts import time_words
from incident.domain.obligations import Finding
from incident.domain.plans import Deadline
from incident.domain.speech import Say, english
from incident.domain.texts import storable

FACTORS: Final = (1, 6, 12, 24, 60)
"""How many minutes of the drill pass in one real minute; more would leave nobody time to read."""
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 5_000
LATE_COUNTS: Final = 0.5
"""What is done late counts half: it was done."""
NOT_BY_PEOPLE: Final = frozenset({"system", "public"})

Pause = tuple[datetime, datetime]


class Course(StrEnum):
    """How far a drill is."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class Arrival(StrEnum):
    """What has become of an inject."""

    WAITING = "waiting"
    ARRIVED = "arrived"
    SKIPPED = "skipped"


class Kind(StrEnum):
    """What an inject is to the players."""

    MESSAGE = "message"
    FACT = "fact"
    PRESS = "press"
    REGULATOR = "regulator"
    PERSON = "person"
    PROVIDER = "provider"
    MAIL = "mail"


KIND_WORDS: Final[Mapping[Kind, str]] = {
    Kind.MESSAGE: "message",
    Kind.FACT: "new fact",
    Kind.PRESS: "press",
    Kind.REGULATOR: "authority",
    Kind.PERSON: "person affected",
    Kind.PROVIDER: "provider",
    Kind.MAIL: "returned mail",
}


class Remark(StrEnum):
    """What somebody says of the drill when it is over."""

    HELPED = "helped"
    HURT = "hurt"
    LESSON = "lesson"


class Verdict(StrEnum):
    """How an expectation came out. `waiting` and `overdue` only while the drill runs."""

    MET = "met"
    LATE = "late"
    MISSED = "missed"
    WAITING = "waiting"
    OVERDUE = "overdue"


# ---------------------------------------------------------------- the clock


@dataclass(frozen=True)
class Clockwork:
    """The clock of one drill. It stands still in pauses and at its end."""

    began_at: datetime
    factor: int
    pauses: tuple[Pause, ...] = ()
    paused_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def course(self) -> Course:
        """How far the drill is."""
        if self.ended_at is not None:
            return Course.ENDED
        return Course.PAUSED if self.paused_at is not None else Course.RUNNING

    def passed(self, at: datetime) -> timedelta:
        """How much time of the drill had passed at this real moment; less than none before it began."""
        stop = min(moment for moment in (at, self.paused_at, self.ended_at) if moment is not None)
        real = stop - self.began_at - sum((min(end, stop) - begin for begin, end in self._until(stop)), timedelta(0))
        return real * self.factor

    def reads(self, at: datetime) -> datetime:
        """What the clock of the drill shows at this real moment."""
        return self.began_at + self.passed(at)

    def minute(self, at: datetime) -> int:
        """The minute of the drill at this real moment."""
        return int(self.passed(at).total_seconds() // 60)

    def moment(self, minutes: float) -> datetime:
        """The real moment at which this minute of the drill comes or came, as far as pauses are known."""
        at = self.began_at + timedelta(minutes=minutes) / self.factor
        for begin, end in self.pauses:
            if begin < at:
                at += end - begin
        return at

    def due(self, start: datetime, end: datetime, now: datetime) -> datetime:
        """The real moment at which a length of time is over that would last from `start` to `end` in the world."""
        at = start + (end - start) / self.factor
        going = ((self.paused_at, max(now, self.paused_at)),) if self.paused_at is not None else ()
        for begin, over in (*self.pauses, *going):
            if start < over and begin < at:
                at += over - max(begin, start)
        return at

    def left(self, at: datetime, now: datetime) -> timedelta:
        """How much time of the drill is left at `now` until this real moment."""
        return (at - now) * self.factor

    def _until(self, stop: datetime) -> Iterable[Pause]:
        return (pause for pause in self.pauses if pause[0] < stop)


def promised(work: Clockwork | None, start: datetime, end: datetime, now: datetime) -> datetime:
    """When what was promised from `start` to `end` is due in a drill; `end` where it is none. A pause that goes on counts at its end."""
    return end if work is None else work.due(start, end, work.paused_at or now)


def paced(clock: Clock, work: Clockwork | None, now: datetime) -> Clock:
    """A duty's clock as it runs in a drill: as much shorter as the drill is faster, and it says so."""
    if work is None or clock.due is None or (work.factor == 1 and not work.pauses):
        return clock
    due = work.due(_instant(clock.start) or work.began_at, clock.due, now)
    return clock._replace(due=due, words=f"{clock.words.rstrip('.')}. {_because(work, due)}".lstrip(". "))


def paced_all(found: Sequence[Finding], work: Clockwork | None, now: datetime) -> Sequence[Finding]:
    """Findings with their clocks as these run in a drill; as they are where it is none."""
    return found if work is None else [one._replace(clock=paced(one.clock, work, now)) for one in found]


def paced_step(found: Deadline, hours: int, work: Clockwork | None, now: datetime) -> Deadline:
    """When a step of a plan, which has so many hours, is due in a drill; as it is where it is none."""
    if work is None or found.at is None or (work.factor == 1 and not work.pauses):
        return found
    due = work.due(found.at - timedelta(hours=hours), found.at, now)
    return Deadline(due, f"{found.words}. {_because(work, due)}")


def _because(work: Clockwork, due: datetime) -> str:
    said = f"In this drill {work.factor} minutes pass in one" if work.factor > 1 else "This drill was paused"
    return f"{said}: so it is due {time_words(due, UTC)}."


def _instant(start: Start | None) -> datetime | None:
    if start is None or isinstance(start, datetime):
        return start
    return datetime.combine(start, time.min, UTC)


def span_words(gap: timedelta, say: Say = english) -> str:
    """A length of time of the drill, such as `2 d 3 h`, `4 h 10 min`, `7 min`."""
    minutes = int(abs(gap).total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return str(say("{days} d {hours} h", days=days, hours=hours) if hours else say("{days} d", days=days))
    if hours:
        return str(say("{hours} h {minutes} min", hours=hours, minutes=rest) if rest else say("{hours} h", hours=hours))
    return str(say("{minutes} min", minutes=rest))


# ---------------------------------------------------------------- what may be done


def factor(given: int | str) -> int:
    """How much faster the clock runs. Raises Invalid."""
    if str(given) not in {str(one) for one in FACTORS}:
        raise Invalid("factor", f"Choose one of: {', '.join(str(one) for one in FACTORS)}.")
    return int(given)


def demand_course(work: Clockwork, *allowed: Course) -> None:
    """Raise Refused unless the drill is as far as that."""
    if work.course in allowed:
        return
    if work.course is Course.ENDED:
        raise Refused("This drill is over. Nothing of it changes any more.")
    if work.course is Course.PAUSED:
        raise Refused("This drill is paused. Let it go on first.")
    raise Refused("This drill is running.")


def demand_facilitator(facilitator: str, actor: str) -> None:
    """Raise Refused unless this person leads the drill."""
    if facilitator != actor:
        raise Refused("Only who facilitates this drill does that. Take it over first, if you have to.")


def paused(work: Clockwork, now: datetime) -> Clockwork:
    """The clock stopped. Raises Refused."""
    demand_course(work, Course.RUNNING)
    return replace(work, paused_at=now)


def resumed(work: Clockwork, now: datetime) -> Clockwork:
    """The clock set going again. Raises Refused."""
    demand_course(work, Course.PAUSED)
    assert work.paused_at is not None
    return replace(work, pauses=(*work.pauses, (work.paused_at, max(now, work.paused_at))), paused_at=None)


def ended(work: Clockwork, now: datetime) -> Clockwork:
    """The clock stopped for good. Raises Refused."""
    demand_course(work, Course.RUNNING, Course.PAUSED)
    if work.paused_at is not None:
        work = resumed(work, now)
    return replace(work, ended_at=now)


def arrived(state: Arrival) -> Arrival:
    """The state of an inject that comes in. Raises Refused."""
    return _from_waiting(state, Arrival.ARRIVED)


def skipped(state: Arrival) -> Arrival:
    """The state of an inject that is left out. Raises Refused."""
    return _from_waiting(state, Arrival.SKIPPED)


def _from_waiting(state: Arrival, after: Arrival) -> Arrival:
    if state is Arrival.ARRIVED:
        raise Refused("This came in already.")
    if state is Arrival.SKIPPED:
        raise Refused("This was left out already.")
    return after


def text(given: str, field: str = "text", longest: int = LONGEST_TEXT) -> str:
    """What somebody wrote, as it is kept. Raises Invalid."""
    said = storable(given)
    if not said:
        raise Invalid(field, "Write something here.")
    if len(said) > longest:
        raise Invalid(field, f"At most {longest:,} characters.")
    return said


# ---------------------------------------------------------------- how well it went


@dataclass(frozen=True)
class Expected:
    """What a good team would have done: one of these verbs, with these details, by that minute of the drill.

    With `after` the minutes count from the arrival of that inject; where that never came, nothing is expected.
    """

    key: str
    title: str
    why: str
    verbs: tuple[str, ...]
    by: int
    where: Mapping[str, str]
    after: str = ""


@dataclass(frozen=True)
class Act:
    """One line of the record, as far as an expectation looks at it."""

    seq: int
    at: datetime
    verb: str
    actor: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """How one expectation came out; minutes are those of the drill."""

    expected: Expected
    verdict: Verdict
    due: int | None
    done: int | None
    line: int | None

    @property
    def late_by(self) -> int | None:
        """How many minutes of the drill it was late, where it was done late."""
        return self.done - self.due if self.verdict is Verdict.LATE and self.done and self.due is not None else None


def judged(
    expected: Sequence[Expected], acts: Sequence[Act], arrivals: Mapping[str, datetime], work: Clockwork, now: datetime
) -> list[Judged]:
    """Each expectation that came into force, held against what people did, oldest act first."""
    found = []
    for one in expected:
        began = arrivals.get(one.after) if one.after else work.began_at
        if began is not None:
            found.append(_judged(one, acts, work.minute(began) + one.by, began, work, now))
    return found


def _judged(one: Expected, acts: Sequence[Act], due: int, began: datetime, work: Clockwork, now: datetime) -> Judged:
    act = next((act for act in acts if act.at > began and _fits(one, act)), None)
    if act is not None:
        done = work.minute(act.at)
        return Judged(one, Verdict.MET if done <= due else Verdict.LATE, due, done, act.seq)
    if work.course is Course.ENDED:
        return Judged(one, Verdict.MISSED, due, None, None)
    return Judged(one, Verdict.OVERDUE if work.minute(now) > due else Verdict.WAITING, due, None, None)


def _fits(one: Expected, act: Act) -> bool:
    if act.verb not in one.verbs or act.actor in NOT_BY_PEOPLE:
        return False
    return all(
        _holds(act.subject if key == "subject" else act.details.get(key), value) for key, value in one.where.items()
    )


def _holds(held: Any, wanted: str) -> bool:
    """Whether a detail is the word that is wanted, or has it among its words; a list in one string is parted by commas."""
    if isinstance(held, list | tuple):
        return wanted in [str(one) for one in held]
    return wanted == str(held) or (isinstance(held, str) and wanted in held.split(","))


def score(found: Sequence[Judged]) -> int | None:
    """How much of what was expected was done, in a hundred: in time counts whole, late half. None where nothing was."""
    if not found:
        return None
    worth = {Verdict.MET: 1.0, Verdict.LATE: LATE_COUNTS}
    return round(100 * sum(worth.get(one.verdict, 0.0) for one in found) / len(found))


def tally(found: Sequence[Judged]) -> dict[str, int]:
    """How many came out how, in the order of the verdicts."""
    return {verdict.value: sum(1 for one in found if one.verdict is verdict) for verdict in Verdict}
