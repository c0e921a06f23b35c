"""A crate: a file of any size sealed under a key of its own, which a master key wraps; written and read in one go.

First a line that names the form, the number of the master key and the wrapped key; then pieces, each sealed to its number
and to whether it is the last, so that none can be swapped, repeated or cut off.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import tink
from tink import aead

from incident.domain.errors import Refused
from incident.store import files, primitives
from incident.store.ciphers import Boxes, Unopened
from incident.store.keys import KeyRing

HEAD: Final = b"TOCSIN-CRATE-1\n"
PLACE: Final = b"crate key"
NUMBER_BYTES: Final = 4
LONGEST_KEY: Final = 4_096


class Crate:
    """A crate being packed: give it bytes, and close it; what is not closed does not open."""

    def __init__(self, path: Path, ring: KeyRing) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(handle, "wb")
        key = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        master, wrapped = ring.wrap(key, PLACE)
        self._boxes = primitives.boxes(key)
        self._file.write(HEAD + _number(master) + _number(len(wrapped)) + wrapped)
        self._waiting = bytearray()
        self._count = 0

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._waiting += data
        while len(self._waiting) > files.PIECE:
            self._put(bytes(self._waiting[: files.PIECE]), last=False)
            del self._waiting[: files.PIECE]
        return len(data)

    def close(self) -> None:
        """Seal the last piece, and write everything through to the disk."""
        self._put(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _put(self, piece: bytes, *, last: bool) -> None:
        box = self._boxes.encrypt(piece, _place(self._count, last=last))
        self._file.write(_number(len(box)) + box)
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()


def is_one(path: Path) -> bool:
    """Whether this file is a crate."""
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD


def opened(path: Path, ring: KeyRing) -> files.Opened:
    """What was packed, as a stream. Raises KeysError for other keys; reading raises Refused for changed or cut bytes."""
    file = path.open("rb")
    file.read(len(HEAD))
    master, length = _read_number(file), _read_number(file)
    key = ring.unwrap(master, file.read(min(length, LONGEST_KEY)), PLACE)
    return files.streamed(_pieces(file, primitives.boxes(key)))


def _pieces(file: IO[bytes], boxes: Boxes) -> Iterator[bytes]:
    with file:
        number, box = 0, _next(file)
        if box is None:
            raise Refused(DAMAGED)
        while box is not None:
            following = _next(file)
            try:
                piece = boxes.decrypt(box, _place(number, last=following is None))
            except (Unopened, tink.TinkError):
                raise Refused(DAMAGED) from None
            if piece:
                yield piece
            number, box = number + 1, following


DAMAGED: Final = "The backup is damaged: a part of it was changed, or its end is missing. Nothing was restored."


def _next(file: IO[bytes]) -> bytes | None:
    length = file.read(NUMBER_BYTES)
    if not length:
        return None
    expected = int.from_bytes(length, "big")
    box = file.read(expected) if expected <= 2 * files.PIECE else b""
    if len(length) != NUMBER_BYTES or len(box) != expected:
        raise Refused(DAMAGED)
    return box


def _read_number(file: IO[bytes]) -> int:
    raw = file.read(NUMBER_BYTES)
    if len(raw) != NUMBER_BYTES:
        raise Refused(DAMAGED)
    return int.from_bytes(raw, "big")


def _number(value: int) -> bytes:
    return value.to_bytes(NUMBER_BYTES, "big")


def _place(number: int, *, last: bool) -> bytes:
    return f"crate:{number}:{'end' if last else 'more'}".encode()
