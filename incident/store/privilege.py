"""Which items of an incident are marked as privileged. Rows are only added: the latest of an item counts."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ForeignKey, Index, LargeBinary, Select, String, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.privilege import Basis, Kind, Marked
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class PrivilegeMark(Model):
    """One item was marked, or its mark was lifted."""

    __tablename__ = "privilege_mark"
    __table_args__ = (Index("ix_privilege_mark_item", "incident_id", "kind", "item", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(10))
    item: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(8))
    basis: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


words.keep(PrivilegeMark, "description")


@once
def current(incident_id: int) -> list[Marked]:
    """The items that are marked now, in the order in which they were."""
    return [marked(row) for row in db.session.scalars(marks(incident_id).order_by(PrivilegeMark.id))]


def marks(incident_id: int | BindParameter[int]) -> Select[PrivilegeMark]:
    """The rows by which items are marked now."""
    newest = select(func.max(PrivilegeMark.id)).where(PrivilegeMark.incident_id == incident_id)
    return select(PrivilegeMark).where(
        PrivilegeMark.id.in_(newest.group_by(PrivilegeMark.kind, PrivilegeMark.item)), PrivilegeMark.state == "marked"
    )


def history(incident_id: int, *, limit: int = 1_000) -> Sequence[PrivilegeMark]:
    """Every mark and every lifting of one, newest first."""
    query = select(PrivilegeMark).where(PrivilegeMark.incident_id == incident_id)
    return db.session.scalars(query.order_by(PrivilegeMark.id.desc()).limit(limit)).all()


def latest(incident_id: int, kind: str, item: str) -> PrivilegeMark | None:
    """The latest word on one item."""
    same = PrivilegeMark.incident_id == incident_id, PrivilegeMark.kind == kind, PrivilegeMark.item == item
    return db.session.scalar(select(PrivilegeMark).where(*same).order_by(PrivilegeMark.id.desc()).limit(1))


def items(marked: Collection[Marked], kind: Kind) -> frozenset[str]:
    """The references (keys of facts) of this kind among them."""
    return frozenset(one.item for one in marked if one.kind is kind)


def marked(row: PrivilegeMark) -> Marked:
    """The item that a row marks."""
    return Marked(row.ref, Kind(row.kind), row.item, Basis(row.basis), row.description, row.at, row.by)
