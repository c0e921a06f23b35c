"""What was asked to be erased and what became of it, with its certificate; what must not be erased, and why."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, defer, mapped_column

from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db


class Erasure(Model):
    """One wish to erase an incident's personal data, or one person's (`number`). Once it was decided it stays as it is."""

    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_incident", "incident_id", "id"), Index("ix_erasure_state", "state", "id"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    number: Mapped[int | None]
    why: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(20))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    certificate: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))

    @property
    def person(self) -> str:
        """The reference of the person concerned; empty where it is the whole incident."""
        return f"P-{self.number}" if self.number else ""


class LegalHold(Model):
    """While one stands, nothing of the incident is erased. Why it was placed and lifted is sealed."""

    __tablename__ = "legal_hold"
    __table_args__ = (Index("ix_legal_hold_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    reason: Mapped[str] = mapped_column(Text)
    lifted_why: Mapped[str] = mapped_column(Text, default="")
    placed_by: Mapped[str] = mapped_column(String(20))
    placed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_by: Mapped[str | None] = mapped_column(String(20))
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(LegalHold, "reason", "lifted_why")


class RetentionRule(Model):
    """How many days something is kept after its end; a rule without a row stands as the program has it."""

    __tablename__ = "retention_rule"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    days: Mapped[int | None]
    changed_by: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


def by_ref(incident_id: int, ref: str, *, locked: bool = False) -> Erasure | None:
    """One erasure of this incident; `locked` holds its row until the transaction ends."""
    query = select(Erasure).where(Erasure.incident_id == incident_id, Erasure.ref == ref)
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def asked(incident_id: int, number: int | None) -> Erasure | None:
    """The erasure of this incident or person that waits for somebody's yes."""
    query = select(Erasure).where(Erasure.incident_id == incident_id, Erasure.state == "asked")
    return db.session.scalar(query.where(Erasure.number.is_(None) if number is None else Erasure.number == number))


def page(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Erasure]:
    """What was asked to be erased of this incident, newest first, without the certificates."""
    query = select(Erasure).where(Erasure.incident_id == incident_id).options(defer(Erasure.certificate))
    if before is not None:
        query = query.where(Erasure.id < before)
    return db.session.scalars(query.order_by(Erasure.id.desc()).limit(limit)).all()


def hold(incident_id: int) -> LegalHold | None:
    """The hold that stands over this incident, if one does."""
    query = select(LegalHold).where(LegalHold.incident_id == incident_id, LegalHold.lifted_at.is_(None))
    return db.session.scalar(query.order_by(LegalHold.id.desc()).limit(1))


def holds(incident_id: int) -> Sequence[LegalHold]:
    """Every hold that was ever placed on this incident, newest first."""
    query = select(LegalHold).where(LegalHold.incident_id == incident_id).order_by(LegalHold.id.desc())
    return db.session.scalars(query.limit(200)).all()


def held(incident_ids: Collection[int]) -> set[int]:
    """Which of these incidents a hold stands over."""
    query = select(LegalHold.incident_id).where(LegalHold.incident_id.in_(incident_ids), LegalHold.lifted_at.is_(None))
    return set(db.session.scalars(query))


def rules() -> dict[str, RetentionRule]:
    """The rules of retention that somebody set, by name."""
    return {row.name: row for row in db.session.scalars(select(RetentionRule))}
