"""A push service of browsers, and the browsers behind it: takes, checks and decrypts as RFC 8030, 8188, 8291 and 8292 say."""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.faults import Fault, Faults
from tests.fakes.http import Handler, Server
from tests.fakes.published import WEB_PUSH_HEADERS, WEB_PUSH_MESSAGE, broken

VAPID_KEY = "ZmFrZS12YXBpZC1wcml2YXRlLWtleS0zMi1ieXRlcyE"  # 32 bytes that are no secret


def written(raw: bytes) -> str:
    """base64url as the standards write it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(text: str) -> bytes:
    """Read back."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def private(raw: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of these 32 bytes."""
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())


@dataclass
class Browser:
    """One subscription with its keys, and what it shows."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey
    secret: bytes
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def subscription(self) -> str:
        """What the browser gives to the site: the address of a push message."""
        keys = {"p256dh": written(point(self.key)), "auth": written(self.secret)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys})

    def opened(self, body: bytes) -> bytes:
        """The message in a body. Raises where it is not encrypted for this browser."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size, "more than one record"
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        material = _derived(shared, self.secret, b"WebPush: info\0" + point(self.key) + sender, 32)
        key = _derived(material, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(material, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert plain[-1:] == b"\2", "not the last record"
        return plain[:-1]


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


class FakePushService(Server):
    """`browsers` by their address. `gone` are addresses nobody listens at any more."""

    def __init__(self, faults: Faults | None = None, *, key: str = VAPID_KEY) -> None:
        super().__init__(_Handler)
        self.faults = faults or Faults()
        self.sender = point(private(read(key)))
        self.browsers: dict[str, Browser] = {}
        self.gone: set[str] = set()
        self.requests: list[dict[str, str]] = []
        self.errors: list[int] = []
        self.redirect_to = ""

    def subscribe(self, number: int) -> Browser:
        """The browser of person `number`; the same one every time."""
        path = f"/send/{number:06}-{'x' * 40}"
        if path not in self.browsers:
            self.browsers[path] = Browser(
                self.url + path, ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
            )
        return self.browsers[path]


class _Handler(Handler):
    server: FakePushService

    def do_POST(self) -> None:
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.asked += 1
            self.server.requests.append(headers)
            error = self.server.errors.pop(0) if self.server.errors else 0
        if self.server.redirect_to:
            return self.answer(307, b"", Location=self.server.redirect_to)
        fault = self.server.faults.next()
        if error:
            return self.answer(error)
        if fault is Fault.BUSY:
            return self.answer(429, b"", Retry_After="0.05")
        if fault is Fault.TROUBLE:
            return self.answer(503)
        if fault is Fault.FORBIDDEN:
            return self.answer(401)
        if fault is Fault.CUT_BEFORE:
            return self.cut()
        if broken(headers, WEB_PUSH_HEADERS) or len(body) > 4096:
            return self.answer(413 if len(body) > 4096 else 400)
        if not self._is_signed(headers["authorization"]):
            return self.answer(403)
        browser = self.server.browsers.get(self.path)
        if browser is None or self.path in self.server.gone:
            return self.answer(410)
        return self._show(browser, body, fault)

    def _show(self, browser: Browser, body: bytes, fault: Fault) -> None:
        message = json.loads(browser.opened(body))
        assert not broken(message, WEB_PUSH_MESSAGE)
        with self.server.lock:
            browser.shown.append(message)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.DRIP:
            return self.drip(201)
        return self.answer(201, b"", Location=f"{self.server.url}/m/{secrets.token_urlsafe(16)}")

    def _is_signed(self, header: str) -> bool:
        """Whether our VAPID key signed for this service, for no more than a day."""
        parts = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
        signed, _, signature = parts["t"].rpartition(".")
        raw = read(signature)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), read(parts["k"]))
        try:
            pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            key.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        claims = json.loads(read(signed.partition(".")[2]))
        in_time = time.time() < claims["exp"] <= time.time() + 86_400
        return in_time and read(parts["k"]) == self.server.sender and claims["aud"] == self.server.url
