"""E-mail through SendGrid: how to send, how its signed event webhook is checked, and its words in ours.

Sources: providers' contract `tsg_mail_v3`, event webhook documentation, sendgrid-python 6.12 (all MIT).
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from python_http_client.client import Client
from sendgrid.sendgrid import SendGridAPIClient

from notifiers import sendgrid_activity, wire
from notifiers.contract import (
    Alike,
    Answer,
    Callback,
    Despite,
    Event,
    Finding,
    Forged,
    Message,
    Misconfigured,
    Outcome,
    Sought,
    Status,
)
from notifiers.lines import Lines

PROVIDER = "sendgrid"
MOST_PERSONALIZATIONS = 1_000  # of one request
MOST_SUBSTITUTION_BYTES = 9_500  # of one personalization; SendGrid takes 10,000
SHORT_WORDS = 700  # letters; under this no escaping brings them near the limit
MOST_REQUESTS = 60  # of one batch, while refused rows are being singled out
OUR_KEY = "tocsin_ref"  # comes back at the top of each event; not one of SendGrid's own keys

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

STATUS = {
    "processed": Status.ACCEPTED,
    "deferred": Status.DEFERRED,
    "delivered": Status.DELIVERED,
    "bounce": Status.BOUNCED,  # type "blocked" is Status.BLOCKED
    "dropped": Status.FAILED,
    "spamreport": Status.COMPLAINED,
    "unsubscribe": Status.UNSUBSCRIBED,
    "group_unsubscribe": Status.UNSUBSCRIBED,
    "open": Status.TRACKED,
    "click": Status.TRACKED,
    "account_status_change": Status.ALARM,
}
DROPPED = {
    "Bounced Address": "on_bounce_list",
    "Unsubscribed Address": "on_unsubscribe_list",
    "Spam Reporting Address": "on_complaint_list",
    "Invalid": "address_invalid",
    "Invalid SMTPAPI header": "request_invalid",  # ours to mend
    "Spam Content": "content_refused",  # ours to mend
    "Recipient List over Package Quota": "quota_exceeded",  # ours to mend
}
KEPT = ("event", "type", "status", "bounce_classification", "attempt", "tls")

NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
BYPASS = {
    Despite.UNSUBSCRIBED: "bypass_unsubscribe_management",
    Despite.COMPLAINED: "bypass_spam_management",
}
"""How SendGrid is told to pass over a list. There is none for those who bounced: a dead address stays dead."""
SPECIAL = re.compile("[&<>\"']")
NO_FOOTER = {"footer": {"enable": False}}


class _Client(Client):
    """The official client over a session of ours: one connection kept, no redirect followed, and a time limit."""

    def __init__(
        self,
        host: str,
        headers: dict[str, str],
        path: list[str],
        through: requests.Session,
        seconds: float,
        lines: Lines,
    ) -> None:
        Client.__init__(self, host, headers, version=3, url_path=path)
        self._through, self._seconds, self._lines = through, seconds, lines

    def _build_client(self, name: str | None = None) -> "_Client":
        path = [*self._url_path, name] if name else self._url_path
        return _Client(self.host, self.request_headers, path, self._through, self._seconds, self._lines)

    def _make_request(self, opener: object, request: Any, timeout: float | None = None) -> "_Reply":
        prepared = requests.Request(
            request.get_method(), request.full_url, dict(request.header_items()), data=request.data
        )
        return _Reply(*wire.exchange(self._through, prepared.prepare(), timeout or self._seconds))

    def hand_over(self, body: bytes) -> "_Reply":
        """Post JSON that is spelt already. The client's own way would spell it for its log as well."""
        headers = {**self.request_headers, "Content-Type": "application/json"}
        target = urlsplit(self._build_url(None)).path
        return _Reply(*self._lines.post(target, headers, body, self._seconds))


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer in the shape that the official client reads."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def getcode(self) -> int:
        return self.status

    def read(self) -> bytes:
        return self.body

    def info(self) -> Mapping[str, str]:
        return self.headers


