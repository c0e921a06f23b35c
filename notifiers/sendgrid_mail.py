"""E-mail that SendGrid takes in for us and posts here (Inbound Parse), known by its signature alone.

Set up best with "POST the raw, full MIME message", and a security policy with a signature; its public key goes into the settings.
Source: SendGrid's documentation of Inbound Parse and of securing its webhooks.
"""

import base64
import binascii
import codecs
import json
import re
from email import message_from_bytes
from email.message import Message
from email.mime.base import MIMEBase
from hashlib import sha256
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
ATTACHMENT: Final = re.compile(r"attachment([1-9][0-9]{0,2})")
CHARSET: Final = re.compile(r"[A-Za-z0-9_.:-]{2,30}")
MOST_FILES: Final = 100
LONGEST_NAME: Final = 200


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
    """The e-mail where only its parts were posted: its own headers, its text, and its files under their names."""
    head = _content(fields["headers"]).strip() if "headers" in fields else b""
    names = {line.partition(b":")[0].lower() for line in head.splitlines()}
    lines = [line for line in head.splitlines() if not line.lower().startswith((b"content-", b"mime-version"))]
    lines = _unfolded_out(lines)
    for name in HEADERS:
        if name in fields and name.encode() not in names:
            lines.append(name.encode() + b": " + b" ".join(_content(fields[name]).split()))
    text, files = _text(fields), _files(fields)
    if not files:
        return b"\r\n".join([*lines, text])
    border = b"tocsin-" + sha256(b"".join((text, *files))).hexdigest().encode()  # the same post is the same mail
    parts = [b"--" + border + b"\r\n" + part + b"\r\n" for part in (text, *files)]
    lines.append(b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="' + border + b'"\r\n\r\n')
    return b"\r\n".join(lines) + b"".join(parts) + b"--" + border + b"--\r\n"


def _text(fields: dict[str, Message]) -> bytes:
    """The words as a part of a mail, in the characters that the provider says they are in."""
    name = "text" if "text" in fields or "html" not in fields else "html"
    said = _told(fields, "charsets").get(name)
    charset = said if isinstance(said, str) and _is_charset(said) else "utf-8"
    kind = "plain" if name == "text" else "html"
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(_content(fields[name]) if name in fields else b"")


def _files(fields: dict[str, Message]) -> list[bytes]:
    """The files as parts of a mail, in their order; their names from `attachment-info`, else as the form has them."""
    info = _told(fields, "attachment-info")
    numbers = sorted(int(found[1]) for name in fields if (found := ATTACHMENT.fullmatch(name)))
    return [_file(fields[f"attachment{number}"], info.get(f"attachment{number}")) for number in numbers[:MOST_FILES]]


def _file(part: Message, info: object) -> bytes:
    known = info if isinstance(info, dict) else {}
    names = (known.get("filename"), known.get("name"), part.get_filename())
    name = next((one for one in names if isinstance(one, str) and one.strip()), "file")
    made = MIMEBase("application", "octet-stream")
    made.set_payload(base64.encodebytes(_content(part)).decode("ascii"))
    made["Content-Transfer-Encoding"] = "base64"
    shown = "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]
    made.add_header("Content-Disposition", "attachment", filename=("utf-8", "", shown))
    return made.as_bytes()


def _told(fields: dict[str, Message], name: str) -> dict[str, object]:
    """What a field says in JSON; nothing where it is none."""
    try:
        found = json.loads(_content(fields[name])) if name in fields else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_charset(word: str) -> bool:
    """Whether this is a name of characters that are known here."""
    try:
        return CHARSET.fullmatch(word) is not None and bool(codecs.lookup(word))
    except LookupError:
        return False


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
