"""What searches of evidence for malware came to. Rows are only added; the latest of a piece counts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.incidents import Evidence


class Search(Model):
    """One search of one piece of evidence."""

    __tablename__ = "evidence_search"
    __table_args__ = (Index("ix_evidence_search_evidence", "evidence_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    evidence_id: Mapped[int] = mapped_column(BigInt, ForeignKey("evidence.id"))
    verdict: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(80), default="")
    searched_at: Mapped[datetime] = mapped_column(UTCDateTime)


def not_searched(*, but: Collection[str] = (), most: int = 50) -> Sequence[str]:
    """References of pieces that were never searched, oldest first; without some."""
    known = select(Search.id).where(Search.evidence_id == Evidence.id).exists()
    return db.session.scalars(
        select(Evidence.ref).where(~known, Evidence.ref.not_in(list(but))).order_by(Evidence.id).limit(most)
    ).all()


def piece(ref: str) -> Evidence | None:
    """One piece of evidence, whatever incident it belongs to."""
    return db.session.scalar(select(Evidence).where(Evidence.ref == ref))


def latest(evidence_ids: Iterable[int]) -> dict[int, Search]:
    """The last search of each of these pieces, by the piece's number."""
    newest = select(func.max(Search.id)).where(Search.evidence_id.in_(set(evidence_ids))).group_by(Search.evidence_id)
    return {row.evidence_id: row for row in db.session.scalars(select(Search).where(Search.id.in_(newest)))}
