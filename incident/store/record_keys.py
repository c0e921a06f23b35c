"""The record's signing keys, one after the other: the public ones in a table, the private ones in the key ring's folder."""

import re
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import audit as rules
from incident.domain.audit import Key
from incident.store import audit, sealed
from incident.store.db import BigInt, Model, db
from incident.store.keys import KeysError
from incident.store.reading import once

SECRET = "record"  # noqa: S105 (the name of the first key's file)
FILE = re.compile(r"(record(?:-(\d{4}))?)\.key")
BEFORE_ALL: Final = -1
"""The place of the first key: no line brought it."""


class RecordKey(Model):
    """A public key of the record, and the line since which it is in force. Rows come with the first signature of their key."""

    __tablename__ = "record_key"

    number: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    public: Mapped[str] = mapped_column(String(64), unique=True)
    since: Mapped[int] = mapped_column(BigInteger)
    file: Mapped[str] = mapped_column(String(40))
    at: Mapped[str] = mapped_column(String(27))
    signed: Mapped[bool]

    @property
    def key(self) -> Key:
        """The key with its name."""
        return named(bytes.fromhex(self.public))


def named(public: bytes) -> Key:
    """A public key under the name that all keys of this record have."""
    return Key(rules.origin_of(audit.identity()), public)


@once
def every() -> Sequence[RecordKey]:
    """All keys, the first one first; none before the first checkpoint by a version that keeps them."""
    return db.session.scalars(select(RecordKey).order_by(RecordKey.number)).all()


@once
def newest() -> RecordKey | None:
    """The key in force."""
    return db.session.scalar(select(RecordKey).order_by(RecordKey.number.desc()).limit(1))


def at(size: int) -> RecordKey | None:
    """The key by which a checkpoint of so many lines is signed."""
    fitting = select(RecordKey).where(RecordKey.since < size).order_by(RecordKey.number.desc())
    return db.session.scalar(fitting.limit(1))


def add(public: bytes, *, file: str, since: int, at: str, signed: bool = True) -> RecordKey:
    """Put the next key behind the others, in the caller's transaction."""
    last = newest()
    number = last.number + 1 if last else 1
    row = RecordKey(number=number, public=public.hex(), since=since, file=file, at=at, signed=signed)
    db.session.add(row)
    db.session.flush()
    return row


def private(*, is_new: bool) -> Ed25519PrivateKey:
    """The private half of the key in force; made now where `is_new`, which only a record without any signature is.

    Raises KeysError where it is gone, or another one lies in its place.
    """
    row, ring = newest(), sealed.ring()
    try:
        secret = ring.secret_or_new(SECRET) if is_new and row is None else ring.secret(row.file if row else SECRET)
    except KeysError as error:
        raise KeysError(
            f"{error} It signs the record. If it is lost for good, two people replace it: tocsin audit replace-key."
        ) from None
    found = _opened(secret, row.file if row else SECRET)
    if row is not None and found.public_key().public_bytes_raw().hex() != row.public:
        raise KeysError(f"{ring.folder / row.file}.key is not the key that signs this record. Put the right one back.")
    return found


def new_private() -> tuple[str, Ed25519PrivateKey]:
    """A new key in a file of its own, and that file's name without its end. It counts once a row speaks of it."""
    taken = [int(found[2] or 1) for path in _files() if (found := FILE.fullmatch(path))]
    rows = [int(found[2] or 1) for row in every() if (found := FILE.fullmatch(f"{row.file}.key"))]
    name = f"{SECRET}-{max([1, *taken, *rows]) + 1:04d}"
    return name, Ed25519PrivateKey.from_private_bytes(sealed.ring().secret_or_new(name))


def at_hand() -> list[Key]:
    """The public halves of all private keys in the key folder: what this machine knows apart from its database."""
    names = [name.removesuffix(".key") for name in _files()]
    found = [_opened(sealed.ring().secret(name), name) for name in names]
    return [named(private.public_key().public_bytes_raw()) for private in found]


def _opened(secret: bytes, name: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(secret)
    except ValueError:
        raise KeysError(
            f"{sealed.ring().folder / name}.key is damaged. Put it back from where you keep the copy of your keys."
        ) from None


def _files() -> list[str]:
    return sorted(path.name for path in sealed.ring().folder.glob(f"{SECRET}*.key") if FILE.fullmatch(path.name))


def judge(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether they fit, by a library that is quick."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
