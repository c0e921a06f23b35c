"""Letters: the batches that people asked for, each letter's place in its print file, and what the post brought back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import NO_WORKERS_TURN, State
from incident.domain.letters import Printed, Stage
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import IS_WAITING, Delivery, parts
from incident.store.dispatches import Dispatch

CHANNEL = "letter"


class LetterBatch(Model):
    """Some letters of one dispatch that are printed and posted together. Its files are sealed, outside the database."""

    __tablename__ = "letter_batch"
    __table_args__ = (
        Index("ix_letter_batch_incident", "incident_id", "id"),
        Index("ix_letter_batch_stage", "dispatch_id", "stage"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    dispatch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("dispatch.id"))
    stage: Mapped[str] = mapped_column(String(8), default=Stage.ASKED)
    wanted: Mapped[int]
    letters: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    digest: Mapped[str] = mapped_column(String(64), default="")
    asked_by: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    way: Mapped[str] = mapped_column(String(12), default="")
    posted_on: Mapped[date | None] = mapped_column(Date)
    ended_by: Mapped[str] = mapped_column(String(20), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Letter(Model):
    """The place of one letter in its batch."""

    __tablename__ = "letter"
    __table_args__ = (UniqueConstraint("batch_id", "sequence"), Index("ix_letter_delivery", "delivery_id"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("letter_batch.id"))
    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"))
    sequence: Mapped[int]
    file: Mapped[str] = mapped_column(String(60))
    form: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(6))
    language: Mapped[str] = mapped_column(String(12))
    first_page: Mapped[int]
    pages: Mapped[int]


class LetterReturn(Model):
    """A letter that the post brought back, who said so, and whether that was taken back as a mistake."""

    __tablename__ = "letter_return"
    __table_args__ = (
        Index("ix_letter_return_incident", "incident_id", "id"),
        Index("ix_letter_return_delivery", "delivery_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"))
    batch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("letter_batch.id"))
    why: Mapped[str] = mapped_column(String(10))
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    undone_by: Mapped[str] = mapped_column(String(20), default="")
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def of_incident(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[LetterBatch]:
    """The batches of an incident, newest first, by key."""
    query = select(LetterBatch).where(LetterBatch.incident_id == incident_id)
    if before is not None:
        query = query.where(LetterBatch.id < before)
    return db.session.scalars(query.order_by(LetterBatch.id.desc()).limit(limit)).all()


def by_ref(incident_id: int, ref: str, *, hold: bool = False) -> LetterBatch | None:
    """The batch with this reference, if it belongs to this incident; held against other writers if asked."""
    query = select(LetterBatch).where(LetterBatch.incident_id == incident_id, LetterBatch.ref == ref)
    query = query.execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if hold else query)


def anywhere(ref: str, *, hold: bool = False) -> LetterBatch | None:
    """The batch with this reference, read anew; for background work."""
    query = select(LetterBatch).where(LetterBatch.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if hold else query)


def asked() -> Sequence[str]:
    """The batches that somebody asked for and that are not made yet, oldest first."""
    return db.session.scalars(
        select(LetterBatch.ref).where(LetterBatch.stage == Stage.ASKED).order_by(LetterBatch.id)
    ).all()


def unposted(dispatch_id: int) -> int:
    """How many batches of a dispatch are asked for or printed, and nobody said that they were posted."""
    query = select(func.count()).where(
        LetterBatch.dispatch_id == dispatch_id, LetterBatch.stage.in_([Stage.ASKED, Stage.MADE])
    )
    return db.session.scalar(query) or 0


def to_print(incident_id: int) -> Sequence[Any]:
    """Each dispatch of an incident with letters that wait for a batch: its reference, and how many (at most a thousand counted)."""
    waiting = (
        select(Delivery.id)
        .where(
            IS_WAITING,
            Delivery.dispatch_id == Dispatch.id,
            Delivery.channel == CHANNEL,
            Delivery.due_at == NO_WORKERS_TURN,
        )
        .correlate(Dispatch)
        .limit(1_000)
        .subquery()
    )
    count = select(func.count()).select_from(waiting).scalar_subquery()
    query = select(Dispatch, count.label("waiting")).where(Dispatch.incident_id == incident_id, count > 0)
    return db.session.execute(query.order_by(Dispatch.id.desc()).limit(100)).all()


def places_of(person_ids: Sequence[int]) -> dict[int, str]:
    """Where each of these people lives, by the code of the place."""
    person = db.metadata.tables["person"]
    found: dict[int, str] = {}
    for part in parts(person_ids):
        rows = db.session.execute(select(person.c.id, person.c.place).where(person.c.id.in_(part)))
        found |= {id_: place for id_, place in rows}
    return found


def add(batch_id: int, letters: Sequence[Printed], delivery_ids: Mapping[str, int]) -> None:
    """Keep where each of these letters stands."""
    columns = ("batch_id", "delivery_id", "sequence", "file", "form", "country", "language", "first_page", "pages")
    rows = [
        (batch_id, delivery_ids[one.ref], one.sequence, one.file, one.form, one.country, one.language, one.first_page, one.pages)
        for one in letters
    ]  # fmt: skip
    bulk.insert("letter", columns, rows)


def printed(batch_id: int) -> list[Printed]:
    """The letters of a batch in their order."""
    query = select(Letter, Delivery.ref).join(Delivery, Delivery.id == Letter.delivery_id)
    found = db.session.execute(query.where(Letter.batch_id == batch_id).order_by(Letter.sequence))
    return [
        Printed(one.sequence, ref, one.file, one.form, one.country, one.language, one.first_page, one.pages)
        for one, ref in found
    ]


def deliveries_of(batch_id: int) -> Sequence[Delivery]:
    """The deliveries of a batch, read anew and held against other writers."""
    query = select(Delivery).join(Letter, Letter.delivery_id == Delivery.id).where(Letter.batch_id == batch_id)
    query = query.order_by(Letter.sequence).with_for_update(of=Delivery)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def posted_batches(delivery_ids: Sequence[int]) -> dict[int, LetterBatch]:
    """The newest posted batch that each of these deliveries is in."""
    found: dict[int, LetterBatch] = {}
    query = select(Letter.delivery_id, LetterBatch).join(LetterBatch, LetterBatch.id == Letter.batch_id)
    for part in parts(delivery_ids):
        chosen = query.where(Letter.delivery_id.in_(part), LetterBatch.stage == Stage.POSTED).order_by(LetterBatch.id)
        found |= {id_: batch for id_, batch in db.session.execute(chosen)}
    return found


def returns(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Any]:
    """What the post brought back, newest first, by key: the return, its delivery and its batch."""
    query = (
        select(LetterReturn, Delivery, LetterBatch)
        .join(Delivery, Delivery.id == LetterReturn.delivery_id)
        .join(LetterBatch, LetterBatch.id == LetterReturn.batch_id)
        .where(LetterReturn.incident_id == incident_id)
    )
    if before is not None:
        query = query.where(LetterReturn.id < before)
    return db.session.execute(query.order_by(LetterReturn.id.desc()).limit(limit)).all()


def open_return(incident_id: int, ref: str) -> Any:
    """The return of this attempt that was not taken back, with its delivery; None if there is none."""
    query = select(LetterReturn, Delivery).join(Delivery, Delivery.id == LetterReturn.delivery_id)
    query = query.where(LetterReturn.incident_id == incident_id, Delivery.ref == ref)
    query = query.where(LetterReturn.undone_at.is_(None)).order_by(LetterReturn.id.desc()).limit(1)
    return db.session.execute(query.execution_options(populate_existing=True)).first()


def is_taken(delivery: Delivery) -> bool:
    """Whether this letter is printed and nobody has said more of it."""
    return delivery.state == State.ACCEPTED and delivery.reason == "printed"
