"""Plans with their pinned wording, their steps, and what people did to each step."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db

UNDONE = ("open", "taken")


class Plan(Model):
    """A playbook activated for one incident. `digest` names the wording; the steps hold it."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("incident_id", "playbook"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    playbook: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    activated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    activated_by: Mapped[str] = mapped_column(String(20))


class Step(Model):
    """One thing to do, in the words of the playbook when it was activated, and how it stands now."""

    __tablename__ = "step"
    __table_args__ = (
        Index("ix_step_incident_position", "incident_id", "position", "id"),
        Index("ix_step_owner_state", "owner_id", "state"),
        Index("ix_step_state_due", "state", "due_at"),
        UniqueConstraint("plan_id", "key"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    plan_id: Mapped[int] = mapped_column(BigInt, ForeignKey("plan.id"))
    key: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    phase: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(20))
    mandatory: Mapped[bool]
    asks: Mapped[str] = mapped_column(String(500), default="")
    due_from: Mapped[str] = mapped_column(String(40), default="")
    due_hours: Mapped[int] = mapped_column(default=0)
    condition: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    need: Mapped[str] = mapped_column(String(4))
    need_open: Mapped[list[str]] = mapped_column(JSON, default=list)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_words: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(8), default="open")
    owner_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"))
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class StepEvent(Model):
    """What somebody did to a step, with their words and the evidence they gave. Rows are only added."""

    __tablename__ = "step_event"
    __table_args__ = (Index("ix_step_event_step", "step_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    step_id: Mapped[int] = mapped_column(BigInt, ForeignKey("step.id"))
    did: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[list[str]] = mapped_column(JSON, default=list)
    handed_to: Mapped[str] = mapped_column(String(20), default="")
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(StepEvent, "text", place=("step_id", "did", "done_at"), parent=("step_id", "step"))


def of(incident_id: int) -> Sequence[Plan]:
    """The active plans of an incident, oldest first."""
    return db.session.scalars(select(Plan).where(Plan.incident_id == incident_id).order_by(Plan.id)).all()


def step(incident_id: int, ref: str, *, locked: bool = False) -> Step | None:
    """One step of this incident; `locked` holds its row until the transaction ends."""
    query = select(Step).where(Step.incident_id == incident_id, Step.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def steps(incident_id: int) -> Sequence[Step]:
    """Every step of an incident in the order of phases, then of playbooks."""
    return db.session.scalars(
        select(Step).where(Step.incident_id == incident_id).order_by(Step.position, Step.id)
    ).all()


def keys(incident_id: int) -> set[str]:
    """The keys of all steps the incident has already."""
    return set(db.session.scalars(select(Step.key).where(Step.incident_id == incident_id)))


def events(step_ids: Sequence[int]) -> dict[int, list[StepEvent]]:
    """What was done to these steps, newest first, by step."""
    found: dict[int, list[StepEvent]] = {}
    for row in db.session.scalars(
        select(StepEvent).where(StepEvent.step_id.in_(step_ids)).order_by(StepEvent.id.desc())
    ):
        found.setdefault(row.step_id, []).append(row)
    return found


def blocks() -> ColumnElement[bool]:
    """Of a step: that it is mandatory, neither done nor skipped, and is, or may be, needed."""
    return and_(Step.mandatory.is_(True), Step.need != "no", Step.state.in_(UNDONE))


def progress(incident_id: int) -> tuple[int, int]:
    """How many of the needed steps are dealt with, and how many there are."""
    dealt = func.sum(case((Step.state.in_(UNDONE), 0), else_=1))
    row = db.session.execute(select(dealt, func.count()).where(Step.incident_id == incident_id, _counts())).one()
    return int(row[0] or 0), int(row[1])


def _counts() -> Any:
    """A step counts when it is needed, or was dealt with all the same."""
    return or_(Step.need == "yes", Step.state.not_in(UNDONE))
