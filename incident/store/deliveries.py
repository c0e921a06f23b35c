"""One row per person, channel and attempt: what was to be sent, and what became of it.

The rows are the queue. Partial indexes hold only what waits, what is claimed, and what needs somebody's care, so that a
finished delivery costs no index a change.
"""

from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from secrets import token_bytes
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    Update,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import NEEDS_OWNER, State
from incident.store import bulk
from incident.store.db import CROCKFORD, BigInt, Model, UTCDateTime, db
from incident.store.dispatches import Dispatch

TO_CROCKFORD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD)
NO_CHANNEL: Final = "none"
"""The channel of whom none reaches."""
COUNTED: Final = 100_001
"""So far a page counts rows one by one; whatever may be more is kept as a number."""
AT_ONCE: Final = 500
"""How many row numbers go into one IN list."""

# Written out, not bound: the planner takes a partial index only where it reads the index's own condition.
IS_WAITING: Final = text("delivery.state = 'waiting'")
IS_SENDING: Final = text("delivery.state = 'sending'")
HAS_NO_OWNER: Final = text("delivery.owner = ''")  # an attempt that another one follows is never without
IS_MOVED: Final = text("delivery.came_from <> ''")
# Each state by itself: SQLite makes a table of an IN list for every row it looks at, twice the cost of moving the row.
CARE: Final = " OR ".join(f"state = '{word}'" for word in ("in_doubt", "failed", "bounced", "unreached", "cancelled"))
BACK: Final = "state = 'failed' OR state = 'bounced'"
HAS_FAILED: Final = text(f"({BACK.replace('state', 'delivery.state')})")
NEEDS_CARE: Final = text(f"({CARE.replace('state', 'delivery.state')})")


class Delivery(Model):
    """One attempt to tell one person by one channel. `current` marks the person's last one, which is the one counted."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notice_version_id", "person_id", "channel", "attempt"),
        Index("ix_delivery_dispatch", "dispatch_id", "id"),
        Index(
            "ix_delivery_waiting",
            "dispatch_id",
            "channel",
            "id",
            sqlite_where=text("state = 'waiting' AND due_at IS NULL"),
            postgresql_where=text("state = 'waiting' AND due_at IS NULL"),
        ),
        Index(
            "ix_delivery_put_off",
            "dispatch_id",
            "channel",
            "due_at",
            "id",
            sqlite_where=text("state = 'waiting' AND due_at IS NOT NULL"),
            postgresql_where=text("state = 'waiting' AND due_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_claim",
            "claim_id",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_delivery_unowned",
            "dispatch_id",
            "state",
            "owner",
            sqlite_where=text(f"owner = '' AND ({CARE})"),
            postgresql_where=text(f"owner = '' AND ({CARE})"),
        ),
        Index(
            "ix_delivery_care",
            "dispatch_id",
            "state",
            "id",
            *("channel", "language", "reason", "owner", "current"),  # by these a list is sifted, without the rows
            sqlite_where=text(CARE),
            postgresql_where=text(CARE),
        ),
        Index(
            "ix_delivery_back",
            "dispatch_id",
            "state",
            "channel",
            "reason",
            sqlite_where=text(BACK),
            postgresql_where=text(BACK),
        ),
        Index(
            "ix_delivery_moved",
            "dispatch_id",
            "came_from",
            "channel",
            "id",
            sqlite_where=text("came_from <> ''"),
            postgresql_where=text("came_from <> ''"),
        ),
        Index(
            "ix_delivery_climb",
            "dispatch_id",
            "climb_at",
            sqlite_where=text("climb_at IS NOT NULL"),
            postgresql_where=text("climb_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_pretending",
            "dispatch_id",
            "due_at",
            sqlite_where=text("state = 'simulated' AND due_at IS NOT NULL"),
            postgresql_where=text("state = 'simulated' AND due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    dispatch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("dispatch.id"))
    notice_version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice_version.id"))
    person_id: Mapped[int] = mapped_column(BigInt, ForeignKey("person.id"))
    person_number: Mapped[int]
    channel: Mapped[str] = mapped_column(String(12))
    language: Mapped[str] = mapped_column(String(12), default="", server_default="")
    came_from: Mapped[str] = mapped_column(String(12), default="", server_default="")
    attempt: Mapped[int] = mapped_column(default=1)
    current: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(10))
    claim_id: Mapped[int | None] = mapped_column(BigInt)
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    climb_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(String(40), default="")
    code: Mapped[str] = mapped_column(String(20), default="")
    may_pass: Mapped[bool] = mapped_column(default=False)
    complained: Mapped[bool] = mapped_column(default=False)
    pretended: Mapped[str] = mapped_column(String(10), default="", server_default="")
    owner: Mapped[str] = mapped_column(String(20), default="")
    settled_by: Mapped[str] = mapped_column(String(20), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    called_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class DeliveryRemark(Model):
    """What a person wrote when they settled or repeated a delivery, sealed: it may name people. Only added."""

    __tablename__ = "delivery_remark"
    __table_args__ = (Index("ix_delivery_remark_delivery", "delivery_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(26), unique=True)
    delivery_id: Mapped[int] = mapped_column(BigInt, ForeignKey("delivery.id"))
    what: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Addressed(NamedTuple):
    """A person to be told, the channel chosen for them (empty: none reaches them) and the language they are written in."""

    person_id: int
    number: int
    channel: str
    attempt: int | None = None  # None: the first one of the dispatch
    owner: str = ""
    language: str = ""
    came_from: str = ""  # the channel that they were tried by before
    due_at: datetime | None = None  # not before this time; None: at once


def add(dispatch: Dispatch, people: Sequence[Addressed], now: datetime) -> list[str]:
    """A row for each of these people; the references of their attempts, in order."""
    refs = new_refs(len(people), now)
    same = {
        "dispatch_id": dispatch.id,
        "notice_version_id": dispatch.notice_version_id,
        "current": True,
        "tries": 0,
        "provider": "",
        "provider_id": "",
        "code": "",
        "may_pass": False,
        "complained": False,
        "settled_by": "",
        "made_at": bulk.instant(now),
        "changed_at": bulk.instant(now),
    }
    own = (
        "ref",
        "person_id",
        "person_number",
        "channel",
        "language",
        "came_from",
        "attempt",
        "owner",
        "due_at",
        "state",
        "reason",
    )
    told, untold = (State.WAITING.value, "", *same.values()), (State.UNREACHED.value, "no_channel", *same.values())
    first = dispatch.first_attempt
    rows = [
        (
            ref,
            id_,
            number,
            channel or NO_CHANNEL,
            language,
            came_from,
            first if attempt is None else attempt,
            owner,
            bulk.instant(due_at) if due_at else None,
            *(told if channel else untold),
        )
        for ref, (id_, number, channel, attempt, owner, language, came_from, due_at) in zip(refs, people, strict=True)
    ]
    bulk.insert("delivery", (*own, *same), rows)
    return refs


def again(row: Delivery, actor: str, now: datetime) -> Delivery:
    """Another attempt beside this one, which is no longer the person's current one and in the care of who asked for it."""
    row.current, row.owner, row.climb_at = False, row.owner or actor, None
    fresh = Delivery(
        ref=new_refs(1, now)[0],
        dispatch_id=row.dispatch_id,
        notice_version_id=row.notice_version_id,
        person_id=row.person_id,
        person_number=row.person_number,
        channel=row.channel,
        language=row.language,
        attempt=row.attempt + 1,
        state=State.WAITING,
        owner=row.owner,
        made_at=now,
        changed_at=now,
    )
    db.session.add(fresh)
    return fresh


