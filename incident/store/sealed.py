"""Sealing: one data key per incident, wrapped by the key ring; every sealed value is bound to its place.

`seal`, `unseal` and `mark` open the data key each time (some 40 µs); whoever has many values takes a `sealer` once.
A mark is the blind index: the same value of the same purpose in the same incident gives the same 16 bytes, and nobody
without the key can compute it. Destroying a data key makes everything sealed under it unreadable for good.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

import tink
from sqlalchemy import Engine, ForeignKey, Index, LargeBinary, Select, String, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from tink import aead, prf

from incident.domain.errors import Refused
from incident.store import bulk, primitives, reading
from incident.store.ciphers import Sealer as Sealer
from incident.store.ciphers import Unreadable as Unreadable
from incident.store.db import BigInt, Model, UTCDateTime, db, new_secret_ref
from incident.store.keys import KeyRing
from incident.store.reading import once

IN_AN_ACTION: Final = "tocsin_ledger"  # the mark that actions/ledger.transaction leaves on the session
HOUSE: Final = 0
"""The owner of what belongs to no incident: pass `None` as the incident."""


class DataKey(Model):
    """The key of one incident (or of the house), wrapped by a master key; without bytes once it was destroyed."""

    __tablename__ = "data_key"
    __table_args__ = (Index("ix_data_key_master", "master"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)
    owner: Mapped[int] = mapped_column(BigInt, unique=True)
    incident_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("incident.id"), unique=True)
    master: Mapped[int]
    sealing: Mapped[bytes | None] = mapped_column(LargeBinary)
    marking: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Erased(Refused):
    """The data key was destroyed; what it sealed is gone for good."""

    def __init__(self) -> None:
        super().__init__("The personal data of this incident was erased; it cannot be shown or used any more.")


_RINGS: WeakKeyDictionary[Engine, KeyRing] = WeakKeyDictionary()


def attach(ring: KeyRing) -> None:
    """Use this ring for the database of the present application."""
    _RINGS[db.engine] = ring


def check() -> None:
    """Raises KeysError when the ring cannot open the data keys of this database: one of each master is tried."""
    sample = select(func.min(DataKey.id)).where(DataKey.sealing.is_not(None)).group_by(DataKey.master)
    with db.engine.connect() as connection:
        keys = DataKey.__table__
        for row in connection.execute(select(keys).where(keys.c.id.in_(sample))):
            ring().unwrap(row.master, row.sealing, _place(row.owner, "sealing"))


def ring() -> KeyRing:
    """The key ring of the present database."""
    return _RINGS[db.engine]


def sealers(rows: Collection[DataKey]) -> dict[int, Sealer]:
    """These data keys, opened, by incident; those on the list of the erased are left out. Raises KeysError."""
    gone = set(_gone())
    return {row.owner: _opened(row.owner, row) for row in rows if row.ref not in gone}


@once
def sealer(incident_id: int | None) -> Sealer:
    """The data key of this incident, opened; made now if there is none yet. Raises Erased, KeysError."""
    owner = incident_id or HOUSE
    return _opened(owner, _row(owner) or _made(owner))


def first(incident_id: int) -> Sealer:
    """The data key of an incident that this transaction has just opened, made now: nobody looks whether there is one."""
    return _opened(incident_id, _made(incident_id))


def _opened(owner: int, row: DataKey) -> Sealer:
    if row.sealing is None or row.marking is None or ring().was_erased(f"key:{row.ref}"):
        raise Erased
    sealing = ring().unwrap(row.master, row.sealing, _place(owner, "sealing"))
    marking = ring().unwrap(row.master, row.marking, _place(owner, "marking"))
    return Sealer(owner, primitives.boxes(sealing), primitives.marks(marking))


class Kept:
    """The opened keys of one run of a worker: each is opened once, and used only while its row stands as it stood then."""

    def __init__(self) -> None:
        self._opened: dict[int, tuple[Any, Sealer]] = {}

    def __call__(self, incident_id: int) -> Sealer:
        """As `sealer`. Raises Erased, KeysError."""
        rows = bulk.fetched("SELECT ref, master, sealing, marking FROM data_key WHERE owner = ?", (incident_id,))
        known = self._opened.pop(incident_id, None)
        if rows and known and known[0] == rows and not ring().was_erased(f"key:{rows[0][0]}"):
            self._opened[incident_id] = known
            return known[1]
        key = sealer(incident_id)
        self._opened[incident_id] = rows, key
        return key


def seal(incident_id: int | None, place: str, plaintext: bytes) -> bytes:
    """The sealed bytes; they open only at `place`, such as `note.text:N-7K3MXW2Q`, of this incident."""
    return sealer(incident_id).seal(place, plaintext)


def unseal(incident_id: int | None, place: str, sealed: bytes) -> bytes:
    """What was sealed at this place of this incident. Raises Erased, Unreadable, KeysError."""
    return sealer(incident_id).unseal(place, sealed)


def mark(incident_id: int | None, purpose: str, value: str) -> bytes:
    """The blind index of a normalised value for this purpose in this incident, 16 bytes."""
    return sealer(incident_id).mark(purpose, value)


def is_erased(incident_id: int) -> bool:
    """Whether the data key of this incident was destroyed."""
    row = _row(incident_id)
    return row is not None and row.sealing is None


def destroy(incident_id: int, *, now: datetime) -> bool:
    """Destroy the incident's data key for good, here and on the list outside; whether there was one."""
    row = _row(incident_id)
    if row is None or row.sealing is None:
        return False
    row.sealing = row.marking = None
    row.erased_at = now
    db.session.flush()
    return True


