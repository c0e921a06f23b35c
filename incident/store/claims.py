"""The claims of workers on batches of deliveries.

A claim is a row of its own with a lease and a number that never comes back (the fence). Whoever wants to hand a batch over
must first turn its claim from "claimed" to "calling" while the lease lasts; nobody else can then, and nobody after.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Executable,
    ForeignKey,
    Index,
    String,
    Text,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from incident.domain import suspects
from incident.domain.deliveries import NO_WORKERS_TURN, Course, State
from incident.store import bulk, dispatches, tallies
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import HAS_NO_OWNER, IS_SENDING, IS_WAITING, Delivery, parts, rows_changed
from incident.store.dispatches import Dispatch
from incident.store.tallies import Moves, Place

SPARSE: Final = 20
"""How many numbers a range may span for each row that is wanted of it."""
IS_OPEN: Final = text("delivery_claim.state IN ('claimed', 'calling')")


class DeliveryClaim(Model):
    """One worker's hold on a batch. `id` is the fence. States: claimed, calling, settled, returned, lost.

    `first_id`, `last_id` and `apart` are for the proof of a member later: between which numbers its rows lie, and, unless all
    came to the same state, which references came to another than most of them (JSON: state, references).
    """

    __tablename__ = "delivery_claim"
    __table_args__ = (
        Index(
            "ix_delivery_claim_open",
            "lease_until",
            sqlite_where=text("state IN ('claimed', 'calling')"),
            postgresql_where=text("state IN ('claimed', 'calling')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    dispatch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("dispatch.id"))
    channel: Mapped[str] = mapped_column(String(12))
    worker: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(8))
    size: Mapped[int]
    provider: Mapped[str] = mapped_column(String(20), default="", server_default="")
    claimed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime] = mapped_column(UTCDateTime)
    first_id: Mapped[int | None] = mapped_column(BigInteger)
    last_id: Mapped[int | None] = mapped_column(BigInteger)
    apart: Mapped[str | None] = mapped_column(Text)


STANDING: Final = itemgetter(slice(4, None))
"""All of a row that an answer is judged and counted by."""


HELD_AS: Final = itemgetter(4, 5, 6, 7)
"""The part of it in which rows may differ that nobody has reported on."""


class Member(NamedTuple):
    """One row of a claimed batch, as it stands until somebody reports on it."""

    id: int
    ref: str
    person_id: int
    person_number: int
    language: str
    tries: int
    owner: str
    provider_id: str
    state: str = State.SENDING.value
    reason: str = ""
    code: str = ""
    current: bool = True

    @property
    def standing(self) -> tuple[object, ...]:
        """All of it that an answer is judged and counted by."""
        standing: tuple[object, ...] = STANDING(self)
        return standing


class Held(NamedTuple):
    """A claimed batch: its fence and its rows."""

    fence: int
    channel: str
    rows: Sequence[Member]


AS_CLAIMED = tuple(Member._field_defaults.values())
_HELD = (
    Delivery.id,
    Delivery.ref,
    Delivery.person_id,
    Delivery.person_number,
    Delivery.language,
    Delivery.tries,
    Delivery.owner,
    Delivery.provider_id,
)


def has_due(dispatch_id: int, channel: str, now: datetime) -> bool:
    """Whether somebody waits to be told by this channel now."""
    due = select(Delivery.id).where(IS_WAITING, Delivery.dispatch_id == dispatch_id, Delivery.channel == channel)
    kinds = Delivery.due_at.is_(None), Delivery.due_at <= now
    return any(db.session.scalar(due.where(kind).limit(1)) is not None for kind in kinds)


def dispatches_with_lost_claims(now: datetime) -> Sequence[str]:
    """The dispatches that hold a claim whose lease ran out."""
    query = select(Dispatch.ref).join(DeliveryClaim, DeliveryClaim.dispatch_id == Dispatch.id)
    return db.session.scalars(query.where(IS_OPEN, DeliveryClaim.lease_until <= now).distinct()).all()


def claim(dispatch_id: int, channel: str, most: int, **how: Any) -> Held | None:
    """Hold up to `most` waiting rows for one worker, as below; None when there is nothing due or another was quicker."""
    found = claim_ahead(dispatch_id, channel, most, 1, **how)
    return found[0] if found else None


def claim_ahead(
    dispatch_id: int,
    channel: str,
    most: int,
    batches: int,
    *,
    worker: str,
    lease: timedelta,
    now: datetime,
    provider: str = "",
    by_hand: bool = False,
    canary: int = 0,
) -> list[Held]:
    """Hold up to so many batches of up to `most` waiting rows for one worker, committed alone; each has a fence of its own.

    `by_hand` holds those that were given to people, who now ask for them; else they are nobody's turn. With a `canary` no two
    workers see room for the same first few: each looks while it holds the dispatch alone.
    """
    session = _writing()
    if canary:
        dispatches.lock([dispatch_id])
        most = min(most, dispatches.left_of_canary(dispatch_id))
    else:
        dispatches.share(dispatch_id)
    running = session.scalar(select(Dispatch.course).where(Dispatch.id == dispatch_id))
    if not most or running != Course.SENDING or dispatches.frozen():
        session.rollback()
        return []
    chosen = _chosen(dispatch_id, channel, most * batches, now, by_hand=by_hand)
    parts_ = [(how, rows[start : start + most]) for how, rows in chosen for start in range(0, len(rows), most)]
    if not parts_:
        session.rollback()
        return []
    claimed = [
        DeliveryClaim(
            dispatch_id=dispatch_id,
            channel=channel,
            worker=worker,
            state="claimed",
            size=len(rows),
            provider=provider,
            claimed_at=now,
            lease_until=now + lease,
            first_id=rows[0].id,
            last_id=rows[-1].id,
        )
        for _, rows in parts_[:batches]
    ]
    session.add_all(claimed)
    session.flush()
    moved: Moves = Counter()
    held = []
    for kind, some in groupby(zip(claimed, parts_, strict=False), lambda one: one[1][0]):
        _hold([(row, rows) for row, (_, rows) in some], kind, now)
    for row, (_, rows) in zip(claimed, parts_, strict=False):
        moved.update(_moves(channel, rows, State.WAITING, State.SENDING))
        held.append(Held(row.id, channel, rows))
    tallies.count(dispatch_id, moved, now)
    session.commit()
    return held


FRESH: Final = "due_at IS NULL"
_FIELDS: Final = ("id", "ref", "person_id", "person_number", "language", "tries", "owner", "provider_id")
_WAITING: Final = "FROM delivery WHERE state = 'waiting' AND dispatch_id = ? AND channel = ?"
Kind = tuple[str, tuple[Any, ...]]
"""A condition with the values for its places."""
Choice = tuple[Kind | None, Sequence[Member]]


def _chosen(dispatch_id: int, channel: str, most: int, now: datetime, *, by_hand: bool) -> list[Choice]:
    """The next rows: first those that were never put off, then those whose time has come, with what tells the former.

    Whoever was in a batch under which a worker died comes last, and apart from all others.
    """
    if by_hand:
        turn = bulk.instant(NO_WORKERS_TURN)
        given = f"{_WAITING} AND due_at = ? ORDER BY id LIMIT ? {_nobodys()}"
        clean, suspect = _sifted(given, (dispatch_id, channel, turn, most))
        return [(None, clean or _in_small_company(suspect))]
    fresh = _waiting(f"{_WAITING} AND {FRESH} ORDER BY id LIMIT ? {_nobodys()}", (dispatch_id, channel, most))
    if len(fresh) == most:
        return [((FRESH, ()), fresh)]
    late = f"{_WAITING} AND due_at <= ? ORDER BY due_at, id LIMIT ? {_nobodys()}"
    clean, suspect = _sifted(late, (dispatch_id, channel, bulk.instant(now), most - len(fresh)))
    again = clean if fresh or clean else _in_small_company(suspect)
    return [((FRESH, ()), fresh), (None, sorted(again))]


def _nobodys() -> str:
    """Only rows that no other worker is about to claim, and none that he chooses next: he does not wait for us, nor we for him."""
    return "FOR NO KEY UPDATE SKIP LOCKED" if _share_a_dispatch() else ""


def _share_a_dispatch() -> bool:
    """Whether several workers of a dispatch write at once: not where there is one writer at a time."""
    return db.engine.dialect.name == "postgresql"


def _sifted(statement: str, values: Sequence[Any]) -> tuple[list[Member], list[tuple[int, Member]]]:
    """Those who wait and are suspected of nothing; and the suspects, each with the claim that died."""
    clean, suspect = [], []
    for *fields, reason, claim_id in bulk.gathered((*_FIELDS, "reason", "claim_id"), statement, values):
        member = Member._make((*fields, *AS_CLAIMED))
        if reason in suspects.REASONS:
            suspect.append((claim_id, member))
        else:
            clean.append(member)
    return clean, suspect


def _in_small_company(suspect: Sequence[tuple[int, Member]]) -> list[Member]:
    """A tenth of those who were claimed together with the first."""
    if not suspect:
        return []
    fence = suspect[0][0]
    size = db.session.scalar(select(DeliveryClaim.size).where(DeliveryClaim.id == fence)) or 1
    return [member for claim_id, member in suspect if claim_id == fence][: suspects.company(size)]


def _waiting(statement: str, values: Sequence[Any]) -> list[Member]:
    """Those who wait, as they stand once they are claimed."""
    return [_as_member((*row, *AS_CLAIMED)) for row in bulk.gathered(_FIELDS, statement, values)]


_as_member: Final = partial(tuple.__new__, Member)  # a third of the time that `_make` takes


def _read(statement: str, values: Sequence[Any]) -> list[Member]:
    return list(map(Member._make, bulk.fetched(statement, values)))


def _hold(claimed: Sequence[tuple[DeliveryClaim, Sequence[Member]]], kind: Kind | None, now: datetime) -> None:
    """Move batches under their claims: all of a kind between the first and the last in one statement, or by their numbers."""
    if kind is None:
        moved = sum(_hold_these(claim.id, [row.id for row in rows], now) for claim, rows in claimed)
    else:
        moved = _hold_between(claimed, kind, now)
    if moved != sum(len(rows) for _, rows in claimed):
        raise RuntimeError("Rows moved under a dispatch that is held.")


def _hold_these(fence: int, ids: Sequence[int], now: datetime) -> int:
    change = "UPDATE delivery SET state = 'sending', claim_id = ?, changed_at = ? WHERE state = 'waiting'"
    values = (fence, bulk.instant(now))
    return sum(bulk.changed(f"{change} AND {_among(part)}", (*values, *part)) for part in parts(ids))


def _hold_between(claimed: Sequence[tuple[DeliveryClaim, Sequence[Member]]], kind: Kind, now: datetime) -> int:
    """The batches lie one behind the other: up to the last number of each, the rows are its own.

    Where others write at the same time, rows between may have been theirs when we chose, and be nobody's now.
    """
    fences = " ".join(["WHEN id <= ? THEN ?"] * len(claimed))
    owners = [value for claim, rows in claimed for value in (rows[-1].id, claim.id)]
    of, ids = claimed[0][0], [row.id for _, rows in claimed for row in rows]
    ours: Kind = ("id = ANY(?::bigint[])", (ids,)) if _share_a_dispatch() else ("id BETWEEN ? AND ?", (ids[0], ids[-1]))
    return bulk.changed(
        f"UPDATE delivery SET state = 'sending', claim_id = CASE {fences} END, changed_at = ? WHERE state = 'waiting'"  # noqa: S608
        f" AND dispatch_id = ? AND channel = ? AND {kind[0]} AND {ours[0]}",
        (*owners, bulk.instant(now), of.dispatch_id, of.channel, *kind[1], *ours[1]),
    )


def _among(ids: Sequence[int]) -> str:
    return f"id IN ({', '.join('?' * len(ids))})"


def _moves(channel: str, rows: Iterable[Member], before: State, then: State, reason: str = "") -> Moves:
    moved: Moves = Counter()
    for language, n in Counter(row.language for row in rows).items():
        moved[Place(channel, language, before)] -= n
        moved[Place(channel, language, then, reason)] += n
    return moved


def _writing() -> Session:
    session = db.session()
    session.rollback()
    session.connection(execution_options={"tocsin_write": True})
    return session


def rows_of(fence: int) -> Sequence[Member]:
    """The rows still held under this fence, in order."""
    return _members(select(*_HELD).where(Delivery.claim_id == fence, IS_SENDING).order_by(Delivery.id))


def _members(query: Executable) -> list[Member]:
    return [Member._make((*row, *AS_CLAIMED)[: len(Member._fields)]) for row in db.session.connection().execute(query)]


def turn_claim(
    fence: int, before: str, then: str, now: datetime, *, lease: timedelta | None = None, apart: str | None = None
) -> bool:
    """Move a claim from one state to the next, if it is still there and its lease lasts; whether it was so."""
    until: dict[str, Any] = {"lease_until": bulk.instant(now + lease)} if lease else {}
    until |= {"apart": apart} if apart else {}
    lasting = (" AND lease_until > ?", bulk.instant(now)) if before == "claimed" else ("",)
    sets = "state = ?" + "".join(f", {name} = ?" for name in until)
    change = f"UPDATE delivery_claim SET {sets} WHERE id = ? AND state = ?{lasting[0]}"  # noqa: S608  (names of ours)
    return bulk.changed(change, (then, *until.values(), fence, before, *lasting[1:])) == 1


def keep_leases(fences: Iterable[int], until: datetime) -> None:
    """Go on holding these claims; committed alone. One that was taken away stays away."""
    session = _writing()
    change = update(DeliveryClaim).where(DeliveryClaim.id.in_(list(fences)), DeliveryClaim.state == "calling")
    rows_changed(change.values(lease_until=until))
    session.commit()


def run_out(dispatch_id: int, now: datetime) -> Sequence[DeliveryClaim]:
    """The claims of a dispatch whose lease ran out, held against other writers."""
    query = select(DeliveryClaim).where(
        DeliveryClaim.dispatch_id == dispatch_id,
        IS_OPEN,
        DeliveryClaim.lease_until <= now,
    )
    return db.session.scalars(query.with_for_update()).all()


def move_claimed(
    fence: int,
    state: State,
    now: datetime,
    *,
    reason: str | None = "",
    called_at: datetime | None = None,
    owner: str = "",
) -> list[tuple[str, str]]:
    """Move every row still held under a fence to this state, and the counts with them; their references with the state.

    Without a `reason` (None) a row keeps its own. `owner` looks after those whom nobody looked after so far.
    """
    rows = rows_of(fence)
    change = update(Delivery).where(Delivery.claim_id == fence, IS_SENDING)
    if owner:
        rows_changed(change.where(HAS_NO_OWNER).values(owner=owner))
    why = {} if reason is None else {"reason": reason}
    rows_changed(change.values(state=state, called_at=called_at, changed_at=now, **why))
    claim = db.session.get_one(DeliveryClaim, fence)
    tallies.count(claim.dispatch_id, _moves(claim.channel, rows, State.SENDING, state, reason or ""), now)
    return [(row.ref, state.value) for row in rows]


def suspect(claim: DeliveryClaim, now: datetime, *, printing: bool) -> str:
    """Let the rows of a claim whose worker died wait from now on, each behind those who never were put off; why, from here on."""
    rows = update(Delivery).where(Delivery.claim_id == claim.id, IS_SENDING)
    rows_changed(rows.where(Delivery.due_at.is_(None)).values(due_at=now))
    before = db.session.scalar(select(Delivery.reason).where(Delivery.claim_id == claim.id, IS_SENDING).limit(1))
    return suspects.after_death(before or "", claim.size, printing=printing)


def unbegun(dispatch_id: int) -> Sequence[int]:
    """The claims of a dispatch of which nothing was handed over yet; whoever asks has locked it."""
    query = select(DeliveryClaim.id).where(DeliveryClaim.dispatch_id == dispatch_id, DeliveryClaim.state == "claimed")
    return db.session.scalars(query.where(IS_OPEN).order_by(DeliveryClaim.id)).all()


def untouched(held: Held) -> bool:
    """Whether nobody has reported on any row of a claim; whoever asks has locked their dispatch."""
    still = bulk.fetched("SELECT count(*) FROM delivery WHERE claim_id = ? AND state = 'sending'", (held.fence,))
    return bool(still[0][0] == len(held.rows))


def as_they_are(held: Held) -> dict[str, Member]:
    """How the rows of a claim stand now, by reference; whoever asks has locked their dispatch."""
    if untouched(held):
        return {row.ref: row for row in held.rows}
    found: dict[str, Member] = {}
    for these, values in _these(held.fence, [row.id for row in held.rows]):
        rows = _read(f"SELECT {', '.join(Member._fields)} FROM delivery WHERE {these}", values)  # noqa: S608  (names of ours)
        found |= {row.ref: row._replace(current=bool(row.current)) for row in rows}
    return found


def settle_all(ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """The same outcome for all these rows, which are a whole batch or part of one."""
    for part in parts(ids):
        _set(values, (_among(part), tuple(part)))


def settle_whole(fence: int, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """The same outcome for every row of a batch."""
    for these in _these(fence, ids):
        _set(values, these)


def _these(fence: int, ids: Sequence[int]) -> Iterable[Kind]:
    """Conditions for exactly the rows of a claim: a range where they lie close together, else their numbers."""
    if ids and ids[-1] - ids[0] < SPARSE * len(ids):
        yield "id BETWEEN ? AND ? AND claim_id = ?", (ids[0], ids[-1], fence)
    else:
        yield from ((f"{_among(part)} AND claim_id = ?", (*part, fence)) for part in parts(ids))


def _set(values: Mapping[str, Any], these: Kind) -> None:
    sets = ", ".join(f"{name} = ?" for name in values)
    bulk.execute(f"UPDATE delivery SET {sets} WHERE {these[0]}", (*map(_kept, values.values()), *these[1]))  # noqa: S608


def _kept(value: Any) -> Any:
    return bulk.instant(value) if isinstance(value, datetime) else value


def settle_each(rows: Sequence[Mapping[str, Any]]) -> None:
    """Their own outcome for each of these rows; every mapping has `row_id` and the same columns."""
    if rows:
        names, kept = [name for name in rows[0] if name != "row_id"], bulk.instants()
        values = [
            (row["row_id"], *[kept(value) if isinstance(value := row[name], datetime) else value for name in names])
            for row in rows
        ]
        bulk.change("delivery", ("id", *names), values)
