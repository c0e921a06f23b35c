"""The sending of a notice version: its course, its counts, and the switch that freezes all sending.

A dispatch keeps its counts in its own row, changed in the transaction that moves its deliveries, so that no page ever
counts a million of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, case, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import ladders
from incident.domain.deliveries import Counts, Course, Pace, State, canary_left, too_many_back
from incident.domain.hours import USUAL, Day
from incident.domain.ladders import Step
from incident.domain.pace import too_many_complaints
from incident.domain.rolls import unpacked
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once

BY_DAY: Final = '{"begins": 9, "until": 20, "sunday": 12}'
"""The hours of sendings from before there was a choice."""


class Dispatch(Model):
    """The sending of one notice version, with its counts."""

    __tablename__ = "dispatch"
    __table_args__ = (
        UniqueConstraint("notice_version_id", "simulated"),
        Index("ix_dispatch_incident", "incident_id", "id"),
        Index("ix_dispatch_course", "course"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    notice_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice.id"))
    notice_version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice_version.id"))
    notice_ref: Mapped[str] = mapped_column(String(20))
    version_number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    audience: Mapped[int]
    audience_digest: Mapped[str] = mapped_column(String(64))
    simulated: Mapped[bool]
    channels: Mapped[list[str]] = mapped_column(JSON)
    ladder: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    first_attempt: Mapped[int] = mapped_column(default=1)
    course: Mapped[str] = mapped_column(String(10), default=Course.PREPARING)
    paused_for: Mapped[str] = mapped_column(String(24), default="")
    prepared_to: Mapped[int] = mapped_column(BigInt, default=0)
    prepared: Mapped[bool] = mapped_column(default=False)
    canary: Mapped[int] = mapped_column(default=0)
    most_back: Mapped[int] = mapped_column(default=10)
    sample: Mapped[int] = mapped_column(default=50)
    seen: Mapped[int] = mapped_column(default=0)
    seen_bad: Mapped[int] = mapped_column(default=0)
    most_complaints: Mapped[int] = mapped_column(default=3, server_default="3")
    seen_complained: Mapped[int] = mapped_column(default=0, server_default="0")
    rates: Mapped[dict[str, float]] = mapped_column(JSON, default=dict, server_default="{}")
    at_any_hour: Mapped[bool] = mapped_column(default=False, server_default=false())
    hours: Mapped[dict[str, int]] = mapped_column(JSON, default=lambda: asdict(USUAL), server_default=BY_DAY)
    waiting: Mapped[int] = mapped_column(default=0)
    sending: Mapped[int] = mapped_column(default=0)
    in_doubt: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    delivered: Mapped[int] = mapped_column(default=0)
    confirmed: Mapped[int] = mapped_column(default=0, server_default="0")
    failed: Mapped[int] = mapped_column(default=0)
    bounced: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    simulated_count: Mapped[int] = mapped_column(default=0)
    unreached: Mapped[int] = mapped_column(default=0)
    complained: Mapped[int] = mapped_column(default=0)
    rate: Mapped[float] = mapped_column(default=0.0)
    holds: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fell_out: Mapped[bytes | None] = mapped_column(LargeBinary)
    life: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    pretended: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, server_default="{}")
    started_by: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def counts(self) -> Counts:
        """How many people stand where."""
        return Counts(**{state.value: getattr(self, COLUMN[state]) for state in State})

    @property
    def steps(self) -> tuple[Step, ...]:
        """The approved ladder; none for a notice that was approved before there were ladders."""
        return ladders.from_json(self.ladder)

    @property
    def left_out(self) -> int:
        """How many of those a correction was approved for fell out before it began."""
        return len(unpacked(self.fell_out)) if self.fell_out else 0

    @property
    def pace(self) -> Pace:
        """How carefully it goes out."""
        day, rates = Day(**self.hours), dict(self.rates)
        return Pace(self.canary, self.most_back, self.sample, self.most_complaints, rates, self.at_any_hour, day)

    @property
    def overrun(self) -> str:
        """Which limit of its pace it has passed, in the word of a pause; empty while it keeps them all."""
        if too_many_back(self.counts, self.pace, seen=self.seen, seen_bad=self.seen_bad):
            return "too_many_back"
        outcomes = self.counts.with_outcome - self.seen
        if too_many_complaints(self.complained - self.seen_complained, outcomes, self.pace):
            return "too_many_complaints"
        return ""


COLUMN: Final[Mapping[State, str]] = {
    state: "simulated_count" if state is State.SIMULATED else state.value for state in State
}
"""The column of a dispatch that counts each state."""


class SendingSwitch(Model):
    """One row: whether all sending of this installation is frozen, since when and by whom."""

    __tablename__ = "sending_switch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    frozen: Mapped[bool]
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


@once
def frozen() -> bool:
    """Whether all sending is frozen."""
    return any(frozen for (frozen,) in bulk.fetched("SELECT frozen FROM sending_switch WHERE id = 1", ()))


class Held(NamedTuple):
    """What a release lets go on: how many real sendings, how many people wait in them, how many are in doubt."""

    sendings: int
    waiting: int
    in_doubt: int


def held() -> Held:
    """What would go on at once if nothing were frozen. Paused ones stay where they are; those in doubt wait for a person."""
    running = Dispatch.course.in_([Course.PREPARING, Course.SENDING]) & Dispatch.simulated.is_(False)
    to_go = case((Dispatch.prepared, Dispatch.waiting + Dispatch.sending), else_=Dispatch.audience)
    counts = func.count(), func.sum(to_go)
    sendings, waiting = db.session.execute(select(*counts).where(running)).one()
    doubtful = db.session.scalar(select(func.sum(Dispatch.in_doubt)).where(Dispatch.simulated.is_(False)))
    return Held(sendings, int(waiting or 0), int(doubtful or 0))


def switch() -> SendingSwitch | None:
    """The switch, if it was ever touched."""
    return db.session.get(SendingSwitch, 1)


def set_frozen(frozen: bool, by: str, now: datetime) -> bool:
    """Freeze or release all sending, inside the caller's transaction; whether that changed anything."""
    switch = db.session.get(SendingSwitch, 1)
    if switch is None:
        switch = SendingSwitch(id=1, frozen=False, by=by, at=now)
        db.session.add(switch)
    changed = switch.frozen is not frozen
    switch.frozen, switch.by, switch.at = frozen, by, now
    db.session.flush()
    return changed


