"""What somebody told us: tips, what was said since by both sides, files, answers on their way by e-mail, and the mailbox.

Each tip has a data key of its own, whose owner is its number with a minus before it: no incident has such a number. Destroying
that key makes the tip, its messages and its files unreadable for good, while rows, counts and lines stay.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, String, Table, and_, func, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.team_mails import Kind as Told
from incident.domain.tips import Outcome, State
from incident.store import sealed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.incidents import Incident
from incident.store.sealed import DataKey, Sealer
from incident.store.separation import TeamMail
from incident.store.together import Part, Together


class Tip(Model):
    """One thing that somebody told us. What they said is sealed; kind, state and times are plain, so that lists can be made."""

    __tablename__ = "tip"
    __table_args__ = (
        Index("ix_tip_state", "state", "id"),
        Index("ix_tip_incident", "incident_id", "id"),
        Index("ix_tip_original", "original_id"),
        Index("ix_tip_place_mark", "place_mark"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    way: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), default="new")
    outcome: Mapped[str] = mapped_column(String(12), default="")
    waits: Mapped[bool] = mapped_column(default=True)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    taken_by: Mapped[str] = mapped_column(String(20), default="")
    incident_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("incident.id"))
    original_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("tip.id"))
    code_mark: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    ticket_mark: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    place_mark: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class TipMessage(Model):
    """What one side wrote to the other afterwards. Rows are only added; the text is sealed."""

    __tablename__ = "tip_message"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    tip_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tip.id"), index=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    way: Mapped[str] = mapped_column(String(8))
    written_by: Mapped[str] = mapped_column(String(20))
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    mark: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class TipFile(Model):
    """A file that came with a tip: sealed in the folder of files under a name of ours; its own name is sealed here."""

    __tablename__ = "tip_file"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    tip_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tip.id"), index=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    size: Mapped[int] = mapped_column(BigInt)
    sha256: Mapped[str] = mapped_column(String(64))
    stored_as: Mapped[str] = mapped_column(String(60))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class TipMail(Model):
    """An answer of ours, or the word that there is one, on its way by e-mail."""

    __tablename__ = "tip_mail"
    __table_args__ = (
        Index(
            "ix_tip_mail_open",
            "id",
            sqlite_where=text("state IN ('waiting', 'claimed', 'calling')"),
            postgresql_where=text("state IN ('waiting', 'claimed', 'calling')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    tip_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tip.id"), index=True)
    message_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tip_message.id"))
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    reason: Mapped[str] = mapped_column(String(40), default="")
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(100), default="")
    tries: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class TipMailbox(Model):
    """How far the mailbox was read: the number that its server gives to messages, and how the last look went."""

    __tablename__ = "tip_mailbox"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    validity: Mapped[int] = mapped_column(BigInt, default=0)
    last_uid: Mapped[int] = mapped_column(BigInt, default=0)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(60), default="")


MAILS: Table = TipMail.__table__  # type: ignore[assignment]
MANY: Final = 10_000
OPEN: Final = Tip.state != State.SETTLED.value


def key_of(tip: Tip) -> Sealer:
    """The opened key of this tip. Raises Erased."""
    return sealed.sealer(-tip.id)


def mark(purpose: str, value: str) -> bytes:
    """The keyed hash of a code, a ticket or a place over all tips; its key is the house's."""
    return sealed.mark(None, f"tip.{purpose}", value)


def seal_told(tip: Tip, said: dict[str, Any]) -> bytes:
    """What somebody told, sealed to its row."""
    return key_of(tip).seal(f"tip.sealed:{tip.ref}", json.dumps(said, ensure_ascii=False).encode())


def told(tip: Tip) -> dict[str, Any]:
    """What somebody told. Raises Erased, Unreadable."""
    if tip.sealed is None:
        return {}
    found: dict[str, Any] = json.loads(key_of(tip).unseal(f"tip.sealed:{tip.ref}", tip.sealed))
    return found


def seal_words(tip: Tip, message_ref: str, words: str) -> bytes:
    """A message, sealed to its row."""
    return key_of(tip).seal(f"tip_message.sealed:{message_ref}", words.encode())


def words(tip: Tip, messages: Sequence[TipMessage]) -> list[str]:
    """What these messages say. Raises Erased, Unreadable."""
    key = key_of(tip) if messages else None
    return [key.unseal(f"tip_message.sealed:{one.ref}", one.sealed).decode() for one in messages if key]


