"""Push messages to browsers (Web Push, RFC 8030): encrypted for the one browser (RFC 8291), signed as ourselves (VAPID, RFC 8292).

The address is what the browser gave when the person subscribed: JSON with `endpoint` and `keys`. It came with somebody's
data, so only push services that are known are spoken to, in public networks and under encryption, and no redirect is followed.
What a push service takes it reports no further on: `accepted` is the last word here, never `delivered`.

Sources: RFC 8030, 8188, 8291, 8292; the Push API of the W3C for the form of the message; pywebpush 2.5 (MPL-2.0).
"""

import base64
import binascii
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from py_vapid import Vapid02
from pywebpush import WebPusher

from notifiers import outside, wire
from notifiers.contract import Answer, Callback, Event, Forged, Message, Misconfigured, Outcome
from notifiers.fcm_push import tag_of

PROVIDER: Final = "web_push"
SERVICES: Final = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
"""The push services of the browsers in common use: Chrome and its kin, Firefox, Safari, Edge on Windows."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST: Final = 2_000  # letters of a subscription, as the import takes them
MOST_BYTES: Final = 4_096 - 103  # of a message before it is encrypted (RFC 8291, section 4)
KEPT_SECONDS: Final = 86_400  # for a browser that is off; by then the next channel has its turn
SIGNED_FOR: Final = 12 * 3_600  # seconds; a push service takes up to 24 hours
USUAL_WAIT: Final = 60.0  # seconds to rest after 429 where the service names no time


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gave: where to send, and its two keys."""

    endpoint: str
    origin: str
    key: str
    secret: str


