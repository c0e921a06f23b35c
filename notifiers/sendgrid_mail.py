"""E-mail that SendGrid takes in for us and posts here (Inbound Parse), known by its signature alone.

Set up with "POST the raw, full MIME message" and a security policy with a signature; its public key goes into the settings.
Source: SendGrid's documentation of Inbound Parse and of securing its webhooks.
"""

import base64
import binascii
from email import message_from_bytes
from email.message import Message
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from notifiers.contract import Callback, Forged, Misconfigured

PROVIDER: Final = "sendgrid"
SIGNATURE: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP: Final = "x-twilio-email-event-webhook-timestamp"
HEADERS: Final = ("from", "to", "subject")


class SendgridMail:
    """Takes posts of Inbound Parse."""

    provider = PROVIDER

    def __init__(self, public_key: str) -> None:
        try:
            key = load_der_public_key(base64.b64decode(public_key, validate=True))
        except ValueError:
            key = None
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Misconfigured("TOCSIN_SENDGRID_PARSE_PUBLIC_KEY: paste the public key of the parse webhook's policy.")
        self._key = key

    def mail(self, callback: Callback) -> bytes:
        """The whole e-mail of a signed post. Raises Forged, also for a post that holds none."""
        self._demand_signed(callback)
        kind = callback.headers.get("content-type", "")
        if not kind.isascii() or not kind.isprintable():
            raise Forged("The post is no form.")
        post = message_from_bytes(f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode() + callback.body)
        found = post.get_payload()
        parts = found if isinstance(found, list) else []
        fields = {_name(part): part for part in parts if isinstance(part, Message)}
        if "email" in fields:
            return _content(fields["email"])
        if "from" in fields:
            return _put_together(fields)
        raise Forged("The post holds no e-mail.")

    def _demand_signed(self, callback: Callback) -> None:
        signature, timestamp = callback.headers.get(SIGNATURE, ""), callback.headers.get(TIMESTAMP, "")
        if not signature or not timestamp:
            raise Forged("The signature or its timestamp is missing.")
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, timestamp.encode() + callback.body, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            raise Forged("The signature does not fit.") from None


def _put_together(fields: dict[str, Message]) -> bytes:
    """The e-mail where only its parts were posted: its own headers, and its text. Its files do not come that way."""
    head = _content(fields["headers"]).strip() if "headers" in fields else b""
    names = {line.partition(b":")[0].lower() for line in head.splitlines()}
    lines = [line for line in head.splitlines() if not line.lower().startswith((b"content-", b"mime-version"))]
    lines = _unfolded_out(lines)
    for name in HEADERS:
        if name in fields and name.encode() not in names:
            lines.append(name.encode() + b": " + b" ".join(_content(fields[name]).split()))
    text = _content(fields["text"] if "text" in fields else fields["html"]) if {"text", "html"} & fields.keys() else b""
    kind = b"plain" if "text" in fields else b"html"
    lines.append(b"Content-Type: text/" + kind + b"; charset=utf-8")
    return b"\r\n".join(lines) + b"\r\n\r\n" + text


def _unfolded_out(lines: list[bytes]) -> list[bytes]:
    """The header lines without those that went on with one that was left out at the top."""
    while lines and lines[0][:1] in {b" ", b"\t"}:
        lines = lines[1:]
    return lines


def _name(part: Message) -> str:
    found = part.get_param("name", header="content-disposition")
    return found.lower() if isinstance(found, str) else ""


def _content(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""