def seal_name(tip: Tip, file_ref: str, name: str) -> bytes:
    """The name of a file, sealed to its row."""
    return key_of(tip).seal(f"tip_file.sealed:{file_ref}", name.encode())


def names(tip: Tip, files: Sequence[TipFile]) -> list[str]:
    """The names of these files. Raises Erased, Unreadable."""
    key = key_of(tip) if files else None
    return [key.unseal(f"tip_file.sealed:{one.ref}", one.sealed).decode() for one in files if key]


def by_ref(ref: str, *, locked: bool = False) -> Tip | None:
    """One tip."""
    query = select(Tip).where(Tip.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def with_case(query: Select[Tip], ref: str) -> tuple[Tip, Incident | None] | None:
    """Of these tips, the one with this reference, and the incident that it became or belongs to."""
    both = query.add_columns(Incident).outerjoin(Incident, Incident.id == Tip.incident_id)
    row = db.session.execute(both.where(Tip.ref == ref)).one_or_none()
    return (row[0], row[1]) if row else None


def by_ids(ids: Collection[int | None]) -> dict[int, Tip]:
    """Tips by number."""
    wanted = {number for number in ids if number is not None}
    found = db.session.scalars(select(Tip).where(Tip.id.in_(wanted))) if wanted else ()
    return {row.id: row for row in found}


def by_code(code_mark: bytes, *, locked: bool = False) -> Tip | None:
    """The tip that this code opens, if it can still be read."""
    gone = select(DataKey.owner).where(DataKey.owner == -Tip.id, DataKey.sealing.is_(None))
    query = select(Tip).where(Tip.code_mark == code_mark, ~gone.exists())
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def by_ticket(ticket_mark: bytes) -> Tip | None:
    """The tip that came by this form."""
    return db.session.scalar(select(Tip).where(Tip.ticket_mark == ticket_mark))


def told_since(since: datetime) -> bool:
    """Whether the team was mailed about a tip since then."""
    query = select(TeamMail.id).where(TeamMail.kind == Told.REPORTED.value, TeamMail.made_at > since).limit(1)
    return db.session.scalar(query) is not None


def is_known_message(message_mark: bytes) -> bool:
    """Whether this message was taken in already."""
    return db.session.scalar(select(TipMessage.id).where(TipMessage.mark == message_mark)) is not None


def visible(incidents: Select[Any]) -> Select[Tip]:
    """The tips that belong to no incident, or to one of these (a query of incident ids): what a reader may know of."""
    return select(Tip).where(or_(Tip.incident_id.is_(None), Tip.incident_id.in_(incidents)))


def page(query: Select[Tip], *, before: int | None, limit: int) -> Sequence[Tip]:
    """So many of these tips, newest first."""
    if before is not None:
        query = query.where(Tip.id < before)
    return db.session.scalars(query.order_by(Tip.id.desc()).limit(limit)).all()


def queue(query: Select[Tip]) -> Select[Tip]:
    """Of these tips, those that somebody has to look at: unsettled, or with a word that came since."""
    return query.where(or_(OPEN, Tip.waits))


def counted(query: Select[Tip]) -> int:
    """How many these are."""
    return db.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def messages(tip: Tip) -> Sequence[TipMessage]:
    """What was written since, in its order."""
    return db.session.scalars(select(TipMessage).where(TipMessage.tip_id == tip.id).order_by(TipMessage.id)).all()


class Since(NamedTuple):
    """What was written since, in its order; the e-mails, by the message that they carry or tell of; files, in their order."""

    messages: Sequence[TipMessage]
    mails: Mapping[int, TipMail]
    files: Sequence[TipFile]


_SINCE: Final = Together(
    lambda of: (
        Part(select(TipMessage).where(TipMessage.tip_id == of), (TipMessage.id,), MANY),
        Part(select(TipMail).where(TipMail.tip_id == of), (TipMail.id,), MANY),
        Part(select(TipFile).where(TipFile.tip_id == of), (TipFile.id,), MANY),
        Part(select(DataKey).where(DataKey.owner == -of), (DataKey.id,), 1),
    )
)


def since(tip: Tip) -> Since:
    """All that belongs to a tip, in one statement; its key comes along for whoever opens it."""
    messages, mails, files, keys = _SINCE.read(tip.id)
    sealed.known(-tip.id, keys[0] if keys else None)
    return Since(messages, {row.message_id: row for row in mails}, files)


def message_count(tip: Tip) -> int:
    """How many messages there are."""
    return db.session.scalar(select(func.count()).select_from(TipMessage).where(TipMessage.tip_id == tip.id)) or 0


def files(tip: Tip) -> Sequence[TipFile]:
    """The files that came with it, in their order."""
    return db.session.scalars(select(TipFile).where(TipFile.tip_id == tip.id).order_by(TipFile.id)).all()


def file_count(tip: Tip) -> int:
    """How many files there are."""
    return db.session.scalar(select(func.count()).select_from(TipFile).where(TipFile.tip_id == tip.id)) or 0


def file(tip: Tip, ref: str) -> TipFile | None:
    """One file of a tip."""
    return db.session.scalar(select(TipFile).where(TipFile.tip_id == tip.id, TipFile.ref == ref))


def alike(tip: Tip, seen: Select[Tip], *, limit: int = 10) -> Sequence[Tip]:
    """Other tips about the same place, or linked to this one, as far as the reader may know of them; newest first."""
    same = and_(Tip.place_mark.is_not(None), Tip.place_mark == tip.place_mark)
    linked = or_(Tip.original_id == tip.id, Tip.id == tip.original_id)
    query = seen.where(Tip.id != tip.id, or_(same, linked))
    return db.session.scalars(query.order_by(Tip.id.desc()).limit(limit)).all()


def mail(ref: str, *, locked: bool = False) -> TipMail | None:
    """One e-mail on its way."""
    query = select(TipMail).where(TipMail.ref == ref).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if locked else query)


