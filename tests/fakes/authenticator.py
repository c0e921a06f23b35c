"""An authenticator in software: makes a key, and answers challenges with it; every answer can be made wrong in one way."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url as text_of

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One key of one person (P-256), as a browser on `origin` would use it."""

    def __init__(self, origin: str = "http://localhost", host: str = "localhost", *, verifies: bool = True) -> None:
        self.origin, self.host, self.verifies = origin, host, verifies
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = secrets.token_bytes(16)
        self.count = 0

    def create(self, challenge: str, **wrong: Any) -> str:
        """The answer to a request for a new key."""
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
        data = self._data(ATTESTED, wrong) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._said({"attestationObject": text_of(made)}, "webauthn.create", challenge, wrong)

    def get(self, challenge: str, **wrong: Any) -> str:
        """The answer to a request for proof; each one counts up."""
        self.count += 1
        data = self._data(0, wrong)
        client = self._client("webauthn.get", challenge, wrong)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        if "signature" in wrong:
            signed = wrong["signature"]
        given = {"authenticatorData": text_of(data), "signature": text_of(signed)}
        return self._said(given, "webauthn.get", challenge, wrong)

    def _data(self, flags: int, wrong: dict[str, Any]) -> bytes:
        host = wrong.get("host", self.host)
        flags |= PRESENT | (VERIFIED if wrong.get("verifies", self.verifies) else 0)
        count = wrong.get("count", self.count)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + int(count).to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": wrong.get("origin", self.origin), "crossOrigin": False}
        return json.dumps(said | wrong.get("client", {})).encode()

    def _said(self, given: dict[str, str], kind: str, challenge: str, wrong: dict[str, Any]) -> str:
        client = text_of(self._client(kind, challenge, wrong))
        name = text_of(self.credential)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": {"clientDataJSON": client} | given}
        )
