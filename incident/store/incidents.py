"""Incidents, the ledger of their facts, notes, and evidence with its custody."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    and_,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.audit import canonical
from incident.domain.facts import Facts, from_json, is_free
from incident.store import words
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.reading import once


class Counter(Model):
    """A number that only goes up, such as the year's last incident."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


class Incident(Model):
    """One thing that went wrong, or nearly, or in a drill."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_state_id", "state", "id"),
        Index("ix_incident_kind_id", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(8), default="open")
    restricted: Mapped[bool] = mapped_column(default=False)
    lead_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("user_account.id"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    opened_by: Mapped[str] = mapped_column(String(20))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class Fact(Model):
    """Something known of an incident. Rows are only added; the current value is the latest."""

    __tablename__ = "fact"
    __table_args__ = (Index("ix_fact_incident_key", "incident_id", "key", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    key: Mapped[str] = mapped_column(String(60))
    value: Mapped[Any] = mapped_column(JSON(none_as_null=False))
    source: Mapped[str] = mapped_column(String(300), default="")
    confidence: Mapped[str] = mapped_column(String(10), default="")
    learnt_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Note(Model):
    """What somebody wrote down, for a purpose or none. Only added; a correction is another note."""

    __tablename__ = "note"
    __table_args__ = (
        Index("ix_note_incident", "incident_id", "id"),
        Index("ix_note_purpose", "purpose", "incident_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    text: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(String(10), default="", server_default="")
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    written_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Evidence(Model):
    """A file that shows something: kept sealed under a name of ours, known by its SHA-256."""

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(500), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInt)
    stored_as: Mapped[str] = mapped_column(String(60))
    brought_by: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Custody(Model):
    """One hand-over of a piece of evidence. Rows are only added."""

    __tablename__ = "custody"
    __table_args__ = (Index("ix_custody_evidence", "evidence_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    evidence_id: Mapped[int] = mapped_column(BigInt, ForeignKey("evidence.id"))
    holder: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_by: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


facts: Table = Fact.__table__  # type: ignore[assignment]

words.keep(
    Fact,
    "value",
    "source",
    place=("key", "recorded_at", "learnt_at"),
    is_words=lambda row, name: name == "source" or is_free(row["key"]),
)
words.keep(Note, "text")
words.keep(Evidence, "name", "description", "brought_by")
words.keep(Custody, "holder", "reason", place=("evidence_id", "moved_at"), parent=("evidence_id", "evidence"))


def add_facts(added: Sequence[Fact]) -> None:
    """Add these in one statement, in their order. They are not read back, so that they have no numbers."""
    if added:
        db.session.execute(insert(facts), [words.written(fact) for fact in added])


@once
def by_ref(ref: str, *, locked: bool = False) -> Incident | None:
    """The incident with this reference, whoever asks; `locked` holds its row until the transaction ends."""
    query = select(Incident).where(Incident.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def visible(
    user_id: int | BindParameter[int] | None, sees_all: bool, at: datetime | BindParameter[datetime]
) -> Select[Incident]:
    """Incidents this person may know of `at` this moment: open ones to the team, restricted ones to members and auditors."""
    query = select(Incident)
    if sees_all:
        return query
    place = db.metadata.tables["membership"]
    lasts = or_(place.c.until.is_(None), place.c.until > at)
    mine = select(place.c.incident_id).where(place.c.user_id == user_id, place.c.capacity == "", lasts)
    return query.where(or_(Incident.restricted.is_(False), Incident.id.in_(mine)))


def page(query: Select[Incident], *, before: int | None, limit: int) -> Sequence[Incident]:
    """Newest first, by key: the `limit` incidents older than the one with id `before`."""
    if before is not None:
        query = query.where(Incident.id < before)
    return db.session.scalars(query.order_by(Incident.id.desc()).limit(limit)).all()


def any_logged() -> bool:
    """Whether anything was ever logged here, of any kind."""
    return db.session.scalar(select(Incident.id).limit(1)) is not None


@once
def current_facts(incident_id: int, at: datetime | None = None) -> dict[str, Fact]:
    """The latest fact of each key, or the latest that was recorded by `at`."""
    newest = select(func.max(Fact.id)).where(Fact.incident_id == incident_id).group_by(Fact.key)
    if at is not None:
        newest = newest.where(Fact.recorded_at <= at)
    rows = db.session.scalars(select(Fact).where(Fact.id.in_(newest)))
    return {row.key: row for row in rows}


def latest_facts(incident_id: int, keys: Collection[str]) -> dict[str, Fact]:
    """The latest fact of each of these keys."""
    latest = select(func.max(Fact.id)).where(Fact.incident_id == incident_id, Fact.key.in_(keys)).group_by(Fact.key)
    return {row.key: row for row in db.session.scalars(select(Fact).where(Fact.id.in_(latest)))}


def open_after(number: int, limit: int) -> Sequence[Incident]:
    """The open incidents behind this number, in the order in which they were opened."""
    query = select(Incident).where(Incident.state == "open", Incident.id > number)
    return db.session.scalars(query.order_by(Incident.id).limit(limit)).all()


def moments(incident_id: int, limit: int = 60) -> Sequence[datetime]:
    """When facts were recorded, the latest moments of it, earliest first."""
    query = select(Fact.recorded_at).where(Fact.incident_id == incident_id).distinct()
    return db.session.scalars(query.order_by(Fact.recorded_at.desc()).limit(limit)).all()[::-1]


def known(incident_id: int) -> Facts:
    """What is known of the incident now, as the rules take it."""
    return from_json({key: row.value for key, row in current_facts(incident_id).items()})


def history(incident_id: int, key: str) -> Sequence[Fact]:
    """Every value a fact has had, newest first."""
    return db.session.scalars(
        select(Fact).where(and_(Fact.incident_id == incident_id, Fact.key == key)).order_by(Fact.id.desc())
    ).all()


def notes(incident_id: int, limit: int = 200) -> Sequence[Note]:
    """The latest notes, newest first."""
    return db.session.scalars(
        select(Note).where(Note.incident_id == incident_id).order_by(Note.id.desc()).limit(limit)
    ).all()


def handovers(incidents: Select[Any], *, limit: int) -> Sequence[tuple[Note, str | None]]:
    """The last handover of each of these incidents (a query of ids), newest first, and the name of who wrote it."""
    own = next(iter(incidents.selected_columns))
    among = incidents.where(own == Note.incident_id).correlate(Note).exists()  # few are handed over of very many
    last = select(func.max(Note.id)).where(Note.purpose == "handover", among)
    newest = last.group_by(Note.incident_id)
    who = db.metadata.tables["user_account"]
    query = select(Note, who.c.name).outerjoin(who, who.c.ref == Note.written_by).where(Note.id.in_(newest))
    return [(note, name) for note, name in db.session.execute(query.order_by(Note.id.desc()).limit(limit))]


@once
def evidence(incident_id: int) -> Sequence[Evidence]:
    """All evidence of an incident, newest first."""
    return db.session.scalars(
        select(Evidence).where(Evidence.incident_id == incident_id).order_by(Evidence.id.desc())
    ).all()


def piece(incident_id: int, ref: str) -> Evidence | None:
    """One piece of evidence of this incident."""
    return db.session.scalar(select(Evidence).where(Evidence.incident_id == incident_id, Evidence.ref == ref))


def brought_by(user_ref: str, *, since: datetime) -> tuple[int, int]:
    """How many pieces this person has brought since then, and their bytes."""
    mine = Evidence.added_by == user_ref, Evidence.added_at > since
    count, size = db.session.execute(select(func.count(), func.coalesce(func.sum(Evidence.size), 0)).where(*mine)).one()
    return count, int(size)


def custody(incident_id: int) -> Sequence[Custody]:
    """Every hand-over of this incident's evidence, oldest first."""
    pieces = select(Evidence.id).where(Evidence.incident_id == incident_id)
    return db.session.scalars(select(Custody).where(Custody.evidence_id.in_(pieces)).order_by(Custody.id)).all()


