"""Text messages through Twilio: how to send, how its signed status callback is checked, and its words in ours.

Sources: twilio-oai `twilio_api_v2010`, status callback and error pages, twilio-python 9.13 (MIT).
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from notifiers import wire
from notifiers.contract import Answer, Callback, Event, Forged, Message, Misconfigured, Outcome, Status

PROVIDER = "twilio"
MOST_LETTERS = 1_600  # Twilio's error 21617 beyond
SILENT = logging.getLogger("notifiers.twilio")  # what the official client wants to log holds addresses and texts
SILENT.disabled = True
SIGNATURE = "x-twilio-signature"
OUR_KEY = "ref"  # in the query of the callback's address, which is signed with the rest

STATUS = {
    "accepted": Status.ACCEPTED,
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.ACCEPTED,  # handed to the carrier; some give no receipt, so it is not "delivered"
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.BOUNCED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}

CODES: Mapping[int, tuple[Outcome, str]] = MappingProxyType(
    {
        20003: (Outcome.STOP, "credentials_refused"),
        20429: (Outcome.LATER, "too_many_requests"),
        21211: (Outcome.REFUSED, "number_invalid"),
        21217: (Outcome.REFUSED, "number_invalid"),
        21212: (Outcome.STOP, "sender_invalid"),
        21603: (Outcome.STOP, "sender_missing"),
        21606: (Outcome.STOP, "sender_invalid"),
        21408: (Outcome.REFUSED, "country_not_enabled"),
        21612: (Outcome.REFUSED, "no_route"),
        21608: (Outcome.STOP, "trial_account"),
        21610: (Outcome.REFUSED, "person_said_stop"),
        21611: (Outcome.LATER, "queue_full"),
        21614: (Outcome.REFUSED, "number_takes_no_texts"),
        21617: (Outcome.REFUSED, "text_too_long"),  # ours to mend
        30001: (Outcome.LATER, "queue_full"),
        30002: (Outcome.STOP, "account_suspended"),
        30010: (Outcome.STOP, "price_over_limit"),
        30032: (Outcome.STOP, "sender_not_registered"),
        30034: (Outcome.STOP, "sender_not_registered"),
    }
)
"""What Twilio's error codes say when it answers a request."""

REPORTED: Mapping[str, tuple[Status, str]] = MappingProxyType(
    {
        "30001": (Status.BLOCKED, "queue_full"),
        "30002": (Status.FAILED, "account_suspended"),
        "30003": (Status.BLOCKED, "handset_unreachable"),
        "30004": (Status.BOUNCED, "blocked_by_person_or_carrier"),
        "30005": (Status.BOUNCED, "handset_unknown"),
        "30006": (Status.BOUNCED, "landline"),
        "30007": (Status.BOUNCED, "filtered_as_unwanted"),
        "30008": (Status.BLOCKED, "carrier_error"),
        "30020": (Status.BLOCKED, "provider_trouble"),
        "30021": (Status.BLOCKED, "provider_trouble"),
        "30036": (Status.BLOCKED, "validity_ran_out"),
        "30500": (Status.BLOCKED, "provider_trouble"),
    }
)
"""What the codes of failed and undelivered messages mean; blocked ones may be tried once more later."""

KEPT = ("MessageStatus", "ErrorCode", "RawDlrDoneDate", "ApiVersion", "MessagingServiceSid")