class SendgridEmail:
    """E-mail through SendGrid. `public_key` is the one shown beside "signed event webhook"; without it no event is taken."""

    channel = "email"
    provider = PROVIDER
    simulated = False
    batch = MOST_PERSONALIZATIONS
    asked_every = sendgrid_activity.ASKED_EVERY

    def __init__(
        self,
        key: str,
        sender: str,
        *,
        url: str = "https://api.sendgrid.com",
        sender_name: str = "",
        reply_to: str = "",
        public_key: str = "",
        seconds: float = 30,
        rate: float = 0,
        calls: int = 8,
        activity: bool = False,
    ) -> None:
        if not wire.is_address(sender):
            raise Misconfigured("TOCSIN_SENDGRID_FROM: give the one address that notices come from.")
        if not sender_name.isascii():
            sender_name = ""  # SendGrid takes no Unicode in the sender
        self.rate, self.calls = rate, calls
        self._recipe: dict[str, str | float | bool] = {"key": key, "sender": sender, "sender_name": sender_name}
        self._recipe |= {"url": url, "reply_to": reply_to, "seconds": seconds}
        self.looks_up = sendgrid_activity.AT_ONCE if activity else 0
        self._reply_to = {"reply_to": {"email": reply_to}} if reply_to else {}
        self._sender = {"email": sender} | ({"name": sender_name} if sender_name else {})
        self._key = _public_key(public_key) if public_key else None
        api = SendGridAPIClient(key, host=url.rstrip("/"))
        api.client = _Client(api.host, api._default_headers, [], wire.session(calls), seconds, Lines(api.host))
        self._api = api

    @property
    def recipe(self) -> dict[str, str | float | bool]:
        """What a channel that sends as this one is called with; it takes no events and finds nothing."""
        return self._recipe | {"calls": self.calls}

    def send(self, batch: Sequence[Message]) -> Sequence[Answer]:
        """One answer a message, in the order of `batch`; one bad row does not keep the others back."""
        good = wire.are_addresses([message.to for message in batch])
        wrong = [] if good else [message for message in batch if not wire.is_address(message.to)]
        given = [_all(wrong, Outcome.REFUSED, "address_invalid")] if wrong else []
        requests_left = MOST_REQUESTS
        todo = list(_requests([message for message in batch if wire.is_address(message.to)] if wrong else batch))
        while todo:
            group = todo.pop()
            if not requests_left or _has_stopped(given):
                given.append(_all(group, Outcome.LATER, "not_tried"))
                continue
            requests_left -= 1
            settled, again = self._request(group)
            given += settled
            todo += again
        return _in_order(batch, given)

    def _request(self, group: list[Message]) -> tuple[list[Alike], list[list[Message]]]:
        """The answers of one request, and the groups to try again because only others of them were refused."""
        try:
            reply = self._api.client.mail.send.hand_over(self._payload(group))
        except wire.Unreached:
            return [_all(group, Outcome.LATER, "not_reached")], []
        except wire.Redirected:
            return [_all(group, Outcome.STOP, "redirected")], []
        except wire.Unanswered:
            return [_all(group, Outcome.UNKNOWN, "answer_lost")], []
        if reply.status == 202:
            return [
                _all(group, Outcome.ACCEPTED, provider_id=wire.plain(reply.headers.get("X-Message-Id", ""), 100))
            ], []
        if reply.status in (400, 413):
            return _refused(group, reply.status, reply.body)
        return [_turned_away(group, reply.status, reply.headers)], []

    def _payload(self, group: list[Message]) -> bytes:
        """The request as JSON, put together of pieces: only what differs from person to person is spelt for each."""
        tagged = _Tagged.of(group)
        content = [{"type": "text/plain", "value": tagged.text}]
        if tagged.html:
            content.append({"type": "text/html", "value": tagged.html})
        shared = {
            "from": self._sender,
            "content": content,
            "headers": {"Auto-Submitted": "auto-generated"},
            "tracking_settings": NO_TRACKING,
            "mail_settings": NO_FOOTER | {BYPASS[word]: {"enable": True} for word in group[0].frame.despite},
        } | self._reply_to
        return f'{{"personalizations":[{",".join(tagged.people(group))}],{json.dumps(shared)[1:]}'.encode()

    def find(self, sought: Sequence[Sought]) -> list[Finding]:
        """What SendGrid's Email Activity has under our references."""
        return sendgrid_activity.find(self._api.client.messages, OUR_KEY, sought)

    def events(self, callback: Callback) -> list[Event]:
        """What a signed post of the event webhook reports. Raises Forged. Its age is no reason to refuse: repeats are told by id."""
        if self._key is None:
            raise Forged("No public key is set for this provider's events.")
        signature, timestamp = callback.headers.get(SIGNATURE, ""), callback.headers.get(TIMESTAMP, "")
        if not signature or not timestamp:
            raise Forged("The signature or its timestamp is missing.")
        try:
            self._key.verify(
                base64.b64decode(signature, validate=True),
                timestamp.encode() + callback.body,
                ec.ECDSA(hashes.SHA256()),
            )
        except (InvalidSignature, binascii.Error, ValueError):
            raise Forged("The signature does not fit.") from None
        return [_event(report) for report in _reports(callback.body)]


