"""What seals, unseals and marks with keys that somebody has opened: light, for programs that know neither database nor key ring.

Tink's own format, without its layers for each value; `store/primitives.py` makes these of its keysets.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os import urandom
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from incident.domain.errors import Refused

MARK_BYTES: Final = 16
NONCE: Final = 12
NONCES: Final = 256  # asked of the system at once
PREFIX: Final = 5  # Tink's: a one, then the number of the key
TAG: Final = 16
BLOCK: Final = 64  # of SHA-256
INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class Unopened(Exception):
    """The value was not sealed with this key, at this place, or was changed."""


class Unreadable(Refused):
    """A sealed value does not open: it was changed, moved from another place, or belongs to other keys."""

    def __init__(self, place: str) -> None:
        super().__init__(f"A sealed value does not open ({place}). It was changed, moved, or sealed with other keys.")


class Boxes(Protocol):
    """Seals and opens bytes, bound to what else must be equal."""

    def encrypt(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """The sealed bytes."""

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The bytes again. Raises Unopened."""


class Marks(Protocol):
    """Keyed hashes."""

    def compute(self, value: bytes, length: int) -> bytes:
        """The first `length` bytes."""


class Gcm:
    """AES-GCM as Tink writes it: prefix, nonce, ciphertext with its tag."""

    __slots__ = ("_cipher", "key", "number", "prefix")

    def __init__(self, key: bytes, number: int) -> None:
        self.key, self.number = key, number
        self._cipher = AESGCM(key)
        self.prefix = b"\x01" + number.to_bytes(PREFIX - 1, "big")

    def encrypt(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """The sealed bytes, under a nonce of their own."""
        nonce = urandom(NONCE)
        return self.prefix + nonce + self._cipher.encrypt(nonce, plaintext, bound_to)

    def encrypting(self) -> Callable[[bytes, bytes], bytes]:
        """The same for thousands of values of one thread; the system is asked for many nonces at once."""
        encrypt, prefix, nonces = self._cipher.encrypt, self.prefix, _nonces()

        def encrypted(plaintext: bytes, bound_to: bytes) -> bytes:
            nonce = next(nonces)
            return prefix + nonce + encrypt(nonce, plaintext, bound_to)

        return encrypted

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The bytes again. Raises Unopened."""
        if sealed[:PREFIX] != self.prefix or len(sealed) < PREFIX + NONCE + TAG:
            raise Unopened
        try:
            return self._cipher.decrypt(sealed[PREFIX : PREFIX + NONCE], sealed[PREFIX + NONCE :], bound_to)
        except InvalidTag:
            raise Unopened from None

    def opened(self, start: str, sealed: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Many values, each bound to `start` and what stands before it. Raises Unopened where any of them is not what it was."""
        decrypt, prefix, end = self._cipher.decrypt, self.prefix, PREFIX + NONCE
        if not all([box.startswith(prefix) and len(box) >= end + TAG for _, box in sealed]):
            raise Unopened
        try:
            return [decrypt(box[PREFIX:end], box[end:], (start + rest).encode()) for rest, box in sealed]
        except InvalidTag:
            raise Unopened from None


def _nonces() -> Iterator[bytes]:
    while True:
        some = urandom(NONCE * NONCES)
        yield from [some[at : at + NONCE] for at in range(0, len(some), NONCE)]


class Hmac:
    """HMAC-SHA256 (RFC 2104), with the two padded keys made once."""

    __slots__ = ("_inner", "_outer", "key")

    def __init__(self, key: bytes) -> None:
        self.key = key
        padded = key.ljust(BLOCK, b"\0")
        self._inner, self._outer = padded.translate(INNER), padded.translate(OUTER)

    def compute(self, value: bytes, length: int) -> bytes:
        """The first `length` of its 32 bytes."""
        return sha256(self._outer + sha256(self._inner + value).digest()).digest()[:length]

    def starting(self, start: bytes, length: int) -> Callable[[str], bytes]:
        """The same for thousands of texts, each of which comes after `start`."""
        inner, outer = sha256(self._inner + start).copy, sha256(self._outer).copy

        def marked(text: str) -> bytes:
            within, around = inner(), outer()
            within.update(text.encode())
            around.update(within.digest())
            return around.digest()[:length]

        return marked


@dataclass(frozen=True, slots=True)
class Sealer:
    """An opened data key: seals, unseals and marks for one incident."""

    owner: int
    _boxes: Boxes
    _marks: Marks

    def seal(self, place: str, plaintext: bytes) -> bytes:
        """The sealed bytes; they open only at `place` (table, column and reference) of this incident."""
        return self._boxes.encrypt(plaintext, f"{self.owner}|{place}".encode())

    def unseal(self, place: str, sealed: bytes) -> bytes:
        """What was sealed at this place. Raises Unreadable."""
        try:
            return self._boxes.decrypt(sealed, f"{self.owner}|{place}".encode())
        except Unopened:
            raise Unreadable(place) from None

    def closer(self, table: str) -> Callable[[str, bytes], bytes]:
        """`seal` for thousands of values in one thread: it takes what follows `table` in a value's place, and the value."""
        boxes, start = self._boxes, f"{self.owner}|{table}"
        encrypt = boxes.encrypting() if isinstance(boxes, Gcm) else boxes.encrypt
        return lambda rest, plaintext: encrypt(plaintext, (start + rest).encode())

    def opener(self, table: str) -> Callable[[str, bytes], bytes]:
        """`unseal` for thousands of values: it takes what follows `table` in a value's place, and the value."""
        decrypt, start = self._boxes.decrypt, f"{self.owner}|{table}"

        def opened(rest: str, sealed: bytes) -> bytes:
            try:
                return decrypt(sealed, (start + rest).encode())
            except Unopened:
                raise Unreadable(table + rest) from None

        return opened

    def opened(self, table: str, sealed: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """`unseal` for thousands of values at once: each with what follows `table` in its place. Raises Unreadable."""
        boxes = self._boxes
        if isinstance(boxes, Gcm):
            try:
                return boxes.opened(f"{self.owner}|{table}", sealed)
            except Unopened:
                pass  # one by one below: the first that does not open is named
        unseal = self.opener(table)
        return [unseal(rest, box) for rest, box in sealed]

    def mark(self, purpose: str, value: str) -> bytes:
        """The blind index of a normalised value, 16 bytes."""
        return self._marks.compute(f"{len(purpose)}|{purpose}|{value}".encode(), MARK_BYTES)

    def marker(self, purpose: str) -> Callable[[str], bytes]:
        """The same for thousands of values of one purpose."""
        start, marks = f"{len(purpose)}|{purpose}|".encode(), self._marks
        if isinstance(marks, Hmac):
            return marks.starting(start, MARK_BYTES)
        return lambda text: marks.compute(start + text.encode(), MARK_BYTES)

    def handed_over(self) -> str | None:
        """The keys in clear, for a program of our own at the other end of a pipe and nobody else; None where Tink has them."""
        boxes, marks = self._boxes, self._marks
        if not isinstance(boxes, Gcm) or not isinstance(marks, Hmac):
            return None
        keys = [b64encode(key).decode() for key in (boxes.key, marks.key)]
        return json.dumps([self.owner, boxes.number, *keys])

    @classmethod
    def taken_over(cls, keys: str) -> Self:
        """The same again at the other end."""
        owner, number, sealing, marking = json.loads(keys)
        return cls(owner, Gcm(b64decode(sealing), number), Hmac(b64decode(marking)))