class _Wire(HttpClient):
    """The official client's way out: our session, a time limit, one address, and the wait that its exception hides."""

    def __init__(self, url: str, seconds: float, connections: int) -> None:
        super().__init__(SILENT, False, seconds)
        self._url, self._seconds = url.rstrip("/"), seconds
        self._through, self._heard = wire.session(connections), threading.local()

    def request(
        self,
        method: str,
        uri: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        parts = urlsplit(uri)
        address = f"{self._url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        prepared = requests.Request(method, address, headers, data=data, params=params, auth=auth).prepare()
        status, answered, body = wire.exchange(self._through, prepared, timeout or self._seconds)
        self._heard.wait = wire.seconds_to_wait(answered)
        return Response(status, body.decode("utf-8", "replace"), answered)

    @property
    def wait(self) -> float | None:
        """The seconds that the last answer on this thread asked for."""
        wait: float | None = getattr(self._heard, "wait", None)
        return wait


class TwilioSms:
    """Text messages through Twilio. `callback` is our public address for its reports; empty asks for none."""

    channel = "sms"
    provider = PROVIDER
    simulated = False
    batch = 20  # a message is a call: small batches leave little in doubt when the power goes

    def __init__(
        self,
        account: str,
        token: str,
        *,
        sender: str = "",
        service: str = "",
        url: str = "https://api.twilio.com",
        callback: str = "",
        seconds: float = 15,
        rate: float = 0,
        calls: int = 8,
    ) -> None:
        if not sender and not service:
            raise Misconfigured(
                "TOCSIN_TWILIO_FROM or TOCSIN_TWILIO_MESSAGING_SERVICE_SID: one of them must say who texts come from."
            )
        self.rate, self.calls = rate, calls
        self._wire = _Wire(url, seconds, calls)
        self._client = Client(account, token, http_client=self._wire)
        self._origin = {"messaging_service_sid": service} if service else {"from_": sender}
        self._callback = callback
        self._validator = RequestValidator(token)

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`; after "stop" or "wait" the rest is not tried."""
        answers: list[Answer] = []
        held = False
        for message in batch:
            answer = Answer(message.ref, Outcome.LATER, reason="not_tried") if held else self._send(message)
            held = held or answer.outcome is Outcome.STOP or answer.wait is not None
            answers.append(answer)
        return answers

    def _send(self, message: Message) -> Answer:
        if not wire.is_number(message.to):
            return Answer(message.ref, Outcome.REFUSED, reason="number_invalid")
        if len(message.text) > MOST_LETTERS:
            return Answer(message.ref, Outcome.REFUSED, reason="text_too_long")
        more = {"status_callback": f"{self._callback}?{OUR_KEY}={quote(message.ref)}"} if self._callback else {}
        try:
            sent = self._client.messages.create(to=message.to, body=message.text, **self._origin, **more)
        except TwilioRestException as error:
            return _refused(message.ref, error.status, error.code, self._wire.wait)
        except TwilioException as error:
            return _refused(
                message.ref, int(getattr(error, "status", 0)), int(getattr(error, "code", 0)), self._wire.wait
            )
        except wire.Unreached:
            return Answer(message.ref, Outcome.LATER, reason="not_reached")
        except wire.Redirected:
            return Answer(message.ref, Outcome.STOP, reason="redirected")
        except wire.Unanswered:
            return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
        except (ValueError, KeyError, TypeError):
            return Answer(message.ref, Outcome.UNKNOWN, reason="answer_unclear")
        return Answer(message.ref, Outcome.ACCEPTED, provider_id=str(sent.sid or ""))

    def events(self, callback: Callback) -> list[Event]:
        """What a signed status callback reports. Raises Forged. The signature covers the address and every parameter."""
        signature = callback.headers.get(SIGNATURE, "")
        if not signature:
            raise Forged("The signature is missing.")
        if callback.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            return self._json(callback, signature)
        try:
            said = parse_qsl(
                callback.body.decode(),
                keep_blank_values=True,
                strict_parsing=bool(callback.body),
                errors="strict",
                max_num_fields=200,
            )
            genuine = self._validator.validate(callback.url, _Parameters(said), signature)
        except ValueError:
            raise Forged("The body is not a form.") from None
        if not genuine:
            raise Forged("The signature does not fit.")
        return [_event(dict(said), _our_ref(callback.url))]

    def _json(self, callback: Callback, signature: str) -> list[Event]:
        """A JSON body is signed by its hash in the address; without the hash nothing protects it."""
        if not parse_qs(urlsplit(callback.url).query).get("bodySHA256"):
            raise Forged("The hash of the body is missing.")
        try:
            genuine = self._validator.validate(callback.url, callback.body.decode(), signature)
        except ValueError:
            genuine = False
        if not genuine:
            raise Forged("The signature does not fit.")
        return [Event(f"url:{signature}"[:100], Status.UNKNOWN, _our_ref(callback.url), reason="json_report")]


class _Parameters(dict[str, list[str]]):
    """A form whose names may repeat, in the shape that the official validator reads."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _refused(ref: str, status: int, code: int | None, wait: float | None) -> Answer:
    """A code we know decides; else the status does. A 5xx may have been carried out, for there is no key against doubles."""
    if code is not None and code in CODES:
        outcome, reason = CODES[code]
    elif status == 429:
        outcome, reason = Outcome.LATER, "too_many_requests"
    elif status in (401, 403):
        outcome, reason = Outcome.STOP, "credentials_refused"
    elif status == 404:
        outcome, reason = Outcome.STOP, "account_unknown"
    elif 400 <= status < 500:
        outcome, reason = Outcome.REFUSED, "message_refused"
    else:
        outcome, reason = Outcome.UNKNOWN, "answer_unclear"
    if outcome is Outcome.LATER and wait is None:
        wait = 1.0
    return Answer(
        ref, outcome, reason=reason, code=str(code or status), wait=wait if outcome is Outcome.LATER else None
    )


def _our_ref(url: str) -> str:
    return wire.plain(parse_qs(urlsplit(url).query).get(OUR_KEY, [""])[0], 64)


def _event(said: Mapping[str, str], ref: str) -> Event:
    word = said.get("MessageStatus") or said.get("SmsStatus") or ""
    number = said.get("MessageSid") or said.get("SmsSid") or ""
    code = said.get("ErrorCode", "")
    status, reason = STATUS.get(word, Status.UNKNOWN), wire.plain(word, 40)
    if status in (Status.BOUNCED, Status.FAILED):
        status, reason = REPORTED.get(code, (status, reason))
    return Event(
        id=f"{wire.plain(number, 40)}:{wire.plain(word, 20)}:{wire.plain(code, 10)}",
        status=status,
        ref=ref,
        provider_id=wire.plain(number, 100),
        reason=reason,
        code=wire.plain(code, 20),
        fields={key: wire.without_people(said[key]) for key in KEPT if said.get(key)},
    )
