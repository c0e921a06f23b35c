"""Files kept sealed: cut into pieces, each bound to its file and its place in it, so that none can be swapped or cut off."""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from incident.domain.errors import Invalid
from incident.store.ciphers import Sealer, Unreadable

PIECE: Final = 256 * 1024
HEAD: Final = b"TOCSIN-SEALED-1\n"
LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a file that was kept: its size and SHA-256 in clear."""

    size: int
    sha256: str


def keep(source: IO[bytes], path: Path, sealer: Sealer, ref: str, *, most: int) -> Kept:
    """Seal what `source` holds into a new file; whole or not at all. Raises Invalid beyond `most` bytes, FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as target:
            kept = _written(source, target, sealer, ref, most)
            target.flush()
            os.fsync(target.fileno())
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return kept


def _written(source: IO[bytes], target: IO[bytes], sealer: Sealer, ref: str, most: int) -> Kept:
    digest, size, number = hashlib.sha256(), 0, 0
    target.write(HEAD)
    piece = source.read(PIECE)
    while True:
        following = source.read(PIECE) if piece else b""
        size += len(piece)
        if size > most:
            raise Invalid(
                "file", f"The file is larger than {most // 2**20} MiB. Split it and bring the parts one by one."
            )
        digest.update(piece)
        sealed = sealer.seal(_place(ref, number, last=not following), piece)
        target.write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)
        if not following:
            return Kept(size, digest.hexdigest())
        piece, number = following, number + 1


def pieces(path: Path, sealer: Sealer, ref: str) -> Iterator[bytes]:
    """What the file held, piece by piece. Raises Unreadable where it was changed, cut or is not this file."""
    with path.open("rb") as source:
        if source.read(len(HEAD)) != HEAD:
            raise Unreadable(f"file:{ref}")
        number, sealed = 0, _next(source, ref)
        while sealed is not None:
            following = _next(source, ref)
            yield sealer.unseal(_place(ref, number, last=following is None), sealed)
            number, sealed = number + 1, following


def opened(path: Path, sealer: Sealer, ref: str) -> "Opened":
    """What the file held, as a stream of bytes."""
    return streamed(pieces(path, sealer, ref))


def streamed(parts: Iterator[bytes]) -> "Opened":
    """These pieces as a stream of bytes."""
    return Opened(_Stream(parts), PIECE)


class _Stream(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.given += count
        return count


class Opened(io.BufferedReader):
    """The bytes of a sealed file; knows how many were read so far, to within a piece."""

    raw: _Stream

    @property
    def given(self) -> int:
        """How many bytes were handed out."""
        return self.raw.given


def _next(source: IO[bytes], ref: str) -> bytes | None:
    length = source.read(LENGTH_BYTES)
    if not length:
        return None
    expected = int.from_bytes(length, "big")
    sealed = source.read(expected) if expected <= 2 * PIECE else b""
    if len(length) != LENGTH_BYTES or len(sealed) != expected:
        raise Unreadable(f"file:{ref}")
    return sealed


def _place(ref: str, number: int, *, last: bool) -> str:
    return f"file:{ref}:{number}:{'end' if last else 'more'}"


def sync_folder(folder: Path) -> None:
    """Write through that a file was made or taken away in this folder: syncing the file itself does not say so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