def last_custody(evidence_id: int) -> Custody | None:
    """The last hand-over of one piece of evidence."""
    query = select(Custody).where(Custody.evidence_id == evidence_id).order_by(Custody.id.desc())
    return db.session.scalars(query.limit(1)).first()


def all_facts(incident_id: int) -> Sequence[Fact]:
    """Every value of every fact, oldest first."""
    return db.session.scalars(select(Fact).where(Fact.incident_id == incident_id).order_by(Fact.id)).all()


def entries(
    incident_id: int,
    *,
    by: str = "",
    key: str = "",
    without: Collection[str] = (),
    before: int | None = None,
    limit: int,
) -> Sequence[Fact]:
    """What was recorded of facts, newest first, by key: by one person, of one fact, and of none of those left out."""
    query = select(Fact).where(Fact.incident_id == incident_id, Fact.key.not_in(without))
    query = query.where(Fact.recorded_by == by) if by else query
    query = query.where(Fact.key == key) if key else query
    query = query.where(Fact.id < before) if before is not None else query
    return db.session.scalars(query.order_by(Fact.id.desc()).limit(limit)).all()


def knowers(incident_id: int, without: Collection[str] = ()) -> Sequence[tuple[str, int, datetime, datetime]]:
    """Who recorded facts, how many values, first and last when; whoever was first comes first."""
    query = (
        select(Fact.recorded_by, func.count(), func.min(Fact.recorded_at), func.max(Fact.recorded_at))
        .where(Fact.incident_id == incident_id, Fact.key.not_in(without))
        .group_by(Fact.recorded_by)
        .order_by(func.min(Fact.id))
    )
    return [(ref, count, first, last) for ref, count, first, last in db.session.execute(query)]