def mails_by_refs(refs: Collection[str]) -> Sequence[TipMail]:
    """The e-mails with these references, held against other writers."""
    if not refs:
        return ()
    return db.session.scalars(select(TipMail).where(TipMail.ref.in_(refs)).with_for_update()).all()


def mailbox(name: str, *, locked: bool = False) -> TipMailbox | None:
    """How far a mailbox was read."""
    query = select(TipMailbox).where(TipMailbox.name == name)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def note_look(name: str, *, now: datetime, trouble: str = "") -> None:
    """Keep when the mailbox was looked at, and what went wrong; alone, since nothing was decided by it."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    row = mailbox(name, locked=True) or TipMailbox(name=name, validity=0, last_uid=0)
    db.session.add(row)
    row.reason = trouble[:60]
    if trouble:
        row.failed_at = now
    else:
        row.read_at, row.failed_at = now, None
    db.session.commit()


def note_read(name: str, *, validity: int, uid: int) -> None:
    """Keep up to which message the mailbox was read; alone, since what was in it has its own line."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    row = mailbox(name, locked=True) or TipMailbox(name=name, reason="")
    db.session.add(row)
    row.validity, row.last_uid = validity, uid
    db.session.commit()


def ended(*, limit: int) -> Sequence[Tip]:
    """Tips that were settled without an incident, and can still be read; oldest first."""
    query = select(Tip).join(DataKey, and_(DataKey.owner == -Tip.id, DataKey.sealing.is_not(None)))
    query = query.where(Tip.state == State.SETTLED.value, Tip.incident_id.is_(None))
    return db.session.scalars(query.order_by(Tip.settled_at, Tip.id).limit(limit)).all()


def of_incident(incident_id: int) -> Sequence[Tip]:
    """The tips that belong to an incident, oldest first."""
    return db.session.scalars(select(Tip).where(Tip.incident_id == incident_id).order_by(Tip.id)).all()


def key_refs(tips: Collection[Tip]) -> list[str]:
    """The names under which the keys of these tips stand on the list of the erased."""
    return [ref for tip in tips if (ref := sealed.key_ref(-tip.id)) is not None]


def destroy(tips: Collection[Tip], *, now: datetime) -> list[str]:
    """Destroy the keys of these tips; the names of their files. The caller puts the keys on the list of the erased."""
    gone: list[str] = []
    for tip in tips:
        sealed.destroy(-tip.id, now=now)
        tip.code_mark = tip.place_mark = None
        for one in files(tip):
            if one.stored_as:
                gone.append(one.stored_as)
                one.stored_as = ""
    db.session.flush()
    return gone


MAILBOX: Final = "imap"
"""The name of the one mailbox that is read."""
JOINED: Final = frozenset({Outcome.INCIDENT.value, Outcome.JOINED.value, Outcome.NEAR_MISS.value})
