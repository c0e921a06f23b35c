"""FCM and Google's sign-in as one server: takes push messages as the real ones do, of whoever holds the service account."""

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.faults import Fault, Faults
from tests.fakes.http import Handler, Server
from tests.fakes.published import FCM_MESSAGE, broken

PROJECT = "sample-shop-1"
ACCOUNT = "notices@sample-shop-1.iam.example"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(**values: Any) -> str:
    """The key file of the one service account that the fake knows."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    usual = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "k1",
        "private_key": pem.decode(),
        "client_email": ACCOUNT,
        "token_uri": "https://elsewhere.example/token",
    }
    return json.dumps(usual | values)


def device(number: int) -> str:
    """A device token as FCM gives them out."""
    return f"dEv{number:08}_ice:APA91b" + "Ab3-_" * 26


@dataclass
class Shown:
    """What one telephone shows."""

    to: str
    title: str
    body: str
    link: str
    tag: str


class FakeFcm(Server):
    """`shown` is what went out. `dead` tokens belong to nobody any more, `foreign` ones to another app."""

    def __init__(self, faults: Faults | None = None) -> None:
        super().__init__(_Handler)
        self.faults = faults or Faults()
        self.shown: list[Shown] = []
        self.requests: list[dict[str, Any]] = []
        self.dead: set[str] = set()
        self.foreign: set[str] = set()
        self.signed_in: set[str] = set()
        self.sign_ins = 0
        self.refuse_sign_in = 0
        self.errors: list[tuple[int, str]] = []
        self.redirect_to = ""

    @property
    def token_url(self) -> str:
        """Where the service account signs in."""
        return f"{self.url}/token"

    def key_file(self, **values: Any) -> str:
        """The service account's key file, as the console gives it."""
        return key_file(**values)


class _Handler(Handler):
    server: FakeFcm

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/token":
            return self._sign_in(parse_qs(body.decode()))
        with self.server.lock:
            self.server.asked += 1
        if self.server.redirect_to:
            return self.answer(307, b"", Location=self.server.redirect_to)
        if self.path != f"/v1/projects/{PROJECT}/messages:send":
            return self._error(404, "NOT_FOUND")
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.signed_in:
            return self._error(401, "UNAUTHENTICATED")
        return self._take(body)

    def _sign_in(self, said: dict[str, list[str]]) -> None:
        with self.server.lock:
            self.server.sign_ins += 1
        if self.server.refuse_sign_in:
            return self.answer(
                self.server.refuse_sign_in, b'{"error":"invalid_grant"}', Content_Type="application/json"
            )
        if said["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"] or not self._is_ours(
            said["assertion"][0]
        ):
            return self.answer(400, b'{"error":"invalid_grant"}', Content_Type="application/json")
        token = "ya29." + secrets.token_urlsafe(24)
        self.server.signed_in.add(token)
        body = json.dumps({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}).encode()
        return self.answer(200, body, Content_Type="application/json")

    def _is_ours(self, assertion: str) -> bool:
        signed, _, signature = assertion.rpartition(".")
        try:
            _key().public_key().verify(_read(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        claims = json.loads(_read(signed.partition(".")[2]))
        return (
            claims["iss"] == ACCOUNT
            and claims["aud"] == "https://oauth2.googleapis.com/token"
            and claims["scope"] == SCOPE
            and claims["iat"] <= time.time() + 60
            and claims["exp"] > time.time()
        )

    def _take(self, body: bytes) -> None:
        asked = json.loads(body)
        with self.server.lock:
            self.server.requests.append(asked)
            error = self.server.errors.pop(0) if self.server.errors else None
        fault = self.server.faults.next()
        if error:
            return self._error(*error)
        if fault is Fault.BUSY:
            return self._error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Retry_After="0.05")
        if fault is Fault.TROUBLE:
            return self._error(503, "UNAVAILABLE", "UNAVAILABLE")
        if fault is Fault.FORBIDDEN:
            return self._error(403, "PERMISSION_DENIED")
        if fault is Fault.CUT_BEFORE:
            return self.cut()
        found = broken(asked, FCM_MESSAGE)
        if found or len(body) - len(asked["message"]["token"]) > 4096:
            return self._invalid(found[0] if found else "message")
        to = asked["message"]["token"]
        if not re.fullmatch(r"[A-Za-z0-9_:-]{100,}", to):
            return self._invalid("message.token")
        if to in self.server.dead:
            return self._error(404, "NOT_FOUND", "UNREGISTERED")
        if to in self.server.foreign:
            return self._error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH")
        return self._show(asked["message"], fault)

    def _show(self, about: dict[str, Any], fault: Fault) -> None:
        shown = Shown(
            about["token"],
            about["notification"]["title"],
            about["notification"]["body"],
            about["data"]["link"],
            about["android"]["notification"]["tag"],
        )
        with self.server.lock:
            self.server.shown.append(shown)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.DRIP:
            return self.drip(200)
        if fault is Fault.GARBAGE:
            return self.answer(200, b"<html>\xff\xfe")
        name = f"projects/{PROJECT}/messages/0:{secrets.randbelow(10**16)}%{secrets.token_hex(8)}"
        return self.answer(200, json.dumps({"name": name}).encode(), Content_Type="application/json")

    def _error(self, status: int, word: str, code: str = "", **headers: str) -> None:
        details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}] if code else []
        body = {"error": {"code": status, "message": "refused", "status": word, "details": details}}
        self.answer(status, json.dumps(body).encode(), Content_Type="application/json", **headers)

    def _invalid(self, field: str) -> None:
        details = [
            {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT"},
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": field, "description": "no"}],
            },
        ]
        body = {"error": {"code": 400, "message": "Invalid", "status": "INVALID_ARGUMENT", "details": details}}
        self.answer(400, json.dumps(body).encode(), Content_Type="application/json")


def _read(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
