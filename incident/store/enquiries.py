"""What people ask about an incident, and every word that went to and fro; who asks and what they wrote is sealed.

A message that goes out waits here as its row: it is claimed, handed over and settled like every other single message.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Table,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.handovers import IS_OPEN


class Enquiry(Model):
    """One thing that somebody asks. `person_number` is set where a code, or one of us, says who they are.

    `nonce` is that of the form's ticket, so that each is taken once; `proof_key` the keyed hash of a code sent to a new address;
    `longer_at` when they were told that a request takes longer.
    """

    __tablename__ = "enquiry"
    __table_args__ = (
        Index("ix_enquiry_incident", "incident_id", "id"),
        Index(
            "ix_enquiry_open",
            "incident_id",
            "due_at",
            "id",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_enquiry_person", "incident_id", "person_number"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    notice_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("notice.id"))
    delivery_ref: Mapped[str] = mapped_column(String(26), default="")
    person_number: Mapped[int | None]
    proven: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(12))
    right: Mapped[str] = mapped_column("wanted_right", String(12), default="")
    state: Mapped[str] = mapped_column(String(8), default="open")
    outcome: Mapped[str] = mapped_column(String(20), default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    place: Mapped[str] = mapped_column(String(6), default="")
    owner: Mapped[str] = mapped_column(String(20), default="")
    merged_into: Mapped[str] = mapped_column(String(16), default="")
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rule: Mapped[str] = mapped_column(String(20))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    longer_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    nonce: Mapped[str | None] = mapped_column(String(26), unique=True)
    proof_key: Mapped[str] = mapped_column(String(64), default="")
    proof_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    proof_tries: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class EnquiryMessage(Model):
    """One message of an enquiry: what they wrote, what we answered, what we noted. Its words are sealed.

    `read_at` is when who asked first saw it on the page.
    """

    __tablename__ = "enquiry_message"
    __table_args__ = (
        Index("ix_enquiry_message_enquiry", "enquiry_id", "id"),
        Index("ix_enquiry_message_going", "state", "next_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    enquiry_id: Mapped[int] = mapped_column(BigInt, ForeignKey("enquiry.id"))
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    direction: Mapped[str] = mapped_column(String(4))
    way: Mapped[str] = mapped_column(String(8))
    by: Mapped[str] = mapped_column("written_by", String(20))
    at: Mapped[datetime] = mapped_column("written_at", UTCDateTime)
    mail_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="kept")
    simulated: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(40), default="")
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(100), default="")
    fence: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


MESSAGES: Table = EnquiryMessage.__table__  # type: ignore[assignment]

IN, OUT, NOTE, PROOF = "in", "out", "note", "code"
"""Directions: they to us, we to them, among ourselves, and the code that proves a new address."""
KEPT = "kept"
"""The state of what does not go out."""


def by_ref(incident_id: int, ref: str, *, locked: bool = False) -> Enquiry | None:
    """The enquiry with this reference, if it belongs to this incident."""
    query = select(Enquiry).where(Enquiry.incident_id == incident_id, Enquiry.ref == ref)
    return db.session.scalar(_held(query) if locked else query)


def anywhere(ref: str, *, locked: bool = False) -> Enquiry | None:
    """The enquiry with this reference, whatever incident it belongs to; for mail that comes in and the public pages."""
    query = select(Enquiry).where(Enquiry.ref == ref)
    return db.session.scalar(_held(query) if locked else query)


def incident_of(ref: str) -> Select[int]:
    """What finds the incident of the enquiry with this reference."""
    return select(Enquiry.incident_id).where(Enquiry.ref == ref)


def by_nonce(nonce: str) -> Enquiry | None:
    """The enquiry that the form with this ticket made."""
    return db.session.scalar(select(Enquiry).where(Enquiry.nonce == nonce))


def _held(query: Select[Any]) -> Select[Any]:
    return query.with_for_update().execution_options(populate_existing=True)


def _chosen(query: Select[Any], state: str, kind: str, owner: str | None) -> Select[Any]:
    if state:
        query = query.where(Enquiry.state == state)
    if kind:
        query = query.where(Enquiry.kind == kind)
    return query if owner is None else query.where(Enquiry.owner == owner)


def page(
    of: int | Select[Any],
    *,
    state: str = "open",
    kind: str = "",
    owner: str | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> Sequence[Enquiry]:
    """Enquiries of one incident, or of all that a query names, what is due first before the others, by key."""
    mine = Enquiry.incident_id == of if isinstance(of, int) else Enquiry.incident_id.in_(of)
    query = _chosen(select(Enquiry).where(mine), state, kind, owner)
    if after is not None:
        query = query.where(tuple_(Enquiry.due_at, Enquiry.id) > tuple_(literal(after[0], UTCDateTime), after[1]))
    return db.session.scalars(query.order_by(Enquiry.due_at, Enquiry.id).limit(limit)).all()


def told(incident_id: int) -> list[tuple[str, str, datetime, datetime, datetime | None]]:
    """State, kind, received, due and answered of every enquiry of an incident: what figures are made of."""
    columns = Enquiry.state, Enquiry.kind, Enquiry.received_at, Enquiry.due_at, Enquiry.answered_at
    rows = db.session.execute(select(*columns).where(Enquiry.incident_id == incident_id))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def of_person(incident_id: int, number: int) -> Sequence[Enquiry]:
    """What one person asked, oldest first."""
    query = select(Enquiry).where(Enquiry.incident_id == incident_id, Enquiry.person_number == number)
    return db.session.scalars(query.order_by(Enquiry.id)).all()


def answered_lately(incident_id: int, language: str, *, most: int = 50) -> Sequence[Enquiry]:
    """Questions of an incident in this language that were answered, the newest first."""
    query = select(Enquiry).where(Enquiry.incident_id == incident_id, Enquiry.state == "answered")
    query = query.where(Enquiry.language == language)
    return db.session.scalars(query.order_by(Enquiry.id.desc()).limit(most)).all()


def messages(enquiry_ids: Iterable[int]) -> Sequence[EnquiryMessage]:
    """Every message of these enquiries, oldest first."""
    query = select(EnquiryMessage).where(EnquiryMessage.enquiry_id.in_(list(enquiry_ids)))
    return db.session.scalars(query.order_by(EnquiryMessage.id)).all()


def message(ref: str, *, locked: bool = False) -> EnquiryMessage | None:
    """One message."""
    query = select(EnquiryMessage).where(EnquiryMessage.ref == ref)
    return db.session.scalar(_held(query) if locked else query)


def messages_by_refs(refs: Iterable[str]) -> Sequence[EnquiryMessage]:
    """These messages, as far as they are ours, held against other writers."""
    wanted = list(refs)
    query = select(EnquiryMessage).where(EnquiryMessage.ref.in_(wanted)).order_by(EnquiryMessage.id)
    return db.session.scalars(_held(query)).all() if wanted else []


def mail_taken(mail_key: str) -> bool:
    """Whether this very mail was taken in before."""
    return db.session.scalar(select(EnquiryMessage.id).where(EnquiryMessage.mail_key == mail_key)) is not None


def wait(incident_id: int, *, since: datetime, now: datetime) -> None:
    """Have what is open and not yet due take longer by a pause: for what came in during it, by what was left of it."""
    waits = select(Enquiry).where(Enquiry.incident_id == incident_id, Enquiry.state == "open", Enquiry.due_at > since)
    for row in db.session.scalars(waits):
        row.due_at += now - max(since, row.received_at)


def note_read(enquiry_id: int, now: datetime) -> None:
    """Keep that who asked saw, just now, every answer that they had not seen before."""
    unseen = EnquiryMessage.direction == OUT, EnquiryMessage.read_at.is_(None)
    change = update(EnquiryMessage).where(EnquiryMessage.enquiry_id == enquiry_id, *unseen)
    db.session.execute(change.values(read_at=now))


def attempts_to(notice_id: int, person_id: int) -> Sequence[Delivery]:
    """Every attempt to tell one person by one notice, the newest first."""
    query = select(Delivery).join(Dispatch, Dispatch.id == Delivery.dispatch_id)
    mine = Delivery.notice_version_id == Dispatch.notice_version_id, Delivery.person_id == person_id
    return db.session.scalars(query.where(Dispatch.notice_id == notice_id, *mine).order_by(Delivery.id.desc())).all()


def forget_person(incident_id: int, number: int) -> int:
    """Empty what one person asked and was answered: who they are and every word; how many enquiries that were."""
    found = of_person(incident_id, number)
    for message in messages(enquiry.id for enquiry in found):
        message.sealed = b""
    for enquiry in found:
        enquiry.sealed, enquiry.proof_key = b"", ""
    db.session.flush()
    return len(found)