def key_ref(incident_id: int) -> str | None:
    """The name under which the incident's key stands on the list of the erased."""
    row = _row(incident_id)
    return f"key:{row.ref}" if row else None


def owner_or_stand_in(owned: Select[int]) -> tuple[int | None, int | None]:
    """The incident that this query finds, if there is one, and one (or the house, 0) whose data key opens; one query either way.

    What is not there is looked up by the second, in as many steps as what is.
    """
    living = select(func.min(DataKey.owner)).where(DataKey.sealing.is_not(None), DataKey.marking.is_not(None))
    found = db.session.execute(select(owned.scalar_subquery(), living.scalar_subquery())).one()
    return found[0], found[1]


def mark_if_kept(owner: int, purpose: str, value: str) -> bytes | None:
    """As `mark`; None where there is no key, or none any more. No key is made."""
    row = _row(owner)
    try:
        return _opened(owner, row).mark(purpose, value) if row is not None else None
    except Erased:
        return None


def note_person_erased(incident_id: int, number: int) -> None:
    """Put one person on the list of the erased, outside the database."""
    row = _row(incident_id)
    if row is not None:
        ring().note_erased(f"person:{row.ref}:{number}")


def erased_people(incident_id: int) -> set[int]:
    """The numbers of the people of this incident who stand on the list of the erased, whatever the database says."""
    listed = [entry for entry in ring().erased() if entry.startswith("person:")]
    row = _row(incident_id) if listed else None
    start = f"person:{row.ref}:" if row else "nobody"
    return {int(entry.removeprefix(start)) for entry in listed if entry.startswith(start)}


def erased_everywhere() -> list[tuple[int, int]]:
    """Incident and number of everybody on the list of the erased: to erase again what a restored database brought back."""
    owners = {row.ref: row.owner for row in db.session.scalars(select(DataKey))}
    entries = (entry.split(":") for entry in sorted(ring().erased()) if entry.startswith("person:"))
    return [(owners[ref], int(number)) for _, ref, number in entries if ref in owners]


def to_wrap_anew(most: int) -> list[int]:
    """The owners whose data keys are still wrapped by an older master, the first `most` of them."""
    older = select(DataKey.owner).where(DataKey.master < ring().current, DataKey.sealing.is_not(None))
    return list(db.session.scalars(older.order_by(DataKey.owner).limit(most)))


def wrap_anew(owner: int) -> None:
    """Wrap one data key by the master in use; what it sealed stays as it is."""
    row = _row(owner)
    if row is None or row.sealing is None or row.marking is None:
        return
    sealing = ring().unwrap(row.master, row.sealing, _place(owner, "sealing"))
    marking = ring().unwrap(row.master, row.marking, _place(owner, "marking"))
    row.master, row.sealing = ring().wrap(sealing, _place(owner, "sealing"))
    row.master, row.marking = ring().wrap(marking, _place(owner, "marking"))
    db.session.flush()


def masters_in_use() -> set[int]:
    """The numbers of the master keys that some data key still needs."""
    return set(db.session.scalars(select(DataKey.master).where(DataKey.sealing.is_not(None)).distinct()))


def brought_back() -> list[int]:
    """The incidents whose keys stand on the list of the erased, and are in the database all the same."""
    query = select(DataKey.owner).where(DataKey.ref.in_(_gone()), DataKey.sealing.is_not(None), DataKey.owner > HOUSE)
    return list(db.session.scalars(query.order_by(DataKey.owner)))


def _gone() -> list[str]:
    return [entry.removeprefix("key:") for entry in ring().erased() if entry.startswith("key:")]


def erase_again(*, now: datetime) -> int:
    """After a restore: destroy what an older copy of the database brought back; how many keys that were."""
    again = update(DataKey).where(DataKey.ref.in_(_gone()), DataKey.sealing.is_not(None))
    result = db.session.execute(again.values(sealing=None, marking=None, erased_at=now))
    return int(result.rowcount)  # type: ignore[attr-defined]


def known(owner: int, row: DataKey | None) -> None:
    """Take the data key of this incident as it was read with it, so that the page asks for it no second time."""
    if row is not None:
        reading.keep(_row, row, owner)


@once
def _row(owner: int) -> DataKey | None:
    return db.session.scalar(_of(owner))


def _of(owner: int) -> Select[DataKey]:
    return select(DataKey).where(DataKey.owner == owner)


def _made(owner: int) -> DataKey:
    """Two who need the first key at once both try; the unique owner lets one of them win, and both use it.

    Inside an action the key is part of its transaction. Outside of one it is kept at once on a connection of its own,
    for the caller's session will be rolled back, and what was sealed must not lose its key.
    """
    master, sealing = ring().wrap(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM), _place(owner, "sealing"))
    _, marking = ring().wrap(tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256), _place(owner, "marking"))
    insert = insert_postgresql if db.engine.dialect.name == "postgresql" else insert_sqlite
    made = {
        "ref": new_secret_ref(),
        "owner": owner,
        "incident_id": max(owner, 0) or None,
        "master": master,
        "sealing": sealing,
        "marking": marking,
    }
    statement = insert(DataKey).values(made).on_conflict_do_nothing(index_elements=["owner"])
    if db.session().info.get(IN_AN_ACTION):
        added = db.session.execute(statement.returning(DataKey.id)).first()
        return DataKey(**made) if added else db.session.scalars(_of(owner)).one()
    with Session(db.engine.execution_options(tocsin_write=True), expire_on_commit=False) as apart:
        apart.execute(statement)
        row = apart.scalars(_of(owner)).one()
        apart.commit()
        apart.expunge(row)
    db.session.rollback()  # what is read next must see the key
    return row


def _place(owner: int, column: str) -> bytes:
    return f"data_key.{column}:{owner}".encode()
