"""Drills as exercises: their clock, what is thrown in, and what was said of them afterwards. Words that people wrote are sealed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Select, String, Text, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.drills import Clockwork
from incident.store import words
from incident.store.audit import AuditLine
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.incidents import Incident

COMING = text("state = 'waiting' AND due_at IS NOT NULL")


class Drill(Model):
    """One exercise, which is an incident of the kind drill. `script` is the scenario as it was pinned at the start.

    `life` is what the sandbox pretends of sendings that begin from now on; `outcome` the score as it stood at the end.
    """

    __tablename__ = "drill"
    __table_args__ = (Index("ix_drill_began", "began_at", "incident_id"),)

    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    scenario: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    script: Mapped[dict[str, Any]] = mapped_column(JSON)
    factor: Mapped[int]
    facilitator: Mapped[str] = mapped_column(String(20))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    pauses: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    life: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    @property
    def clock(self) -> Clockwork:
        """Its clock, for the rules."""
        pauses = tuple((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in self.pauses)
        return Clockwork(self.began_at, self.factor, pauses, self.paused_at, self.ended_at)

    def keep_clock(self, work: Clockwork) -> None:
        """Write the clock as it stands now."""
        self.pauses = [[begin.isoformat(), end.isoformat()] for begin, end in work.pauses]
        self.paused_at, self.ended_at = work.paused_at, work.ended_at


class DrillInject(Model):
    """One thing that is thrown in. `due_at` is the real moment at which it comes by itself; none while the clock stands."""

    __tablename__ = "drill_inject"
    __table_args__ = (
        Index("ix_drill_inject_incident", "incident_id", "minute", "id"),
        Index("ix_drill_inject_coming", "due_at", sqlite_where=COMING, postgresql_where=COMING),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    key: Mapped[str] = mapped_column(String(40))
    minute: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    sender: Mapped[str] = mapped_column(Text, default="")
    title: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    life: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    wants_answer: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    written_by: Mapped[str] = mapped_column(String(20), default="")
    arrived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_by: Mapped[str] = mapped_column(String(20), default="")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class DrillRemark(Model):
    """What somebody said of a drill: what helped, what hurt, what is to be learnt. `lesson` is the proposal made of it."""

    __tablename__ = "drill_remark"
    __table_args__ = (Index("ix_drill_remark_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    lesson: Mapped[str] = mapped_column(String(20), default="")
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    written_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(DrillInject, "sender", "title", "text", "answer")
words.keep(DrillRemark, "text")


def of(incident_id: int, *, locked: bool = False) -> Drill | None:
    """The exercise of this incident, if it is one; `locked` holds its row until the transaction ends."""
    query = select(Drill).where(Drill.incident_id == incident_id)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def clock_of(incident: Incident) -> Clockwork | None:
    """The clock by which the incident goes, if it is an exercise. Incidents that happened are not even asked about."""
    row = of(incident.id) if incident.kind == "drill" else None
    return row.clock if row is not None else None


def clock_of_id(incident_id: int) -> Clockwork | None:
    """The same by the incident's number."""
    row = of(incident_id)
    return row.clock if row is not None else None


def life_of(incident: Incident) -> dict[str, int]:
    """What the sandbox pretends of a sending that begins now, by the scenario; faster by as much as the drill is."""
    row = of(incident.id) if incident.kind == "drill" else None
    if row is None or not row.life:
        return {}
    return row.life | {"minutes": max(1, row.life["minutes"] // row.factor)}


def clocks(ids: Collection[int]) -> dict[int, Clockwork]:
    """The clocks of those of these incidents that are exercises, by number."""
    found = db.session.scalars(select(Drill).where(Drill.incident_id.in_(ids))) if ids else ()
    return {row.incident_id: row.clock for row in found}


def page(seen: Select[Any], *, before: int | None, limit: int) -> Sequence[tuple[Drill, Incident]]:
    """Exercises among these incidents (a query of ids), newest first, by key."""
    query = select(Drill, Incident).join(Incident, Incident.id == Drill.incident_id).where(Drill.incident_id.in_(seen))
    if before is not None:
        query = query.where(Drill.incident_id < before)
    return [(drill, case) for drill, case in db.session.execute(query.order_by(Drill.incident_id.desc()).limit(limit))]


def last_ended() -> datetime | None:
    """When the last exercise ended."""
    return db.session.scalar(select(func.max(Drill.ended_at)))


def due(now: datetime) -> Sequence[str]:
    """Injects whose time has come, by reference, the earliest first."""
    query = select(DrillInject.ref).where(COMING, DrillInject.due_at <= now)
    return db.session.scalars(query.order_by(DrillInject.due_at, DrillInject.id).limit(100)).all()


def inject(ref: str, *, locked: bool = False) -> DrillInject | None:
    """One inject; `locked` holds its row until the transaction ends."""
    query = select(DrillInject).where(DrillInject.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def injects(incident_id: int, states: Collection[str] = ()) -> Sequence[DrillInject]:
    """All injects of an exercise, or those in these states, by their minute."""
    query = select(DrillInject).where(DrillInject.incident_id == incident_id)
    if states:
        query = query.where(DrillInject.state.in_(states))
    return db.session.scalars(query.order_by(DrillInject.minute, DrillInject.id)).all()


def remarks(incident_id: int) -> Sequence[DrillRemark]:
    """What was said of an exercise, oldest first."""
    query = select(DrillRemark).where(DrillRemark.incident_id == incident_id)
    return db.session.scalars(query.order_by(DrillRemark.id)).all()


def remark(incident_id: int, ref: str) -> DrillRemark | None:
    """One remark of this exercise."""
    query = select(DrillRemark).where(DrillRemark.incident_id == incident_id, DrillRemark.ref == ref)
    return db.session.scalar(query)


def lines(incident: str, verbs: Collection[str], limit: int = 2_000) -> Sequence[AuditLine]:
    """The lines with these verbs about an incident, oldest first."""
    query = select(AuditLine).where(AuditLine.incident == incident, AuditLine.verb.in_(verbs))
    return db.session.scalars(query.order_by(AuditLine.seq).limit(limit)).all()


def arrivals(incident_id: int) -> Mapping[str, datetime]:
    """When injects came in, by key."""
    query = select(DrillInject.key, DrillInject.arrived_at).where(
        DrillInject.incident_id == incident_id, DrillInject.arrived_at.is_not(None)
    )
    return {key: at for key, at in db.session.execute(query) if at is not None}