def by_ref(incident_id: int, ref: str) -> Dispatch | None:
    """The dispatch with this reference, if it belongs to this incident."""
    return db.session.scalar(select(Dispatch).where(Dispatch.incident_id == incident_id, Dispatch.ref == ref))


def by_id(dispatch_id: int) -> Dispatch | None:
    """The dispatch with this number."""
    return db.session.get(Dispatch, dispatch_id)


def anywhere(ref: str) -> Dispatch | None:
    """The dispatch with this reference, read anew; for background work."""
    return db.session.scalar(select(Dispatch).where(Dispatch.ref == ref).execution_options(populate_existing=True))


def seen(ref: str) -> Dispatch | None:
    """The same as it stands at this moment, belonging to no session: it is not read again, whatever is rolled back."""
    row = anywhere(ref)
    return row and let_be(row)


def let_be(row: Dispatch) -> Dispatch:
    """A dispatch as it was read last, belonging to no session from here on."""
    db.session.expunge(row)
    return row


# Who moves deliveries has a part in their dispatch first, until the commit. Most take all of it. Workers share it among each
# other, for a claim and the rows under it are one worker's alone; what they all change, the counts, they hold only at the end.
# SQLite has one writer at a time, and these are nothing there. On PostgreSQL it is an advisory lock and then the row: whoever
# waits for a row that he shares already would wait for ever.

PARTS: Final = 0x70C5 << 44
"""Added to a dispatch's number, it is the number of its advisory lock."""


def lock(ids: Sequence[int]) -> None:
    """Hold these dispatches against other writers, workers included, until the commit. Whoever moves deliveries does this first."""
    _take_part(ids, "pg_advisory_xact_lock")
    query = select(Dispatch.id).where(Dispatch.id.in_(ids)).order_by(Dispatch.id)
    db.session.execute(query.with_for_update(key_share=True))


def share(dispatch_id: int) -> None:
    """Hold a dispatch against everybody but other workers, who move other rows of it: its course stands until the commit."""
    _take_part([dispatch_id], "pg_advisory_xact_lock_shared")


