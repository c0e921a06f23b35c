"""A program that takes webhooks: it checks signatures from the specification's own words, and can refuse, redirect or be gone."""

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.fakes.http import Handler, Server


class FakeReceiver(Server):
    """Takes events at any path; `statuses` are answered first, one a request."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.secrets: list[str] = []
        self.statuses: list[int] = []
        self.headers_of_answers: dict[str, str] = {}
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.cuts = 0

    @property
    def types(self) -> list[str]:
        """The types of the events that were taken, in their order."""
        return [event["type"] for _, event in self.taken]


class _Handler(Handler):
    server: FakeReceiver

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests.append((self.path, {}))
        self.answer(200)

    def do_POST(self) -> None:
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.requests.append((self.path, headers))
            status = self.server.statuses.pop(0) if self.server.statuses else 204
            cut, self.server.cuts = self.server.cuts > 0, max(0, self.server.cuts - 1)
        if cut:
            return self.cut()
        if status < 300 and not self._is_signed(headers, body):
            status = 401
        if status < 300:
            with self.server.lock:
                self.server.taken.append((headers["webhook-id"], json.loads(body)))
        return self.answer(status, b"", **self.server.headers_of_answers)

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        """Standard Webhooks 1.0.0: any of the signatures, for any of the secrets that this receiver knows."""
        signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
        for secret in self.server.secrets:
            key = base64.b64decode(secret[len("whsec_") :])
            right = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
            for given in headers["webhook-signature"].split(" "):
                version, _, value = given.partition(",")
                if version == "v1" and hmac.compare_digest(value, right):
                    return True
        return False
