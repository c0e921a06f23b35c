"""Reports to authorities: drafts, what was filed for good, receipts that came later, and the files that were made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, defer, mapped_column

from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Report(Model):
    """One stage of what one authority is told. A draft holds what was written by hand; a filed one its frozen answers."""

    __tablename__ = "report"
    __table_args__ = (Index("ix_report_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    form: Mapped[str] = mapped_column(String(40))
    form_digest: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=1)
    duty: Mapped[str | None] = mapped_column(String(100))
    previous: Mapped[str | None] = mapped_column(String(20))
    hands: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen: Mapped[dict[str, Any]] = mapped_column(JSON)
    missing: Mapped[int] = mapped_column(default=0)
    answers: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    digest: Mapped[str | None] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_by: Mapped[str] = mapped_column(String(20))
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    filed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    filed_by: Mapped[str | None] = mapped_column(String(20))
    recorded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    channel: Mapped[str | None] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    late: Mapped[bool] = mapped_column(default=False)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Receipt(Model):
    """What the authority answered to a filed report: its reference, and the evidence that holds the receipt. Only added."""

    __tablename__ = "report_receipt"
    __table_args__ = (Index("ix_report_receipt_report", "report_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    report_id: Mapped[int] = mapped_column(BigInt, ForeignKey("report.id"))
    reference: Mapped[str] = mapped_column(String(120), default="")
    evidence: Mapped[str] = mapped_column(String(20), default="")
    recorded_by: Mapped[str] = mapped_column(String(20))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ReportFile(Model):
    """A file made of a filed report, kept byte for byte. Only added."""

    __tablename__ = "report_file"
    __table_args__ = (UniqueConstraint("report_id", "kind"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    report_id: Mapped[int] = mapped_column(BigInt, ForeignKey("report.id"))
    kind: Mapped[str] = mapped_column(String(8))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInt)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


WORDS: Final = (Report.answers, Report.hands, Report.seen, Report.sealed)
words.keep(Report, "hands", "seen", "answers")
words.keep(ReportFile, "content", place=("report_id", "kind"), parent=("report_id", "report"))


def by_ref(incident_id: int, ref: str, *, locked: bool = False) -> Report | None:
    """One report of this incident; `locked` holds its row until the transaction ends, and reads it as it is then."""
    query = select(Report).where(Report.incident_id == incident_id, Report.ref == ref)
    if locked:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return db.session.scalar(query)


def one_at_a_time(incident_id: int) -> None:
    """Let nobody else begin a report of this incident until the transaction ends."""
    incident = db.metadata.tables["incident"]
    db.session.execute(select(incident.c.id).where(incident.c.id == incident_id).with_for_update(key_share=True))


def page(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Report]:
    """Newest first, by key; without the answers, which may be long."""
    query = select(Report).where(Report.incident_id == incident_id).options(*map(defer, WORDS))
    if before is not None:
        query = query.where(Report.id < before)
    return db.session.scalars(query.order_by(Report.id.desc()).limit(limit)).all()


def filed(incident_id: int) -> Sequence[Report]:
    """Every filed report of an incident, oldest first, without the answers."""
    return [row for row in with_receipts(incident_id) if row.state == "filed"]


@once
def with_receipts(incident_id: int) -> Mapping[Report, Sequence[Receipt]]:
    """Every report of an incident, oldest first, without the answers; with its receipts, oldest first."""
    query = select(Report, Receipt).outerjoin(Receipt, Receipt.report_id == Report.id).options(*map(defer, WORDS))
    query = query.where(Report.incident_id == incident_id).order_by(Report.id, Receipt.id)
    found: dict[Report, list[Receipt]] = {}
    for report, receipt in db.session.execute(query):
        found.setdefault(report, []).extend([receipt] if receipt else [])
    return found


def stages(incident_id: int, form: str, authority: str) -> Sequence[tuple[str, str]]:
    """Stage and state of every report of this form to this authority, oldest first."""
    same = (form, authority.lower())
    return [(row.stage, row.state) for row in with_receipts(incident_id) if (row.form, row.authority.lower()) == same]


def last_filed(incident_id: int, form: str, authority: str) -> Report | None:
    """The report that the next stage starts from."""
    query = select(Report).where(
        Report.incident_id == incident_id,
        Report.form == form,
        func.lower(Report.authority) == authority.lower(),
        Report.state == "filed",
    )
    return db.session.scalar(query.order_by(Report.id.desc()).limit(1))


def receipts(report: Report) -> Sequence[Receipt]:
    """The receipts of a report, oldest first."""
    return with_receipts(report.incident_id).get(report, ())


def files(report_id: int) -> Sequence[ReportFile]:
    """The kept files of a report, without their content."""
    return db.session.scalars(
        select(ReportFile)
        .where(ReportFile.report_id == report_id)
        .options(defer(ReportFile.content), defer(ReportFile.sealed))
        .order_by(ReportFile.id)
    ).all()


def file(report_id: int, kind: str) -> ReportFile | None:
    """One kept file with its content."""
    return db.session.scalar(select(ReportFile).where(ReportFile.report_id == report_id, ReportFile.kind == kind))


def duties_begun(incident_id: int) -> set[str]:
    """The duties for which a report is a draft or was filed."""
    query = select(Report.duty).where(
        Report.incident_id == incident_id, Report.duty.is_not(None), Report.state != "discarded"
    )
    return {duty for duty in db.session.scalars(query) if duty}


def counts(incident_id: int) -> Mapping[str, int]:
    """How many reports stand in each state."""
    query = select(Report.state, func.count()).where(Report.incident_id == incident_id).group_by(Report.state)
    return {state: number for state, number in db.session.execute(query)}