def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Misconfigured(
            "TOCSIN_SENDGRID_WEBHOOK_PUBLIC_KEY: paste the verification key as the event webhook settings show it."
        )
    return key


def _requests(messages: Sequence[Message]) -> Iterable[list[Message]]:
    """Groups that can share one request: one frame, each address once, no words too long."""
    if _is_one_request(messages):
        yield list(messages)
        return
    alike: dict[int, list[Message]] = {}
    for message in messages:
        alike.setdefault(id(message.frame), []).append(message)
    for group in alike.values():
        while group:
            taken: dict[str, Message] = {}
            left = []
            for message in group:
                if _too_long(message):
                    yield [message]
                elif taken.setdefault(message.to.casefold(), message) is not message:
                    left.append(message)
            rows = list(taken.values())
            yield from (
                rows[start : start + MOST_PERSONALIZATIONS] for start in range(0, len(rows), MOST_PERSONALIZATIONS)
            )
            group = left


def _is_one_request(messages: Sequence[Message]) -> bool:
    """Whether all of them can share one, as most batches can; looked at together, a column after the other."""
    if not 0 < len(messages) <= MOST_PERSONALIZATIONS:
        return False
    frame = messages[0].frame
    if not all([message.frame is frame for message in messages]):
        return False
    longest = sum(max(map(len, words)) for words in _columns(messages))
    return longest < SHORT_WORDS and len({message.to.casefold() for message in messages}) == len(messages)


def _columns(messages: Sequence[Message]) -> list[tuple[str, ...]]:
    """The people's words by their places."""
    return list(zip(*[message.words for message in messages], strict=True))


def _too_long(message: Message) -> bool:
    """Whether the words may be more than SendGrid substitutes; a letter has at most 4 bytes, and 6 once it is escaped."""
    if sum(map(len, message.words)) < SHORT_WORDS:
        return False
    return sum(len(word.encode()) + 40 for word in (*message.words, *message.escaped)) > MOST_SUBSTITUTION_BYTES


@dataclass(frozen=True, slots=True)
class _Tagged:
    """The letters of a request with a tag for each word that a person's own one stands for.

    The tags hold a random word, so that nobody's name can look like one. One person alone needs none.
    """

    text: str
    html: str
    plain: tuple[tuple[str, int], ...]
    escaped: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, group: list[Message]) -> "_Tagged":
        """The tags for these messages, which share a frame."""
        first, frame = group[0], group[0].frame
        if len(group) == 1:
            return cls(first.text, first.html, (), ())
        word = secrets.token_hex(8)
        plain = [f"~{word}t{place}~" for place in range(len(first.words))]
        escaped = [f"~{word}h{place}~" for place in range(len(first.words))]
        return cls(
            frame.text.filled(plain),
            frame.html.filled(escaped),
            tuple((plain[place], place) for place in sorted({*frame.text.places})),
            tuple((escaped[place], place) for place in sorted({*frame.html.places})),
        )

    def people(self, group: Sequence[Message]) -> Iterator[str]:
        """Each person's part of the request, as JSON: what all have in common is put together once."""
        first, own = group[0], _columns(group)
        tags = [f"{quoted(tag)}:" for tag, _ in (*self.plain, *self.escaped)]
        words = [map(quoted, own[place]) for _, place in self.plain]
        words += [map(quoted, _as_html(own[place])) for _, place in self.escaped]
        subjects = [quoted(message.subject) for message in group] if first.frame.subject.places else []
        subject = "%s" if subjects else _literal(quoted(first.subject))
        instead = f',"substitutions":{{{",".join([_literal(tag) + "%s" for tag in tags])}}}' if tags else ""
        one = f'{{"to":[{{"email":%s}}],"subject":{subject},"custom_args":{{"{OUR_KEY}":%s}}{instead}}}'
        to = [quoted(message.to) for message in group]
        refs = [quoted(message.ref) for message in group]
        return map(one.__mod__, zip(to, *([subjects] if subjects else []), refs, *words, strict=True))


def _literal(text: str) -> str:
    """The text as it stands in what is filled by `%`."""
    return text.replace("%", "%%")


def _as_html(words: Sequence[str]) -> Iterable[str]:
    """The words as HTML takes them; most hold nothing that would have to be escaped."""
    return map(escape, words) if SPECIAL.search("".join(words)) else words


