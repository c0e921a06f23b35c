"""A sending as it stands in the middle or at the end of its way, to any number of people, written row by row without sending.

The rows are those that a real sending leaves behind; the tally and the moves are counted from them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update

from incident.domain.deliveries import Course, State
from incident.store import bulk, deliveries, dispatches, moves, tallies
from incident.store.claims import DeliveryClaim
from incident.store.db import db
from incident.store.dispatches import COLUMN, Dispatch
from incident.store.people import Person
from incident.store.tallies import Place
from tests.actions.test_climbing import a_climb
from tests.actions.waves import LEAD, Story
from tests.builders import notice_row

AT_ONCE = 20_000
CLAIMED_AT_ONCE = 1_000
LANGUAGES = ("en", "en", "en", "en", "en", "en", "zh-Hans", "zh-Hans", "zh-Hans", "de")
REASONS = ("mailbox_unknown", "mailbox_unknown", "mailbox_full", "policy_refused")
NAMES = (
    "ref", "dispatch_id", "notice_version_id", "person_id", "person_number", "channel", "language", "came_from", "attempt",
    "current", "state", "tries", "provider", "provider_id", "reason", "code", "may_pass", "complained", "owner", "settled_by",
    "made_at", "called_at", "changed_at", "climb_at", "claim_id",
)  # fmt: skip
One = tuple[str, str, str, State, str, bool]
"""Channel, came from, language, state, reason, whether it counts."""


def a_large_sending(people: int, *, course: Course = Course.SENDING, sent: float = 0.7) -> Story:
    """A sending by e-mail, text and letter to so many people, of whom this share was reached by it so far."""
    story = a_climb(3)
    story.start()
    story.work()
    row = story.row()
    for table in ("delivery", "dispatch_tally", "dispatch_move"):
        db.session.execute(text(f"DELETE FROM {table} WHERE dispatch_id = :id"), {"id": row.id})
    first = _people(story, people)
    _fill(row, first, people, course, sent, story.clock())
    notice_row(story.incident, story.notice).title = "Customers of the web shop"
    db.session.commit()
    db.session.expire_all()
    return story


def _people(story: Story, people: int) -> int:
    """So many people on the list, all of them like its first; the number before that of the first row."""
    one = db.session.scalars(select(Person).where(Person.incident_id == story.incident.id).order_by(Person.id)).first()
    assert one is not None
    first = (db.session.scalar(select(func.max(Person.id))) or 0) + 1_000
    values = {column.name: getattr(one, column.key) for column in Person.__table__.columns}
    db.session.execute(text("DELETE FROM person WHERE incident_id = :id"), {"id": story.incident.id})
    own = {"id", "number", "import_id", "row_no"}
    same = {name: value for name, value in values.items() if name not in own}
    for start in range(1, people + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, people + 1))
        bulk.insert("person", ("id", "number", *same), [(first + number, number, *same.values()) for number in numbers])
    return first


def _fill(row: Dispatch, first: int, people: int, course: Course, sent: float, now: datetime) -> None:
    row.audience, row.course, row.rate, row.prepared = people, course, 412.0, True
    row.finished_at = now if course in (Course.DONE, Course.STOPPED) else None
    claim = _claim(row, now)
    tally: Counter[Place] = Counter()
    went: Counter[tuple[str, str]] = Counter()
    waiting: list[tuple[object, ...]] = []
    for number, attempts in enumerate(_everybody(people, course, sent), start=1):
        for one in attempts:
            waiting.append(_row(row, first, number, one, now, claim))
            channel, origin, language, state, reason, counts = one
            if counts:
                tally[Place(channel, language, state, reason).counted] += 1
            if origin:
                went[origin, channel] += 1
        if len(waiting) >= AT_ONCE:
            _write(waiting, now)
    _write(waiting, now)
    zero = {COLUMN[state]: 0 for state in State}
    db.session.flush()
    db.session.execute(update(Dispatch).where(Dispatch.id == row.id).values(**zero))
    tallies.count(row.id, tally, now)
    moves.count(row.id, went)


def _claim(row: Dispatch, now: datetime) -> int:
    """The claims of the last minute, so that the board knows a rate; the number of the one that is under way."""
    made = [
        DeliveryClaim(
            dispatch_id=row.id, channel=channel, worker="w", size=CLAIMED_AT_ONCE, lease_until=now + timedelta(minutes=5),
            state=state, claimed_at=now - timedelta(seconds=ago),
        )
        for channel, state, ago in (("email", "settled", 40), ("email", "settled", 20), ("sms", "settled", 30), ("email", "calling", 1))
    ]  # fmt: skip
    db.session.add_all(made)
    db.session.flush()
    return made[-1].id


def _write(waiting: list[tuple[object, ...]], now: datetime) -> None:
    refs = deliveries.new_refs(len(waiting), now) if waiting else []
    bulk.insert("delivery", NAMES, [(ref, *rest) for ref, rest in zip(refs, waiting, strict=True)])
    waiting.clear()


def _row(row: Dispatch, first: int, number: int, one: One, now: datetime, claim: int) -> tuple[object, ...]:
    channel, origin, language, state, reason, counts = one
    owner = LEAD if not counts or state is State.UNREACHED else ""
    called = None if state in (State.WAITING, State.UNREACHED, State.CANCELLED) else bulk.instant(now)
    open_step = counts and channel == "sms" and state is State.ACCEPTED
    climbs = bulk.instant(now + timedelta(minutes=number % 2_880)) if open_step else None
    held = claim if state in (State.SENDING, State.IN_DOUBT) else None
    return (
        row.id, row.notice_version_id, first + number, number, channel, language, origin, 1, counts, state.value, 0, "memory" if called else "",
        "", reason, "", False, False, owner, "", bulk.instant(now), called, bulk.instant(now), climbs, held,
    )  # fmt: skip


def _everybody(people: int, course: Course, sent: float) -> Iterator[list[One]]:
    reached = int(people * sent)
    for number in range(people):
        language = LANGUAGES[number % len(LANGUAGES)]
        if number % 250 == 3:
            yield [("none", "", language, State.UNREACHED, "no_channel", True)]
        elif number < reached:
            yield list(_sent(number, language))
        elif course is Course.STOPPED:
            yield [("email", "", language, State.CANCELLED, "stopped", True)]
        elif course is Course.SENDING and number < reached + CLAIMED_AT_ONCE:
            yield [("email", "", language, State.SENDING, "", True)]
        elif course in (Course.SENDING, Course.PAUSED):
            yield [("sms" if number % 20 == 7 else "email", "", language, State.WAITING, "", True)]
        else:
            yield list(_sent(number, language))


def _sent(number: int, language: str) -> Iterator[One]:
    """Most are delivered; some came back and went on to a text, some of those to a letter."""
    why = REASONS[number % len(REASONS)]
    match number % 100:
        case 0 | 1 | 2 | 3 | 4 | 5 if number % 100 < 6:
            yield "email", "", language, State.BOUNCED, why, False
            if number % 300 < 6:
                yield "sms", "email", language, State.FAILED, "number_invalid", False
                last = State.ACCEPTED if number % 600 < 300 else State.BOUNCED
                yield "letter", "sms", language, last, "" if last is State.ACCEPTED else "returned_moved", True
            else:
                yield "sms", "email", language, State.ACCEPTED if number % 3 else State.DELIVERED, "", True
        case 6 if number % 1000 == 6:
            yield "email", "", language, State.IN_DOUBT, "worker_died", True
        case 7 | 27 | 47 | 67 | 87:
            yield "sms", "", language, State.DELIVERED if number % 2 else State.ACCEPTED, "", True
        case rest:
            yield "email", "", language, State.ACCEPTED if rest % 5 == 0 else State.DELIVERED, "", True


def as_counted(story: Story) -> bool:
    """Whether the tally is what the rows say."""
    id_ = story.row().id
    return {place: n for _, place, n in tallies.of_rows([id_])} == tallies.of(id_) and dispatches.by_id(id_) is not None
