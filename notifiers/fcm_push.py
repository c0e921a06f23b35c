"""Push messages to apps through Firebase Cloud Messaging (HTTP v1): one request a message, signed in as a service account.

What it takes it reports no further on: `accepted` is the last word here, never `delivered`. A repeat carries the same tag,
so a device shows it in the place of the first.

Sources: the discovery document `fcm.v1` (Apache 2.0), Firebase's page of error codes, google-auth 2.62 (Apache 2.0).
"""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport import Request
from google.oauth2.service_account import Credentials

from notifiers import wire
from notifiers.contract import Answer, Callback, Event, Forged, Message, Misconfigured, Outcome

PROVIDER: Final = "fcm"
TOKEN: Final = re.compile(r"[A-Za-z0-9_:-]{20,2000}")
PROJECT: Final = re.compile(r"[a-z0-9:.-]{1,64}")
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
MOST_BYTES: Final = 4_096  # of a payload; counted here over the whole message without its token
KEPT_SECONDS: Final = 86_400  # for a device that is off; by then the next channel has its turn
USUAL_WAIT: Final = 60.0  # seconds to rest after 429 where Google names no time

CODES: Final[Mapping[str, tuple[Outcome, str]]] = MappingProxyType(
    {
        "UNREGISTERED": (Outcome.REFUSED, "token_dead"),
        "SENDER_ID_MISMATCH": (Outcome.REFUSED, "token_of_another_app"),
        "THIRD_PARTY_AUTH_ERROR": (
            Outcome.STOP,
            "credentials_refused",
        ),  # of the project at Apple or a browser's service
        "QUOTA_EXCEEDED": (Outcome.LATER, "too_many_requests"),
        "UNAVAILABLE": (Outcome.LATER, "provider_trouble"),
        "INTERNAL": (Outcome.LATER, "provider_trouble"),
    }
)
"""What FCM's own error codes say; INVALID_ARGUMENT says it by the field it names."""