def new_refs(count: int, now: datetime) -> list[str]:
    """References for attempts: 26 letters, the time and 80 random bits, so that they lie in the order they were made."""
    moment = "".join(CROCKFORD[int(now.timestamp() * 1000) >> shift & 31] for shift in range(45, -1, -5))
    letters = b32encode(token_bytes(10 * count)).decode().translate(TO_CROCKFORD)
    refs = sorted({moment + letters[start : start + 16] for start in range(0, 16 * count, 16)})
    return refs if len(refs) == count else new_refs(count, now)


def rows_changed(change: Update) -> int:
    """Carry it out; how many rows it changed."""
    return int(db.session.execute(change, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """The numbers in lists short enough for one statement."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def cancel_waiting(dispatch_id: int, now: datetime) -> int:
    """Cancel all that waits; how many that were."""
    change = update(Delivery).where(Delivery.dispatch_id == dispatch_id, IS_WAITING)
    return rows_changed(change.values(state=State.CANCELLED, reason="stopped", changed_at=now))


def later_attempts(row: Delivery) -> Sequence[Delivery]:
    """The attempts made after this one for the same person, by whatever channel."""
    query = select(Delivery).where(
        Delivery.notice_version_id == row.notice_version_id,
        Delivery.person_id == row.person_id,
        Delivery.dispatch_id == row.dispatch_id,
        Delivery.id > row.id,
    )
    return db.session.scalars(query.order_by(Delivery.id)).all()


def page(
    dispatch_id: int, *, state: str = "", owner: str | None = None, after: int = 0, limit: int = 50
) -> Sequence[Delivery]:
    """Deliveries of a dispatch by key; of one state and owner where they are named (an empty owner: nobody)."""
    query = select(Delivery).where(Delivery.dispatch_id == dispatch_id, Delivery.id > after)
    if state:
        query = query.where(Delivery.state == state, Delivery.current)
        if state in NEEDS_OWNER:
            query = query.where(NEEDS_CARE)
    if owner is not None:
        query = query.where(Delivery.owner == owner)
    return db.session.scalars(query.order_by(Delivery.id).limit(limit)).all()


def attempt(incident_id: int, ref: str) -> Delivery | None:
    """The delivery with this attempt reference, if it belongs to this incident."""
    query = select(Delivery).join(Dispatch, Dispatch.id == Delivery.dispatch_id)
    return db.session.scalar(query.where(Delivery.ref == ref, Dispatch.incident_id == incident_id))


def attempts(row: Delivery) -> Sequence[Delivery]:
    """Every attempt to tell the same person of the same version, oldest first."""
    query = select(Delivery).where(
        Delivery.notice_version_id == row.notice_version_id,
        Delivery.person_id == row.person_id,
        Delivery.dispatch_id == row.dispatch_id,
    )
    return db.session.scalars(query.order_by(Delivery.id)).all()


def current_of(incident_id: int, person_id: int) -> Sequence[tuple[Dispatch, Delivery]]:
    """What stands for one person in each sending of an incident, oldest first, with the sending."""
    versions = select(Dispatch.notice_version_id).where(Dispatch.incident_id == incident_id)
    query = select(Dispatch, Delivery).join(Delivery, Delivery.dispatch_id == Dispatch.id)
    query = query.where(Delivery.notice_version_id.in_(versions), Delivery.person_id == person_id, Delivery.current)
    return [(sending, one) for sending, one in db.session.execute(query.order_by(Delivery.id))]


def remarks_of(delivery_ids: Sequence[int]) -> Sequence[DeliveryRemark]:
    """What people wrote about these deliveries, sealed."""
    query = select(DeliveryRemark).where(DeliveryRemark.delivery_id.in_(delivery_ids))
    return db.session.scalars(query.order_by(DeliveryRemark.id)).all()


def unowned(dispatch_id: int) -> int:
    """How many people who were perhaps not told are in nobody's care, counted no further than `COUNTED`.

    Their own index answers, without a look at the rows.
    """
    query = select(Delivery.id).where(Delivery.dispatch_id == dispatch_id, NEEDS_CARE, HAS_NO_OWNER)
    return db.session.scalar(select(func.count()).select_from(query.limit(COUNTED).subquery())) or 0


def take_care(dispatch_id: int, state: State, owner: str, now: datetime) -> int:
    """Put all unowned current deliveries of this state in somebody's care; how many that were."""
    change = update(Delivery).where(Delivery.dispatch_id == dispatch_id, Delivery.state == state, HAS_NO_OWNER)
    return rows_changed(change.where(Delivery.current, NEEDS_CARE).values(owner=owner, changed_at=now))


def repeatable(dispatch_id: int, most: int) -> Sequence[Delivery]:
    """Current deliveries that were not sent, or came back for this time only, the first `most`."""
    query = select(Delivery).where(Delivery.dispatch_id == dispatch_id, NEEDS_CARE, Delivery.current)
    query = query.where((Delivery.state == State.FAILED) | ((Delivery.state == State.BOUNCED) & Delivery.may_pass))
    return db.session.scalars(query.order_by(Delivery.id).limit(most)).all()


def reported_on(refs: Iterable[str]) -> dict[str, Delivery]:
    """The deliveries with these attempt references, read anew and held against other writers."""
    wanted = [ref for ref in refs if ref]
    query = select(Delivery).where(Delivery.ref.in_(wanted)).order_by(Delivery.id).with_for_update()
    return (
        {row.ref: row for row in db.session.scalars(query.execution_options(populate_existing=True))} if wanted else {}
    )


def dispatches_of(refs: Iterable[str]) -> list[int]:
    """The dispatches that these attempt references belong to, lowest first."""
    query = select(Delivery.dispatch_id).where(Delivery.ref.in_([ref for ref in refs if ref])).distinct()
    return sorted(db.session.scalars(query))


def reach_of(person_ids: Sequence[int]) -> dict[int, Mapping[str, bool]]:
    """For each of these people, by which of our channels they could be reached."""
    person = db.metadata.tables["person"]
    query = select(person.c.id, person.c.has_email, person.c.has_phone, person.c.has_address, person.c.has_push)
    found: dict[int, Mapping[str, bool]] = {}
    for part in parts(person_ids):
        for id_, email, phone, address, push in db.session.execute(query.where(person.c.id.in_(part))):
            found[id_] = {"email": email, "sms": phone, "call": phone, "letter": address, "push": push}
    return found


def languages_of(person_ids: Sequence[int]) -> dict[int, str]:
    """The language that each of these people reads, as the lists say."""
    person = db.metadata.tables["person"]
    query = select(person.c.id, person.c.language)
    found: dict[int, str] = {}
    for part in parts(person_ids):
        found.update((id_, language) for id_, language in db.session.execute(query.where(person.c.id.in_(part))))
    return found


def numbers(dispatch_id: int, *, after: int, limit: int) -> Sequence[Any]:
    """Row and person's number of the first attempts of a dispatch, in the order they were made."""
    query = select(Delivery.id, Delivery.person_number).where(
        Delivery.dispatch_id == dispatch_id, Delivery.attempt <= 1, Delivery.id > after
    )
    return db.session.execute(query.order_by(Delivery.id).limit(limit)).all()


def recounted(dispatch_id: int) -> dict[State, int]:
    """The counts as the rows say, counted one by one: for the check of an installation, never for a page."""
    query = (
        select(Delivery.state, func.count())
        .where(Delivery.dispatch_id == dispatch_id, Delivery.current)
        .group_by(Delivery.state)
    )
    return {State(state): n for state, n in db.session.execute(query)}