class WebPush:
    """Push to browsers. `key` is our private VAPID key, `contact` whom a push service may write to, `link` as in FCM's."""

    channel = "push"
    provider = PROVIDER
    simulated = False
    batch = 50

    def __init__(
        self,
        key: str,
        *,
        contact: str,
        link: str,
        services: Sequence[str] = SERVICES,
        loopback: bool = False,
        seconds: float = 15,
        rate: float = 0,
        calls: int = 32,
    ) -> None:
        if not wire.is_address(contact):
            raise Misconfigured("TOCSIN_CONTACT_EMAIL: a push service wants an address to write to about Web Push.")
        self.rate, self.calls = rate, calls
        self._services, self._loopback, self._link, self._seconds = tuple(services), loopback, link, seconds
        self._through = outside.session(calls, hosts=8)
        self._signature = Signature(key, contact)

    def takes(self, address: str) -> bool:
        """Whether this is a browser's subscription, by its shape."""
        return address.startswith("{")

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`; after "stop" or "wait" the rest is not tried."""
        answers: list[Answer] = []
        held = False
        for message in batch:
            answer = Answer(message.ref, Outcome.LATER, reason="not_tried") if held else self._send(message)
            held = held or answer.outcome is Outcome.STOP or answer.wait is not None
            answers.append(answer)
        return answers

    def events(self, callback: Callback) -> list[Event]:
        """A push service calls nobody back, so whatever claims to come from one is forged."""
        raise Forged("A push service reports nothing here.")

    def _send(self, message: Message) -> Answer:
        to = subscription(message.to)
        if to is None:
            return Answer(message.ref, Outcome.REFUSED, reason="token_invalid")
        if not self._is_known(to):
            return Answer(message.ref, Outcome.REFUSED, reason="push_service_unknown")
        plain = _payload(message, self._link)
        if len(plain) > MOST_BYTES:
            return Answer(message.ref, Outcome.REFUSED, reason="text_too_long")
        try:
            body = WebPusher(_as_given(to)).encode(plain)["body"]
        except ValueError:  # the browser's key is no point of the curve
            return Answer(message.ref, Outcome.REFUSED, reason="token_invalid")
        return self._handed_over(message, to, body)

    def _is_known(self, to: Subscription) -> bool:
        """Whether this leads to a push service that is known: https at the usual port, and nothing before the host."""
        parts = urlsplit(to.endpoint)
        host = parts.hostname or ""
        if self._loopback and host in LOOPBACK:
            return True
        if parts.scheme != "https" or parts.port not in (None, 443):
            return False
        return any(host == name or (name[:2] == "*." and host.endswith(name[1:])) for name in self._services)

    def _handed_over(self, message: Message, to: Subscription, body: bytes) -> Answer:
        headers = {
            "Authorization": self._signature.header(to.origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_SECONDS),
            "Urgency": "high",
            "Topic": tag_of(message),
        }
        request = requests.Request("POST", to.endpoint, headers, data=body).prepare()
        try:
            status, heard, _ = wire.exchange(self._through, request, self._seconds)
        except wire.Unreached:
            return Answer(message.ref, Outcome.LATER, reason="not_reached")
        except wire.Redirected:
            return Answer(message.ref, Outcome.REFUSED, reason="redirected")
        except wire.Unanswered:
            return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
        if status in (200, 201, 202):
            return Answer(message.ref, Outcome.ACCEPTED, provider_id=_number(heard, message.ref))
        return _refused(message.ref, status, heard)


class Signature:
    """Our signature for each push service (VAPID), made anew before it ends."""

    def __init__(self, key: str, contact: str) -> None:
        try:
            raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
            if len(raw) != 32:
                raise ValueError
            self._vapid = Vapid02.from_raw(key.rstrip("=").encode())
        except (ValueError, binascii.Error):
            raise Misconfigured(
                "TOCSIN_WEB_PUSH_KEY: give the private VAPID key: 32 bytes as base64url, 43 letters."
            ) from None
        self._contact, self._lock = f"mailto:{contact}", threading.Lock()
        self._made: dict[str, tuple[float, str]] = {}

    def header(self, origin: str) -> str:
        """The value of `Authorization` for this push service."""
        with self._lock:
            until, header = self._made.get(origin, (0.0, ""))
            if time.time() > until - SIGNED_FOR / 2:
                until = time.time() + SIGNED_FOR
                claims = {"aud": origin, "exp": int(until), "sub": self._contact}
                header = str(self._vapid.sign(claims)["Authorization"])
                self._made[origin] = (until, header)
            return header


def subscription(text: str) -> Subscription | None:
    """What a browser gave, read and looked at; None where it is none. Says nothing of where it leads."""
    if len(text) > LONGEST:
        return None
    try:
        given = json.loads(text)
        endpoint, key, secret = given["endpoint"], given["keys"]["p256dh"], given["keys"]["auth"]
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port not in (None, 443) else ""
        if _bytes(key)[:1] + bytes([len(_bytes(key)), len(_bytes(secret))]) != b"\x04\x41\x10":
            return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if (
        not parts.hostname
        or "@" in parts.netloc
        or not endpoint.isascii()
        or not endpoint.isprintable()
        or " " in endpoint
    ):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Subscription(endpoint, f"{parts.scheme}://{host}{port}", key, secret)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _as_given(to: Subscription) -> dict[str, Any]:
    return {"endpoint": to.endpoint, "keys": {"p256dh": to.key.rstrip("="), "auth": to.secret.rstrip("=")}}


def _payload(message: Message, link: str) -> bytes:
    """What the browser decrypts: shown as it stands where declarative Web Push is known, else by the site's own worker."""
    about = {
        "title": message.subject,
        "body": message.text,
        "lang": message.language,
        "tag": tag_of(message),
        "navigate": link,
    }
    return json.dumps({"web_push": 8030, "notification": about}, ensure_ascii=False, separators=(",", ":")).encode()


def _number(headers: Mapping[str, str], ref: str) -> str:
    """The message's number at the push service: the last part of its address."""
    return wire.plain(urlsplit(headers.get("Location", "")).path.rpartition("/")[2] or ref, 100)


def _refused(ref: str, status: int, headers: Mapping[str, str]) -> Answer:
    if status in (404, 410):
        return Answer(ref, Outcome.REFUSED, reason="token_dead", code=str(status))
    if status == 403:  # the subscription was made with another key than ours
        return Answer(ref, Outcome.REFUSED, reason="token_of_another_app", code="403")
    if status == 401:
        return Answer(ref, Outcome.STOP, reason="credentials_refused", code="401")
    wait = wire.seconds_to_wait(headers)
    if status == 429:
        return Answer(
            ref, Outcome.LATER, reason="too_many_requests", code="429", wait=USUAL_WAIT if wait is None else wait
        )
    if status in (500, 503):
        return Answer(ref, Outcome.LATER, reason="provider_trouble", code=str(status), wait=wait)
    if 400 <= status < 500:
        return Answer(ref, Outcome.REFUSED, reason="message_refused", code=str(status))
    return Answer(ref, Outcome.UNKNOWN, reason="answer_unclear", code=str(status))
