"""What all channels through Twilio share: the account's way out, its error codes, and the signature of what it reports.

Sources: twilio-oai `twilio_api_v2010`, error pages, twilio-python 9.13 (MIT).
"""

import json
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from notifiers import wire
from notifiers.contract import Answer, Callback, Finding, Forged, Match, Outcome
from notifiers.lines import Lines

SILENT = logging.getLogger("notifiers.twilio")  # what the official client wants to log holds addresses and texts
SILENT.disabled = True
SIGNATURE = "x-twilio-signature"
OUR_KEY = "ref"  # in the query of the callback's address, which is signed with the rest

MOST_LISTED = 200  # records to one number that are read at most, the newest first
TROUBLES = {401: "credentials_refused", 403: "credentials_refused", 429: "too_many_requests"}

Codes = Mapping[int, tuple[Outcome, str]]
Form = list[tuple[str, str]]


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
        self.hear(answered)
        return Response(status, body.decode("utf-8", "replace"), answered)

    def hear(self, headers: Mapping[str, str]) -> None:
        """Note what the last answer on this thread says of waiting."""
        self._heard.wait = wire.seconds_to_wait(headers)

    @property
    def wait(self) -> float | None:
        """The seconds that the last answer on this thread asked for."""
        wait: float | None = getattr(self._heard, "wait", None)
        return wait


class Made(NamedTuple):
    """A record that Twilio made, by its number there."""

    sid: str


class Account:
    """One account at Twilio: its client, and the check of what claims to come from it."""

    def __init__(self, account: str, token: str, *, url: str, seconds: float, connections: int) -> None:
        self._wire = _Wire(url, seconds, connections)
        self.client = Client(account, token, http_client=self._wire)
        self._lines, self._seconds = Lines(url), seconds
        self._path = f"{urlsplit(url).path.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/"
        signed_in = b64encode(f"{account}:{token}".encode()).decode()
        self._head = {
            "Authorization": f"Basic {signed_in}",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Tocsin",
        }
        self._validator = RequestValidator(token)

    def post(self, path: str, form: Mapping[str, object]) -> Made:
        """Make one record, past the official client: what it builds around a request costs twice as much as the request.

        Raises as the client does.
        """
        body = urlencode(form, doseq=True).encode()
        status, headers, answer = self._lines.post(self._path + path, self._head, body, self._seconds)
        self._wire.hear(headers)
        text = answer.decode("utf-8", "replace")
        if not 200 <= status < 300:
            raise TwilioRestException(status, path, code=_code(text))
        return Made(str(json.loads(text)["sid"] or ""))

    def answer(self, ref: str, hand_over: Callable[[], Any], codes: Codes) -> Answer:
        """What became of one request: its number at Twilio, or why not."""
        try:
            made = hand_over()
        except TwilioRestException as error:
            return _refused(ref, error.status, error.code, self._wire.wait, codes)
        except TwilioException as error:
            status, code = int(getattr(error, "status", 0)), int(getattr(error, "code", 0))
            return _refused(ref, status, code, self._wire.wait, codes)
        except wire.Unreached:
            return Answer(ref, Outcome.LATER, reason="not_reached")
        except wire.Redirected:
            return Answer(ref, Outcome.STOP, reason="redirected")
        except wire.Unanswered:
            return Answer(ref, Outcome.UNKNOWN, reason="answer_lost")
        except (ValueError, KeyError, TypeError, RecursionError):
            return Answer(ref, Outcome.UNKNOWN, reason="answer_unclear")
        number = wire.plain(made.sid, 100)
        if not number:  # an answer that was cut off: whoever takes a message gives it a number
            return Answer(ref, Outcome.UNKNOWN, reason="answer_unclear")
        return Answer(ref, Outcome.ACCEPTED, provider_id=number)

    def listed(self, ref: str, ask: Callable[[int], Sequence[Any]], match: Callable[[Any], Match | None]) -> Finding:
        """What the account has, of its newest records of one kind: those that match. `ask` is given how many to read."""
        try:
            found = ask(MOST_LISTED)
            matches = [one for one in map(match, found) if one is not None]
        except TwilioException as error:
            statuses = [part.status_code for part in error.args if isinstance(part, Response)]
            return Finding(ref, trouble=TROUBLES.get(statuses[0] if statuses else 0, "provider_trouble"))
        except (wire.Unreached, wire.Redirected, wire.Unanswered):
            return Finding(ref, trouble="not_reached")
        except (ValueError, KeyError, TypeError, AttributeError):
            return Finding(ref, trouble="answer_unclear")
        if len(found) >= MOST_LISTED:
            return Finding(ref, trouble="too_many_to_tell")
        return Finding(ref, tuple(matches))

    def form(self, callback: Callback) -> Form:
        """The parameters of a signed form. Raises Forged. The signature covers the address and every parameter."""
        try:
            said = parse_qsl(
                callback.body.decode(),
                keep_blank_values=True,
                strict_parsing=bool(callback.body),
                errors="strict",
                max_num_fields=200,
            )
            genuine = self._validator.validate(callback.url, _Parameters(said), _signature(callback))
        except ValueError:
            raise Forged("The body is not a form.") from None
        if not genuine:
            raise Forged("The signature does not fit.")
        return said

    def json(self, callback: Callback) -> str:
        """The signature of a JSON body, which signs its hash in the address; without the hash nothing protects it. Raises Forged."""
        signature = _signature(callback)
        if not parse_qs(urlsplit(callback.url).query).get("bodySHA256"):
            raise Forged("The hash of the body is missing.")
        try:
            genuine = self._validator.validate(callback.url, callback.body.decode(), signature)
        except ValueError:
            genuine = False
        if not genuine:
            raise Forged("The signature does not fit.")
        return signature


def _code(text: str) -> int | None:
    """Twilio's number of an error, where the answer names one."""
    try:
        code = json.loads(text)["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return code if isinstance(code, int) else None


def _signature(callback: Callback) -> str:
    signature = callback.headers.get(SIGNATURE, "")
    if not signature:
        raise Forged("The signature is missing.")
    return signature


def is_json(callback: Callback) -> bool:
    """Whether the body says that it is JSON."""
    return callback.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def reporting_to(address: str, ref: str, **more: str) -> str:
    """The address that is to report about one message of ours."""
    return f"{address}?{OUR_KEY}={quote(ref)}" + "".join(f"&{key}={quote(word)}" for key, word in more.items())


def in_address(url: str, key: str = OUR_KEY) -> str:
    """What we put into the address that was called: our reference, or another word."""
    return wire.plain(parse_qs(urlsplit(url).query).get(key, [""])[0], 64)


class _Parameters(dict[str, list[str]]):
    """A form whose names may repeat, in the shape that the official validator reads."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _refused(ref: str, status: int, code: int | None, wait: float | None, codes: Codes) -> Answer:
    """A code we know decides; else the status does. A 5xx may have been carried out, for there is no key against doubles."""
    if code is not None and code in codes:
        outcome, reason = codes[code]
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
