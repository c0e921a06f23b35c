"""The two primitives of a data key without Tink's layers for each value: the same bytes, in half the time.

Keys are still made, wrapped and opened by Tink; what is sealed here opens there, and the other way round. A keyset of any
other shape than the one we make (one enabled AES-GCM key, one HMAC-SHA256 key) is left to Tink.
"""

from collections.abc import Callable
from hashlib import sha256
from os import urandom
from typing import Any, Final, Protocol

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import proto_keyset_format, secret_key_access
from tink.proto import aes_gcm_pb2, common_pb2, hmac_prf_pb2, tink_pb2

from incident.store.keys import AEAD, PRF

NONCE: Final = 12
PREFIX: Final = 5  # Tink's: a one, then the number of the key
TAG: Final = 16
BLOCK: Final = 64  # of SHA-256
INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
TYPES: Final = "type.googleapis.com/google.crypto.tink."


class Unopened(Exception):
    """The value was not sealed with this key, at this place, or was changed."""


class Boxes(Protocol):
    """Seals and opens bytes, bound to what else must be equal."""

    def encrypt(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """The sealed bytes."""

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The bytes again. Raises Unopened or TinkError."""


class Marks(Protocol):
    """Keyed hashes."""

    def compute(self, value: bytes, length: int) -> bytes:
        """The first `length` bytes."""


class Gcm:
    """AES-GCM as Tink writes it: prefix, nonce, ciphertext with its tag."""

    __slots__ = ("_key", "_prefix")

    def __init__(self, key: bytes, number: int) -> None:
        self._key = AESGCM(key)
        self._prefix = b"\x01" + number.to_bytes(PREFIX - 1, "big")

    def encrypt(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """The sealed bytes, under a nonce of their own."""
        nonce = urandom(NONCE)
        return self._prefix + nonce + self._key.encrypt(nonce, plaintext, bound_to)

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The bytes again. Raises Unopened."""
        if sealed[:PREFIX] != self._prefix or len(sealed) < PREFIX + NONCE + TAG:
            raise Unopened
        try:
            return self._key.decrypt(sealed[PREFIX : PREFIX + NONCE], sealed[PREFIX + NONCE :], bound_to)
        except InvalidTag:
            raise Unopened from None


class Hmac:
    """HMAC-SHA256 (RFC 2104), with the two padded keys made once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(BLOCK, b"\0")
        self._inner, self._outer = padded.translate(INNER), padded.translate(OUTER)

    def compute(self, value: bytes, length: int) -> bytes:
        """The first `length` of its 32 bytes."""
        return sha256(self._outer + sha256(self._inner + value).digest()).digest()[:length]

    def starting(self, start: bytes, length: int) -> Callable[[str], bytes]:
        """The same for thousands of texts, each of which comes after `start`."""
        inner, outer = self._inner + start, self._outer
        return lambda text: sha256(outer + sha256(inner + text.encode()).digest()).digest()[:length]


def boxes(handle: tink.KeysetHandle) -> Boxes:
    """What seals and opens with this keyset."""
    key = _only_key(handle)
    if key.key_data.type_url == f"{TYPES}AesGcmKey" and key.output_prefix_type == tink_pb2.TINK:
        return Gcm(aes_gcm_pb2.AesGcmKey.FromString(key.key_data.value).key_value, key.key_id)
    by_tink: Boxes = handle.primitive(AEAD)
    return by_tink


def marks(handle: tink.KeysetHandle) -> Marks:
    """What marks with this keyset."""
    key = _only_key(handle)
    if key.key_data.type_url == f"{TYPES}HmacPrfKey":
        parts = hmac_prf_pb2.HmacPrfKey.FromString(key.key_data.value)
        if parts.params.hash == common_pb2.SHA256 and len(parts.key_value) <= BLOCK:
            return Hmac(parts.key_value)
    by_tink: Marks = handle.primitive(PRF).primary()
    return by_tink


def starting(marks: Marks, start: bytes, length: int) -> Callable[[str], bytes]:
    """What marks texts that all come after the same start."""
    if isinstance(marks, Hmac):
        return marks.starting(start, length)
    return lambda text: marks.compute(start + text.encode(), length)


def _only_key(handle: tink.KeysetHandle) -> Any:
    """The one key of this keyset, or an empty one where there are several or it is not in use."""
    raw = proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    [key, *others] = tink_pb2.Keyset.FromString(raw).key
    in_use = key.status == tink_pb2.ENABLED and not others
    return key if in_use else tink_pb2.Keyset.Key()