def by_refs(refs: Collection[str]) -> dict[str, Incident]:
    """The incidents with these references, by reference."""
    return {row.ref: row for row in db.session.scalars(select(Incident).where(Incident.ref.in_(refs)))}


def facts_digest(rows: Iterable[Fact]) -> str:
    """The SHA-256 that a line has of facts: over what stands in their rows, the sealed words as they are sealed.

    So it can be compared without a key, also after the words were erased, and nobody can guess words by it.
    """
    told = {
        row.key: {
            "confidence": row.confidence,
            "learnt_at": row.learnt_at.astimezone(UTC).isoformat(),
            "sealed": sha256(row.sealed).hexdigest() if row.sealed else "",
            "value": None if row.sealed and is_free(row.key) else row.value,
        }
        for row in rows
    }
    return sha256(canonical(told).encode()).hexdigest()


def facts_recorded_at(incident_id: int, moments: Collection[datetime]) -> Sequence[Fact]:
    """The facts that were recorded at exactly these moments, oldest first."""
    query = select(Fact).where(Fact.incident_id == incident_id, Fact.recorded_at.in_(moments))
    return db.session.scalars(query.order_by(Fact.id)).all() if moments else []


def notes_by_ref(incident_id: int, refs: Collection[str]) -> dict[str, str]:
    """The texts of these notes, by reference."""
    if not refs:
        return {}
    found = db.session.scalars(select(Note).where(Note.incident_id == incident_id, Note.ref.in_(refs)))
    return {note.ref: note.text for note in found}


def by_ids(ids: Collection[int]) -> dict[int, Incident]:
    """The incidents with these numbers, by number."""
    if not ids:
        return {}
    return {row.id: row for row in db.session.scalars(select(Incident).where(Incident.id.in_(ids)))}


def newest(ids: Select[Any], limit: int) -> Select[Incident]:
    """The newest of these incidents (a query of ids)."""
    return select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id.desc()).limit(limit)
