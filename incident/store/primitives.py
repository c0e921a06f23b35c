"""The two primitives of a data key without Tink's layers for each value: the same bytes, in half the time.

Keys are still made, wrapped and opened by Tink; what is sealed here opens there, and the other way round. A keyset of any
other shape than the one we make (one enabled AES-GCM key, one HMAC-SHA256 key) is left to Tink.
"""

from typing import Any, Final

import tink
from tink import proto_keyset_format, secret_key_access
from tink.proto import aes_gcm_pb2, common_pb2, hmac_prf_pb2, tink_pb2

from incident.store.ciphers import BLOCK, Boxes, Gcm, Hmac, Marks, Unopened
from incident.store.keys import AEAD, PRF

TYPES: Final = "type.googleapis.com/google.crypto.tink."


class ByTink:
    """A keyset of another shape, which Tink knows what to do with."""

    def __init__(self, primitive: Any) -> None:
        self._primitive = primitive

    def encrypt(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """The sealed bytes."""
        sealed: bytes = self._primitive.encrypt(plaintext, bound_to)
        return sealed

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The bytes again. Raises Unopened."""
        try:
            plaintext: bytes = self._primitive.decrypt(sealed, bound_to)
        except tink.TinkError:
            raise Unopened from None
        return plaintext


def boxes(handle: tink.KeysetHandle) -> Boxes:
    """What seals and opens with this keyset."""
    key = _only_key(handle)
    if key.key_data.type_url == f"{TYPES}AesGcmKey" and key.output_prefix_type == tink_pb2.TINK:
        return Gcm(aes_gcm_pb2.AesGcmKey.FromString(key.key_data.value).key_value, key.key_id)
    return ByTink(handle.primitive(AEAD))


def marks(handle: tink.KeysetHandle) -> Marks:
    """What marks with this keyset."""
    key = _only_key(handle)
    if key.key_data.type_url == f"{TYPES}HmacPrfKey":
        parts = hmac_prf_pb2.HmacPrfKey.FromString(key.key_data.value)
        if parts.params.hash == common_pb2.SHA256 and len(parts.key_value) <= BLOCK:
            return Hmac(parts.key_value)
    by_tink: Marks = handle.primitive(PRF).primary()
    return by_tink


def _only_key(handle: tink.KeysetHandle) -> Any:
    """The one key of this keyset, or an empty one where there are several or it is not in use."""
    raw = proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    [key, *others] = tink_pb2.Keyset.FromString(raw).key
    in_use = key.status == tink_pb2.ENABLED and not others
    return key if in_use else tink_pb2.Keyset.Key()
