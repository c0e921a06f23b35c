"""E-mail through any mail server (RFC 5321): one addressee a message, encryption demanded, every reply in our words.

What a mail server takes can be followed no further than that server: `accepted` is the last word here, never `delivered`.
"""

import io
import re
import smtplib
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from notifiers import hurried, wire
from notifiers.contract import Answer, Callback, Event, Forged, Message, Misconfigured, Outcome

PROVIDER = "smtp"
IDLE_SECONDS = 10
ENHANCED = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
HUNG_UP = ("connection_lost", "server_closing")
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class _Hurried(smtplib.SMTP):
    """A connection whose replies must each be whole within the time limit, however slowly they drip."""

    _drops: hurried.Drops

    def getreply(self) -> tuple[int, bytes]:
        """The next reply of the server. Raises SMTPServerDisconnected when its time is over."""
        if self.sock is not None:
            if self.file is None:
                self._drops = hurried.Drops(self.sock)
                self.file = io.BufferedReader(self._drops)
            self._drops.begin(self.timeout)
        code, reply = super().getreply()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        return code, reply


class _Plain(_Hurried):
    pass


class _Encrypted(_Hurried, smtplib.SMTP_SSL):
    pass


class SmtpEmail:
    """E-mail through a mail server. `url` is smtp://name:password@host:587 (STARTTLS) or smtps://host:465."""

    channel = "email"
    provider = PROVIDER
    simulated = False
    batch = 25

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        sender_name: str = "",
        bounces_to: str = "",
        reply_to: str = "",
        seconds: float = 30,
        rate: float = 0,
        calls: int = 4,
        encrypted: bool = True,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise Misconfigured(
                "TOCSIN_SMTP_URL: give the server as smtp://name:password@host:587 or smtps://name:password@host:465."
            )
        for field, address in (("TOCSIN_SMTP_FROM", sender), ("TOCSIN_SMTP_BOUNCES_TO", bounces_to or sender)):
            if not wire.is_address(address):
                raise Misconfigured(f"{field}: give one e-mail address.")
        self.rate, self.calls = rate, calls
        self._implicit = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or (465 if self._implicit else 587)
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._sender, self._name, self._bounces_to, self._reply_to = sender, sender_name, bounces_to or sender, reply_to
        self._seconds, self._encrypted = seconds, encrypted
        self._trust = trust or ssl.create_default_context()
        self._idle: list[tuple[smtplib.SMTP, float]] = []  # connections that wait for the next message, and since when
        self._lock = threading.Lock()

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`; after "stop" the rest is not tried."""
        answers: list[Answer] = []
        held: Outcome | None = None
        for message in batch:
            answer = Answer(message.ref, Outcome.LATER, reason="not_tried") if held else self._send(message)
            if answer.outcome is Outcome.STOP or answer.reason in ("not_reached", "server_closing"):
                held = answer.outcome
            answers.append(answer)
        return answers

    def events(self, callback: Callback) -> list[Event]:
        """A mail server calls nobody back, so whatever claims to come from it is forged."""
        raise Forged("A mail server reports nothing here.")

    def _send(self, message: Message) -> Answer:
        """Up to the final dot a failure means "not sent"; after it a lost reply means that nobody knows."""
        if not wire.is_address(message.to):
            return Answer(message.ref, Outcome.REFUSED, reason="address_invalid")
        try:
            letter = self._letter(message)
        except (ValueError, UnicodeError):
            return Answer(message.ref, Outcome.REFUSED, reason="message_invalid")
        while line := self._kept():
            answer = self._over(line, message, letter)
            if answer.reason not in HUNG_UP:  # a server may close what was kept for a while; nothing was sent then
                return answer
        try:
            line = self._opened()
        except smtplib.SMTPAuthenticationError as error:
            return Answer(message.ref, Outcome.STOP, reason="credentials_refused", code=str(error.smtp_code))
        except (smtplib.SMTPNotSupportedError, ssl.SSLError):
            return Answer(message.ref, Outcome.STOP, reason="no_encryption")
        except (OSError, smtplib.SMTPException):
            return Answer(message.ref, Outcome.LATER, reason="not_reached")
        return self._over(line, message, letter)

    def _over(self, line: smtplib.SMTP, message: Message, letter: bytes) -> Answer:
        """Hand the message over by this connection, and keep it for the next one if it still stands."""
        answer = self._hand_over(line, message, letter)
        if line.sock is not None:
            with self._lock:
                self._idle.append((line, time.monotonic()))
        return answer

    def _hand_over(self, line: smtplib.SMTP, message: Message, letter: bytes) -> Answer:
        to = _in_ascii(message.to)
        options = [] if to.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        if options and not line.has_extn("smtputf8"):
            return Answer(message.ref, Outcome.REFUSED, reason="address_needs_smtputf8")
        try:
            code, reply = line.mail(self._bounces_to, options)
            if code != 250:
                return self._turned_away(line, message.ref, code, reply, at_sender=True)
            code, reply = line.rcpt(to)
            if code not in (250, 251):
                return self._turned_away(line, message.ref, code, reply)
            code, reply = line.docmd("DATA")
            if code != 354:
                return self._turned_away(line, message.ref, code, reply)
        except (OSError, smtplib.SMTPException):
            line.close()
            return Answer(message.ref, Outcome.LATER, reason="connection_lost")
        return self._give(line, message, letter)

    def _give(self, line: smtplib.SMTP, message: Message, letter: bytes) -> Answer:
        try:
            line.send(LEADING_DOT.sub(b"..", letter) + b".\r\n")
            code, reply = line.getreply()
        except (OSError, smtplib.SMTPException):
            line.close()
            return Answer(message.ref, Outcome.UNKNOWN, reason="answer_lost")
        if 200 <= code < 300:
            return Answer(message.ref, Outcome.ACCEPTED, provider_id=_message_id(message, self._sender))
        if 400 <= code < 600:
            return self._turned_away(line, message.ref, code, reply)
        line.close()  # no reply that RFC 5321 knows: the server has the message, and does not say what it did with it
        return Answer(message.ref, Outcome.UNKNOWN, reason="answer_unclear")

    def _turned_away(self, line: smtplib.SMTP, ref: str, code: int, reply: bytes, *, at_sender: bool = False) -> Answer:
        if code in (-1, 421):
            line.close()
            return Answer(ref, Outcome.LATER, reason="server_closing", code=str(code))
        try:
            line.rset()
        except (OSError, smtplib.SMTPException):
            line.close()
        return _reading(ref, code, reply, at_sender=at_sender)

    def _kept(self) -> smtplib.SMTP | None:
        """A connection that waits, the one used last; those that waited for long are hung up."""
        with self._lock:
            while self._idle:
                line, since = self._idle.pop()
                if time.monotonic() - since < IDLE_SECONDS:
                    return line
                line.close()
        return None

    def _opened(self) -> smtplib.SMTP:
        if self._implicit:
            line: smtplib.SMTP = _Encrypted(self._host, self._port, timeout=self._seconds, context=self._trust)
        else:
            line = _Plain(self._host, self._port, timeout=self._seconds)
        try:
            line.ehlo()
            if self._encrypted and not self._implicit:
                line.starttls(context=self._trust)
                line.ehlo()
            if self._login:
                line.login(*self._login)
        except (OSError, smtplib.SMTPException):
            line.close()
            raise
        return line

    def _letter(self, message: Message) -> bytes:
        """The message as bytes. Raises ValueError where a header would break."""
        letter = EmailMessage(policy=SMTP if message.to.isascii() else SMTPUTF8)
        letter["From"] = Address(self._name, addr_spec=self._sender)
        letter["To"] = _in_ascii(message.to)
        if self._reply_to:
            letter["Reply-To"] = Address(addr_spec=self._reply_to)
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(datetime.now(UTC))
        letter["Message-ID"] = _message_id(message, self._sender)
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834
        letter.set_content(message.text)
        if message.html:
            letter.add_alternative(message.html, subtype="html")
        letter["Content-Language"] = message.language  # last: what begins with Content- moves into the first part
        return letter.as_bytes()


def _message_id(message: Message, sender: str) -> str:
    """The same over all attempts of one delivery, so that a receiving side can see a double."""
    return f"<{message.thread or message.ref}@{sender.rpartition('@')[2]}>"


def _in_ascii(address: str) -> str:
    """The address with its domain in ASCII; what stands before the @ stays as it is."""
    name, _, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def _reading(ref: str, code: int, reply: bytes, *, at_sender: bool) -> Answer:
    """A refusal in our words, from the reply code and the enhanced one (RFC 3463)."""
    found = ENHANCED.match(reply)
    enhanced = found.group().decode() if found else ""
    said = enhanced or str(code)
    if 400 <= code < 500:
        return Answer(ref, Outcome.LATER, reason="server_says_later", code=said)
    if code in (530, 535) or enhanced.startswith("5.7."):  # policy: about us, so the next will fare no better
        return Answer(ref, Outcome.STOP, reason="policy_refused", code=said)
    if at_sender:
        return Answer(ref, Outcome.STOP, reason="sender_refused", code=said)
    if enhanced == "5.2.2":  # mailbox full: called permanent and often is not
        return Answer(ref, Outcome.LATER, reason="mailbox_full", code=said)
    reason = (
        "address_refused" if enhanced.startswith(("5.1.", "5.2.")) or code in (550, 551, 553) else "message_refused"
    )
    return Answer(ref, Outcome.REFUSED, reason=reason, code=said)