def shared(ref: str) -> Dispatch | None:
    """The same, and the dispatch as it stands; its counts and rests only once it is `held`."""
    _take_part_of(ref, "pg_advisory_xact_lock_shared")
    return anywhere(ref)


def hold(row: Dispatch) -> None:
    """Hold a dispatch that is shared against the other workers too, and read it anew: the last thing before the commit."""
    if db.engine.dialect.name == "postgresql":
        db.session.refresh(row, with_for_update={"key_share": True})


def left_of_canary(dispatch_id: int) -> int:
    """How many more of a dispatch that is locked may go out before the first look, by its counts as they stand."""
    columns = [Dispatch.canary, *(getattr(Dispatch, COLUMN[state]) for state in State)]
    canary, *counts = db.session.execute(select(*columns).where(Dispatch.id == dispatch_id)).one()
    left = canary_left(Counts(**dict(zip((state.value for state in State), counts, strict=True))), canary)
    return sum(counts) if left is None else left


def _take_part(ids: Sequence[int], how: str) -> None:
    if db.engine.dialect.name == "postgresql":
        parts = [PARTS + id_ for id_ in sorted(set(ids))]
        bulk.fetched(f"SELECT {how}(part) FROM unnest(?::bigint[]) AS part", (parts,))  # noqa: S608  (names of ours)


def _take_part_of(ref: str, how: str) -> None:
    if db.engine.dialect.name == "postgresql":
        bulk.fetched(f"SELECT {how}(?::bigint + id) FROM dispatch WHERE ref = ?", (PARTS, ref))  # noqa: S608


def steps_of(ids: Sequence[int]) -> dict[int, tuple[Step, ...]]:
    """The approved ladders of these dispatches."""
    query = select(Dispatch.id, Dispatch.ladder).where(Dispatch.id.in_(ids))
    return {id_: ladders.from_json(raw) for id_, raw in db.session.execute(query)} if ids else {}


def locked(ref: str) -> Dispatch | None:
    """The dispatch with this reference, held against other writers until the commit."""
    _take_part_of(ref, "pg_advisory_xact_lock")
    query = select(Dispatch).where(Dispatch.ref == ref).with_for_update(key_share=True)
    return db.session.scalar(query.execution_options(populate_existing=True))


def of_version(notice_version_id: int, *, simulated: bool) -> Dispatch | None:
    """The dispatch of a notice version: the real one, or its rehearsal."""
    query = select(Dispatch).where(Dispatch.notice_version_id == notice_version_id)
    return db.session.scalar(query.where(Dispatch.simulated.is_(simulated)))


@once
def of_notice(notice_id: int) -> Sequence[Dispatch]:
    """Every dispatch of any version of a notice, rehearsals included."""
    return db.session.scalars(select(Dispatch).where(Dispatch.notice_id == notice_id).order_by(Dispatch.id)).all()


def under_way() -> Sequence[Dispatch]:
    """The dispatches that are being prepared or sent."""
    query = select(Dispatch).where(Dispatch.course.in_([Course.PREPARING, Course.SENDING]))
    return db.session.scalars(query.order_by(Dispatch.id).execution_options(populate_existing=True)).all()


def without_doubts() -> Sequence[str]:
    """The dispatches that waited for nothing but their doubts, which all are settled now."""
    query = select(Dispatch.ref).where(Dispatch.course == Course.IN_DOUBT, Dispatch.in_doubt == 0)
    return db.session.scalars(query.order_by(Dispatch.id)).all()


def done_in_doubt() -> Sequence[str]:
    """The dispatches that were called done while people in them were in doubt, as earlier versions did."""
    query = select(Dispatch.ref).where(Dispatch.course == Course.DONE, Dispatch.in_doubt > 0)
    return db.session.scalars(query.where(Dispatch.simulated.is_(False)).order_by(Dispatch.id)).all()


def of_incident(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Dispatch]:
    """The dispatches of an incident, newest first, by key."""
    query = select(Dispatch).where(Dispatch.incident_id == incident_id)
    if before is not None:
        query = query.where(Dispatch.id < before)
    return db.session.scalars(query.order_by(Dispatch.id.desc()).limit(limit)).all()
