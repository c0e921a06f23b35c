"""A mailbox over IMAP (RFC 9051), only ever looked at: no message in it is marked, moved or taken away.

How far it was read is for the caller to keep: the number that the server gives to each message (UID), good for as long as the
folder's UIDVALIDITY stays the same.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from notifiers.contract import Letter, Misconfigured, Unread

SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
FORM: Final = "TOCSIN_IMAP_URL: such as imaps://name:password@mail.example.org/INBOX, with % codes for special letters."


@dataclass(frozen=True)
class ImapMailbox:
    """One folder of one mailbox."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    tls: bool
    seconds: float

    @classmethod
    def at(cls, url: str, *, seconds: float) -> "ImapMailbox":
        """The mailbox at this address. Raises Misconfigured."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Misconfigured(FORM) from None
        if parts.scheme not in {"imaps", "imap"} or not parts.hostname or not parts.username or parts.password is None:
            raise Misconfigured(FORM)
        folder, tls = unquote(parts.path.strip("/")) or "INBOX", parts.scheme == "imaps"
        if not folder.isprintable() or not folder.isascii():
            raise Misconfigured(FORM)
        user, password = unquote(parts.username), unquote(parts.password)
        return cls(parts.hostname, port or (993 if tls else 143), user, password, folder, tls, seconds)

    def after(self, validity: int, uid: int, *, most: int, largest: int) -> Iterator[Letter]:
        """The messages behind this number, oldest first, at most so many; of larger ones the headers. Raises Unread."""
        try:
            connection = self._connected()
        except (OSError, imaplib.IMAP4.error) as error:
            raise Unread(_reason(error)) from None
        try:
            yield from self._letters(connection, validity, uid, most, largest)
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise Unread(_reason(error)) from None
        finally:
            _leave(connection)

    def _connected(self) -> imaplib.IMAP4:
        if self.tls:
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=self.seconds)
        return imaplib.IMAP4(self.host, self.port, timeout=self.seconds)

    def _letters(self, connection: imaplib.IMAP4, validity: int, uid: int, most: int, largest: int) -> Iterator[Letter]:
        _demand(connection.login(self.user, self.password), "sign_in_refused")
        quoted = '"' + self.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        _demand(connection.select(quoted, readonly=True), "no_such_folder")
        told = connection.response("UIDVALIDITY")[1]
        standing = int(told[0]) if told and told[0] else 0
        first = uid + 1 if standing == validity else 1
        found = _demand(connection.uid("SEARCH", f"UID {first}:*"), "not_understood")
        numbers = sorted(number for word in (found[0] or b"").split() if (number := int(word)) >= first)
        for number in numbers[:most]:
            yield self._letter(connection, standing, number, largest)

    def _letter(self, connection: imaplib.IMAP4, validity: int, number: int, largest: int) -> Letter:
        sized = SIZE.search(_bytes(_demand(connection.uid("FETCH", str(number), "(RFC822.SIZE)"), "not_understood")))
        size = int(sized[1]) if sized else 0
        what = "(BODY.PEEK[])" if size <= largest else "(BODY.PEEK[HEADER])"
        parts = _demand(connection.uid("FETCH", str(number), what), "not_understood")
        raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
        return Letter(validity, number, raw, size, whole=size <= largest)


def _demand(answer: tuple[str, Any], reason: str) -> Any:
    """What the server said, if it said yes. Raises Unread."""
    if answer[0] != "OK":
        raise Unread(reason)
    return answer[1]


def _bytes(parts: Any) -> bytes:
    return b" ".join(part if isinstance(part, bytes) else part[0] if isinstance(part, tuple) else b"" for part in parts)


def _reason(error: Exception) -> str:
    """A word of ours: what a server says may name the account."""
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
        return "sign_in_refused" if "auth" in str(error).lower() or "login" in str(error).lower() else "refused"
    return "certificate" if isinstance(error, ssl.SSLError) else "unreachable"


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.logout()
    except (OSError, imaplib.IMAP4.error):
        connection.shutdown()