class FcmPush:
    """Push through FCM. `key` is the service account's key file, `link` where somebody sees that the notice is genuine."""

    channel = "push"
    provider = PROVIDER
    simulated = False
    batch = 50  # a message is a call; what is in doubt when the power goes may be sent again, and replaces the first

    def __init__(
        self,
        key: str,
        *,
        link: str,
        url: str = "https://fcm.googleapis.com",
        token_url: str = "https://oauth2.googleapis.com/token",  # noqa: S107  (an address)
        seconds: float = 15,
        rate: float = 0,
        calls: int = 32,
    ) -> None:
        self.rate, self.calls = rate, calls
        self._through, self._seconds, self._link = wire.session(calls), seconds, link
        account = _account(key)
        self._address = f"{url.rstrip('/')}/v1/projects/{account['project_id']}/messages:send"
        self._sign_in = SignIn(account, token_url, self._through, seconds)

    def takes(self, address: str) -> bool:
        """Whether this is a device token of FCM, by its shape."""
        return TOKEN.fullmatch(address) is not None

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`; after "stop" or "wait" the rest is not tried."""
        answers: list[Answer] = []
        held = False
        for message in batch:
            answer = Answer(message.ref, Outcome.LATER, reason="not_tried") if held else self._send(message)
            held = held or answer.outcome is Outcome.STOP or answer.wait is not None or answer.reason == "not_reached"
            answers.append(answer)
        return answers

    def events(self, callback: Callback) -> list[Event]:
        """FCM calls nobody back, so whatever claims to come from it is forged."""
        raise Forged("FCM reports nothing here.")

    def _send(self, message: Message) -> Answer:
        if not self.takes(message.to):
            return Answer(message.ref, Outcome.REFUSED, reason="token_invalid")
        body = _payload(message, self._link)
        if len(body) - len(message.to) > MOST_BYTES:
            return Answer(message.ref, Outcome.REFUSED, reason="text_too_long")
        try:
            token = self._sign_in.token()
            answer = self._handed_over(message.ref, body, token)
            if answer.reason == "signed_out":  # a sign-in may end before its time: nothing was sent, so once more
                answer = self._handed_over(message.ref, body, self._sign_in.token(other_than=token))
        except RefreshError as error:
            return _not_signed_in(message.ref, error)
        except GoogleAuthError:
            return Answer(message.ref, Outcome.LATER, reason="not_reached")
        return answer._replace(reason="credentials_refused") if answer.reason == "signed_out" else answer

    def _handed_over(self, ref: str, body: bytes, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        request = requests.Request("POST", self._address, headers, data=body).prepare()
        try:
            status, heard, said = wire.exchange(self._through, request, self._seconds)
        except wire.Unreached:
            return Answer(ref, Outcome.LATER, reason="not_reached")
        except wire.Redirected:
            return Answer(ref, Outcome.STOP, reason="redirected")
        except wire.Unanswered:
            return Answer(ref, Outcome.UNKNOWN, reason="answer_lost")
        if status == 200:
            return Answer(ref, Outcome.ACCEPTED, provider_id=_name(said))
        return _refused(ref, status, heard, said)


class SignIn:
    """The service account's bearer token, renewed in time and by one thread at once."""

    def __init__(self, account: Mapping[str, str], token_url: str, through: requests.Session, seconds: float) -> None:
        try:
            self._credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                dict(account) | {"token_uri": token_url}, scopes=[SCOPE]
            )
        except (ValueError, GoogleAuthError):
            raise Misconfigured("TOCSIN_FCM_KEY_FILE: the private key in this file cannot be read.") from None
        self._way, self._lock = _Way(through, seconds), threading.Lock()

    def token(self, *, other_than: str = "") -> str:
        """A token that holds, and not this one. Raises GoogleAuthError where none is to be had; then nothing was sent."""
        with self._lock:
            if not self._credentials.valid or self._credentials.token == other_than:
                self._credentials.refresh(self._way)
            return str(self._credentials.token)


class _Way(Request):
    """The sign-in's way out: our session, our time limit, no redirects."""

    def __init__(self, through: requests.Session, seconds: float) -> None:
        self._through, self._seconds = through, seconds

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> "_Heard":
        request = requests.Request(method, url, dict(headers or {}), data=body).prepare()
        try:
            return _Heard(*wire.exchange(self._through, request, self._seconds))
        except wire.Redirected:
            raise RefreshError("redirected") from None  # type: ignore[no-untyped-call]
        except (wire.Unreached, wire.Unanswered):
            raise TransportError("not reached") from None  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class _Heard:
    """An answer in the shape that google-auth reads."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _account(key: str) -> dict[str, str]:
    """The service account in its key file. Raises Misconfigured."""
    try:
        account = json.loads(key)
        is_whole = account["type"] == "service_account" and account["client_email"] and account["private_key"]
        if is_whole and PROJECT.fullmatch(account["project_id"]):
            return {name: str(value) for name, value in account.items()}
    except (ValueError, KeyError, TypeError):
        pass
    raise Misconfigured(
        "TOCSIN_FCM_KEY_FILE: give the file (JSON) of a private key of a service account of your Firebase project."
    )


def _payload(message: Message, link: str) -> bytes:
    """The request. No reference goes with it: FCM reports nothing back, and a telephone needs none."""
    tag = tag_of(message)
    about: dict[str, Any] = {
        "token": message.to,
        "notification": {"title": message.subject, "body": message.text},
        "data": {"link": link},
        "android": {
            "priority": "HIGH",
            "ttl": f"{KEPT_SECONDS}s",
            "notification": {"tag": tag, "visibility": "PRIVATE"},
        },
        "apns": {
            "headers": {
                "apns-priority": "10",
                "apns-expiration": str(int(time.time()) + KEPT_SECONDS),
                "apns-collapse-id": tag,
            }
        },
    }
    return json.dumps({"message": about}, ensure_ascii=False, separators=(",", ":")).encode()


def tag_of(message: Message) -> str:
    """What is the same over all attempts of one delivery, and says nothing: 32 letters fit every service."""
    digest = hashlib.sha256((message.thread or message.ref).encode()).digest()
    return base64.urlsafe_b64encode(digest)[:32].decode()


def _name(said: bytes) -> str:
    """The message's name at FCM, without the project's."""
    try:
        return wire.plain(json.loads(said)["name"].rpartition("/")[2], 100)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _not_signed_in(ref: str, error: RefreshError) -> Answer:
    if error.retryable:
        return Answer(ref, Outcome.LATER, reason="provider_trouble", wait=1.0)
    return Answer(ref, Outcome.STOP, reason="credentials_refused")


def _refused(ref: str, status: int, headers: Mapping[str, str], said: bytes) -> Answer:
    """FCM's own code decides where there is one; else the status does."""
    code, fields = _error(said)
    if code in CODES:
        outcome, reason = CODES[code]
    elif status == 400:
        outcome, reason = Outcome.REFUSED, "token_dead" if "message.token" in fields else "message_refused"
    elif status == 401:
        outcome, reason = Outcome.STOP, "signed_out"
    elif status == 403:
        outcome, reason = Outcome.STOP, "credentials_refused"
    elif status == 404:
        outcome, reason = Outcome.STOP, "account_unknown"
    elif status == 429:
        outcome, reason = Outcome.LATER, "too_many_requests"
    elif status in (500, 503):
        outcome, reason = Outcome.LATER, "provider_trouble"
    elif 400 <= status < 500:
        outcome, reason = Outcome.STOP, "request_refused"
    else:
        outcome, reason = Outcome.UNKNOWN, "answer_unclear"
    wait = wire.seconds_to_wait(headers) if outcome is Outcome.LATER else None
    if reason == "too_many_requests" and wait is None:
        wait = USUAL_WAIT
    return Answer(ref, outcome, reason=reason, code=code or str(status), wait=wait)


def _error(said: bytes) -> tuple[str, frozenset[str]]:
    """FCM's own code of an error, and the fields that it names; empty where it says neither."""
    code, fields = "", set[str]()
    try:
        for detail in json.loads(said)["error"].get("details", ()):
            code = code or wire.plain(detail.get("errorCode", ""), 40)
            fields |= {str(broken.get("field")) for broken in detail.get("fieldViolations", ())}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return code, frozenset(fields)
