"""Imports of lists: how each is read, how far it got, and the rows it refused, sealed."""

import os
import socket
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Select, String, and_, func, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.imports import State, Step
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once

UNFINISHED: Final = text("state IN ('waiting', 'running')")
"""Written out, not bound: an index on part of a table serves only those who ask for that part in the same words."""
LEASE: Final = timedelta(seconds=30)
READ: Final = 80  # percent of the work are done when a list is read; the rest is comparing
A_PART: Final = 2**20  # bytes of a list
PACKED: Final = 4  # times as much does a workbook hold
MOST_BITS: Final = 8


class PersonImport(Model):
    """One list brought in: the sealed file, what its columns mean, and how many rows became what."""

    __tablename__ = "person_import"
    __table_args__ = (
        Index("ix_person_import_incident", "incident_id", "id"),
        Index(
            "ix_person_import_to_do",
            "state",
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInt)
    sha256: Mapped[str] = mapped_column(String(64))
    stored_as: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(8))
    encoding: Mapped[str] = mapped_column(String(20))
    delimiter: Mapped[str] = mapped_column(String(4))
    has_header: Mapped[bool] = mapped_column(default=True)
    reading: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    wave: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10))
    step: Mapped[str] = mapped_column(String(10), default=Step.READING, server_default=Step.READING)
    compared: Mapped[int] = mapped_column(default=0, server_default="0")
    trouble: Mapped[str] = mapped_column(String(300), default="")
    fence: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str] = mapped_column(String(120), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cursor: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(BigInt, default=0)
    height: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    suspects: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    empty: Mapped[int] = mapped_column(default=0)
    doubtful: Mapped[int] = mapped_column(default=0)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    uploaded_by: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def percent(self) -> int:
        """How much of the list is done: by rows where their number is known before, else by bytes; the last fifth by parts."""
        if self.state == State.DONE:
            return 100
        if self.step != Step.READING:
            return min(99, READ + (100 - READ) * self.compared // self.parts)
        done, of = (self.cursor, self.height) if self.height else (self.position, self.size)
        return min(READ - 1, done * READ // max(of, 1))

    @property
    def bits(self) -> int:
        """By how many first bits the marks of its people are told apart: so that a part has some ten thousand."""
        return min(MOST_BITS, (self.size * (PACKED if self.height else 1) // A_PART).bit_length())

    @property
    def parts(self) -> int:
        """How many parts that makes."""
        return int(1 << self.bits)


class Refusal(Model):
    """A row that was refused: why, and the row itself, sealed."""

    __tablename__ = "person_refusal"

    import_id: Mapped[int] = mapped_column(BigInt, ForeignKey("person_import.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    reasons: Mapped[str] = mapped_column(String(80))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


def by_ref(incident_id: int, ref: str) -> PersonImport | None:
    """The import with this reference in this incident."""
    return db.session.scalar(
        select(PersonImport).where(PersonImport.incident_id == incident_id, PersonImport.ref == ref)
    )


def anywhere(ref: str) -> PersonImport | None:
    """The import with this reference, for the work that does it."""
    return db.session.scalar(select(PersonImport).where(PersonImport.ref == ref))


def of(incident_id: int, limit: int = 100) -> Sequence[PersonImport]:
    """The imports of this incident, newest first."""
    query = select(PersonImport).where(PersonImport.incident_id == incident_id)
    return db.session.scalars(query.order_by(PersonImport.id.desc()).limit(limit)).all()


@once
def unsettled(incident_id: int) -> list[int]:
    """Ids of the lists whose people are not compared with everybody yet: nobody of them counts, or is told, until they are."""
    return list(db.session.scalars(coming([incident_id]).with_only_columns(PersonImport.id)))


def coming(incident_ids: Collection[int] | Select[int]) -> Select[PersonImport]:
    """Those lists of these incidents."""
    begun = PersonImport.state.in_((State.RUNNING, State.FAILED))
    return select(PersonImport).where(
        PersonImport.incident_id.in_(incident_ids), begun, PersonImport.step != Step.SETTLED
    )


def is_settled(import_id: int | None) -> bool:
    """Whether this list is compared with everybody; somebody who came without a list is there at once."""
    if import_id is None:
        return True
    return db.session.scalar(select(PersonImport.step).where(PersonImport.id == import_id)) == Step.SETTLED


def to_do(now: datetime) -> Sequence[str]:
    """References of the imports that wait, or whose worker is gone."""
    query = select(PersonImport).where(UNFINISHED)
    found = sorted(db.session.scalars(query), key=lambda row: row.id)
    return [row.ref for row in found if row.state == State.WAITING or _is_free(row, now)]


def _is_free(row: PersonImport, now: datetime) -> bool:
    return row.lease_until is None or row.lease_until < now or is_gone(row.holder)


def claim(ref: str, *, now: datetime) -> PersonImport | None:
    """The import, ours from now on, with a new fence; None where somebody else is at it."""
    row = anywhere(ref)
    if row is None:
        return None
    free = or_(
        PersonImport.state == State.WAITING, and_(PersonImport.state == State.RUNNING, PersonImport.lease_until < now)
    )
    if is_gone(row.holder):
        free = PersonImport.state.in_((State.WAITING, State.RUNNING))
    mine = update(PersonImport).where(PersonImport.id == row.id, PersonImport.fence == row.fence, free)
    values = {"state": State.RUNNING, "fence": row.fence + 1, "holder": our_name(), "lease_until": now + LEASE}
    result = db.session.execute(mine.values(**values, started_at=row.started_at or now))
    if result.rowcount != 1:  # type: ignore[attr-defined]
        return None
    db.session.refresh(row)
    return row


def still_ours(row: PersonImport, fence: int) -> bool:
    """Whether nobody took the import over or stopped it; locks its row until the transaction ends."""
    query = select(PersonImport.fence, PersonImport.state).where(PersonImport.id == row.id).with_for_update()
    return tuple(db.session.execute(query).one()) == (fence, State.RUNNING)


def refuse(import_id: int, refusals: Sequence[tuple[int, str, bytes]]) -> None:
    """Keep refused rows: row number, reasons, sealed row."""
    bulk.insert("person_refusal", ("import_id", "row_no", "reasons", "sealed"), [(import_id, *row) for row in refusals])


def refusals(import_id: int, *, after: int = 0, limit: int = 1_000) -> Sequence[Refusal]:
    """Refused rows in the order of the file, those after row `after`."""
    query = select(Refusal).where(Refusal.import_id == import_id, Refusal.row_no > after)
    return db.session.scalars(query.order_by(Refusal.row_no).limit(limit)).all()


def reasons(import_id: int) -> dict[str, int]:
    """How many rows were refused for which reasons."""
    query = select(Refusal.reasons, func.count()).where(Refusal.import_id == import_id).group_by(Refusal.reasons)
    return {words: n for words, n in db.session.execute(query)}


def our_name() -> str:
    """This process, as it stands in a lease."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def is_gone(holder: str) -> bool:
    """Whether the holder of a lease was a process of this machine that is no more. The fence guards against being wrong."""
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname()[:80] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
