"""A provider of a single sign-on on loopback: discovery, keys, the code flow with PKCE. It signs tokens by itself, and can lie in every way."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.fakes.http import Handler, Server

CLIENT, SECRET = "tocsin", "s3cret of the client/&"


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A key pair with its number; signs as its kind says."""

    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )

    def public(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        named = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "ES256":
            x, y = (b64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
            return named | {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return named | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def sign(self, text: bytes) -> bytes:
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return bytes(self.private.sign(text, padding.PKCS1v15(), hashes.SHA256()))


RSA_KEY, EC_KEY, OTHER_KEY = Key("rsa-1"), Key("ec-1", "ES256"), Key("rsa-2")
"""Made once: a key takes longer to make than a test to run."""


class FakeOpenId(Server):
    """Signs in `person` without asking, as `claims` change it; what else can be wrong is a field of its own."""

    def __init__(self, now: Any = time.time) -> None:
        super().__init__(_Handler)
        self.now = now
        self.keys = [RSA_KEY]
        self.signer = RSA_KEY
        self.person: dict[str, Any] = {"sub": "248289761001", "email": "ana@example.org", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.described: dict[str, Any] = {}
        self.told: dict[str, Any] | None = None
        self.forge: Any = None
        self.methods = ["client_secret_basic"]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked_for: list[str] = []
        self.down = False

    def description(self) -> dict[str, Any]:
        own = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/person",
            "end_session_endpoint": f"{self.url}/leave",
            "token_endpoint_auth_methods_supported": self.methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return own | self.described

    def code_for(self, address: str) -> str:
        """What a person's browser would be sent back to, once they proved who they are: the path and its query."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def token(self, asked: dict[str, str], access: str) -> str:
        moment = int(self.now())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.url,
            "aud": asked["client_id"],
            "exp": moment + 300,
            "iat": moment,
            "nonce": asked["nonce"],
            "at_hash": b64(half),
        } | (self.person if self.told is None else {"sub": self.person["sub"]})
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        header = {"typ": "JWT", "alg": self.signer.algorithm, "kid": self.signer.kid} | self.header
        text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        signed = self.forge(text) if self.forge is not None else self.signer.sign(text.encode())
        return f"{text}.{b64(signed)}"


class _Handler(Handler):
    server: FakeOpenId

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        with self.server.lock:
            self.server.asked_for.append(path)
        if self.server.down:
            return self.answer(503)
        if path == "/.well-known/openid-configuration":
            return self._json(self.server.description())
        if path == "/keys":
            return self._json({"keys": [key.public() for key in self.server.keys]})
        if path == "/authorize":  # whoever comes is the person, and is sent back at once
            asked = parse_qs(urlsplit(self.path).query)
            site = "{0.scheme}://{0.netloc}".format(urlsplit(asked["redirect_uri"][0]))
            return self.answer(303, Location=site + self.server.code_for(self.path))
        if path == "/leave":
            return self.answer(200, b"<h1>You have left</h1>", Content_Type="text/html")
        if path == "/person" and self.server.told is not None:
            return self._json(self.server.told)
        return self.answer(404)

    def do_POST(self) -> None:
        form = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
        with self.server.lock:
            self.server.asked_for.append(urlsplit(self.path).path)
            asked = self.server.codes.pop(form.get("code", ""), None)  # a code works once
        if asked is None or not self._is_client(form):
            return self._json({"error": "invalid_grant"}, 400)
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if proof != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return self._json({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(16)
        return self._json(
            {"access_token": access, "token_type": "Bearer", "id_token": self.server.token(asked, access)}
        )

    def _is_client(self, form: dict[str, str]) -> bool:
        if "client_secret_basic" in self.server.methods:
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            return [unquote(part) for part in given.split(":")] == [CLIENT, SECRET]
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def _json(self, value: object, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), Content_Type="application/json")
