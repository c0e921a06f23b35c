"""What the sandbox took, sealed: the team can read it in the browser, and it never left this machine."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db


class SandboxMessage(Model):
    """What the sandbox took, sealed: the team can read it in the browser, and it never left."""

    __tablename__ = "sandbox_message"
    __table_args__ = (Index("ix_sandbox_message_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    channel: Mapped[str] = mapped_column(String(12))
    person_number: Mapped[int | None]
    notice_ref: Mapped[str] = mapped_column(String(20))
    kept_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


def mailbox(incident_id: int, *, before: int | None, limit: int) -> Sequence[SandboxMessage]:
    """What the sandbox took in an incident, newest first, by key."""
    query = select(SandboxMessage).where(SandboxMessage.incident_id == incident_id)
    if before is not None:
        query = query.where(SandboxMessage.id < before)
    return db.session.scalars(query.order_by(SandboxMessage.id.desc()).limit(limit)).all()


def kept_message(incident_id: int, ref: str) -> SandboxMessage | None:
    """One message that the sandbox took."""
    return db.session.scalar(
        select(SandboxMessage).where(SandboxMessage.incident_id == incident_id, SandboxMessage.ref == ref)
    )


def trial(ref: str, channel: str) -> SandboxMessage | None:
    """A test that somebody made to themselves by this channel, whatever incident it belongs to."""
    query = select(SandboxMessage).where(SandboxMessage.ref == ref, SandboxMessage.channel == channel)
    return db.session.scalar(query.where(SandboxMessage.person_number.is_(None)))


def keep_messages(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the sandbox took; what it has already, from a worker that was taken for dead, stays as it is."""
    refs = [row["ref"] for row in rows]
    found = set(db.session.scalars(select(SandboxMessage.ref).where(SandboxMessage.ref.in_(refs)))) if refs else set()
    if fresh := [row for row in rows if row["ref"] not in found]:
        db.session.execute(insert(SandboxMessage), fresh)
