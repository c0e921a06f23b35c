"""Notices, the texts of the draft in each language, and every version that was put before somebody to decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.notices import Stage
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Notice(Model):
    """What is said to one audience. `number` is that of the last version submitted; 0 before the first."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_incident", "incident_id", "id"),
        Index("ix_notice_stage", "stage", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    title: Mapped[str] = mapped_column(String(120))
    stage: Mapped[str] = mapped_column(String(12), default="draft")
    audience: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    channels: Mapped[list[str]] = mapped_column(JSON, default=list)
    ladder: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    despite: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["unsubscribed", "complained"])
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    send_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    drafter: Mapped[str] = mapped_column(String(20))
    editors: Mapped[list[str]] = mapped_column(JSON, default=list)
    number: Mapped[int] = mapped_column(default=0)
    drafted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class NoticeText(Model):
    """The draft's text in one language, as `domain.notices.text_as_json` writes it.

    `over`: by part, a digest of the source text that this part says in its language. `read_by`: who speaks the language and
    found that the text as it stands says what it should.
    """

    __tablename__ = "notice_text"
    __table_args__ = (UniqueConstraint("notice_id", "language"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    notice_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice.id"))
    language: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by: Mapped[str] = mapped_column(String(20))
    over: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    read_by: Mapped[str] = mapped_column(String(20), default="", server_default="")
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class NoticeVersion(Model):
    """A notice as it was submitted: all that will reach people, its digest, and what was decided. Contents never change."""

    __tablename__ = "notice_version"
    __table_args__ = (UniqueConstraint("notice_id", "number"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    notice_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice.id"))
    number: Mapped[int]
    contents: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    people: Mapped[int]
    editors: Mapped[list[str]] = mapped_column(JSON)
    submitted_by: Mapped[str] = mapped_column(String(20))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12), default="submitted")
    decided_by: Mapped[str] = mapped_column(String(20), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text, default="")
    numbers: Mapped[bytes | None] = mapped_column(LargeBinary)
    pace: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")


def by_ref(incident_id: int, ref: str) -> Notice | None:
    """The notice with this reference, if it belongs to this incident."""
    return db.session.scalar(select(Notice).where(Notice.incident_id == incident_id, Notice.ref == ref))


def by_id(notice_id: int) -> Notice | None:
    """The notice with this number, read anew; for background work."""
    return db.session.get(Notice, notice_id, populate_existing=True)


def awaited(incident_id: int) -> Sequence[NoticeVersion]:
    """The versions of an incident that were submitted or approved, and of which no sending has begun."""
    current = (NoticeVersion.notice_id == Notice.id, NoticeVersion.number == Notice.number)
    query = select(NoticeVersion).join(Notice, and_(*current))
    return db.session.scalars(
        query.where(Notice.incident_id == incident_id, Notice.stage.in_((Stage.SUBMITTED, Stage.APPROVED)))
    ).all()


def anywhere(ref: str) -> Notice | None:
    """The notice with this reference, whatever incident it belongs to; for the public check and for background work."""
    return db.session.scalar(select(Notice).where(Notice.ref == ref))


def incident_of(ref: str) -> Select[int]:
    """What finds the incident of the notice with this reference."""
    return select(Notice.incident_id).where(Notice.ref == ref)


def of_incident(incident_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Notice]:
    """The notices of an incident, newest first, by key."""
    return db.session.scalars(_page(select(Notice).where(Notice.incident_id == incident_id), before, limit)).all()


def following(incident_id: int, limit: int = 500) -> Sequence[Notice]:
    """The notices of an incident whose people depend on what became of another one, newest first."""
    found = of_incident(incident_id, limit=limit)
    return [notice for notice in found if notice.audience.get("told_by") or notice.audience.get("not_listed_by")]


def among(incident_ids: Select[int], *, stage: str, before: int | None, limit: int) -> Sequence[Notice]:
    """Notices of these incidents, newest first, by key; of one stage where one is named."""
    query = select(Notice).where(Notice.incident_id.in_(incident_ids))
    if stage:
        query = query.where(Notice.stage == stage)
    return db.session.scalars(_page(query, before, limit)).all()


def _page(query: Select[Notice], before: int | None, limit: int) -> Select[Notice]:
    if before is not None:
        query = query.where(Notice.id < before)
    return query.order_by(Notice.id.desc()).limit(limit)


@once
def texts(notice_id: int) -> dict[str, NoticeText]:
    """The draft's texts by language."""
    rows = db.session.scalars(select(NoticeText).where(NoticeText.notice_id == notice_id))
    return {row.language: row for row in rows}


def versions(notice_id: int) -> Sequence[NoticeVersion]:
    """Every version, newest first."""
    query = select(NoticeVersion).where(NoticeVersion.notice_id == notice_id).order_by(NoticeVersion.number.desc())
    return db.session.scalars(query).all()


@once
def version(notice_id: int, number: int) -> NoticeVersion | None:
    """One version of a notice."""
    return db.session.scalar(
        select(NoticeVersion).where(NoticeVersion.notice_id == notice_id, NoticeVersion.number == number)
    )


def last_version(notice_id: int | BindParameter[int]) -> Select[NoticeVersion]:
    """The version of a notice that was submitted last."""
    current = (NoticeVersion.notice_id == Notice.id, NoticeVersion.number == Notice.number)
    return select(NoticeVersion).join(Notice, and_(*current)).where(Notice.id == notice_id)


def judged_by(ref: str) -> Sequence[Any]:
    """All that decides whether the text of a notice may be sent, as the database has it now; the contents are text."""
    columns = "n.stage, n.id, n.number, v.id, v.state, v.digest, CAST(v.contents AS TEXT)"
    joined = "notice n JOIN notice_version v ON v.notice_id = n.id AND v.number = n.number"
    return bulk.fetched(f"SELECT {columns} FROM {joined} WHERE n.ref = ?", (ref,))  # noqa: S608  (words of ours)


def current_versions(notices: Sequence[Notice]) -> dict[int, NoticeVersion]:
    """The last version of each of these notices, by the notice's id; those never submitted have none."""
    ids = [notice.id for notice in notices if notice.number]
    if not ids:
        return {}
    query = select(NoticeVersion).join(Notice, Notice.id == NoticeVersion.notice_id)
    rows = db.session.scalars(query.where(Notice.id.in_(ids), NoticeVersion.number == Notice.number))
    return {row.notice_id: row for row in rows}


def due_to_send(now: datetime, limit: int = 100) -> Sequence[str]:
    """References of approved notices whose time has come."""
    query = select(Notice.ref).where(Notice.stage == "approved", Notice.send_at.is_not(None), Notice.send_at <= now)
    return db.session.scalars(query.order_by(Notice.send_at).limit(limit)).all()


def incident_refs(incident_ids: set[int]) -> dict[int, str]:
    """The references of these incidents, by id."""
    incident = db.metadata.tables["incident"]
    query = select(incident.c.id, incident.c.ref).where(incident.c.id.in_(incident_ids))
    return {row.id: row.ref for row in db.session.execute(query)}