def _all(
    group: Iterable[Message],
    outcome: Outcome,
    reason: str = "",
    code: str = "",
    wait: float | None = None,
    provider_id: str = "",
) -> Alike:
    return Alike([message.ref for message in group], Answer("", outcome, provider_id, reason, code, wait))


def _has_stopped(given: Iterable[Alike]) -> bool:
    return any(one.answer.outcome is Outcome.STOP or one.answer.wait is not None for one in given)


def _in_order(batch: Sequence[Message], given: Sequence[Alike]) -> Sequence[Answer]:
    """Every message's answer in the order of the batch; as one where all have the same of one request."""
    refs = [message.ref for message in batch]
    if len(given) == 1 and given[0].refs == refs:
        return given[0]
    answers = {answer.ref: answer for one in given for answer in one}
    return [answers[ref] for ref in refs]


def _turned_away(group: list[Message], status: int, headers: Mapping[str, str]) -> Alike:
    """Every status but "taken" and "this request is wrong". 502 and 504 come from a gateway that may have passed it on."""
    wait = wire.seconds_to_wait(headers)
    if status == 429:
        return _all(group, Outcome.LATER, "too_many_requests", "429", wait if wait is not None else 1.0)
    if status in (500, 503):
        return _all(group, Outcome.LATER, "provider_trouble", str(status), wait)
    if status in (401, 403):
        return _all(group, Outcome.STOP, "credentials_refused", str(status))
    if 400 <= status < 500:
        return _all(group, Outcome.STOP, "request_refused", str(status))
    return _all(group, Outcome.UNKNOWN, "answer_unclear", str(status))


def _refused(group: list[Message], status: int, body: bytes) -> tuple[list[Alike], list[list[Message]]]:
    """Nothing of a refused request was sent: leave out the rows it names, halve it when it names none, stop for the rest."""
    fields = _named(body)
    rows = {int(name[1]) for name in fields if name[0] == "personalizations" and len(name) > 1 and name[1].isdigit()}
    bad = [message for number, message in enumerate(group) if number in rows]
    if bad:
        good = [message for number, message in enumerate(group) if number not in rows]
        return [_all(bad, Outcome.REFUSED, "address_refused", str(status))], [good] if good else []
    if any(fields):
        return [_all(group, Outcome.STOP, "request_refused", str(status))], []
    if len(group) == 1:
        return [_all(group, Outcome.REFUSED, "message_refused", str(status))], []
    middle = len(group) // 2
    return [], [group[:middle], group[middle:]]


def _named(body: bytes) -> list[list[str]]:
    """The fields that the errors of a refused request name, split at the dots."""
    try:
        errors = json.loads(body)["errors"]
        return [str(error["field"]).split(".") for error in errors if error.get("field")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _reports(body: bytes) -> list[dict[str, Any]]:
    """The reports of a post whose signature fits. What is no list of objects is kept as one unknown report."""
    try:
        posted = json.loads(body)
    except (ValueError, RecursionError):
        posted = None
    if not isinstance(posted, list):
        return [{"sg_event_id": "body:" + hashlib.sha256(body).hexdigest()}]
    return [report if isinstance(report, dict) else {"unreadable": str(report)} for report in posted]


def _event(report: Mapping[str, Any]) -> Event:
    word = str(report.get("event", ""))
    status = STATUS.get(word, Status.UNKNOWN)
    if status is Status.BOUNCED and report.get("type") == "blocked":
        status = Status.BLOCKED
    said = str(report.get("reason") or report.get("response") or "")
    return Event(
        id=_id(report),
        status=status,
        ref=wire.plain(report.get(OUR_KEY, ""), 64),
        provider_id=wire.plain(report.get("sg_message_id", ""), 200).split(".", 1)[0][:100],
        at=_instant(report.get("timestamp")),
        reason=DROPPED.get(said, "dropped") if word == "dropped" else wire.plain(word, 40),
        code=wire.plain(report.get("status", ""), 20),
        fields={key: wire.without_people(str(report[key])) for key in KEPT if report.get(key) is not None}
        | ({"said": wire.without_people(said)} if said else {}),
    )


def _id(report: Mapping[str, Any]) -> str:
    given = report.get("sg_event_id")
    if isinstance(given, str) and 0 < len(given) <= 100 and given.isprintable():
        return given
    return "made:" + hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()


def _instant(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 4_102_444_800:  # until 2100
        return None
    return datetime.fromtimestamp(value, UTC)
