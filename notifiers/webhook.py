"""Events to endpoints of other programs, signed as the Standard Webhooks specification (1.0.0) says.

A message's `to` is JSON: the endpoint's `url`, and the `secrets` that sign for it (two while a secret is being changed).
Its `ref` is the id by which an endpoint knows a repeat. Endpoints are reached in public networks and under encryption
only, unless the installation allows more; no redirect is followed, and of an answer nothing is kept but its number.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import requests

from notifiers import outside, wire
from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome

PROVIDER: Final = "webhook"
PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
LONGEST: Final = 1_000
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
AGENT: Final = "Tocsin webhooks"


def signature(secret: str, ref: str, stamp: int, body: bytes) -> str:
    """What goes into `webhook-signature` for one secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mac = hmac.new(key, f"{ref}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


class Webhooks:
    """`allow` says how far an endpoint may be: "outside" (public, under encryption), "loopback" (a test), "inside"."""

    channel = "webhook"
    provider = PROVIDER
    simulated = False
    batch = 1
    calls = 4
    rate = 0.0

    def __init__(self, *, allow: str = "outside", seconds: float = 15) -> None:
        self._allow, self._seconds = allow, seconds
        self._far = outside.session(self.calls, hosts=16)
        self._near = wire.session(self.calls)

    def new_secret(self) -> str:
        """A fresh signing secret, in the form that libraries of Standard Webhooks take."""
        return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()

    def trouble(self, url: str) -> str:
        """Why this address may not be used, by its letters alone; empty where it may be tried."""
        parts = _parts(url)
        if parts is None:
            return "address_unreadable"
        scheme, host = parts
        if self._is_near(host):
            return ""
        if scheme != "https":
            return "address_not_encrypted"
        if host in LOOPBACK or (_is_number(host) and not outside.is_public(host)):
            return "address_inside"
        return ""

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`."""
        return [self._send(message) for message in batch]

    def events(self, callback: Callback) -> list[Event]:
        """An endpoint calls nobody back, so whatever claims to come from one is forged."""
        raise Forged("An endpoint of webhooks reports nothing here.")

    def _send(self, message: Message) -> Answer:
        to = json.loads(message.to)
        if reason := self.trouble(to["url"]):
            return Answer(message.ref, Outcome.REFUSED, reason=reason)
        request = _request(to["url"], to["secrets"], message, int(time.time()))
        host = urlsplit(to["url"]).hostname or ""
        through = self._near if self._is_near(host) else self._far
        try:
            status, heard, _ = wire.exchange(through, request, self._seconds)
        except wire.Unreached:
            inside = through is self._far and leads_inside(host)
            return Answer(message.ref, Outcome.LATER, reason="address_inside" if inside else "not_reached")
        except wire.Redirected as answer:
            return Answer(message.ref, Outcome.LATER, reason="redirected", code=str(answer))
        except wire.Unanswered:
            return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
        return _read(message.ref, status, wire.seconds_to_wait(heard))

    def _is_near(self, host: str) -> bool:
        """Whether this host is spoken to without looking where it is."""
        return self._allow == "inside" or (self._allow == "loopback" and host in LOOPBACK)


def _parts(url: str) -> tuple[str, str] | None:
    """Scheme and host of a whole address in plain ASCII, without a name or password in it."""
    if not 0 < len(url) <= LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    if not known or parts.username is not None or parts.password is not None or parts.fragment:
        return None
    return parts.scheme, (parts.hostname or "").rstrip(".")


def _is_number(host: str) -> bool:
    """Whether the host is the number of a machine, in any way of writing one."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def leads_inside(host: str) -> bool:
    """Whether a name leads to a number that is not public: to say why nothing was reached. Sends nothing there."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return not all(outside.is_public(str(one[4][0])) for one in found)


def _request(url: str, signers: Sequence[str], message: Message, stamp: int) -> requests.PreparedRequest:
    body = message.text.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message.ref,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signature(secret, message.ref, stamp, body) for secret in signers),
    }
    return requests.Request("POST", url, headers, data=body).prepare()


def _read(ref: str, status: int, wait: float | None) -> Answer:
    if 200 <= status < 300:
        return Answer(ref, Outcome.ACCEPTED, code=str(status))
    if status == 410:
        return Answer(ref, Outcome.STOP, reason="gone", code="410")
    return Answer(ref, Outcome.LATER, reason="said_no", code=str(status), wait=wait)
