"""SendGrid as a server: takes mail as the real one does, and signs its event webhook."""

import argparse
import base64
import json
import random
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.faults import Fault, Faults
from tests.fakes.http import Handler, Server, post

KEY = "SG.fake"
RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
}
HARD_BOUNCE = "550 5.1.1 The email account that you tried to reach does not exist."


@dataclass
class Letter:
    """What one person got, after SendGrid put the values in."""

    to: str
    subject: str
    text: str
    html: str
    ref: str
    message_id: str
    dropped: str = ""  # because of which list it never left


class FakeSendGrid(Server):
    """`letters` is what went out. `bounces`, `blocked`, `drops` name addresses that meet that fate in the events.

    With `keeps_activity` its Email Activity can be asked; `lists` are the faults of the first questions, `listed` counts them.
    """

    def __init__(self, faults: Faults | None = None, *, key: str = KEY, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.key, self.faults = key, faults or Faults()
        self.letters: list[Letter] = []
        self.payloads: list[dict[str, Any]] = []
        self.keep_payloads = True
        self.bad_addresses: set[str] = set()
        self.bounces: set[str] = set()
        self.blocked: set[str] = set()
        self.drops: set[str] = set()
        self.unsubscribed: set[str] = set()
        self.complained: set[str] = set()
        self.taken = 0
        self.keeps_activity = False
        self.lists: list[Fault] = []
        self.listed = 0
        self.questions: list[dict[str, str]] = []
        self._signing = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """As the settings of the event webhook show it."""
        public = self._signing.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(public).decode()

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers of a genuine post of this body."""
        at = str(int(time.time()))
        signature = self._signing.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        }

    def events(self) -> list[dict[str, Any]]:
        """What SendGrid would report about every letter, in the order of things."""
        return [event for letter in self.letters for event in self._about(letter)]

    def _about(self, letter: Letter) -> list[dict[str, Any]]:
        usual: dict[str, Any] = {
            "email": letter.to,
            "timestamp": int(time.time()),
            "smtp-id": f"<{letter.message_id}@geopod-ismtpd-1>",
            "sg_message_id": f"{letter.message_id}.recvd-5f54b5d587-7rlpt-1-64B0-3.0",
            "tocsin_ref": letter.ref,
        }

        def event(word: str, **more: Any) -> dict[str, Any]:
            return usual | {"event": word, "sg_event_id": f"{word}-{letter.ref}"} | more

        if letter.dropped:
            return [event("dropped", reason=letter.dropped, status="5.0.0")]
        if letter.to in self.drops:
            return [event("dropped", reason="Bounced Address", status="5.0.0")]
        processed = event("processed", send_at=0)
        if letter.to in self.bounces:
            return [
                processed,
                event(
                    "bounce", type="bounce", status="5.1.1", reason=HARD_BOUNCE, bounce_classification="Invalid Address"
                ),
            ]
        if letter.to in self.blocked:
            return [
                processed,
                event("bounce", type="blocked", status="4.7.1", reason=f"421 4.7.1 try later, {letter.to}"),
            ]
        return [processed, event("delivered", response="250 2.0.0 OK", tls=1)]

    def report(
        self, hook: str, events: list[dict[str, Any]] | None = None, *, at_once: int = 100, seed: int | None = None
    ) -> list[int]:
        """Post the events, signed; with a seed in a mixed order, and some of them twice. The statuses we answered."""
        events = list(self.events() if events is None else events)
        if seed is not None:
            draw = random.Random(seed)
            events += draw.sample(events, len(events) // 5)
            draw.shuffle(events)
        statuses = []
        for start in range(0, len(events), at_once):
            body = (
                "["
                + ",\r\n".join(json.dumps(event, separators=(",", ":")) for event in events[start : start + at_once])
                + "]\r\n"
            ).encode()
            statuses.append(post(hook, body, self.signed(body)))
        return statuses


class _Handler(Handler):
    server: FakeSendGrid

    def _dropped(self, to: str, settings: dict[str, Any]) -> str:
        """The list because of which SendGrid drops a letter to this address; empty where it goes out."""
        lists = (
            ("bypass_unsubscribe_management", self.server.unsubscribed, "Unsubscribed Address"),
            ("bypass_spam_management", self.server.complained, "Spam Reporting Address"),
        )
        kept = (reason for name, listed, reason in lists if to in listed and not settings.get(name, {}).get("enable"))
        return next(kept, "")

    def do_POST(self) -> None:
        body = self.body()
        with self.server.lock:
            self.server.asked += 1
        if self.path != "/v3/mail/send":
            return self._errors(404, "not found", None)
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return self._errors(401, "The provided authorization grant is invalid, expired, or revoked", None)
        fault = self.server.faults.next()
        if fault is Fault.BUSY:
            return self.answer(
                429,
                b'{"errors":[{"message":"too many requests"}]}',
                X_RateLimit_Reset=str(int(time.time()) + 1),
                Retry_After="0.05",
            )
        if fault is Fault.TROUBLE:
            return self.answer(503, b"", Retry_After="0.05")
        if fault is Fault.FORBIDDEN:
            return self._errors(401, "The provided authorization grant is invalid, expired, or revoked", None)
        if fault is Fault.CUT_BEFORE:
            return self.cut()
        mail = json.loads(body)
        wrong = self._wrong(mail)
        if wrong:
            return self._errors(400, *wrong)
        message_id = secrets.token_urlsafe(16).replace(".", "_")
        self._take(mail, message_id)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.DRIP:
            return self.drip(202)
        if fault is Fault.GARBAGE:
            return self.answer(200, b"<html>\xff\xfe")
        return self.answer(202, b"", X_Message_Id=message_id)

    def do_GET(self) -> None:
        """The Email Activity: mails by our own references, where the account has it."""
        with self.server.lock:
            self.server.listed += 1
            fault = self.server.lists.pop(0) if self.server.lists else Fault.NONE
        parts = urlsplit(self.path)
        if parts.path != "/v3/messages" or not self.server.keeps_activity:
            return self._errors(404, "not found", None)
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return self._errors(401, "The provided authorization grant is invalid, expired, or revoked", None)
        if fault is Fault.BUSY:
            return self._errors(429, "too many requests", None)
        if fault is Fault.TROUBLE:
            return self._errors(500, "internal error", None)
        if fault is Fault.CUT_AFTER:
            return self.cut()
        if fault is Fault.GARBAGE:
            return self.answer(200, b"<html>\xff\xfe")
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        self.server.questions.append(asked)
        refs = re.findall(r"unique_args\['tocsin_ref'\]=\"([0-9A-Za-z-]+)\"", asked["query"])
        with self.server.lock:
            found = [self._listed(letter) for letter in self.server.letters if letter.ref in refs]
        return self.answer(200, json.dumps({"messages": found[: int(asked["limit"])]}).encode())

    def _listed(self, letter: Letter) -> dict[str, Any]:
        gone = letter.to in self.server.bounces | self.server.blocked | self.server.drops
        return {
            "from_email": "notice@company.example",
            "msg_id": f"{letter.message_id}.recvd-5f54b5d587-7rlpt-1-64B0-3.0",
            "subject": letter.subject,
            "to_email": letter.to,
            "status": "not_delivered" if gone else "delivered",
            "opens_count": 0,
            "clicks_count": 0,
            "last_event_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    def _errors(self, status: int, message: str, field: str | None) -> None:
        self.answer(
            status,
            json.dumps({"errors": [{"message": message, "field": field, "help": None}]}).encode(),
            Content_Type="application/json",
        )

    def _wrong(self, mail: dict[str, Any]) -> tuple[str, str | None] | None:
        """What the real one refuses a whole request for, with the field it names."""
        people = mail.get("personalizations") or []
        if not 1 <= len(people) <= 1000:
            return "between 1 and 1000 personalizations", "personalizations"
        if not str(mail.get("from", {}).get("email", "")).count("@") or not json.dumps(mail["from"]).isascii():
            return "The from address does not match a verified Sender Identity.", "from.email"
        kinds = [part["type"] for part in mail.get("content", [])]
        if kinds not in (["text/plain"], ["text/plain", "text/html"]) or not all(
            part["value"] for part in mail["content"]
        ):
            return "The content value must be a string at least one character in length.", "content.0.value"
        if any(name.lower() in RESERVED for name in mail.get("headers", {})):
            return "The headers may not contain a reserved key.", "headers"
        seen: set[str] = set()
        for number, person in enumerate(people):
            address = person["to"][0]["email"]
            if len(person["to"]) != 1 or address.casefold() in seen:
                return (
                    "Each email address in the personalization block should be unique",
                    f"personalizations.{number}.to.0",
                )
            if address in self.server.bad_addresses:
                return "Does not contain a valid address.", f"personalizations.{number}.to.0.email"
            if not person.get("subject"):
                return "The subject is required.", "subject"
            if sum(len(k.encode()) + len(v.encode()) for k, v in person.get("substitutions", {}).items()) > 10_000:
                return (
                    "Substitutions may not be more than 10000 bytes per personalization",
                    f"personalizations.{number}.substitutions",
                )
            seen.add(address.casefold())
        return None

    def _take(self, mail: dict[str, Any], message_id: str) -> None:
        texts = {part["type"]: part["value"] for part in mail["content"]}
        letters = []
        if self.server.keep_payloads:
            for person in mail["personalizations"]:
                text, html = texts["text/plain"], texts.get("text/html", "")
                for tag, value in person.get("substitutions", {}).items():
                    text, html = text.replace(tag, value), html.replace(tag, value)
                letters.append(
                    Letter(
                        person["to"][0]["email"],
                        person["subject"],
                        text,
                        html,
                        person["custom_args"]["tocsin_ref"],
                        message_id,
                        self._dropped(person["to"][0]["email"], mail.get("mail_settings", {})),
                    )
                )
        with self.server.lock:
            self.server.taken += len(mail["personalizations"])
            self.server.letters += letters
            if self.server.keep_payloads:
                self.server.payloads.append(mail)


def main() -> None:
    """Serve until killed; prints the address. For measurements: counts what it takes and keeps nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.0, help="answer time")
    chosen = parser.parse_args()
    with FakeSendGrid() as server:
        server.keep_payloads, server.answer_seconds = False, chosen.seconds
        print(server.url, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
